//! What is asked of the store for one command, and what became of the command: `cqrs_es` has no words for either.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use offshoot_aggregates::Version;
use uuid::Uuid;

use crate::event_log::{Appended, Ticket};

/// What the store needs to know of the command it serves.
#[derive(Clone, Debug)]
pub struct CommandScope {
    /// The command, if the log shall remember it.
    pub remember: Option<Uuid>,
    /// The version that the aggregate must be at, if the caller said so.
    pub expected: Option<Version>,
    /// Whether the decision must be made on all that the log has, also if the log would refuse it otherwise.
    pub must_be_current: bool,
    /// What stands beside its events.
    pub metadata: Arc<HashMap<String, String>>,
}

/// What became of a command, for those who sent it: `CqrsFramework::execute` does not say.
#[derive(Clone, Debug, Default)]
pub struct Outcome(Arc<Mutex<OutcomeState>>);

#[derive(Clone, Debug, Default)]
pub(super) struct OutcomeState {
    pub(super) appended: Option<Appended>,
    pub(super) may_be_stale: bool,
    pub(super) error: Option<NoEffect>,
    /// The last append that it was decided on.
    pub(super) rests_on: Option<Ticket>,
}

/// Why a command had no effect, or none that is known of, beyond what `AggregateError` can say.
#[derive(Clone, Debug, thiserror::Error)]
pub enum NoEffect {
    /// The aggregate is not at the version that the caller expected.
    #[error("the version is {actual}")]
    OtherVersion {
        /// The version it is at.
        actual: Version,
    },
    /// It is more than the log takes at once.
    #[error("{bytes} bytes are more than {max}")]
    TooLarge {
        /// Bytes of its events.
        bytes: usize,
        /// Bytes that the log takes.
        max: usize,
    },
    /// The log cannot be read or written.
    #[error("{0}")]
    Unavailable(String),
    /// It is not known whether the log has recorded it.
    #[error("{0}")]
    Unknown(String),
    /// An event of the aggregate cannot be read.
    #[error("{0}")]
    Damaged(String),
}

impl Outcome {
    pub(super) fn with<T>(&self, f: impl FnOnce(&mut OutcomeState) -> T) -> T {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Where the command's events are, or where the aggregate stood if there are none.
    #[must_use]
    pub fn appended(&self) -> Option<Appended> {
        self.with(|state| state.appended)
    }

    /// Whether it was decided on an aggregate that others may have changed meanwhile: a rejection says nothing then.
    #[must_use]
    pub fn may_be_stale(&self) -> bool {
        self.with(|state| state.may_be_stale)
    }

    /// Why it had no effect.
    #[must_use]
    pub fn error(&self) -> Option<NoEffect> {
        self.with(|state| state.error.clone())
    }

    /// Waits until what the command was decided on is on disk; false if it never will be, so that the command must be
    /// decided anew.
    pub async fn is_well_founded(&self) -> bool {
        match self.with(|state| state.rests_on.clone()) {
            Some(append) => append.is_recorded().await,
            None => true,
        }
    }
}
