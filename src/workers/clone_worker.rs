//! Copies the feature states of clones: a reader of the log like any other, for which the log is the queue.
//!
//! Nothing is kept but what the log says. A worker that dies leaves a clone with some of its batches; whoever comes next
//! goes on with the one that follows. Two workers at the same clone do no harm: the environment takes each batch once.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use offshoot_aggregates::environment::{CloneMode, EnvironmentEvent, Origin};
use offshoot_aggregates::{Event, Position, RecordedEvent};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use super::clone_run::CloneRun;
use super::retries::CloneRetries;
use super::waiting::Waiting;
use crate::commands::Commands;
use crate::event_feed::EventFeed;
use crate::event_log::Claim;
use crate::limits::{
    CLAIM_RETRY, CLONE_BATCHES_IN_FLIGHT_MAX, CLONE_HANDOVER, CLONE_HANDOVER_MAX, CLONE_START_WAIT, CLONES_RUNNING_MAX,
    POLL_INTERVAL,
};
use crate::outage::Outage;
use crate::read_models::{QueryError, ReadModel};

/// Copies the feature states of clones.
#[derive(Clone)]
pub struct CloneWorker {
    commands: Commands,
    feed: Arc<EventFeed>,
    environment_status: Arc<ReadModel>,
    shutdown: CancellationToken,
    running: Arc<Mutex<HashSet<Uuid>>>,
    clones: Arc<Semaphore>,
    /// Whoever waits longest for one of these is next: so clones take turns, batch by batch.
    batches: Arc<Semaphore>,
    retries: CloneRetries,
    tasks: TaskTracker,
    batch_pause: Option<Duration>,
}

impl CloneWorker {
    /// A worker that learns of clones from the feed, and of those that were begun before from the read model.
    #[must_use]
    pub fn new(
        commands: Commands,
        feed: Arc<EventFeed>,
        environment_status: Arc<ReadModel>,
        shutdown: CancellationToken,
    ) -> Self {
        Self {
            commands,
            feed,
            environment_status,
            shutdown,
            running: Arc::default(),
            clones: Arc::new(Semaphore::new(CLONES_RUNNING_MAX)),
            batches: Arc::new(Semaphore::new(CLONE_BATCHES_IN_FLIGHT_MAX)),
            retries: CloneRetries::default(),
            tasks: TaskTracker::new(),
            batch_pause: None,
        }
    }

    /// The same, but each clone rests before each of its batches.
    #[must_use]
    pub fn resting(self, batch_pause: Option<Duration>) -> Self {
        Self { batch_pause, ..self }
    }

    /// The same, with another patience with trouble.
    #[must_use]
    pub fn retrying(self, retries: CloneRetries) -> Self {
        Self { retries, ..self }
    }

    /// Works until shutdown; returns when the batches in hand are done.
    pub async fn run(self) {
        let Some(mut position) = self.take_up().await else { return };
        let mut hint = self.feed.hint();
        let mut outage = Outage::default();
        loop {
            let events = tokio::select! {
                () = self.shutdown.cancelled() => break,
                events = self.feed.wait_after(position, &mut hint) => events,
            };
            match events {
                Ok(events) => {
                    if let Some(waited) = outage.end() {
                        tracing::info!(?waited, "the clone worker can read the log again");
                    }
                    for event in &events {
                        self.notice(event);
                        position = event.position;
                    }
                }
                Err(error) => {
                    if outage.notice() {
                        tracing::error!(%error, "the clone worker cannot read the log");
                    }
                    let _ = tokio::time::timeout(POLL_INTERVAL, self.shutdown.cancelled()).await;
                }
            }
        }
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// Takes up the clones that were begun before. Returns the position from which on the feed tells of others; `None`
    /// at shutdown.
    async fn take_up(&self) -> Option<Position> {
        while !self.shutdown.is_cancelled() {
            let begun = self.environment_status.query(|connection| {
                let position = offshoot_projections::position(connection)?;
                Ok((position, offshoot_projections::environment_status::creating_clones(connection)?))
            });
            match begun.await {
                Ok((position, clones)) => {
                    for clone in clones {
                        self.start(clone);
                    }
                    return Some(position);
                }
                Err(QueryError::Building { .. }) => {}
                Err(error) => tracing::error!(%error, "the clone worker cannot read what was begun"),
            }
            let mut reached = self.environment_status.watch();
            let _ = tokio::time::timeout(POLL_INTERVAL, reached.changed()).await;
        }
        None
    }

    fn notice(&self, recorded: &RecordedEvent) {
        // Batches are the bulk of the log, and none of the worker's business.
        if !matches!(recorded.event_type.as_str(), "EnvironmentCreated" | "CloneRetried") {
            return;
        }
        match recorded.event() {
            Ok(Event::Environment(EnvironmentEvent::EnvironmentCreated { origin: Origin::Clone(origin), .. })) => {
                if origin.mode == CloneMode::Async {
                    self.start(recorded.stream.uuid());
                }
            }
            Ok(Event::Environment(EnvironmentEvent::CloneRetried { .. })) => self.start(recorded.stream.uuid()),
            Ok(_) => {}
            Err(error) => {
                metrics::counter!("offshoot_unreadable_events_total", "reader" => "clone_worker").increment(1);
                tracing::error!(position = %recorded.position, %error, "the clone worker passes over an event");
            }
        }
    }

    /// Begins to copy a clone, unless it is being copied.
    fn start(&self, clone: Uuid) {
        if !self.with_running(|running| running.insert(clone)) {
            return;
        }
        let (worker, requested) = (self.clone(), *self.feed.hint().borrow());
        self.tasks.spawn(async move {
            let claimed = worker.claim(clone).await;
            worker.let_request_be_answered(requested).await;
            if let Some((_permit, claim)) = &claimed {
                metrics::gauge!("offshoot_clones_running").increment(1);
                let run = CloneRun::new(clone, &worker.commands, &worker.batches, worker.retries, &worker.shutdown);
                run.resting(worker.batch_pause).holding(claim).run().await;
                metrics::gauge!("offshoot_clones_running").decrement(1);
            }
            worker.with_running(|running| running.remove(&clone));
            // A retry that came while the last attempt was ending found the clone still running.
            let was_ours = claimed.is_some();
            drop(claimed);
            if was_ours && worker.is_waiting(clone, &mut Waiting::new(clone)).await {
                worker.start(clone);
            }
        });
    }

    /// The answer to the request waits for this read model, and the first batches would take the processor from both.
    async fn let_request_be_answered(&self, requested: Position) {
        if self.environment_status.is_serving() {
            let _ = tokio::time::timeout(CLONE_START_WAIT, self.environment_status.reached(requested)).await;
        }
    }

    /// Waits until it is this node's turn to copy a clone: until there is room for one more, and no other node is at it. `None`
    /// at shutdown, or when there is nothing left to copy.
    async fn claim(&self, clone: Uuid) -> Option<(OwnedSemaphorePermit, Claim)> {
        self.let_idle_nodes_go_first().await;
        let mut waiting = Waiting::new(clone);
        loop {
            let permit = tokio::select! {
                permit = self.clones.clone().acquire_owned() => permit.ok()?,
                () = self.shutdown.cancelled() => return None,
            };
            match self.commands.log().claim(clone).await {
                Ok(Some(claim)) => {
                    waiting.goes_on();
                    return Some((permit, claim));
                }
                Ok(None) => {}
                Err(error) => waiting.misses(&error),
            }
            drop(permit);
            // If the other node dies, or takes no more batches for another reason, this one takes over.
            if tokio::time::timeout(CLAIM_RETRY, self.shutdown.cancelled()).await.is_ok()
                || !self.is_waiting(clone, &mut waiting).await
            {
                return None;
            }
        }
    }

    /// Who was asked for a clone knows of it first. Others that have less to do get the time to hear of it and to take it.
    async fn let_idle_nodes_go_first(&self) {
        // Each that is being copied here has a permit.
        let others = CLONES_RUNNING_MAX.saturating_sub(self.clones.available_permits());
        if self.commands.log().is_shared() && others > 0 {
            let pause =
                CLONE_HANDOVER.saturating_mul(u32::try_from(others).unwrap_or(u32::MAX)).min(CLONE_HANDOVER_MAX);
            let _ = tokio::time::timeout(pause, self.shutdown.cancelled()).await;
        }
    }

    /// Whether a clone is still to be copied.
    async fn is_waiting(&self, clone: Uuid, waiting: &mut Waiting) -> bool {
        while !self.shutdown.is_cancelled() {
            match self.commands.load_environment(clone).await {
                Ok(snapshot) => return super::clone_run::is_to_be_copied(&snapshot.aggregate),
                Err(error) => waiting.misses(&error),
            }
            let _ = tokio::time::timeout(POLL_INTERVAL, self.shutdown.cancelled()).await;
        }
        false
    }

    fn with_running<T>(&self, f: impl FnOnce(&mut HashSet<Uuid>) -> T) -> T {
        f(&mut self.running.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
