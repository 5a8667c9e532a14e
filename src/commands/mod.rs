//! The one way to change anything: a command goes to an aggregate, and what it decides is recorded.
//!
//! `dispatch` runs one command. The other files are what callers ask for, some of which takes several commands on
//! several streams: each step can be repeated, and none needs a transaction over two streams.

pub mod aggregate_store;
mod api_keys;
mod batch_size;
pub mod clones;
mod context;
mod dispatch;
mod environments;
mod error;
mod feature_states;
mod features;
mod identities;
mod ids;
mod import;
mod import_batches;
mod names;
mod organisations;
mod outcome;
mod projects;
mod segments;
mod server_keys;

pub use api_keys::{IssuedApiKey, NewApiKey};
pub use clones::{AsOf, CloneOptions, CloneRejection};
pub use context::CommandContext;
pub use dispatch::Commands;
pub use environments::{NewEnvironmentOptions, uuid_of_chosen_key};
pub use error::{CommandError, Rejection};
pub use feature_states::{OverrideIds, OverrideSetting};
pub use features::{NewFeature, NewOption};
pub use import::{ImportPlan, ImportedFeature, ImportedIdentity, ImportedOverride, ImportedState};
pub use segments::{NewCondition, NewRule, NewSegment};
pub use server_keys::{IssuedServerKey, NewServerKey};

use offshoot_aggregates::Position;

/// Something that a command created, and where the log stands since.
#[derive(Clone, Debug, PartialEq)]
pub struct Created<T> {
    /// What was created.
    pub created: T,
    /// The position of the last event of it.
    pub position: Position,
}
