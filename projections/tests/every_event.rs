//! A history in which every type of event happens.

use std::collections::BTreeSet;
use std::sync::Arc;

use offshoot_aggregates::environment::{
    EnvironmentEvent as E, EnvironmentSettings, FeatureValue, Origin, PriorityChange, SegmentLink, ServerKeySettings,
};
use offshoot_aggregates::id_allocator::{IdAllocatorEvent, IdKind};
use offshoot_aggregates::ids::{FeatureId, FeatureSegmentId, FeatureStateId, IdentityId, ProjectId, SegmentId};
use offshoot_aggregates::organisation::{ApiKeyRole, OrganisationEvent as O};
use offshoot_aggregates::permissions::{EnvironmentPermission, Grant, ProjectPermission};
use offshoot_aggregates::project::{ProjectEvent as P, ProjectSettings};
use offshoot_projections::Page;
use offshoot_projections::audit_log::{AuditFilter, AuditLog, list_entries};

use crate::history::{
    History, batched_override, clone_of, content, definition, feature_created, key, option, organisation_created,
    principal, project_created, segment, server_key, states, uuid,
};

/// How many types of events there are.
const EVENT_TYPES: usize = 51;

/// Every type of event, in an order in which they could have happened.
pub fn every_event() -> History {
    let mut history = History::new();
    history.allocator(IdAllocatorEvent::IdsReserved { kind: IdKind::Project, first: 1, count: 10 });
    history.organisation(1, organisation_created(1));
    history.organisation(1, O::ApiKeyIssued { key: key(1, ApiKeyRole::OrganisationAdmin) });
    history.organisation(1, O::ApiKeyIssued { key: key(2, ApiKeyRole::Member) });
    history.organisation(
        1,
        O::ProjectNameReserved {
            project: uuid(11),
            project_id: ProjectId(11),
            name: "p".to_owned(),
            reservation: 1,
            is_renewal: false,
        },
    );
    history.project(11, project_created(11, 1));
    project_events(&mut history);
    history.new_environment(21, 11, 0, Origin::New);
    history.project(11, feature_created(5, "later", 3));
    environment_events(&mut history);
    identity_events(&mut history);
    server_key_events(&mut history);
    clone_and_import_events(&mut history);
    let feature_name = "later".to_owned();
    history.project(11, P::FeatureDeleted { feature: FeatureId(5), feature_name });
    history.project(11, P::EnvironmentNameReleased { environment: uuid(21), name: "env21".to_owned() });
    history.project(11, P::ProjectDeleted { name: "p".to_owned() });
    history.organisation(1, O::ProjectNameReleased { project: uuid(11), name: "p".to_owned() });
    history.organisation(1, O::ApiKeyRevoked { uuid: uuid(2), name: "key2".to_owned() });
    history
}

fn project_events(history: &mut History) {
    let (feature, feature_name) = (FeatureId(1), || "f1".to_owned());
    let features = Arc::new((1..=3).map(|id| definition(id, &format!("f{id}"))).collect());
    let grant = Grant { principal: principal(2), admin: false, permissions: [ProjectPermission::ViewProject].into() };
    let events = [
        P::ProjectSettingsChanged { before: ProjectSettings::named("project11"), after: ProjectSettings::named("p") },
        P::FeaturesImported { batch: 1, first_ordinal: 0, features },
        P::FeatureDescribed {
            feature,
            feature_name: feature_name(),
            description_before: None,
            description_after: Some("d".to_owned()),
            is_server_key_only_before: false,
            is_server_key_only_after: true,
        },
        P::FeatureArchived { feature, feature_name: feature_name() },
        P::FeatureUnarchived { feature, feature_name: feature_name() },
        P::MultivariateOptionAdded { feature, feature_name: feature_name(), option: option(1, "a") },
        P::MultivariateOptionAdded { feature, feature_name: feature_name(), option: option(2, "b") },
        P::MultivariateOptionChanged {
            feature,
            feature_name: feature_name(),
            before: option(2, "b"),
            after: option(2, "c"),
        },
        P::MultivariateOptionRemoved { feature, feature_name: feature_name(), option: option(1, "a") },
        P::SegmentCreated { segment: segment(3, "gold") },
        P::SegmentCreated { segment: segment(4, "beta") },
        P::SegmentChanged { before: segment(3, "gold"), after: segment(3, "golden") },
        P::SegmentDeleted { segment: SegmentId(4), segment_name: "beta".to_owned() },
        P::ProjectPermissionGranted { before: None, after: grant.clone() },
        P::ProjectPermissionRevoked { before: grant },
    ];
    events.into_iter().for_each(|event| history.project(11, event));
}

fn environment_events(history: &mut History) {
    let (feature, feature_name, segment_name) = (FeatureId(1), || "f1".to_owned(), || "golden".to_owned());
    let link = SegmentLink { feature_segment: FeatureSegmentId(7), segment: SegmentId(3), priority: 0 };
    let feature_state = FeatureStateId(70);
    let grant =
        Grant { principal: principal(2), admin: false, permissions: [EnvironmentPermission::ViewEnvironment].into() };
    let (before, after) = (content(false, FeatureValue::default()), content(true, FeatureValue::integer(1)));
    let priorities = vec![PriorityChange {
        feature_segment: link.feature_segment,
        segment: link.segment,
        segment_name: Some(segment_name()),
        before: 0,
        after: 1,
    }];
    let events = [
        E::FeatureStateChanged {
            feature,
            feature_name: feature_name(),
            feature_state,
            before: before.clone(),
            after: after.clone(),
        },
        E::SegmentOverrideAdded { feature, feature_name: feature_name(), segment_name: segment_name(), link },
        E::SegmentOverrideSet {
            feature,
            feature_name: feature_name(),
            segment_name: segment_name(),
            link,
            feature_state,
            before: Some(before),
            after: after.clone(),
        },
        E::SegmentOverridesReordered { feature, feature_name: feature_name(), priorities },
        E::SegmentOverrideRemoved {
            feature,
            feature_name: feature_name(),
            segment_name: segment_name(),
            link,
            feature_state: Some(feature_state),
            before: Some(after),
        },
        E::EnvironmentSettingsChanged {
            before: EnvironmentSettings::named("env21"),
            after: EnvironmentSettings { description: Some("d".to_owned()), ..EnvironmentSettings::named("env21") },
        },
        E::EnvironmentPermissionGranted { before: None, after: grant.clone() },
        E::EnvironmentPermissionRevoked { before: grant },
    ];
    events.into_iter().for_each(|event| history.environment(21, event));
}

fn identity_events(history: &mut History) {
    let (feature, feature_name) = (FeatureId(1), || "f1".to_owned());
    let (identity, identifier, feature_state) = (IdentityId(5), || "user_1".to_owned(), FeatureStateId(71));
    let said = content(true, FeatureValue::integer(1));
    let events = [
        E::IdentityAdded { identity, identifier: identifier() },
        E::IdentityOverrideSet {
            feature,
            feature_name: feature_name(),
            identity,
            identifier: identifier(),
            feature_state,
            before: None,
            after: said.clone(),
        },
        E::IdentityOverrideRemoved {
            feature,
            feature_name: feature_name(),
            identity,
            identifier: identifier(),
            feature_state,
            before: said,
        },
        E::IdentityRemoved { identity, identifier: identifier() },
    ];
    events.into_iter().for_each(|event| history.environment(21, event));
}

fn server_key_events(history: &mut History) {
    let key = server_key(6);
    let after = ServerKeySettings { is_active: false, ..key.settings.clone() };
    let (id, before) = (key.id, key.settings.clone());
    let events = [
        E::ServerKeyIssued { key },
        E::ServerKeyChanged { key: id, before, after },
        E::ServerKeyRevoked { key: id, name: "backend".to_owned() },
    ];
    events.into_iter().for_each(|event| history.environment(21, event));
}

fn clone_and_import_events(history: &mut History) {
    history.new_environment(22, 11, 1, clone_of(21));
    let grants = vec![Grant { principal: principal(1), admin: true, permissions: [].into() }];
    let events = [
        E::PermissionsInherited { source: uuid(21), grants },
        E::FeatureStatesBatchCopied { batch: 1, states: states(3) },
        E::CloneFailed { batch: 2, code: "c".to_owned(), detail: "d".to_owned() },
        E::CloneRetried { attempt: 2, from_batch: 2 },
        E::FeatureStatesBatchCopied { batch: 2, states: states(3) },
        E::CloneCompleted { feature_states: 6, batches: 2 },
    ];
    events.into_iter().for_each(|event| history.environment(22, event));
    history.new_environment(23, 11, 2, clone_of(21));
    history.environment(23, E::CloneCancelled { batches_copied: 0 });
    history.environment(23, E::EnvironmentDeleted { name: "env23".to_owned() });
    let origin = Origin::Import { document: "d".to_owned(), feature_states_total: 4, batches_total: 2 };
    history.new_environment(24, 11, 3, origin);
    history.environment(24, E::FeatureStatesImported { batch: 1, states: states(3) });
    let overrides = Arc::new(vec![batched_override(8, "user_8", 1)]);
    history.environment(24, E::IdentityOverridesImported { batch: 2, overrides });
    history.environment(24, E::ImportCompleted { feature_states: 4 });
}

#[test]
fn every_event_but_those_of_the_id_allocator_has_a_line_in_the_audit_log() {
    let history = every_event();
    let types: BTreeSet<_> = history.events.iter().map(|event| event.event_type.as_str()).collect();
    assert_eq!(types.len(), EVENT_TYPES, "{types:?}");
    let lines = list_entries(&history.read_model(&AuditLog), &AuditFilter::default(), Page::ALL).unwrap();
    let with_line: BTreeSet<_> = lines.iter().map(|line| line.position).collect();
    for event in &history.events {
        let expected = event.event_type != "IdsReserved";
        assert_eq!(with_line.contains(&event.position), expected, "{}", event.event_type);
    }
    assert!(lines.iter().all(|line| line.organisation.is_some() && line.related_object_id.is_some()), "{lines:?}");
}
