//! Where `cqrs_es` loads aggregates from and commits events to: an event log, and a bounded cache of aggregates before it.
//!
//! The stock store reads an aggregate's whole stream for every command. This one keeps the aggregates it has read, each
//! behind a lock that is held from loading to committing, so that commands of one process never conflict with each other.
//! The log's version check remains the only guarantee: whatever the cache holds, a stale decision cannot be recorded.

use std::collections::HashMap;
use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use cqrs_es::{Aggregate, AggregateContext, AggregateError, EventEnvelope, EventStore};
use offshoot_aggregates::environment::Environment;
use offshoot_aggregates::event::EVENT_VERSION;
use offshoot_aggregates::id_allocator::IdAllocator;
use offshoot_aggregates::organisation::Organisation;
use offshoot_aggregates::project::Project;
use offshoot_aggregates::{Category, StreamId, Version};
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use tokio::sync::OwnedMutexGuard;
use tracing::Instrument;

use super::outcome::{CommandScope, NoEffect, Outcome};
use crate::event_log::{Append, AppendError, Appended, EventLog, NewEvent, ReadError};
use crate::limits::{AGGREGATE_CACHE_BYTES_MAX, PAGE_EVENTS_MAX};

/// What an aggregate weighs in the cache before it has events, in bytes.
const EMPTY_WEIGHT: u64 = 1_024;

/// What an event may add to an aggregate beyond its payload, in bytes: entries of maps, which are seldom full.
const EVENT_WEIGHT: u64 = 128;

/// A hint. So few are not spread over several shards, each of which would take only aggregates that fit in its part.
const EXPECTED_AGGREGATES: usize = 32;

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
#[derive(Clone, Debug)]
pub struct Snapshot<A> {
    /// The aggregate.
    pub aggregate: A,
    /// The version of the last event in it.
    pub version: Version,
}

/// Loads and keeps the aggregates of one kind.
pub struct AggregateStore<A: Cached> {
    log: Arc<dyn EventLog>,
    slots: Cache<String, Entry<A>, EntryWeight>,
}

/// A slot in the cache, and what it weighed when it was put there: the cache counts on it that an entry never changes its
/// weight. A slot that has grown is put there anew.
type Entry<A> = (Arc<Slot<A>>, u64);

/// One aggregate.
struct Slot<A> {
    current: Arc<tokio::sync::Mutex<Current<A>>>,
    /// Bytes of payload that went into it, [`EVENT_WEIGHT`] for each event, and [`EMPTY_WEIGHT`]: about what it takes in memory.
    weight: AtomicU64,
}

struct Current<A> {
    snapshot: Snapshot<A>,
    /// False until it was read, and after a commit whose outcome it does not reflect.
    is_valid: bool,
}

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
        Self { log, slots: Cache::with_weighter(EXPECTED_AGGREGATES, AGGREGATE_CACHE_BYTES_MAX, EntryWeight) }
    }

    /// The aggregate as it is now.
    ///
    /// # Errors
    /// The log cannot be read.
    pub async fn snapshot(&self, key: &str) -> Result<Snapshot<A>, ReadError> {
        let slot = self.slot(key);
        let current = self.lock(key, &slot).await?;
        Ok(current.snapshot.clone())
    }

    /// The aggregate as it was at a version of its stream: from the cache if that is the present one, else read anew.
    ///
    /// # Errors
    /// The log cannot be read.
    pub async fn snapshot_at(&self, key: &str, version: Version) -> Result<Snapshot<A>, ReadError> {
        let current = self.snapshot(key).await?;
        if current.version == version {
            return Ok(current);
        }
        let mut snapshot = Snapshot { aggregate: A::default(), version: Version::NONE };
        self.read(key, &mut snapshot, Some(version)).await?;
        Ok(snapshot)
    }

    /// A store for the one command that `scope` describes.
    pub fn for_command(self: &Arc<Self>, scope: CommandScope) -> CommandStore<A> {
        CommandStore { store: self.clone(), scope, outcome: Outcome::default(), kind: PhantomData }
    }

    async fn lock(&self, key: &str, slot: &Arc<Slot<A>>) -> Result<OwnedMutexGuard<Current<A>>, ReadError> {
        let mut current = slot.current.clone().lock_owned().await;
        if !current.is_valid {
            let mut snapshot = Snapshot { aggregate: A::default(), version: Version::NONE };
            let bytes = self.read(key, &mut snapshot, None).await?;
            *current = Current { snapshot, is_valid: true };
            self.weigh(key, slot, bytes);
        }
        Ok(current)
    }

    fn slot(&self, key: &str) -> Arc<Slot<A>> {
        let new = || {
            let snapshot = Snapshot { aggregate: A::default(), version: Version::NONE };
            let current = Current { snapshot, is_valid: false };
            let current = Arc::new(tokio::sync::Mutex::new(current));
            let slot = Arc::new(Slot { current, weight: AtomicU64::new(EMPTY_WEIGHT) });
            Ok::<_, std::convert::Infallible>((slot, EMPTY_WEIGHT))
        };
        match self.slots.get_or_insert_with(key, new) {
            Ok((slot, _)) => slot,
            Err(never) => match never {},
        }
    }

    /// Notes that an aggregate has grown; the cache weighs it anew when it has doubled.
    fn weigh(&self, key: &str, slot: &Arc<Slot<A>>, bytes: u64) {
        let before = slot.weight.fetch_add(bytes, Ordering::Relaxed);
        let weight = before + bytes;
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

/// The `cqrs_es::EventStore` of one command.
pub struct CommandStore<A: Cached> {
    store: Arc<AggregateStore<A>>,
    scope: CommandScope,
    outcome: Outcome,
    kind: PhantomData<A>,
}

/// An aggregate between loading and committing: nobody else has it.
pub struct Loaded<A: Cached> {
    key: String,
    slot: Arc<Slot<A>>,
    current: OwnedMutexGuard<Current<A>>,
}

impl<A: Cached> AggregateContext<A> for Loaded<A> {
    fn aggregate(&mut self) -> &mut A {
        &mut self.current.snapshot.aggregate
    }
}

impl<A: Cached> CommandStore<A> {
    /// Where to ask what became of the command.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        self.outcome.clone()
    }

    fn fail(&self, error: NoEffect) -> AggregateError<A::Error> {
        self.outcome.with(|state| state.error = Some(error.clone()));
        AggregateError::UnexpectedError(Box::new(error))
    }

    fn read_error(&self, error: ReadError) -> AggregateError<A::Error> {
        self.fail(match error {
            ReadError::Unavailable(_) => NoEffect::Unavailable(error.to_string()),
            ReadError::Damaged { .. } => NoEffect::Damaged(error.to_string()),
        })
    }
}

impl<A: Cached> EventStore<A> for CommandStore<A> {
    type AC = Loaded<A>;

    async fn load_events(&self, key: &str) -> Result<Vec<EventEnvelope<A>>, AggregateError<A::Error>> {
        let stream = StreamId::new(A::CATEGORY, key);
        let mut envelopes = Vec::new();
        loop {
            let after = Version(envelopes.len() as u64);
            let page = self.store.log.read_stream(&stream, after, PAGE_EVENTS_MAX).await;
            let page = page.map_err(|error| self.read_error(error))?;
            if page.is_empty() {
                return Ok(envelopes);
            }
            for recorded in page {
                let payload = recorded
                    .decode_as::<A::Event>()
                    .map_err(|error| AggregateError::DeserializationError(Box::new(error)))?;
                envelopes.push(EventEnvelope {
                    aggregate_id: key.to_owned(),
                    sequence: envelopes.len() + 1,
                    payload,
                    metadata: serde_json::from_str(&recorded.metadata).unwrap_or_default(),
                });
            }
        }
    }

    async fn load_aggregate(&self, key: &str) -> Result<Self::AC, AggregateError<A::Error>> {
        let slot = self.store.slot(key);
        let current = self.store.lock(key, &slot).await.map_err(|error| self.read_error(error))?;
        let actual = current.snapshot.version;
        if self.scope.expected.is_some_and(|expected| expected != actual) {
            return Err(self.fail(NoEffect::OtherVersion { actual }));
        }
        Ok(Loaded { key: key.to_owned(), slot, current })
    }

    async fn commit(
        &self,
        events: Vec<A::Event>,
        mut loaded: Self::AC,
        metadata: HashMap<String, String>,
    ) -> Result<Vec<EventEnvelope<A>>, AggregateError<A::Error>> {
        let before = loaded.current.snapshot.version;
        if events.is_empty() {
            let position = *self.store.log.watch().borrow();
            self.outcome.with(|state| state.appended = Some(Appended { position, version: before }));
            return Ok(Vec::new());
        }
        // The aggregate is ahead of the log from here on, until the log has answered.
        loaded.current.is_valid = false;
        let new_events = serialise::<A>(&events)?;
        let bytes: u64 = new_events.iter().map(|event| event.payload.len() as u64).sum();
        let append = Append {
            stream: StreamId::new(A::CATEGORY, &loaded.key),
            expected: before,
            events: new_events,
            metadata: Arc::new(metadata.clone()),
            command: self.scope.remember,
        };
        let span = tracing::info_span!("append", events = events.len(), bytes);
        match self.store.log.append(append).instrument(span).await {
            Ok(appended) => {
                loaded.current.snapshot.version = appended.version;
                loaded.current.is_valid = true;
                self.outcome.with(|state| state.appended = Some(appended));
                self.store.weigh(&loaded.key, &loaded.slot, bytes + events.len() as u64 * EVENT_WEIGHT);
                Ok(envelopes(&loaded.key, before, events, &metadata))
            }
            Err(AppendError::AlreadyDone(appended)) => {
                self.outcome.with(|state| state.appended = Some(appended));
                Ok(Vec::new())
            }
            Err(AppendError::Conflict { .. }) => Err(AggregateError::AggregateConflict),
            Err(error @ AppendError::Unavailable(_)) => Err(self.fail(NoEffect::Unavailable(error.to_string()))),
            Err(error @ AppendError::Unknown(_)) => Err(self.fail(NoEffect::Unknown(error.to_string()))),
        }
    }
}

fn serialise<A: Cached>(events: &[A::Event]) -> Result<Vec<NewEvent>, AggregateError<A::Error>> {
    let one = |event: &A::Event| {
        Ok(NewEvent {
            event_type: A::event_type(event),
            event_version: EVENT_VERSION,
            payload: serde_json::to_string(event).map_err(|error| AggregateError::UnexpectedError(Box::new(error)))?,
        })
    };
    events.iter().map(one).collect()
}

fn envelopes<A: Aggregate>(
    key: &str,
    before: Version,
    events: Vec<A::Event>,
    metadata: &HashMap<String, String>,
) -> Vec<EventEnvelope<A>> {
    let first = usize::try_from(before.0).unwrap_or(usize::MAX);
    let sequences = first.saturating_add(1)..;
    let envelope = |(sequence, payload)| EventEnvelope {
        aggregate_id: key.to_owned(),
        sequence,
        payload,
        metadata: metadata.clone(),
    };
    sequences.zip(events).map(envelope).collect()
}
