//! Where `cqrs_es` loads aggregates from and commits events to: an event log, and a bounded cache of aggregates before it.
//!
//! The stock store reads an aggregate's whole stream for every command. This one keeps the aggregates it has read, each
//! behind a lock that is held while a command is decided, so that commands of one process never conflict with each other.
//! The log's version check remains the only guarantee: whatever the cache holds, a stale decision cannot be recorded.

mod command_store;
mod slot;

use std::sync::Arc;

use cqrs_es::Aggregate;
use offshoot_aggregates::environment::Environment;
use offshoot_aggregates::id_allocator::IdAllocator;
use offshoot_aggregates::organisation::Organisation;
use offshoot_aggregates::project::Project;
use offshoot_aggregates::{Category, StreamId, Version};
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use tokio::sync::OwnedMutexGuard;

use self::slot::{EMPTY_WEIGHT, Head, Slot};
use super::outcome::CommandScope;
use crate::event_log::{EventLog, ReadError};
use crate::limits::{AGGREGATE_CACHE_BYTES_MAX, CLONES_RUNNING_MAX, PAGE_EVENTS_MAX};

pub use self::command_store::{CommandStore, Loaded};

/// What an event may add to an aggregate beyond its payload, in bytes: entries of maps, which are seldom full.
const EVENT_WEIGHT: u64 = 128;

/// A hint. So few are not spread over several shards, each of which would take only aggregates that fit in its part.
const EXPECTED_AGGREGATES: usize = 32;

/// Snapshots of the past that are kept: those of the clones that a node works on at the same time.
const KEPT_SNAPSHOTS_MAX: usize = CLONES_RUNNING_MAX;

/// An aggregate that the store can keep and hand out copies of. Copies share their parts and cost next to nothing.
pub trait Cached: Aggregate<Error: Clone, Services = ()> + Clone + 'static {
    /// The kind of its streams.
    const CATEGORY: Category;

    /// The name of an event's type.
    fn event_type(event: &Self::Event) -> &'static str;
}

macro_rules! cached {
    ($($aggregate:ty => $category:ident),+ $(,)?) => {$(
        impl Cached for $aggregate {
            const CATEGORY: Category = Category::$category;

            fn event_type(event: &Self::Event) -> &'static str {
                event.type_name()
            }
        }
    )+};
}

cached! {
    Organisation => Organisation,
    Project => Project,
    Environment => Environment,
    IdAllocator => IdAllocator,
}

/// An aggregate as of a version of its stream.
#[derive(Clone, Debug, Default)]
pub struct Snapshot<A> {
    /// The aggregate.
    pub aggregate: A,
    /// The version of the last event in it.
    pub version: Version,
}

/// How new an aggregate from the cache must be, where other processes write to the same log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Freshness {
    /// As new as the log.
    Current,
    /// As it was when this process last read or wrote it: good enough for a decision that the log checks.
    Cached,
}

/// Loads and keeps the aggregates of one kind.
pub struct AggregateStore<A: Cached> {
    log: Arc<dyn EventLog>,
    slots: Cache<String, Entry<A>, EntryWeight>,
    /// Snapshots that somebody will soon ask for, although their streams have gone on: see [`AggregateStore::keep_until_asked`].
    kept: Cache<(String, Version), Snapshot<A>>,
}

/// A slot in the cache, and what it weighed when it was put there: the cache counts on it that an entry never changes its
/// weight. A slot that has grown is put there anew.
type Entry<A> = (Arc<Slot<A>>, u64);

#[derive(Clone)]
struct EntryWeight;

impl<A> Weighter<String, Entry<A>> for EntryWeight {
    fn weight(&self, _key: &String, (_, weight): &Entry<A>) -> u64 {
        *weight
    }
}

impl<A: Cached> AggregateStore<A> {
    /// A store over a log, with nothing in the cache.
    pub fn new(log: Arc<dyn EventLog>) -> Self {
        let slots = Cache::with_weighter(EXPECTED_AGGREGATES, AGGREGATE_CACHE_BYTES_MAX, EntryWeight);
        Self { log, slots, kept: Cache::new(KEPT_SNAPSHOTS_MAX) }
    }

    /// The aggregate as it is now: as of everything that a reader of the log can have seen.
    ///
    /// # Errors
    /// The log cannot be read.
    pub async fn snapshot(&self, key: &str) -> Result<Snapshot<A>, ReadError> {
        let slot = self.slot(key);
        // A log of this process alone that takes followers says so here before readers see what it recorded.
        if !self.log.is_shared()
            && self.log.takes_followers()
            && let Some(snapshot) = slot.on_disk()
        {
            return Ok(snapshot);
        }
        self.look(key, &slot).await
    }

    /// The aggregate as this process last knew it, or as it is now if it is not known: for what never changes in it.
    ///
    /// # Errors
    /// The log cannot be read.
    pub async fn known(&self, key: &str) -> Result<Snapshot<A>, ReadError> {
        let known = self.slot(key).known();
        if known.version > Version::NONE { Ok(known) } else { self.snapshot(key).await }
    }

    /// Keeps a snapshot for the one who is going to ask for this version next, so that the stream need not be read from its
    /// beginning for it. It shares its parts with the present aggregate, so it costs what has changed since.
    pub fn keep_until_asked(&self, key: &str, aggregate: A, version: Version) {
        self.kept.insert((key.to_owned(), version), Snapshot { aggregate, version });
    }

    /// The aggregate as it was at a version of its stream: from the cache if that is the present one or was kept, else read anew.
    ///
    /// # Errors
    /// The log cannot be read.
    pub async fn snapshot_at(&self, key: &str, version: Version) -> Result<Snapshot<A>, ReadError> {
        if let Some((_, kept)) = self.kept.remove(&(key.to_owned(), version)) {
            return Ok(kept);
        }
        let mut snapshot = self.snapshot(key).await?;
        if snapshot.version > version {
            snapshot = Snapshot::default();
        }
        if snapshot.version < version {
            self.read(key, &mut snapshot, Some(version)).await?;
        }
        Ok(snapshot)
    }

    /// A store for the one command that `scope` describes.
    pub fn for_command(self: &Arc<Self>, scope: CommandScope) -> CommandStore<A> {
        CommandStore::new(self.clone(), scope)
    }

    /// Waits for the turn of a command, and reads the aggregate if that is needed. Answers which reading it is as well.
    async fn lock(
        &self,
        key: &str,
        slot: &Arc<Slot<A>>,
        freshness: Freshness,
    ) -> Result<(OwnedMutexGuard<Head<A>>, u64), ReadError> {
        let mut head = slot.lock_head().await;
        // Others may have recorded more meanwhile.
        let mut is_current = freshness == Freshness::Cached || !self.log.is_shared();
        loop {
            let is_behind = || freshness == Freshness::Current && head.snapshot.version < slot.known().version;
            if let Some(reading) = slot.reading().filter(|_| is_current && !is_behind()) {
                return Ok((head, reading));
            }
            self.look(key, slot).await?;
            is_current = true;
            // What was sent and not answered yet stays what the next command is decided on: if others were faster, it fails, and
            // with it whatever was decided on it.
            if slot.reading().is_none() || head.snapshot.version < slot.known().version {
                *head = slot.rebase();
            }
        }
    }

    /// Reads what the log has since, at a moment after the call: one look at an index, if there is nothing, for all that ask at
    /// the same time.
    async fn look(&self, key: &str, slot: &Arc<Slot<A>>) -> Result<Snapshot<A>, ReadError> {
        if let Some(look) = slot.look().await {
            let mut snapshot = slot.known();
            let bytes = self.read(key, &mut snapshot, None).await?;
            slot.learn(snapshot);
            look.succeed();
            self.weigh(key, slot, bytes);
        }
        Ok(slot.known())
    }

    fn slot(&self, key: &str) -> Arc<Slot<A>> {
        let new = || Ok::<_, std::convert::Infallible>((Arc::new(Slot::new()), EMPTY_WEIGHT));
        match self.slots.get_or_insert_with(key, new) {
            Ok((slot, _)) => slot,
            Err(never) => match never {},
        }
    }

    /// Notes that an aggregate has grown; the cache weighs it anew when it has doubled.
    fn weigh(&self, key: &str, slot: &Arc<Slot<A>>, bytes: u64) {
        let (before, weight) = slot.grow(bytes);
        if before.leading_zeros() != weight.leading_zeros() {
            self.slots.insert(key.to_owned(), (slot.clone(), weight));
        }
    }

    /// Applies the events after the snapshot's version, up to and including `until`. Returns their weight.
    async fn read(&self, key: &str, snapshot: &mut Snapshot<A>, until: Option<Version>) -> Result<u64, ReadError> {
        let stream = StreamId::new(A::CATEGORY, key);
        let mut bytes = 0;
        loop {
            let page = self.log.read_stream(&stream, snapshot.version, PAGE_EVENTS_MAX).await?;
            let before = snapshot.version;
            for recorded in page {
                if until.is_some_and(|until| recorded.version > until) {
                    return Ok(bytes);
                }
                let event = recorded
                    .decode_as::<A::Event>()
                    .map_err(|error| ReadError::Damaged { position: recorded.position, detail: error.to_string() })?;
                bytes += recorded.payload.len() as u64 + EVENT_WEIGHT;
                snapshot.aggregate.apply(event);
                snapshot.version = recorded.version;
            }
            if snapshot.version == before || until == Some(snapshot.version) {
                return Ok(bytes);
            }
        }
    }
}
