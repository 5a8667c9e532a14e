//! The environment's decisions: which events a command leads to, or why it is rejected.

use std::sync::Arc;

use super::aggregate::{Environment, Identity};
use super::commands::{CloneRequest, EnvironmentCommand, FeatureRef, NewEnvironment, SegmentRef, StateChange};
use super::creation::CreationStatus;
use super::error::EnvironmentError;
use super::events::{CloneMode, EnvironmentEvent, Origin, PriorityChange};
use super::states::{Allocation, BatchedState, FeatureState, FeatureStateContent, SegmentOverride};
use crate::ids::{FeatureId, FeatureSegmentId, FeatureStateId};
use crate::limits::{API_KEY_CHARACTERS_MAX, BATCH_SIZE_MAX, PERCENTAGES_MAX};
use crate::permissions::Grant;
use crate::text::check_name;

/// What a command leads to.
type Decision = Result<Vec<EnvironmentEvent>, EnvironmentError>;

impl Environment {
    /// Decides a command; changes nothing.
    pub(super) fn decide(&self, command: EnvironmentCommand) -> Decision {
        use EnvironmentCommand as C;
        match (&self.identity, command) {
            (None, C::CreateEnvironment(environment)) => create(environment, Origin::New),
            (None, C::RequestEnvironmentClone(request)) => request_clone(*request),
            (None, C::RequestEnvironmentImport { environment, document, feature_states_total, batches_total }) => {
                create(environment, Origin::Import { document, feature_states_total, batches_total })
            }
            (Some(_), C::CreateEnvironment(_) | C::RequestEnvironmentClone(_) | C::RequestEnvironmentImport { .. }) => {
                Err(EnvironmentError::AlreadyExists)
            }
            (Some(identity), command) if !identity.deleted => self.decide_existing(identity, command),
            _ => Err(EnvironmentError::NotFound),
        }
    }

    fn decide_existing(&self, identity: &Identity, command: EnvironmentCommand) -> Decision {
        use EnvironmentCommand as C;
        match command {
            C::CopyFeatureStatesBatch { batch, states } => {
                identity.check_clone(CreationStatus::Creating)?;
                identity.check_batch(batch, &states)?;
                Ok(vec![EnvironmentEvent::FeatureStatesBatchCopied { batch, states }])
            }
            C::CompleteClone => identity.complete_clone(),
            C::FailClone { batch, code, detail } => {
                identity.check_clone(CreationStatus::Creating)?;
                Ok(vec![EnvironmentEvent::CloneFailed { batch, code, detail }])
            }
            C::RetryClone => {
                identity.check_clone(CreationStatus::Failed)?;
                let creation = &identity.creation;
                let (attempt, from_batch) = (creation.attempts + 1, creation.batches + 1);
                Ok(vec![EnvironmentEvent::CloneRetried { attempt, from_batch }])
            }
            C::CancelClone => identity.cancel_clone(),
            C::ImportFeatureStates { batch, states } => {
                identity.check_import()?;
                identity.check_batch(batch, &states)?;
                Ok(vec![EnvironmentEvent::FeatureStatesImported { batch, states }])
            }
            C::CompleteImport => {
                identity.check_import()?;
                identity.check_complete()?;
                Ok(vec![EnvironmentEvent::ImportCompleted { feature_states: identity.creation.feature_states }])
            }
            C::ChangeEnvironmentSettings { settings } => {
                settings.check()?;
                if settings == identity.settings {
                    return Ok(vec![]);
                }
                let before = identity.settings.clone();
                Ok(vec![EnvironmentEvent::EnvironmentSettingsChanged { before, after: settings }])
            }
            C::DeleteEnvironment => Ok(identity.delete()),
            C::GrantEnvironmentPermission { grant } => {
                let before = self.grants.get(&grant.principal).cloned();
                if before.as_ref() == Some(&grant) {
                    return Ok(vec![]);
                }
                Ok(vec![EnvironmentEvent::EnvironmentPermissionGranted { before, after: grant }])
            }
            C::RevokeEnvironmentPermission { principal } => {
                let before = self.grants.get(&principal).cloned().ok_or(EnvironmentError::GrantNotFound)?;
                Ok(vec![EnvironmentEvent::EnvironmentPermissionRevoked { before }])
            }
            command => {
                // Every other command edits feature states.
                if self.is_creating() {
                    return Err(EnvironmentError::IsCreating);
                }
                self.decide_states(command)
            }
        }
    }

    fn decide_states(&self, command: EnvironmentCommand) -> Decision {
        use EnvironmentCommand as C;
        match command {
            C::SetFeatureState { feature, change } => self.set_feature_state(&feature, change),
            C::AddSegmentOverride { feature, segment, feature_segment } => {
                self.add_override(&feature, segment, feature_segment)
            }
            C::SetSegmentOverride { feature, segment, feature_segment, feature_state, change, priority } => {
                self.set_override(&feature, segment, feature_segment, feature_state, change, priority)
            }
            C::ReorderSegmentOverrides { feature, feature_name, priorities } => {
                self.reorder_overrides(feature, feature_name, &priorities)
            }
            C::RemoveSegmentOverride { feature, feature_name, feature_segment, segment_name } => {
                let item = self.find_override(feature, feature_segment)?;
                Ok(vec![EnvironmentEvent::SegmentOverrideRemoved {
                    feature,
                    feature_name,
                    segment_name,
                    link: item.link,
                    feature_state: item.state.as_ref().map(|state| state.id),
                    before: item.state.as_ref().map(|state| state.content.clone()),
                }])
            }
            _ => Err(EnvironmentError::AlreadyExists),
        }
    }

    fn set_feature_state(&self, feature: &FeatureRef, change: StateChange) -> Decision {
        let definition = &feature.feature.definition;
        let implicit = &feature.implicit;
        let (id, before) = self.states.get(&definition.id).map_or_else(
            || (implicit.id, Arc::new(implicit.content.clone())),
            |state| (state.id, state.content.clone()),
        );
        let mut resolved = (*before).clone();
        // Options that came after the state was set have their default share in it.
        for allocation in &implicit.content.multivariate {
            if !resolved.multivariate.iter().any(|own| own.option == allocation.option) {
                resolved.multivariate.push(*allocation);
            }
        }
        let after = changed(&resolved, feature, change)?;
        if after == *before {
            return Ok(vec![]);
        }
        Ok(vec![EnvironmentEvent::FeatureStateChanged {
            feature: definition.id,
            feature_name: definition.name.clone(),
            feature_state: id,
            before,
            after: Arc::new(after),
        }])
    }

    fn next_priority(&self, feature: FeatureId) -> u32 {
        self.overrides_of(feature).map(|item| item.link.priority + 1).max().unwrap_or(0)
    }

    fn add_override(&self, feature: &FeatureRef, segment: SegmentRef, feature_segment: FeatureSegmentId) -> Decision {
        let definition = &feature.feature.definition;
        if self.overrides.contains_key(&(definition.id, segment.id)) {
            return Err(EnvironmentError::SegmentOverrideExists);
        }
        Ok(vec![EnvironmentEvent::SegmentOverrideAdded {
            feature: definition.id,
            feature_name: definition.name.clone(),
            link: segment.link(feature_segment, self.next_priority(definition.id)),
            segment_name: segment.name,
        }])
    }

    fn set_override(
        &self,
        feature: &FeatureRef,
        segment: SegmentRef,
        feature_segment: FeatureSegmentId,
        feature_state: FeatureStateId,
        change: StateChange,
        priority: Option<u32>,
    ) -> Decision {
        let definition = &feature.feature.definition;
        let existing = self.overrides.get(&(definition.id, segment.id));
        let link =
            existing.map_or_else(|| segment.link(feature_segment, self.next_priority(definition.id)), |item| item.link);
        let before = existing.and_then(|item| item.state.as_ref());
        let id = before.map_or(feature_state, |state| state.id);
        let base = before.map_or_else(|| new_override_content(id), |state| (*state.content).clone());
        let after = changed(&base, feature, change)?;
        let mut events = Vec::new();
        if before.is_none_or(|state| *state.content != after) {
            events.push(EnvironmentEvent::SegmentOverrideSet {
                feature: definition.id,
                feature_name: definition.name.clone(),
                segment_name: segment.name,
                link,
                feature_state: id,
                before: before.map(|state| state.content.clone()),
                after: Arc::new(after),
            });
        }
        if let Some(place) = priority {
            events.extend(self.move_override(definition.id, &definition.name, link, place));
        }
        Ok(events)
    }

    /// Moves an override, which may be new, to a place and shifts those behind it.
    fn move_override(
        &self,
        feature: FeatureId,
        feature_name: &str,
        link: super::SegmentLink,
        place: u32,
    ) -> Option<EnvironmentEvent> {
        let mut links: Vec<_> = self.overrides_of(feature).map(|item| item.link).collect();
        links.retain(|other| other.feature_segment != link.feature_segment);
        links.sort_by_key(|other| (other.priority, other.feature_segment));
        let place = usize::try_from(place).unwrap_or(usize::MAX).min(links.len());
        links.insert(place, link);
        let priorities: Vec<_> = (0u32..)
            .zip(&links)
            .filter(|(after, link)| link.priority != *after)
            .map(|(after, link)| PriorityChange { feature_segment: link.feature_segment, before: link.priority, after })
            .collect();
        (!priorities.is_empty()).then(|| EnvironmentEvent::SegmentOverridesReordered {
            feature,
            feature_name: feature_name.to_owned(),
            priorities,
        })
    }

    fn find_override(
        &self,
        feature: FeatureId,
        feature_segment: FeatureSegmentId,
    ) -> Result<&SegmentOverride, EnvironmentError> {
        self.overrides_of(feature)
            .find(|item| item.link.feature_segment == feature_segment)
            .ok_or(EnvironmentError::SegmentOverrideNotFound)
    }

    fn reorder_overrides(
        &self,
        feature: FeatureId,
        feature_name: String,
        priorities: &[(FeatureSegmentId, u32)],
    ) -> Decision {
        let mut changes = Vec::new();
        for (feature_segment, after) in priorities {
            let before = self.find_override(feature, *feature_segment)?.link.priority;
            if before != *after {
                changes.push(PriorityChange { feature_segment: *feature_segment, before, after: *after });
            }
        }
        if changes.is_empty() {
            return Ok(vec![]);
        }
        Ok(vec![EnvironmentEvent::SegmentOverridesReordered { feature, feature_name, priorities: changes }])
    }
}

impl Identity {
    /// Whether the environment is a clone in this state.
    fn check_clone(&self, status: CreationStatus) -> Result<(), EnvironmentError> {
        if self.creation.clone.is_none() {
            return Err(EnvironmentError::OtherOrigin);
        }
        self.check_status(status)
    }

    fn check_import(&self) -> Result<(), EnvironmentError> {
        if self.creation.clone.is_some() {
            return Err(EnvironmentError::OtherOrigin);
        }
        self.check_status(CreationStatus::Creating)
    }

    fn check_status(&self, status: CreationStatus) -> Result<(), EnvironmentError> {
        let actual = self.creation.status;
        if actual == status { Ok(()) } else { Err(EnvironmentError::WrongStatus { actual }) }
    }

    fn check_batch(&self, batch: u32, states: &[BatchedState]) -> Result<(), EnvironmentError> {
        let expected = self.creation.batches + 1;
        if batch != expected || batch > self.creation.batches_total {
            return Err(EnvironmentError::UnexpectedBatch { expected });
        }
        let in_order = states.is_sorted_by(|one, next| one.key() < next.key());
        if states.is_empty() || states.len() > BATCH_SIZE_MAX || !in_order {
            return Err(EnvironmentError::InvalidBatch { max: BATCH_SIZE_MAX });
        }
        Ok(())
    }

    fn check_complete(&self) -> Result<(), EnvironmentError> {
        let (expected, actual) = (self.creation.feature_states_total, self.creation.feature_states);
        if self.creation.next_batch().is_some() || expected != actual {
            return Err(EnvironmentError::Incomplete { expected, actual });
        }
        Ok(())
    }

    fn complete_clone(&self) -> Decision {
        self.check_clone(CreationStatus::Creating)?;
        self.check_complete()?;
        let (feature_states, batches) = (self.creation.feature_states, self.creation.batches);
        Ok(vec![EnvironmentEvent::CloneCompleted { feature_states, batches }])
    }

    fn cancel_clone(&self) -> Decision {
        if self.creation.clone.is_none() {
            return Err(EnvironmentError::OtherOrigin);
        }
        match self.creation.status {
            CreationStatus::Creating | CreationStatus::Failed => Ok(self.delete()),
            actual => Err(EnvironmentError::WrongStatus { actual }),
        }
    }

    /// To delete a clone that is not complete is to cancel it.
    fn delete(&self) -> Vec<EnvironmentEvent> {
        let is_running = matches!(self.creation.status, CreationStatus::Creating | CreationStatus::Failed);
        let cancelled = (is_running && self.creation.clone.is_some())
            .then_some(EnvironmentEvent::CloneCancelled { batches_copied: self.creation.batches });
        let deleted = EnvironmentEvent::EnvironmentDeleted { name: self.settings.name.clone() };
        cancelled.into_iter().chain([deleted]).collect()
    }
}

fn create(environment: NewEnvironment, origin: Origin) -> Decision {
    let NewEnvironment { id, api_key, project, project_id, settings, admin } = environment;
    settings.check()?;
    check_name("api_key", &api_key, API_KEY_CHARACTERS_MAX)?;
    let created = EnvironmentEvent::EnvironmentCreated { id, api_key, project, project_id, settings, origin };
    let granted = admin.map(|principal| EnvironmentEvent::EnvironmentPermissionGranted {
        before: None,
        after: Grant { principal, admin: true, permissions: [].into() },
    });
    Ok(std::iter::once(created).chain(granted).collect())
}

fn request_clone(request: CloneRequest) -> Decision {
    let CloneRequest { environment, origin, mut grants, batches } = request;
    let (source, mode) = (origin.source.uuid, origin.mode);
    let (total, batches_total) = (origin.feature_states_total, origin.batches_total);
    // The caller becomes admin below, whatever the source granted.
    grants.retain(|grant| environment.admin.as_ref() != Some(&grant.principal));
    let mut events = create(environment, Origin::Clone(Box::new(origin)))?;
    if !grants.is_empty() {
        events.push(EnvironmentEvent::PermissionsInherited { source, grants });
    }
    if mode == CloneMode::Sync {
        let actual = batches.iter().map(|states| states.len() as u64).sum();
        if actual != total || batches.len() as u64 != u64::from(batches_total) {
            return Err(EnvironmentError::Incomplete { expected: total, actual });
        }
        events.extend(
            (1u32..).zip(batches).map(|(batch, states)| EnvironmentEvent::FeatureStatesBatchCopied { batch, states }),
        );
        events.push(EnvironmentEvent::CloneCompleted { feature_states: total, batches: batches_total });
    }
    Ok(events)
}

fn new_override_content(seed: FeatureStateId) -> FeatureStateContent {
    FeatureStateContent { enabled: false, value: super::FeatureValue::default(), multivariate: Vec::new(), seed }
}

/// The content after a change, if the change is allowed.
fn changed(
    before: &FeatureStateContent,
    feature: &FeatureRef,
    change: StateChange,
) -> Result<FeatureStateContent, EnvironmentError> {
    let StateChange { enabled, value, multivariate } = change;
    if let Some(value) = &value {
        value.check("feature_state_value")?;
    }
    // Options that the feature lost have no share any more.
    let known = |allocation: &Allocation| feature.feature.option(allocation.option).is_some();
    let mut allocations: Vec<_> = before.multivariate.iter().copied().filter(known).collect();
    for new in multivariate.into_iter().flatten() {
        if !(0.0..=PERCENTAGES_MAX).contains(&new.percentage) {
            return Err(EnvironmentError::InvalidPercentage);
        }
        if !known(&new) {
            return Err(EnvironmentError::UnknownOption { option: new.option.0 });
        }
        match allocations.iter_mut().find(|own| own.option == new.option) {
            Some(own) => own.percentage = new.percentage,
            None => allocations.push(new),
        }
    }
    allocations.sort_by_key(|allocation| allocation.option);
    if allocations.iter().map(|allocation| allocation.percentage).sum::<f64>() > PERCENTAGES_MAX {
        return Err(EnvironmentError::PercentagesExceed);
    }
    Ok(FeatureStateContent {
        enabled: enabled.unwrap_or(before.enabled),
        value: value.map_or_else(|| before.value.clone(), |value| before.value.overwritten_by(&value)),
        multivariate: allocations,
        seed: before.seed,
    })
}

impl FeatureState {
    /// A state with this id and content.
    #[must_use]
    pub fn new(id: FeatureStateId, content: Arc<FeatureStateContent>) -> Self {
        Self { id, content }
    }
}
