//! How far the log is known: what was read of it, what subscribers were told, and what this node has recorded itself.

use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use offshoot_aggregates::Position;
use tokio::sync::{Notify, watch};

use crate::limits::{KURRENT_MARK_BYTES, KURRENT_MARK_EVENTS};

/// How far the log is known.
pub(super) struct Horizon {
    seen: Mutex<Seen>,
    hint: watch::Sender<Position>,
    /// So much has come since the last mark that it is time for one; see [`super::timeline`].
    pub(super) mark_is_due: Notify,
}

/// What is known of the log.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Seen {
    /// Everything in the database up to here is known; `None` if that is nothing. A place that the server can go on from.
    pub(super) scanned: Option<eventstore::Position>,
    /// The last event of the log up to there.
    pub(super) head: Position,
    /// When it was recorded.
    pub(super) head_time: Option<Timestamp>,
    events_since_mark: usize,
    bytes_since_mark: usize,
}

/// An event of the log that was passed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Passed {
    pub(super) position: Position,
    pub(super) recorded_at: Timestamp,
    pub(super) bytes: usize,
}

impl Horizon {
    pub(super) fn new() -> Self {
        Self { seen: Mutex::default(), hint: watch::Sender::new(Position::START), mark_is_due: Notify::new() }
    }

    pub(super) fn seen(&self) -> Seen {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn watch(&self) -> watch::Receiver<Position> {
        self.hint.subscribe()
    }

    /// Notes that everything is known up to `scanned`, with these events of the log, in order, since something that was known.
    pub(super) fn pass(&self, scanned: eventstore::Position, events: &[Passed]) {
        let head = {
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            seen.scanned = seen.scanned.max(Some(scanned));
            for event in events {
                if event.position > seen.head {
                    seen.head = event.position;
                    seen.head_time = Some(event.recorded_at);
                    seen.events_since_mark += 1;
                    seen.bytes_since_mark += event.bytes;
                }
            }
            if seen.events_since_mark >= KURRENT_MARK_EVENTS || seen.bytes_since_mark >= KURRENT_MARK_BYTES {
                (seen.events_since_mark, seen.bytes_since_mark) = (0, 0);
                self.mark_is_due.notify_one();
            }
            seen.head
        };
        self.reach(head);
    }

    /// Wakes readers: there is an event at this position.
    pub(super) fn reach(&self, position: Position) {
        self.hint.send_if_modified(|head| {
            let is_further = position > *head;
            *head = (*head).max(position);
            is_further
        });
    }
}
