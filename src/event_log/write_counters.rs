//! Counts what a log has written.

use std::sync::atomic::{AtomicU64, Ordering};

use super::{AppendError, Appended, Written};

/// What a log has written since it was opened.
#[derive(Default)]
pub(super) struct WriteCounters {
    appends: AtomicU64,
    events: AtomicU64,
    bytes: AtomicU64,
    syncs: AtomicU64,
}

impl WriteCounters {
    /// One append was recorded: so many events, so many bytes of payload and metadata.
    pub(super) fn count_append(&self, events: u64, bytes: u64) {
        self.appends.fetch_add(1, Ordering::Relaxed);
        self.events.fetch_add(events, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// The disk was waited for.
    pub(super) fn count_syncs(&self, syncs: u64) {
        self.syncs.fetch_add(syncs, Ordering::Relaxed);
    }

    /// What was written so far.
    pub(super) fn written(&self) -> Written {
        Written {
            appends: self.appends.load(Ordering::Relaxed),
            events: self.events.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
            syncs: self.syncs.load(Ordering::Relaxed),
        }
    }
}

/// Counts what became of an append, for those who watch the metrics.
pub(super) fn count_outcome(outcome: &Result<Appended, AppendError>) {
    let label = match outcome {
        Ok(_) => "recorded",
        Err(AppendError::Conflict { .. }) => "conflict",
        Err(AppendError::AlreadyDone(_)) => "already_done",
        Err(AppendError::TooLarge { .. }) => "too_large",
        Err(AppendError::Unavailable(_)) => "unavailable",
        Err(AppendError::Unknown(_)) => "unknown",
    };
    metrics::counter!("offshoot_appends_total", "outcome" => label).increment(1);
}
