//! The decisions on how an environment comes to be: new, as a clone or from a document, batch by batch; and how it ends.

use std::sync::Arc;

use super::aggregate::{Environment, Particulars};
use super::clone_mode::CloneMode;
use super::commands::{CloneRequest, NewEnvironment};
use super::creation::{Creation, CreationStatus};
use super::decide::Decision;
use super::error::EnvironmentError;
use super::events::{CloneOrigin, EnvironmentEvent, Origin};
use super::states::{BatchedState, StateKey};
use crate::limits::{API_KEY_CHARACTERS_MAX, BATCH_SIZE_MAX, NAME_CHARACTERS_MAX};
use crate::permissions::Grant;
use crate::text::{check_name, check_text};

const INVALID_BATCH: EnvironmentError = EnvironmentError::InvalidBatch { max: BATCH_SIZE_MAX };

impl NewEnvironment {
    pub(super) fn create(self, origin: Origin) -> Decision {
        let Self { id, api_key, project, project_id, settings, admin } = self;
        settings.check()?;
        check_name("api_key", &api_key, API_KEY_CHARACTERS_MAX)?;
        let created = EnvironmentEvent::EnvironmentCreated { id, api_key, project, project_id, settings, origin };
        let granted = admin.map(|principal| EnvironmentEvent::EnvironmentPermissionGranted {
            before: None,
            after: Grant { principal, admin: true, permissions: [].into() },
        });
        Ok(std::iter::once(created).chain(granted).collect())
    }

    pub(super) fn request_import(self, document: String, feature_states_total: u64, batches_total: u32) -> Decision {
        check_text("document", &document, NAME_CHARACTERS_MAX)?;
        let batches = u64::from(batches_total);
        if feature_states_total < batches || feature_states_total > batches * BATCH_SIZE_MAX as u64 {
            return Err(INVALID_BATCH);
        }
        self.create(Origin::Import { document, feature_states_total, batches_total })
    }
}

impl CloneRequest {
    pub(super) fn decide(self) -> Decision {
        let Self { environment, origin, mut grants, batches } = self;
        check_plan(&origin)?;
        if origin.mode == CloneMode::Sync {
            check_all_batches(&origin, &batches)?;
        } else if !batches.is_empty() {
            return Err(INVALID_BATCH);
        }
        let completed = (origin.mode == CloneMode::Sync).then_some(EnvironmentEvent::CloneCompleted {
            feature_states: origin.feature_states_total,
            batches: origin.batches_total,
        });
        let source = origin.source.uuid;
        // The caller becomes admin, whatever the source granted.
        grants.retain(|grant| environment.admin.as_ref() != Some(&grant.principal));
        let mut events = environment.create(Origin::Clone(Box::new(origin)))?;
        if !grants.is_empty() {
            events.push(EnvironmentEvent::PermissionsInherited { source, grants });
        }
        let copied = |(batch, states)| EnvironmentEvent::FeatureStatesBatchCopied { batch, states };
        events.extend((1u32..).zip(batches).map(copied));
        events.extend(completed);
        Ok(events)
    }
}

/// The batches must be able to hold the states: a clone whose plan is wrong would never be complete.
fn check_plan(origin: &CloneOrigin) -> Result<(), EnvironmentError> {
    let size = u64::from(origin.batch_size);
    if !(1..=BATCH_SIZE_MAX as u64).contains(&size)
        || origin.feature_states_total.div_ceil(size) != u64::from(origin.batches_total)
    {
        return Err(INVALID_BATCH);
    }
    Ok(())
}

fn check_all_batches(origin: &CloneOrigin, batches: &[Arc<Vec<BatchedState>>]) -> Result<(), EnvironmentError> {
    let expected = origin.feature_states_total;
    let actual = batches.iter().map(|states| states.len() as u64).sum();
    if actual != expected || batches.len() as u64 != u64::from(origin.batches_total) {
        return Err(EnvironmentError::Incomplete { expected, actual });
    }
    let mut last = None;
    for states in batches {
        last = check_states(states, last)?;
    }
    Ok(())
}

/// The states of a batch must be in order, and behind the last one of the batch before; answers the last one.
fn check_states(states: &[BatchedState], after: Option<StateKey>) -> Result<Option<StateKey>, EnvironmentError> {
    let (Some(first), Some(last)) = (states.first(), states.last()) else { return Err(INVALID_BATCH) };
    let in_order = states.is_sorted_by(|one, next| one.key() < next.key());
    if states.len() > BATCH_SIZE_MAX || !in_order || after >= Some(first.key()) {
        return Err(INVALID_BATCH);
    }
    Ok(Some(last.key()))
}

impl Environment {
    pub(super) fn copy_batch(&self, particulars: &Particulars, batch: u32, states: Arc<Vec<BatchedState>>) -> Decision {
        particulars.check_clone(CreationStatus::Creating)?;
        let creation = &particulars.creation;
        self.check_batch(creation, batch, &states)?;
        let missing = creation.feature_states_total.saturating_sub(creation.feature_states);
        let planned = creation.clone.as_ref().map_or(missing, |origin| missing.min(u64::from(origin.batch_size)));
        if states.len() as u64 != planned {
            return Err(INVALID_BATCH);
        }
        Ok(vec![EnvironmentEvent::FeatureStatesBatchCopied { batch, states }])
    }

    pub(super) fn import_batch(
        &self,
        particulars: &Particulars,
        batch: u32,
        states: Arc<Vec<BatchedState>>,
    ) -> Decision {
        particulars.check_import()?;
        self.check_batch(&particulars.creation, batch, &states)?;
        Ok(vec![EnvironmentEvent::FeatureStatesImported { batch, states }])
    }

    /// The batch must be the next one, and its states follow those that are there without being too many.
    fn check_batch(&self, creation: &Creation, batch: u32, states: &[BatchedState]) -> Result<(), EnvironmentError> {
        creation.check_next(batch, states.len())?;
        check_states(states, self.last_state()).map(drop)
    }

    /// The last state, in the order of states.
    fn last_state(&self) -> Option<StateKey> {
        let state = self.states.get_max().map(|(feature, _)| (*feature, None));
        let segment_override = self.overrides.get_max().map(|((feature, segment), _)| (*feature, Some(*segment)));
        state.max(segment_override)
    }
}

impl Creation {
    /// A batch must be the next one, hold something, not more than a batch may, and not more than is missing.
    pub(super) fn check_next(&self, batch: u32, states: usize) -> Result<(), EnvironmentError> {
        if Some(batch) != self.next_batch() {
            return Err(EnvironmentError::UnexpectedBatch { expected: self.batches + 1 });
        }
        if states == 0 || states > BATCH_SIZE_MAX || self.feature_states + states as u64 > self.feature_states_total {
            return Err(INVALID_BATCH);
        }
        Ok(())
    }
}

impl Particulars {
    /// Whether the environment is a clone in this state.
    fn check_clone(&self, status: CreationStatus) -> Result<(), EnvironmentError> {
        if self.creation.clone.is_none() {
            return Err(EnvironmentError::OtherOrigin);
        }
        self.check_status(status)
    }

    pub(super) fn check_import(&self) -> Result<(), EnvironmentError> {
        if self.creation.clone.is_some() {
            return Err(EnvironmentError::OtherOrigin);
        }
        self.check_status(CreationStatus::Creating)
    }

    fn check_status(&self, status: CreationStatus) -> Result<(), EnvironmentError> {
        let actual = self.creation.status;
        if actual == status { Ok(()) } else { Err(EnvironmentError::WrongStatus { actual }) }
    }

    fn check_complete(&self) -> Result<(), EnvironmentError> {
        let (expected, actual) = (self.creation.feature_states_total, self.creation.feature_states);
        if self.creation.next_batch().is_some() || expected != actual {
            return Err(EnvironmentError::Incomplete { expected, actual });
        }
        Ok(())
    }

    pub(super) fn complete_clone(&self) -> Decision {
        self.check_clone(CreationStatus::Creating)?;
        self.check_complete()?;
        let (feature_states, batches) = (self.creation.feature_states, self.creation.batches);
        Ok(vec![EnvironmentEvent::CloneCompleted { feature_states, batches }])
    }

    pub(super) fn complete_import(&self) -> Decision {
        self.check_import()?;
        self.check_complete()?;
        Ok(vec![EnvironmentEvent::ImportCompleted { feature_states: self.creation.feature_states }])
    }

    /// A batch that is there cannot have failed: whoever says so has not seen that another worker copied it.
    pub(super) fn fail_clone(&self, batch: u32, code: String, detail: String) -> Decision {
        self.check_clone(CreationStatus::Creating)?;
        if batch <= self.creation.batches {
            return Err(EnvironmentError::UnexpectedBatch { expected: self.creation.batches + 1 });
        }
        Ok(vec![EnvironmentEvent::CloneFailed { batch, code, detail }])
    }

    pub(super) fn retry_clone(&self) -> Decision {
        self.check_clone(CreationStatus::Failed)?;
        let (attempt, from_batch) = (self.creation.attempts + 1, self.creation.batches + 1);
        Ok(vec![EnvironmentEvent::CloneRetried { attempt, from_batch }])
    }

    pub(super) fn cancel_clone(&self) -> Decision {
        if self.creation.clone.is_none() {
            return Err(EnvironmentError::OtherOrigin);
        }
        match self.creation.status {
            CreationStatus::Creating | CreationStatus::Failed => Ok(self.delete()),
            actual => Err(EnvironmentError::WrongStatus { actual }),
        }
    }

    /// To delete a clone that is not complete is to cancel it.
    pub(super) fn delete(&self) -> Vec<EnvironmentEvent> {
        let is_running = matches!(self.creation.status, CreationStatus::Creating | CreationStatus::Failed);
        let cancelled = (is_running && self.creation.clone.is_some())
            .then_some(EnvironmentEvent::CloneCancelled { batches_copied: self.creation.batches });
        let deleted = EnvironmentEvent::EnvironmentDeleted { name: self.settings.name.clone() };
        cancelled.into_iter().chain([deleted]).collect()
    }
}
