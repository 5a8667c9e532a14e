//! Where a clone stands: a fold of its own, so that those who follow the log event by event see the same as the read model.

use jiff::Timestamp;
use offshoot_aggregates::environment::{
    BatchOutline, CloneMode, CloneModeReason, CloneOrigin, CreationStatus, EnvironmentEvent, Origin,
};
use offshoot_aggregates::{Position, RecordedEvent};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Where a clone stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CloneStatus {
    /// The UUID of the clone.
    pub environment: Uuid,
    /// Where the copying stands.
    pub status: CreationStatus,
    /// What it is a copy of.
    pub origin: CloneOrigin,
    /// Why it is copied in that mode, if it was asked for asynchronously.
    #[serde(default)]
    pub mode_reason: Option<CloneModeReason>,
    /// How many states it has.
    pub feature_states_copied: u64,
    /// How many batches it has.
    pub batches_copied: u32,
    /// How often the copying was begun.
    pub attempts: u32,
    /// When it was requested.
    pub requested_at: Timestamp,
    /// When the first batch of the present attempt came, or when the retry was asked for.
    pub started_at: Option<Timestamp>,
    /// How many states it had at `started_at`.
    pub copied_before_start: u64,
    /// When it last got on.
    pub updated_at: Timestamp,
    /// When it came to its end: completed or cancelled.
    pub completed_at: Option<Timestamp>,
    /// Why it failed, if it did and was not retried.
    pub error: Option<CloneError>,
    /// The position of the last event of its copying.
    pub position: Position,
}

/// Why a clone failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CloneError {
    /// For programs.
    pub code: String,
    /// For people.
    pub detail: String,
    /// The batch that could not be copied.
    pub batch: u32,
}

impl CloneStatus {
    /// Whether an event can change where a clone stands.
    #[must_use]
    pub fn concerns(event: &EnvironmentEvent) -> bool {
        use EnvironmentEvent as E;
        matches!(
            event,
            E::EnvironmentCreated { .. }
                | E::FeatureStatesBatchCopied { .. }
                | E::CloneCompleted { .. }
                | E::CloneFailed { .. }
                | E::CloneRetried { .. }
                | E::CloneCancelled { .. }
        )
    }

    /// Where a clone stands after an event, from where it stood before. `None` if the environment is no clone.
    #[must_use]
    pub fn after(before: Option<Self>, recorded: &RecordedEvent, event: &EnvironmentEvent) -> Option<Self> {
        if let EnvironmentEvent::EnvironmentCreated { origin, .. } = event {
            return match origin {
                Origin::Clone(origin) => Some(Self::requested(recorded, origin)),
                Origin::New | Origin::Import { .. } => None,
            };
        }
        let mut status = before?;
        if Self::concerns(event) {
            status.apply(recorded, event);
        }
        Some(status)
    }

    /// Where a clone stands after a batch of its states.
    #[must_use]
    pub fn after_batch(mut self, recorded: &RecordedEvent, batch: &BatchOutline) -> Self {
        self.count(recorded, batch.batch, batch.states);
        self.updated_at = recorded.recorded_at;
        self.position = recorded.position;
        self
    }

    fn count(&mut self, recorded: &RecordedEvent, batch: u32, states: u64) {
        self.batches_copied = batch;
        self.feature_states_copied += states;
        if self.started_at.is_none() {
            self.started_at = Some(recorded.recorded_at);
            self.copied_before_start = self.feature_states_copied;
        }
    }

    /// Whether nothing follows unless someone asks for it: completed, failed or cancelled.
    #[must_use]
    pub fn is_at_rest(&self) -> bool {
        self.status != CreationStatus::Creating
    }

    /// How much longer the copying will take if it goes on as it has in the present attempt, in milliseconds. `None`
    /// while none came after `started_at`, 0 at the end.
    #[must_use]
    pub fn estimated_remaining_ms(&self) -> Option<u64> {
        if self.status == CreationStatus::Completed {
            return Some(0);
        }
        let (copied, micros) = self.pace()?;
        let left = self.origin.feature_states_total.saturating_sub(self.feature_states_copied);
        (self.status == CreationStatus::Creating).then(|| micros.saturating_mul(left) / copied / 1_000)
    }

    /// How many states came in a second in the present attempt. `None` while none came after `started_at`.
    #[must_use]
    pub fn states_per_second(&self) -> Option<u64> {
        let (copied, micros) = self.pace()?;
        Some(copied.saturating_mul(1_000_000) / micros)
    }

    /// How many states came in how many microseconds, from the first batch of the present attempt to the last event.
    fn pace(&self) -> Option<(u64, u64)> {
        let copied = self.feature_states_copied.checked_sub(self.copied_before_start)?;
        let micros = u64::try_from(self.updated_at.duration_since(self.started_at?).as_micros()).ok()?;
        (copied > 0 && micros > 0).then_some((copied, micros))
    }

    fn requested(recorded: &RecordedEvent, origin: &CloneOrigin) -> Self {
        Self {
            environment: recorded.stream.uuid(),
            status: CreationStatus::Creating,
            origin: origin.clone(),
            mode_reason: recorded.metadata().and_then(|metadata| metadata.clone_mode_reason),
            feature_states_copied: 0,
            batches_copied: 0,
            attempts: 1,
            requested_at: recorded.recorded_at,
            // In synchronous mode the copying begins with the request.
            started_at: (origin.mode == CloneMode::Sync).then_some(recorded.recorded_at),
            copied_before_start: 0,
            updated_at: recorded.recorded_at,
            completed_at: None,
            error: None,
            position: recorded.position,
        }
    }

    fn apply(&mut self, recorded: &RecordedEvent, event: &EnvironmentEvent) {
        use EnvironmentEvent as E;
        let now = recorded.recorded_at;
        match event {
            E::FeatureStatesBatchCopied { batch, states } => self.count(recorded, *batch, states.len() as u64),
            E::CloneCompleted { .. } => {
                self.status = CreationStatus::Completed;
                self.completed_at = Some(now);
            }
            E::CloneFailed { batch, code, detail } => {
                self.status = CreationStatus::Failed;
                self.error = Some(CloneError { code: code.clone(), detail: detail.clone(), batch: *batch });
            }
            E::CloneRetried { attempt, .. } => {
                self.status = CreationStatus::Creating;
                self.error = None;
                self.attempts = *attempt;
                self.started_at = Some(now);
                self.copied_before_start = self.feature_states_copied;
            }
            E::CloneCancelled { .. } => {
                self.status = CreationStatus::Cancelled;
                self.completed_at = Some(now);
            }
            _ => {}
        }
        self.updated_at = now;
        self.position = recorded.position;
    }
}
