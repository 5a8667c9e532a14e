//! Builders for environments.

use std::sync::Arc;

use jiff::Timestamp;
use offshoot_aggregates::environment::{
    Allocation, BatchedState, CloneMode, CloneOrigin, CloneRequest, EnvironmentEvent, EnvironmentRef,
    EnvironmentSettings, FeatureRef, FeatureStateContent, FeatureValue, NewEnvironment, Origin, SegmentLink,
    SegmentRef,
};
use offshoot_aggregates::ids::{
    EnvironmentId, FeatureId, FeatureSegmentId, FeatureStateId, IdentityId, MultivariateOptionId, ProjectId, SegmentId,
};
use offshoot_aggregates::project::Project;
use offshoot_aggregates::{Position, Version};

use super::{holder, uuid};

/// What a new environment is told; holder 1 administers it.
pub fn new_environment() -> NewEnvironment {
    NewEnvironment {
        id: EnvironmentId(2),
        api_key: "client-key".to_owned(),
        project: uuid(1),
        project_id: ProjectId(1),
        settings: EnvironmentSettings::named("staging"),
        admin: Some(holder(1)),
    }
}

/// The event that an environment begins with.
pub fn environment_created(origin: Origin) -> EnvironmentEvent {
    let NewEnvironment { id, api_key, project, project_id, settings, .. } = new_environment();
    EnvironmentEvent::EnvironmentCreated { id, api_key, project, project_id, settings, origin }
}

/// An environment, and what happened to it then.
pub fn environment(events: impl IntoIterator<Item = EnvironmentEvent>) -> Vec<EnvironmentEvent> {
    std::iter::once(environment_created(Origin::New)).chain(events).collect()
}

/// A clone of so many states in batches of so many, and what happened to it then.
pub fn clone_of(total: u64, size: u32, events: impl IntoIterator<Item = EnvironmentEvent>) -> Vec<EnvironmentEvent> {
    let origin = Origin::Clone(Box::new(clone_origin(total, size, CloneMode::Async)));
    std::iter::once(environment_created(origin)).chain(events).collect()
}

/// A plan to copy so many states in batches of so many.
pub fn clone_origin(total: u64, size: u32, mode: CloneMode) -> CloneOrigin {
    let source = EnvironmentRef {
        uuid: uuid(7),
        id: EnvironmentId(1),
        name: "production".to_owned(),
        api_key: "source-key".to_owned(),
    };
    CloneOrigin {
        source,
        position: Position(70),
        as_of: Timestamp::UNIX_EPOCH,
        source_version: Version(7),
        project_version: Version(17),
        mode,
        feature_states_total: total,
        batch_size: size,
        batches_total: u32::try_from(total.div_ceil(size.max(1).into())).unwrap(),
        first_feature_state_id: FeatureStateId(20_000),
        first_override_state_id: FeatureStateId(30_000),
        first_feature_segment_id: FeatureSegmentId(40_000),
    }
}

/// A request for a clone by holder 1, with nothing to inherit.
pub fn clone_request(total: u64, size: u32, mode: CloneMode) -> CloneRequest {
    let origin = clone_origin(total, size, mode);
    CloneRequest { environment: new_environment(), origin, grants: vec![], batches: vec![] }
}

/// A batch of default states, one for each of these features.
pub fn states(features: impl IntoIterator<Item = i64>) -> Arc<Vec<BatchedState>> {
    Arc::new(features.into_iter().map(state).collect())
}

/// The default state of a feature, on.
pub fn state(feature: i64) -> BatchedState {
    let content = Arc::new(FeatureStateContent { enabled: true, ..content("copied", feature) });
    BatchedState { feature: FeatureId(feature), segment: None, id: FeatureStateId(20_000 + feature), content }
}

/// The override of a feature for a segment, on.
pub fn override_state(feature: i64, segment: i64) -> BatchedState {
    BatchedState { segment: Some(link(segment, segment, 0)), ..state(feature) }
}

/// A batch of a clone arrived.
pub fn batch_copied(batch: u32, states: Arc<Vec<BatchedState>>) -> EnvironmentEvent {
    EnvironmentEvent::FeatureStatesBatchCopied { batch, states }
}

/// A clone stopped at a batch.
pub fn clone_failed(batch: u32) -> EnvironmentEvent {
    EnvironmentEvent::CloneFailed { batch, code: "disk_full".to_owned(), detail: "no space left".to_owned() }
}

/// Content: off, a text, no variants.
pub fn content(text: &str, seed: i64) -> FeatureStateContent {
    FeatureStateContent { value: FeatureValue::text(Some(text)), ..FeatureStateContent::unset(FeatureStateId(seed)) }
}

/// A share.
pub fn share(option: i64, percentage: f64) -> Allocation {
    Allocation { option: MultivariateOptionId(option), percentage }
}

/// A link to a segment.
pub fn link(feature_segment: i64, segment: i64, priority: u32) -> SegmentLink {
    SegmentLink { feature_segment: FeatureSegmentId(feature_segment), segment: SegmentId(segment), priority }
}

/// A segment by its id.
pub fn segment_ref(id: i64) -> SegmentRef {
    SegmentRef { id: SegmentId(id), name: format!("segment {id}") }
}

/// A feature as the project has it for environment `number`.
pub fn feature_ref(project: &Project, number: u64, feature: i64) -> FeatureRef {
    let feature = FeatureId(feature);
    FeatureRef {
        feature: project.features()[&feature].clone(),
        implicit: project.implicit_state(uuid(number), feature).unwrap(),
    }
}

/// The default state of the feature `flag` with id 1 changed.
pub fn state_changed(feature_state: i64, before: FeatureStateContent, after: FeatureStateContent) -> EnvironmentEvent {
    EnvironmentEvent::FeatureStateChanged {
        feature: FeatureId(1),
        feature_name: "flag".to_owned(),
        feature_state: FeatureStateId(feature_state),
        before: Arc::new(before),
        after: Arc::new(after),
    }
}

/// A segment got an override of the feature `flag` with id 1.
pub fn override_set(link: SegmentLink, feature_state: i64, after: FeatureStateContent) -> EnvironmentEvent {
    EnvironmentEvent::SegmentOverrideSet {
        feature: FeatureId(1),
        feature_name: "flag".to_owned(),
        segment_name: format!("segment {}", link.segment),
        link,
        feature_state: FeatureStateId(feature_state),
        before: None,
        after: Arc::new(after),
    }
}

/// An identity is known.
pub fn identity_added(identity: i64, identifier: &str) -> EnvironmentEvent {
    EnvironmentEvent::IdentityAdded { identity: IdentityId(identity), identifier: identifier.to_owned() }
}

/// An identity got an override of the feature `flag` with id 1.
pub fn identity_override_set(
    identity: i64,
    identifier: &str,
    feature_state: i64,
    after: FeatureStateContent,
) -> EnvironmentEvent {
    EnvironmentEvent::IdentityOverrideSet {
        feature: FeatureId(1),
        feature_name: "flag".to_owned(),
        identity: IdentityId(identity),
        identifier: identifier.to_owned(),
        feature_state: FeatureStateId(feature_state),
        before: None,
        after: Arc::new(after),
    }
}
