//! One aggregate in the cache: what the next command is decided on, and what readers see.
//!
//! The two differ while appends are on their way to the disk. A command is decided on everything that was sent before it;
//! readers see what is on disk and nothing else.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OwnedMutexGuard;

use super::Snapshot;
use crate::event_log::{Fate, Ticket};

/// What an aggregate weighs in the cache before it has events, in bytes.
pub(super) const EMPTY_WEIGHT: u64 = 1_024;

/// One aggregate.
pub(super) struct Slot<A> {
    head: Arc<tokio::sync::Mutex<Head<A>>>,
    /// Held by whoever looks what the log has since; the number of the last look that succeeded.
    looking: Arc<tokio::sync::Mutex<u64>>,
    /// The number of the last look that was begun.
    looks: AtomicU64,
    on_disk: Mutex<OnDisk<A>>,
    /// What went into it weighs so much, with [`EMPTY_WEIGHT`]: about what it takes in memory, in bytes.
    weight: AtomicU64,
}

/// What the next command is decided on: all events that are on disk or on their way there.
#[derive(Default)]
pub(super) struct Head<A> {
    pub(super) snapshot: Snapshot<A>,
    /// The last append that was sent since it was read. If that one fails, what is decided on it must not be recorded.
    pub(super) last_sent: Option<Ticket>,
}

/// A look at what the log has since: one at a time.
pub(super) struct Look {
    number: u64,
    succeeded: OwnedMutexGuard<u64>,
}

impl Look {
    /// Notes that all was seen that was there when it began.
    pub(super) fn succeed(mut self) {
        *self.succeeded = self.number;
    }
}

/// What readers see.
struct OnDisk<A> {
    snapshot: Snapshot<A>,
    /// The appends on their way, oldest first, and the aggregate as of each.
    sent: VecDeque<(Ticket, Snapshot<A>)>,
    /// False until it was read, and after an append failed: then the log may hold what nobody here knows.
    is_valid: bool,
    /// Counts how often it was read: what was decided on an earlier reading says nothing about the present one.
    reading: u64,
}

impl<A: Clone + Default> Slot<A> {
    /// A slot that nothing was read into yet.
    pub(super) fn new() -> Self {
        let on_disk = OnDisk { snapshot: Snapshot::default(), sent: VecDeque::new(), is_valid: false, reading: 0 };
        Self {
            head: Arc::default(),
            looking: Arc::default(),
            looks: AtomicU64::default(),
            on_disk: Mutex::new(on_disk),
            weight: AtomicU64::new(EMPTY_WEIGHT),
        }
    }

    /// Waits for the turn to look what the log has since; `None` if somebody else has begun to after this was asked, and has
    /// succeeded: then nothing new is left to see.
    pub(super) async fn look(&self) -> Option<Look> {
        let asked = self.looks.load(Ordering::Acquire);
        let succeeded = self.looking.clone().lock_owned().await;
        if *succeeded > asked {
            return None;
        }
        let number = self.looks.fetch_add(1, Ordering::AcqRel) + 1;
        Some(Look { number, succeeded })
    }

    /// Waits for the turn of a command.
    pub(super) async fn lock_head(&self) -> OwnedMutexGuard<Head<A>> {
        self.head.clone().lock_owned().await
    }

    /// The aggregate as it is on disk; `None` if it must be read first.
    pub(super) fn on_disk(&self) -> Option<Snapshot<A>> {
        self.with(|on_disk| {
            on_disk.take_what_was_recorded();
            on_disk.is_valid.then(|| on_disk.snapshot.clone())
        })
    }

    /// What is known to be on disk, which is where to read on from.
    pub(super) fn known(&self) -> Snapshot<A> {
        self.with(|on_disk| {
            on_disk.take_what_was_recorded();
            on_disk.snapshot.clone()
        })
    }

    /// Notes what was read from the log.
    pub(super) fn learn(&self, snapshot: Snapshot<A>) {
        self.with(|on_disk| on_disk.take(snapshot));
    }

    /// Lets the next command be decided on what is known to be on disk. This begins another reading.
    pub(super) fn rebase(&self) -> Head<A> {
        let snapshot = self.with(|on_disk| {
            on_disk.take_what_was_recorded();
            on_disk.is_valid = true;
            on_disk.reading += 1;
            on_disk.snapshot.clone()
        });
        Head { snapshot, last_sent: None }
    }

    /// The present reading, if it is valid.
    pub(super) fn reading(&self) -> Option<u64> {
        self.with(|on_disk| on_disk.is_valid.then_some(on_disk.reading))
    }

    /// Notes that an append is on its way, and the aggregate as of it.
    pub(super) fn sent(&self, ticket: Ticket, snapshot: Snapshot<A>) {
        self.with(|on_disk| {
            on_disk.take_what_was_recorded();
            on_disk.sent.push_back((ticket, snapshot));
        });
    }

    /// Notes that something that was decided on a reading was not recorded.
    pub(super) fn invalidate(&self, reading: u64) {
        self.with(|on_disk| {
            if on_disk.reading == reading {
                on_disk.is_valid = false;
            }
        });
    }

    /// Notes that the aggregate has grown. Answers its weight before and since.
    pub(super) fn grow(&self, bytes: u64) -> (u64, u64) {
        let before = self.weight.fetch_add(bytes, Ordering::Relaxed);
        (before, before + bytes)
    }

    fn with<T>(&self, f: impl FnOnce(&mut OnDisk<A>) -> T) -> T {
        f(&mut self.on_disk.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<A> OnDisk<A> {
    fn take_what_was_recorded(&mut self) {
        while let Some((ticket, _)) = self.sent.front() {
            let is_recorded = match ticket.fate() {
                Fate::Open | Fate::Uncommitted => return,
                Fate::Recorded => true,
                Fate::Failed => false,
            };
            if let Some((_, snapshot)) = self.sent.pop_front().filter(|_| is_recorded) {
                self.take(snapshot);
            }
        }
    }

    fn take(&mut self, snapshot: Snapshot<A>) {
        if snapshot.version > self.snapshot.version {
            self.snapshot = snapshot;
        }
    }
}
