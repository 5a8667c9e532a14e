//! The decisions on what the features of an environment are: default states, segment overrides and their priorities.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::aggregate::Environment;
use super::commands::{EnvironmentCommand, ExpectedOverride, FeatureRef, ProjectSegments, SegmentRef, StateChange};
use super::decide::Decision;
use super::error::EnvironmentError;
use super::events::{EnvironmentEvent, PriorityChange};
use super::states::{Allocation, FeatureStateContent, SegmentLink, SegmentOverride};
use crate::ids::{FeatureId, FeatureSegmentId, FeatureStateId, SegmentId};
use crate::percentages::{self, is_percentage};
use crate::project::FeatureDefinition;

impl Environment {
    pub(super) fn decide_states(&self, command: EnvironmentCommand) -> Decision {
        use EnvironmentCommand as C;
        match command {
            C::SetFeatureState { feature, change } => self.set_feature_state(&feature, change),
            C::AddSegmentOverride { feature, segment, feature_segment } => {
                self.add_override(&feature, segment, feature_segment)
            }
            C::SetSegmentOverride {
                feature,
                segment,
                feature_segment,
                feature_state,
                change,
                priority,
                expected,
                segments,
            } => {
                let definition = &feature.feature.definition;
                self.expect_override(definition.id, segment.id, expected)?;
                let (link, mut events) =
                    self.set_override(&feature, segment, feature_segment, feature_state, change)?;
                if let Some(place) = priority {
                    events.extend(self.move_override(definition, link, place, &segments));
                }
                Ok(events)
            }
            C::ReorderSegmentOverrides { feature, feature_name, priorities, segments } => {
                self.reorder_overrides(feature, feature_name, &priorities, &segments)
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
            C::SetIdentityOverride { feature, identity, feature_state, change, expected } => {
                self.set_identity_override(&feature, identity, feature_state, change, expected)
            }
            C::RemoveIdentityOverride { feature, feature_name, identity } => {
                self.remove_identity_override(feature, feature_name, identity)
            }
            _ => Err(EnvironmentError::AlreadyExists),
        }
    }

    fn set_feature_state(&self, feature: &FeatureRef, change: StateChange) -> Decision {
        let definition = &feature.feature.definition;
        let implicit = &feature.implicit;
        let (id, before) = match self.states.get(&definition.id) {
            None => (implicit.id, Arc::new(implicit.content.clone())),
            Some(state) => {
                // Options that came after the state was set have their default share in it, removed ones have none.
                let set = &state.content.multivariate;
                let multivariate = feature.feature.resolved_allocations(set, implicit.environment_ordinal);
                (state.id, FeatureStateContent::with_multivariate(&state.content, multivariate))
            }
        };
        let after = changed(&before, feature, change)?;
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
        self.overrides_of(feature).map(|item| item.link.priority.saturating_add(1)).max().unwrap_or(0)
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

    fn expect_override(
        &self,
        feature: FeatureId,
        segment: SegmentId,
        expected: ExpectedOverride,
    ) -> Result<(), EnvironmentError> {
        let is_set = self.overrides.get(&(feature, segment)).is_some_and(|item| item.state.is_some());
        match expected {
            ExpectedOverride::Unset if is_set => Err(EnvironmentError::SegmentOverrideExists),
            ExpectedOverride::Set if !is_set => Err(EnvironmentError::SegmentOverrideNotFound),
            _ => Ok(()),
        }
    }

    fn set_override(
        &self,
        feature: &FeatureRef,
        segment: SegmentRef,
        feature_segment: FeatureSegmentId,
        feature_state: FeatureStateId,
        change: StateChange,
    ) -> Result<(SegmentLink, Vec<EnvironmentEvent>), EnvironmentError> {
        let definition = &feature.feature.definition;
        let existing = self.overrides.get(&(definition.id, segment.id));
        let link =
            existing.map_or_else(|| segment.link(feature_segment, self.next_priority(definition.id)), |item| item.link);
        let state = existing.and_then(|item| item.state.as_ref());
        let id = state.map_or(feature_state, |state| state.id);
        let before = state.map(|state| {
            let multivariate = feature.feature.kept_allocations(&state.content.multivariate);
            FeatureStateContent::with_multivariate(&state.content, multivariate)
        });
        let base = before.clone().unwrap_or_else(|| Arc::new(FeatureStateContent::unset(id)));
        let after = changed(&base, feature, change)?;
        let mut events = Vec::new();
        if before.as_deref() != Some(&after) {
            events.push(EnvironmentEvent::SegmentOverrideSet {
                feature: definition.id,
                feature_name: definition.name.clone(),
                segment_name: segment.name,
                link,
                feature_state: id,
                before,
                after: Arc::new(after),
            });
        }
        Ok((link, events))
    }

    /// Moves an override, which may be new, to a place and shifts those behind it.
    fn move_override(
        &self,
        feature: &FeatureDefinition,
        link: SegmentLink,
        place: u32,
        segments: &ProjectSegments,
    ) -> Option<EnvironmentEvent> {
        let mut links: Vec<_> = self.overrides_of(feature.id).map(|item| item.link).collect();
        links.retain(|other| other.feature_segment != link.feature_segment);
        links.sort_by_key(|other| (other.priority, other.feature_segment));
        let place = usize::try_from(place).unwrap_or(usize::MAX).min(links.len());
        links.insert(place, link);
        let priorities: Vec<_> = (0u32..)
            .zip(&links)
            .filter(|(after, link)| link.priority != *after)
            .map(|(after, link)| priority_change(link, after, segments))
            .collect();
        (!priorities.is_empty()).then(|| EnvironmentEvent::SegmentOverridesReordered {
            feature: feature.id,
            feature_name: feature.name.clone(),
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
        segments: &ProjectSegments,
    ) -> Decision {
        // A link that is named twice gets the later priority.
        let priorities: BTreeMap<_, _> = priorities.iter().copied().collect();
        let mut changes = Vec::new();
        for (feature_segment, after) in priorities {
            let link = self.find_override(feature, feature_segment)?.link;
            if link.priority != after {
                changes.push(priority_change(&link, after, segments));
            }
        }
        if changes.is_empty() {
            return Ok(vec![]);
        }
        Ok(vec![EnvironmentEvent::SegmentOverridesReordered { feature, feature_name, priorities: changes }])
    }
}

fn priority_change(link: &SegmentLink, after: u32, segments: &ProjectSegments) -> PriorityChange {
    PriorityChange {
        feature_segment: link.feature_segment,
        segment: link.segment,
        segment_name: segments.get(&link.segment).map(|segment| segment.name.clone()),
        before: link.priority,
        after,
    }
}

/// The content after a change, if the change is allowed.
pub(super) fn changed(
    before: &FeatureStateContent,
    feature: &FeatureRef,
    change: StateChange,
) -> Result<FeatureStateContent, EnvironmentError> {
    let StateChange { enabled, value, multivariate } = change;
    if let Some(value) = &value {
        value.check("feature_state_value")?;
    }
    let allocations = match multivariate {
        Some(new) => changed_allocations(&before.multivariate, &new, feature)?,
        None => before.multivariate.clone(),
    };
    Ok(FeatureStateContent {
        enabled: enabled.unwrap_or(before.enabled),
        value: value.map_or_else(|| before.value.clone(), |value| before.value.overwritten_by(&value)),
        multivariate: allocations,
        seed: before.seed,
    })
}

/// The shares after a change, if the change is allowed.
fn changed_allocations(
    before: &[Allocation],
    new: &[Allocation],
    feature: &FeatureRef,
) -> Result<Vec<Allocation>, EnvironmentError> {
    let mut after = before.to_vec();
    for allocation in new {
        if !is_percentage(allocation.percentage) {
            return Err(EnvironmentError::InvalidPercentage);
        }
        if feature.feature.option(allocation.option).is_none() {
            return Err(EnvironmentError::UnknownOption { option: allocation.option.0 });
        }
        match after.iter_mut().find(|own| own.option == allocation.option) {
            Some(own) => own.percentage = allocation.percentage,
            None => after.push(*allocation),
        }
    }
    after.sort_by_key(|allocation| allocation.option);
    if percentages::exceed(after.iter().map(|allocation| allocation.percentage)) {
        return Err(EnvironmentError::PercentagesExceed);
    }
    Ok(after)
}
