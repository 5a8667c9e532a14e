//! Flags as they are served: compiled environments in memory that follow the log.
//!
//! An environment is loaded from the read models when it is first asked for, and compiled. From then on the follower reads
//! the log, loads what an event touched, and puts a changed copy in its place, which shares all that did not change. A
//! request finds its environment by its key without a lock, and its answer is put together from fragments of JSON that
//! were rendered before.
//!
//! `touched` says what an event changes, `loading` and `parts` read it, `served` is the compiled environment, `fragments`,
//! `document_parts` and `typed_value` are its JSON, `answers` and `document` the bodies, `slots` the keys.

mod answers;
mod budget;
mod document;
mod document_parts;
mod evaluated;
mod follower;
mod fragments;
mod json;
mod loading;
mod lookup;
mod parts;
mod served;
mod slot;
mod slots;
mod source;
mod tag;
mod touched;
mod typed_value;
mod usage;

use std::sync::Arc;
use std::time::Duration;

use offshoot_aggregates::Position;
use tokio::sync::{Semaphore, watch};

pub use answers::Audience;
pub use evaluated::{EvaluatedFeature, OverriddenBy};
pub use follower::follow;
pub use lookup::{Access, NotServed, Subscription};
pub use served::{Head, ServedEnvironment};
pub use slot::News;
pub use tag::{Tag, TagHeaders, http_date};
pub use usage::{FeatureUsage, Report, Usage};

use crate::limits::{FLAG_LOADS_MAX, KEY_LOOKUPS_MAX};
use crate::read_models::{QueryError, ReadModel, ReadModels};
use slots::Slots;

/// The environments that are served.
pub struct Flags {
    read_models: ReadModels,
    slots: Slots,
    /// How far the follower is: all that is in memory is at least as of here.
    followed: watch::Sender<Position>,
    /// Bounds the work that unknown keys make.
    lookups: Semaphore,
    /// Bounds the memory of environments that are being loaded.
    loads: Semaphore,
    /// How often flags were evaluated.
    pub usage: Usage,
}

impl Flags {
    /// Nothing is in memory yet. The follower will begin after `head`, where the log ended at some moment before.
    #[must_use]
    pub fn new(read_models: ReadModels, head: Position) -> Arc<Self> {
        Arc::new(Self {
            read_models,
            slots: Slots::default(),
            followed: watch::Sender::new(head),
            lookups: Semaphore::new(KEY_LOOKUPS_MAX),
            loads: Semaphore::new(FLAG_LOADS_MAX),
            usage: Usage::default(),
        })
    }

    /// The read models from which flags are served.
    fn sources(&self) -> [&Arc<ReadModel>; 4] {
        let ReadModels { environment_status, feature_states, features, access, .. } = &self.read_models;
        [environment_status, feature_states, features, access]
    }

    /// Whether anything can be served: the read models it comes from are there.
    #[must_use]
    pub fn is_serving(&self) -> bool {
        self.sources().into_iter().all(|read_model| read_model.is_serving())
    }

    /// How far the follower is.
    #[must_use]
    pub fn position(&self) -> Position {
        *self.followed.borrow()
    }

    /// Waits until all that is in memory is at least as of a position.
    pub async fn reached(&self, position: Position) {
        // The sender lives as long as `self`, so waiting cannot fail.
        let _ = self.followed.subscribe().wait_for(|followed| *followed >= position).await;
    }

    /// Waits until the read models have reached a position. False if `at_most` was not enough.
    async fn sources_reached(&self, position: Position, at_most: Duration) -> Result<bool, QueryError> {
        if let Some(building) = self.sources().into_iter().find(|read_model| !read_model.is_serving()) {
            return Err(QueryError::Building { name: building.name(), position: building.position() });
        }
        let all = async {
            for read_model in self.sources() {
                read_model.reached(position).await;
            }
        };
        Ok(tokio::time::timeout(at_most, all).await.is_ok())
    }
}
