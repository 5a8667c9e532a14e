//! A half-copied environment: its feature states are nobody's to edit, its settings and permissions are.

use std::sync::Arc;

use offshoot_aggregates::environment::{
    Environment, EnvironmentCommand as Command, EnvironmentError as Error, EnvironmentEvent as Event,
    EnvironmentSettings, ExpectedOverride, Origin, StateChange,
};
use offshoot_aggregates::ids::{FeatureId, FeatureSegmentId, FeatureStateId};
use offshoot_aggregates::permissions::EnvironmentPermission::{UpdateFeatureState, ViewEnvironment};
use offshoot_aggregates::project::Project;

use crate::support::environment::{
    batch_copied, clone_failed, clone_of, environment_created, feature_ref, override_state, segment_ref, state,
};
use crate::support::project::{environment_reserved, feature, feature_created, project};
use crate::support::scenario::{fold, given};
use crate::support::{admin, grant, holder};

/// One command for each thing that can be done to feature states.
pub(super) fn state_commands() -> Vec<Command> {
    let project: Project =
        fold(project([feature_created(feature(1, "flag"), 0), environment_reserved(2, "staging", 0, 1)]));
    let feature = || feature_ref(&project, 2, 1);
    let on = || StateChange { enabled: Some(true), ..StateChange::default() };
    let feature_name = || "flag".to_owned();
    vec![
        Command::SetFeatureState { feature: feature(), change: on() },
        Command::AddSegmentOverride {
            feature: feature(),
            segment: segment_ref(8),
            feature_segment: FeatureSegmentId(80),
        },
        Command::SetSegmentOverride {
            feature: feature(),
            segment: segment_ref(9),
            feature_segment: FeatureSegmentId(90),
            feature_state: FeatureStateId(900),
            change: on(),
            priority: None,
            expected: ExpectedOverride::Any,
            segments: Default::default(),
        },
        Command::ReorderSegmentOverrides {
            feature: FeatureId(1),
            feature_name: feature_name(),
            priorities: vec![(FeatureSegmentId(5), 7)],
            segments: Default::default(),
        },
        Command::RemoveSegmentOverride {
            feature: FeatureId(1),
            feature_name: feature_name(),
            feature_segment: FeatureSegmentId(5),
            segment_name: "segment 5".to_owned(),
        },
    ]
}

/// One command for each thing that can be done to permissions; holder 2 has some.
pub(super) fn permission_commands() -> Vec<Command> {
    vec![
        Command::GrantEnvironmentPermission { grant: grant(holder(2), [ViewEnvironment]) },
        Command::RevokeEnvironmentPermission { principal: holder(2) },
    ]
}

/// A clone that has the states that [`state_commands`] speak of, and is still to get another batch.
fn half_copied() -> Vec<Event> {
    let first = Arc::new(vec![state(1), override_state(1, 5)]);
    let inherited = Event::PermissionsInherited {
        source: crate::support::uuid(7),
        grants: vec![grant(holder(2), [ViewEnvironment, UpdateFeatureState])],
    };
    clone_of(3, 2, [inherited, batch_copied(1, first)])
}

fn failed() -> Vec<Event> {
    half_copied().into_iter().chain([clone_failed(2)]).collect()
}

fn half_imported() -> Vec<Event> {
    let origin = Origin::Import { document: "doc".to_owned(), feature_states_total: 3, batches_total: 2 };
    let states = Arc::new(vec![state(1), override_state(1, 5)]);
    let granted = Event::EnvironmentPermissionGranted { before: None, after: grant(holder(2), [UpdateFeatureState]) };
    vec![environment_created(origin), granted, Event::FeatureStatesImported { batch: 1, states }]
}

#[test]
fn feature_states_are_not_edited_before_all_are_there() {
    for events in [half_copied(), failed(), half_imported()] {
        assert!(fold::<Environment>(events.clone()).is_creating());
        for command in state_commands() {
            given::<Environment>(events.clone()).when(command).then_rejected(Error::IsCreating);
        }
    }
}

#[test]
fn feature_states_are_edited_once_all_are_there() {
    let last = batch_copied(2, Arc::new(vec![state(2)]));
    let completed = Event::CloneCompleted { feature_states: 3, batches: 2 };
    for command in state_commands() {
        given::<Environment>(half_copied().into_iter().chain([last.clone(), completed.clone()]))
            .when(command)
            .then_accepted();
    }
    let last = Event::FeatureStatesImported { batch: 2, states: Arc::new(vec![state(2)]) };
    for command in state_commands() {
        given::<Environment>(
            half_imported().into_iter().chain([last.clone(), Event::ImportCompleted { feature_states: 3 }]),
        )
        .when(command)
        .then_accepted();
    }
}

#[test]
fn settings_and_permissions_are_edited_meanwhile() {
    let renamed = EnvironmentSettings::named("renamed");
    for events in [half_copied(), failed(), half_imported()] {
        let environment = given::<Environment>(events.clone())
            .when(Command::ChangeEnvironmentSettings { settings: renamed.clone(), settings_changes: 0 })
            .then([Event::EnvironmentSettingsChanged {
                before: EnvironmentSettings::named("staging"),
                after: renamed.clone(),
            }]);
        assert!(environment.is_creating());
        for command in permission_commands() {
            given::<Environment>(events.clone()).when(command).then_accepted();
        }
    }
}

#[test]
fn settings_and_permissions_that_were_edited_meanwhile_survive_the_end_of_the_copy() {
    let renamed = EnvironmentSettings::named("renamed");
    let edits = [
        Event::EnvironmentSettingsChanged { before: EnvironmentSettings::named("staging"), after: renamed.clone() },
        Event::EnvironmentPermissionGranted { before: None, after: admin(holder(3)) },
        batch_copied(2, Arc::new(vec![state(2)])),
    ];
    let environment = given::<Environment>(half_copied().into_iter().chain(edits))
        .when(Command::CompleteClone)
        .then([Event::CloneCompleted { feature_states: 3, batches: 2 }]);
    assert_eq!(environment.settings(), Some(&renamed));
    assert_eq!(environment.grants()[&holder(3)], admin(holder(3)));
}
