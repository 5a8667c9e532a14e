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
        Self { head: Arc::default(), on_disk: Mutex::new(on_disk), weight: AtomicU64::new(EMPTY_WEIGHT) }
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

    /// What to read on from, and which reading this will be.
    pub(super) fn begin_reading(&self) -> Snapshot<A> {
        self.with(|on_disk| {
            on_disk.take_what_was_recorded();
            on_disk.snapshot.clone()
        })
    }

    /// Notes what was read from the log.
    pub(super) fn end_reading(&self, snapshot: Snapshot<A>) {
        self.with(|on_disk| {
            on_disk.snapshot = snapshot;
            on_disk.is_valid = true;
            on_disk.reading += 1;
        });
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
            let taken = self.sent.pop_front().filter(|_| is_recorded);
            if let Some((_, snapshot)) = taken.filter(|(_, snapshot)| snapshot.version > self.snapshot.version) {
                self.snapshot = snapshot;
            }
        }
    }
}
