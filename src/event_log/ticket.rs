//! Tells what has become of an append, also those who build on it before the log has answered.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use tokio::sync::Notify;

/// What has become of an append.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The log has not decided yet.
    Open = 0,
    /// It stands in a transaction that is not on disk yet.
    Uncommitted = 1,
    /// It is on disk.
    Recorded = 2,
    /// Nothing of it was recorded.
    Failed = 3,
}

/// Tells what has become of one append. Clones tell of the same one.
#[derive(Clone, Debug, Default)]
pub struct Ticket(Arc<State>);

#[derive(Debug, Default)]
struct State {
    fate: AtomicU8,
    settled: Notify,
}

impl Ticket {
    /// Whether it tells of the same append.
    #[must_use]
    pub fn is_of_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// What has become of the append so far.
    #[must_use]
    pub fn fate(&self) -> Fate {
        let fate = self.0.fate.load(Ordering::Acquire);
        [Fate::Open, Fate::Uncommitted, Fate::Recorded]
            .into_iter()
            .find(|known| *known as u8 == fate)
            .unwrap_or(Fate::Failed)
    }

    /// Waits until the log has decided. Whether the append was recorded.
    pub async fn is_recorded(&self) -> bool {
        loop {
            let settled = self.0.settled.notified();
            match self.fate() {
                Fate::Recorded => return true,
                Fate::Failed => return false,
                Fate::Open | Fate::Uncommitted => settled.await,
            }
        }
    }

    /// Says what has become of the append. What is recorded stays so.
    pub fn set(&self, fate: Fate) {
        let is_open = |known: u8| (known < Fate::Recorded as u8).then_some(fate as u8);
        let _ = self.0.fate.fetch_update(Ordering::AcqRel, Ordering::Acquire, is_open);
        if matches!(fate, Fate::Recorded | Fate::Failed) {
            self.0.settled.notify_waiters();
        }
    }
}
