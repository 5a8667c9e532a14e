//! An environment: its settings, its feature states, its identities and server-side keys, who may do what in it, and how it
//! came to be.

mod aggregate;
mod batch_outline;
mod clone;
mod clone_mode;
mod commands;
mod creation;
mod decide;
mod decide_creation;
mod decide_identities;
mod decide_server_keys;
mod decide_states;
mod error;
mod events;
mod identities;
mod server_keys;
mod settings;
mod states;
mod value;

pub use aggregate::Environment;
pub use batch_outline::BatchOutline;
pub use clone::{CloneReader, CloneTarget, InvalidClone, clone_size};
pub use clone_mode::{CloneMode, CloneModeReason};
pub use commands::{
    CloneRequest, EnvironmentCommand, ExpectedOverride, FeatureRef, NewEnvironment, ProjectSegments, SegmentRef,
    ServerKeyChange, StateChange,
};
pub use creation::{Creation, CreationStatus};
pub use error::EnvironmentError;
pub use events::{CloneOrigin, EnvironmentEvent, EnvironmentRef, Origin, PriorityChange};
pub use identities::{BatchedIdentityOverride, Identities, IdentityOverride};
pub use server_keys::{ServerKey, ServerKeySettings};
pub use settings::EnvironmentSettings;
pub(crate) use states::resolve;
pub use states::{Allocation, BatchedState, FeatureState, FeatureStateContent, SegmentLink, SegmentOverride, StateKey};
pub use value::{FeatureValue, ValueType};
