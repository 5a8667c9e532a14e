//! How far an environment is with coming to be: nobody edits it, and nobody is served from it, before it is ready.

use serde::{Deserialize, Serialize};

use super::events::CloneOrigin;

/// Where the creation of an environment stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CreationStatus {
    /// Its states are on their way.
    Creating,
    /// It has all its states.
    Completed,
    /// The copying stopped; it can be retried or cancelled.
    Failed,
    /// The copying was given up.
    Cancelled,
}

/// How far an environment is with coming to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Creation {
    /// Where it stands.
    pub status: CreationStatus,
    /// What it is a copy of, if it is one.
    pub clone: Option<Box<CloneOrigin>>,
    /// How many batches make it up.
    pub batches_total: u32,
    /// How many batches it has.
    pub batches: u32,
    /// How many states came in them.
    pub feature_states: u64,
    /// How many states there will be.
    pub feature_states_total: u64,
    /// How often the copying was begun: 1, and one more for each retry.
    pub attempts: u32,
}

impl Creation {
    /// The number of the next batch; none once all are there.
    #[must_use]
    pub fn next_batch(&self) -> Option<u32> {
        (self.batches < self.batches_total).then_some(self.batches + 1)
    }
}
