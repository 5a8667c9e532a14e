//! One attempt at one clone: fold source and project as of the cut, copy batch by batch, complete.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use jiff::Timestamp;
use offshoot_aggregates::environment::{
    CloneOrigin, CloneReader, CloneTarget, CreationStatus, Environment, EnvironmentCommand, EnvironmentError,
    InvalidClone,
};
use offshoot_aggregates::{Actor, StreamId, Version};
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;
use uuid::Uuid;

use super::retries::{CloneRetries, Trouble};
use super::waiting::Waiting;
use crate::clock;
use crate::commands::{CommandContext, CommandError, Commands, Rejection};
use crate::event_log::Claim;
use crate::fault_points;
use crate::limits::CLONE_PROJECT_CHECK;
use crate::outage::Outage;

/// One attempt at one clone.
pub(super) struct CloneRun<'w> {
    clone: Uuid,
    commands: &'w Commands,
    batches: &'w Semaphore,
    retries: CloneRetries,
    shutdown: &'w CancellationToken,
    batch_pause: Option<Duration>,
    claim: Option<&'w Claim>,
}

/// Why an attempt ends before the clone is complete.
enum End {
    /// It is none of this worker's business any more: cancelled, deleted, or done by someone else.
    NotOurs,
    /// The program is stopping; whoever starts next goes on.
    Shutdown,
    /// It must be recorded as failed.
    Failed { batch: u32, code: String, detail: String },
}

/// Whether an environment is a clone that waits for a worker.
pub(super) fn is_to_be_copied(environment: &Environment) -> bool {
    let creation = environment.creation().filter(|creation| creation.clone.is_some());
    environment.exists() && creation.is_some_and(|creation| creation.status == CreationStatus::Creating)
}

impl<'w> CloneRun<'w> {
    pub(super) fn new(
        clone: Uuid,
        commands: &'w Commands,
        batches: &'w Semaphore,
        retries: CloneRetries,
        shutdown: &'w CancellationToken,
    ) -> Self {
        Self { clone, commands, batches, retries, shutdown, batch_pause: None, claim: None }
    }

    /// The same, but it rests before each batch.
    pub(super) fn resting(self, batch_pause: Option<Duration>) -> Self {
        Self { batch_pause, ..self }
    }

    /// The same, but it leaves the clone to others as soon as this claim is lost.
    pub(super) fn holding(self, claim: &'w Claim) -> Self {
        Self { claim: Some(claim), ..self }
    }

    pub(super) async fn run(&self) {
        let span = tracing::info_span!("clone", environment = %self.clone);
        async {
            while let Err(End::Failed { batch, code, detail }) = self.copy_whatever_happens().await {
                if self.record_failure(batch, &code, &detail).await == Failure::Recorded {
                    break;
                }
            }
        }
        .instrument(span)
        .await;
    }

    /// Copies; a panic on the way, which is a defect of the program, fails the attempt like anything else.
    async fn copy_whatever_happens(&self) -> Result<(), End> {
        if let Ok(ended) = AssertUnwindSafe(self.copy()).catch_unwind().await {
            return ended;
        }
        let (_, _, batch) = self.plan().await?;
        let detail = "the copying broke off; the log of the server says where".to_owned();
        Err(End::Failed { batch, code: "broke_off".to_owned(), detail })
    }

    async fn copy(&self) -> Result<(), End> {
        let requested = self.persist(1, || self.context()).await?;
        let (context, requested_at) = requested.ok_or(End::NotOurs)?;
        let (origin, project, mut next) = self.plan().await?;
        let mut reader = self.reader(&origin, next).await?;
        let mut checked = None;
        while next <= origin.batches_total {
            if self.claim.is_some_and(Claim::is_lost) {
                return Err(End::NotOurs);
            }
            if let Some(pause) = self.batch_pause {
                self.pause(pause).await?;
            }
            let states = reader.next_batch(origin.batch_size as usize).map_err(|error| invalid(next, &error))?;
            if states.is_empty() {
                return Err(invalid(next, &other_total(&origin, &reader)));
            }
            let command = EnvironmentCommand::CopyFeatureStatesBatch { batch: next, states: Arc::new(states) };
            let mut step = context.step(&format!("batch {next}"));
            step.metadata.causation_id.clone_from(&context.metadata.causation_id);
            if checked.is_none_or(|checked: Instant| checked.elapsed() > CLONE_PROJECT_CHECK) {
                self.check_project(project, next).await?;
                checked = Some(Instant::now());
            }
            match self.send(&step, command, next).await? {
                Sent::Done => next += 1,
                // Another worker was faster: go on from where it is.
                Sent::Next(expected) => {
                    next = expected;
                    reader = self.reader(&origin, next).await?;
                }
            }
            fault_points::reached("after-batch");
        }
        if reader.states() != origin.feature_states_total {
            return Err(invalid(next, &other_total(&origin, &reader)));
        }
        self.send(&context.step("complete"), EnvironmentCommand::CompleteClone, next).await?;
        observe_completed(requested_at);
        Ok(())
    }

    /// The origin of the clone, its project, and the number of its next batch.
    async fn plan(&self) -> Result<(Box<CloneOrigin>, Uuid, u32), End> {
        let environment = self.persist(1, || self.commands.load_environment(self.clone)).await?.aggregate;
        if !is_to_be_copied(&environment) {
            return Err(End::NotOurs);
        }
        let creation = environment.creation().ok_or(End::NotOurs)?;
        let origin = creation.clone.clone().ok_or(End::NotOurs)?;
        let (project, _) = environment.project().ok_or(End::NotOurs)?;
        Ok((origin, project, creation.batches + 1))
    }

    /// Reads the source as of the cut, from the batch on that is next.
    async fn reader(&self, origin: &CloneOrigin, next: u32) -> Result<CloneReader, End> {
        let source = origin.source.uuid;
        let cut = self.persist(next, || self.commands.load_cut(source, origin.position)).await?;
        let mut reader = CloneReader::new(source, cut.source, cut.project, CloneTarget::from(origin))
            .map_err(|error| invalid(next, &error))?;
        let done = u64::from(next - 1) * u64::from(origin.batch_size);
        reader.skip_states(done).map_err(|error| invalid(next, &error))?;
        Ok(reader)
    }

    /// Nobody needs a copy in a project that is gone.
    async fn check_project(&self, project: Uuid, next: u32) -> Result<(), End> {
        let project = self.persist(next, || self.commands.load_project(project)).await?.aggregate;
        if project.exists() {
            return Ok(());
        }
        let (code, detail) = ("project_deleted".to_owned(), "the project was deleted".to_owned());
        Err(End::Failed { batch: next, code, detail })
    }

    /// Sends a command until the log has taken it or there is no use.
    async fn send(&self, context: &CommandContext, command: EnvironmentCommand, batch: u32) -> Result<Sent, End> {
        let send = || async {
            // Held for one try only: who waits for the store lets others take their turns.
            let _turn = self.batches.acquire().await;
            match self.commands.environment(context, self.clone, command.clone()).await {
                Err(CommandError::Rejected(rejection)) => Ok(Err(rejection)),
                Err(error) => Err(error),
                Ok(_) => Ok(Ok(())),
            }
        };
        match self.persist(batch, send).await? {
            Ok(()) => Ok(Sent::Done),
            Err(Rejection::Environment(EnvironmentError::UnexpectedBatch { expected })) => Ok(Sent::Next(expected)),
            Err(Rejection::Environment(EnvironmentError::WrongStatus { .. } | EnvironmentError::NotFound)) => {
                Err(End::NotOurs)
            }
            Err(rejection) => Err(End::Failed { batch, code: "rejected".to_owned(), detail: rejection.to_string() }),
        }
    }

    /// Tries something again and again, with growing pauses, until [`CloneRetries`] say that it is enough; gives up at once
    /// if it is rejected.
    async fn persist<T, F>(&self, batch: u32, mut attempt: impl FnMut() -> F) -> Result<T, End>
    where
        F: Future<Output = Result<T, CommandError>>,
    {
        let mut patience = self.retries.patience();
        let mut waiting = Waiting::new(self.clone);
        let mut is_last = false;
        loop {
            if self.shutdown.is_cancelled() {
                return Err(End::Shutdown);
            }
            let (trouble, detail) = match attempt().await {
                Ok(done) => {
                    waiting.goes_on();
                    return Ok(done);
                }
                Err(CommandError::Rejected(rejection)) => {
                    return Err(End::Failed { batch, code: "rejected".to_owned(), detail: rejection.to_string() });
                }
                // A batch that was recorded after all is not taken a second time.
                Err(CommandError::Unavailable(detail) | CommandError::Unknown(detail)) => (Trouble::StoreAway, detail),
                Err(CommandError::Fault(detail)) => (Trouble::Fault, detail),
            };
            let Some(pause) = patience.pause_after(trouble) else {
                if trouble == Trouble::StoreAway && !is_last {
                    // A store that is away for everything ends no attempt, and one that is back in this very moment gets this one.
                    match self.context().await {
                        Ok(_) => is_last = true,
                        Err(_) => patience = self.retries.patience(),
                    }
                    continue;
                }
                return Err(End::Failed { batch, code: trouble.code().to_owned(), detail });
            };
            match trouble {
                Trouble::StoreAway => waiting.misses(&detail),
                Trouble::Fault => tracing::warn!(batch, %detail, ?pause, "a batch is tried again"),
            }
            metrics::counter!("offshoot_clone_batch_retries_total").increment(1);
            self.pause(pause).await?;
        }
    }

    async fn pause(&self, pause: Duration) -> Result<(), End> {
        match tokio::time::timeout(pause, self.shutdown.cancelled()).await {
            Ok(()) => Err(End::Shutdown),
            Err(_) => Ok(()),
        }
    }

    /// Records the failure. There is none if the batch is there after all, or if a store that is away does not take the
    /// record of it either: then the copying goes on, and succeeds once the store is back. Anything else must be recorded, so
    /// this waits for the store.
    async fn record_failure(&self, batch: u32, code: &str, detail: &str) -> Failure {
        let mut patience = self.retries.patience();
        let mut outage = Outage::default();
        loop {
            let error = match self.fail(batch, code, detail).await {
                Ok(failure) => return failure,
                Err(error) => error,
            };
            if outage.notice() {
                tracing::warn!(batch, code, %error, "a clone's failure cannot be recorded yet");
            }
            if self.pause(patience.next_pause()).await.is_err() {
                return Failure::Recorded;
            }
            if code == Trouble::StoreAway.code() {
                return Failure::None;
            }
        }
    }

    async fn fail(&self, batch: u32, code: &str, detail: &str) -> Result<Failure, CommandError> {
        let Some((context, _)) = self.context().await? else { return Ok(Failure::Recorded) };
        let command = EnvironmentCommand::FailClone { batch, code: code.to_owned(), detail: detail.to_owned() };
        match self.commands.environment(&context.step("fail"), self.clone, command).await {
            Err(CommandError::Rejected(Rejection::Environment(EnvironmentError::UnexpectedBatch { .. }))) => {
                Ok(Failure::None)
            }
            // The clone is cancelled, deleted, or done by someone else.
            Err(CommandError::Rejected(_)) => Ok(Failure::Recorded),
            Err(error) => Err(error),
            Ok(_) => {
                tracing::error!(batch, code, detail, "a clone failed");
                metrics::counter!("offshoot_clones_total", "mode" => "async", "outcome" => "failed").increment(1);
                Ok(Failure::Recorded)
            }
        }
    }

    /// Everything that the worker does belongs to the request for the clone; and when that was. `None` if there was none.
    async fn context(&self) -> Result<Option<(CommandContext, Timestamp)>, CommandError> {
        let stream = StreamId::environment(self.clone);
        let Some(requested) = self.commands.log().read_stream(&stream, Version::NONE, 1).await?.pop() else {
            return Ok(None);
        };
        let mut context = CommandContext::new(Actor::system("clone_worker"));
        context.metadata.causation_id = Some(format!("position {}", requested.position));
        if let Some(metadata) = requested.metadata() {
            context.metadata.correlation_id = metadata.correlation_id;
        }
        Ok(Some((context, requested.recorded_at)))
    }
}

/// What became of a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Failure {
    /// The log has it, or needs it no more; or the program is stopping, and whoever starts next tries again.
    Recorded,
    /// It was none: the copying goes on.
    None,
}

/// What became of a batch.
enum Sent {
    /// The environment has it.
    Done,
    /// The environment has others; this one is next.
    Next(u32),
}

fn observe_completed(requested_at: Timestamp) {
    let duration = clock::now().duration_since(requested_at).as_secs_f64();
    metrics::counter!("offshoot_clones_total", "mode" => "async", "outcome" => "completed").increment(1);
    metrics::histogram!("offshoot_clone_duration_seconds", "mode" => "async").record(duration);
}

fn invalid(batch: u32, error: &InvalidClone) -> End {
    End::Failed { batch, code: error.code().to_owned(), detail: error.to_string() }
}

fn other_total(origin: &CloneOrigin, reader: &CloneReader) -> InvalidClone {
    InvalidClone::OtherTotal { expected: origin.feature_states_total, actual: reader.states() }
}
