//! The `cqrs_es::EventStore` of one command: what it is decided on, and how its events go to the log.
//!
//! Commands to one aggregate do not wait for each other's disk writes. Each is decided on the events that were sent before
//! it, and its append says whose follower it is: the log records it only if that one was recorded. If one fails, all that
//! were decided on it conflict and are decided anew; an answer that rests on it, a rejection or "nothing to change", is
//! given only once it is on disk.

use std::collections::HashMap;
use std::sync::Arc;
use std::task::Poll;

use cqrs_es::{AggregateContext, AggregateError, EventEnvelope, EventStore};
use offshoot_aggregates::event::EVENT_VERSION;
use offshoot_aggregates::{StreamId, Version};
use tokio::sync::OwnedMutexGuard;
use tokio::task::unconstrained;
use tracing::Instrument;

use super::slot::{Head, Slot};
use super::{AggregateStore, Cached, EVENT_WEIGHT, Freshness};
use crate::commands::outcome::{CommandScope, NoEffect, Outcome};
use crate::event_log::{Append, AppendError, Appended, Fate, NewEvent, ReadError, Ticket};
use crate::limits::PAGE_EVENTS_MAX;

/// The `cqrs_es::EventStore` of one command.
pub struct CommandStore<A: Cached> {
    store: Arc<AggregateStore<A>>,
    scope: CommandScope,
    outcome: Outcome,
}

/// An aggregate between loading and sending: nobody else has it.
pub struct Loaded<A: Cached> {
    key: String,
    slot: Arc<Slot<A>>,
    head: OwnedMutexGuard<Head<A>>,
    /// The reading of the slot that it belongs to.
    reading: u64,
    /// Whether the aggregate has events that were not sent.
    is_ahead: bool,
}

impl<A: Cached> AggregateContext<A> for Loaded<A> {
    fn aggregate(&mut self) -> &mut A {
        &mut self.head.snapshot.aggregate
    }
}

impl<A: Cached> Drop for Loaded<A> {
    fn drop(&mut self) {
        if self.is_ahead || std::thread::panicking() {
            self.slot.invalidate(self.reading);
        }
    }
}

impl<A: Cached> CommandStore<A> {
    pub(super) fn new(store: Arc<AggregateStore<A>>, scope: CommandScope) -> Self {
        Self { store, scope, outcome: Outcome::default() }
    }

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

    /// Nothing is to change. That is only true once the changes before are on disk.
    async fn change_nothing(&self, version: Version) -> Result<(), AggregateError<A::Error>> {
        if self.outcome.may_be_stale() || !self.outcome.is_well_founded().await {
            return Err(AggregateError::AggregateConflict);
        }
        // Others may have made it so, at a position that this process has not heard of yet.
        let position = match self.store.log.is_shared() {
            true => self.store.log.head().await.map_err(|error| self.read_error(error))?,
            false => *self.store.log.watch().borrow(),
        };
        self.outcome.with(|state| state.appended = Some(Appended { position, version }));
        Ok(())
    }

    /// Sends an append and waits for the answer. If the log takes followers, whoever comes next is decided meanwhile.
    async fn send(&self, append: Append, mut loaded: Loaded<A>) -> Result<Appended, AppendError> {
        let ticket = append.ticket.clone();
        let (slot, reading) = (loaded.slot.clone(), loaded.reading);
        slot.sent(ticket.clone(), loaded.head.snapshot.clone());
        // What tokio does to let other tasks have their turn would change the order.
        let mut answer = unconstrained(self.store.log.append(append));
        let result = if self.store.log.takes_followers() {
            let first =
                std::future::poll_fn(|context| Poll::Ready(std::pin::Pin::new(&mut answer).poll(context))).await;
            loaded.head.last_sent = Some(ticket.clone());
            loaded.is_ahead = false;
            drop(loaded);
            match first {
                Poll::Ready(result) => result,
                Poll::Pending => answer.await,
            }
        } else {
            let result = answer.await;
            loaded.is_ahead = result.is_err();
            ticket.set(if result.is_ok() { Fate::Recorded } else { Fate::Failed });
            result
        };
        if result.is_err() {
            ticket.set(Fate::Failed);
            slot.invalidate(reading);
        }
        result
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
        let may_be_stale = self.store.log.is_shared() && !self.scope.must_be_current;
        let freshness = if may_be_stale { Freshness::Cached } else { Freshness::Current };
        let locked = self.store.lock(key, &slot, freshness).await;
        let (head, reading) = locked.map_err(|error| self.read_error(error))?;
        self.outcome.with(|state| {
            state.rests_on = head.last_sent.clone();
            state.may_be_stale = may_be_stale;
        });
        let actual = head.snapshot.version;
        if self.scope.expected.is_some_and(|expected| expected != actual) {
            return Err(self.fail(NoEffect::OtherVersion { actual }));
        }
        Ok(Loaded { key: key.to_owned(), slot, head, reading, is_ahead: false })
    }

    /// Answers no envelopes: they are for queries that the framework would tell, and there are none.
    async fn commit(
        &self,
        events: Vec<A::Event>,
        mut loaded: Self::AC,
        _metadata: HashMap<String, String>,
    ) -> Result<Vec<EventEnvelope<A>>, AggregateError<A::Error>> {
        let before = loaded.head.snapshot.version;
        if events.is_empty() {
            drop(loaded);
            return self.change_nothing(before).await.map(|()| Vec::new());
        }
        loaded.is_ahead = true;
        let new_events = serialise::<A>(&events)?;
        loaded.head.snapshot.version = before.plus(events.len() as u64);
        let bytes: u64 = new_events.iter().map(|event| event.payload.len() as u64).sum();
        let weight = bytes + events.len() as u64 * EVENT_WEIGHT;
        let append = Append {
            stream: StreamId::new(A::CATEGORY, &loaded.key),
            expected: before,
            events: new_events,
            metadata: self.scope.metadata.clone(),
            command: self.scope.remember,
            ticket: Ticket::default(),
            follows: loaded.head.last_sent.clone(),
        };
        let (key, slot) = (loaded.key.clone(), loaded.slot.clone());
        let span = tracing::info_span!("append", events = events.len(), bytes);
        match self.send(append, loaded).instrument(span.clone()).await {
            Ok(appended) => {
                tracing::debug!(parent: &span, position = appended.position.0, "recorded");
                self.outcome.with(|state| state.appended = Some(appended));
                self.store.weigh(&key, &slot, weight);
                Ok(Vec::new())
            }
            Err(AppendError::AlreadyDone(appended)) => {
                self.outcome.with(|state| state.appended = Some(appended));
                Ok(Vec::new())
            }
            Err(AppendError::Conflict { .. }) => Err(AggregateError::AggregateConflict),
            Err(AppendError::TooLarge { bytes, max }) => Err(self.fail(NoEffect::TooLarge { bytes, max })),
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
