//! What is said of a clone that waits for a store that is away: that it waits, and that it goes on; not each time that it tries.

use std::fmt::Display;

use uuid::Uuid;

use crate::outage::Outage;

/// A clone that may have to wait.
pub(super) struct Waiting {
    clone: Uuid,
    outage: Outage,
}

impl Waiting {
    pub(super) fn new(clone: Uuid) -> Self {
        Self { clone, outage: Outage::default() }
    }

    /// The store was tried in vain.
    pub(super) fn misses(&mut self, error: &dyn Display) {
        if self.outage.notice() {
            tracing::warn!(environment = %self.clone, %error, "a clone waits for the event log");
        }
    }

    /// The store is there.
    pub(super) fn goes_on(&mut self) {
        if let Some(waited) = self.outage.end() {
            tracing::info!(environment = %self.clone, ?waited, "the clone goes on");
        }
    }
}
