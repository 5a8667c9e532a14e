//! Which event last changed what an environment serves.

use offshoot_aggregates::environment::{EnvironmentEvent, EnvironmentSettings, FeatureValue, ServerKeySettings};
use offshoot_aggregates::ids::FeatureId;
use offshoot_aggregates::permissions::Grant;
use offshoot_aggregates::project::{ProjectEvent, ProjectSettings};
use offshoot_aggregates::{Position, Version};
use offshoot_projections::environment_status::{self, EnvironmentStatus};
use offshoot_projections::feature_states::{FeatureStates, ServedVersion, served_version};
use offshoot_projections::features::{self, Features};

use crate::history::{option, principal, second, segment, server_key};
use crate::house::{House, content, id_of, link, read_in_batches};

/// One feature in environments 1 and 2.
fn house() -> House {
    let mut house = House::with_features(1);
    house.new_environment(1);
    house.new_environment(2);
    house
}

fn served(house: &House, environment: u64) -> ServedVersion {
    served_version(&house.history.read_model(&FeatureStates), id_of(environment)).unwrap().unwrap()
}

fn head(house: &House) -> Position {
    Position(house.history.events.len() as u64)
}

/// Whether what an environment serves is as of the last event.
fn is_new(house: &House, environment: u64) -> bool {
    let served = served(house, environment);
    assert_eq!(served.updated_at, second(served.position.0), "the time is that of the event");
    served.position == head(house)
}

fn described() -> ProjectEvent {
    ProjectEvent::FeatureDescribed {
        feature: FeatureId(1),
        feature_name: "f1".to_owned(),
        description_before: None,
        description_after: Some("d".to_owned()),
        is_server_key_only_before: false,
        is_server_key_only_after: true,
    }
}

#[test]
fn what_happens_to_features_segments_and_settings_of_the_project_changes_every_environment() {
    let settings = ProjectSettings::named("p");
    let (feature, feature_name) = (FeatureId(1), || "f1".to_owned());
    let changed = ProjectSettings { hide_disabled_flags: true, ..settings.clone() };
    let events = [
        ProjectEvent::ProjectSettingsChanged { before: settings, after: changed },
        described(),
        ProjectEvent::FeatureArchived { feature, feature_name: feature_name() },
        ProjectEvent::MultivariateOptionAdded { feature, feature_name: feature_name(), option: option(1, "a") },
        ProjectEvent::MultivariateOptionChanged {
            feature,
            feature_name: feature_name(),
            before: option(1, "a"),
            after: option(1, "b"),
        },
        ProjectEvent::MultivariateOptionRemoved { feature, feature_name: feature_name(), option: option(1, "b") },
        ProjectEvent::SegmentCreated { segment: segment(3, "gold") },
        ProjectEvent::SegmentChanged { before: segment(3, "gold"), after: segment(3, "golden") },
        ProjectEvent::SegmentDeleted {
            segment: offshoot_aggregates::ids::SegmentId(3),
            segment_name: "golden".to_owned(),
        },
        ProjectEvent::FeatureDeleted { feature, feature_name: feature_name() },
    ];
    let mut house = house();
    for event in events {
        let what = format!("{event:?}");
        house.project(event);
        assert!(is_new(&house, 1) && is_new(&house, 2), "{what}");
    }
}

#[test]
fn what_happens_to_states_identities_and_settings_of_an_environment_changes_that_one() {
    let mut house = house();
    let unchanged = served(&house, 2);
    let said = || content(1, FeatureValue::integer(1));
    house.set(1, 1, 1_000, said());
    assert!(is_new(&house, 1));
    house.add_override(1, 1, link(5, 7, 0));
    assert!(is_new(&house, 1));
    house.set_override(1, 1, link(5, 7, 0), 1_500, said());
    assert!(is_new(&house, 1));
    house.add_identity(1, 7, "user_7");
    assert!(is_new(&house, 1));
    house.set_identity_override(1, 1, 7, 1_501, said());
    assert!(is_new(&house, 1));
    house.remove_identity_override(1, 1, 7, 1_501);
    assert!(is_new(&house, 1));
    house.remove_identity(1, 7);
    assert!(is_new(&house, 1));
    house.rename(1, "renamed");
    assert!(is_new(&house, 1));
    assert_eq!(served(&house, 2), unchanged);
}

#[test]
fn keys_permissions_and_names_change_nothing_that_is_served() {
    let mut house = house();
    let before = served(&house, 1);
    let key = server_key(3);
    let after = ServerKeySettings { is_active: false, ..key.settings.clone() };
    let grant = Grant { principal: principal(1), admin: true, permissions: [].into() };
    let events = [
        EnvironmentEvent::ServerKeyChanged { key: key.id, before: key.settings.clone(), after },
        EnvironmentEvent::ServerKeyRevoked { key: key.id, name: "backend".to_owned() },
        EnvironmentEvent::ServerKeyIssued { key },
        EnvironmentEvent::EnvironmentPermissionGranted { before: None, after: grant.clone() },
        EnvironmentEvent::EnvironmentPermissionRevoked { before: grant.clone() },
        EnvironmentEvent::PermissionsInherited { source: crate::history::uuid(2), grants: vec![grant] },
    ];
    let count = events.len() as u64;
    events.into_iter().for_each(|event| house.environment(1, event));
    house.reserve_rename(1, "renamed");
    house.release_name(1, "renamed");
    let grant = Grant { principal: principal(1), admin: true, permissions: [].into() };
    house.project(ProjectEvent::ProjectPermissionGranted { before: None, after: grant.clone() });
    house.project(ProjectEvent::ProjectPermissionRevoked { before: grant });
    let now = served(&house, 1);
    assert_eq!((now.position, now.updated_at), (before.position, before.updated_at));
    let versions = (before.environment_version.0 + count, before.project_version.0 + 4);
    assert_eq!((now.environment_version.0, now.project_version.0), versions);
}

#[test]
fn a_clone_is_new_with_every_batch_and_ready_at_the_end() {
    let mut house = house();
    house.begin_clone(3);
    assert!(is_new(&house, 3) && served(&house, 3).is_creating);
    house.copy(3, 1, vec![crate::house::batched(1, None, 3_000, content(1, FeatureValue::integer(1)))]);
    assert!(is_new(&house, 3) && served(&house, 3).is_creating);
    house.complete_clone(3);
    assert!(is_new(&house, 3) && !served(&house, 3).is_creating);
    let connection = house.history.read_model(&FeatureStates);
    house.reserve(4, false);
    for environment in [4, 9] {
        assert_eq!(served_version(&connection, id_of(environment)).unwrap(), None);
    }
    house.delete_environment(3);
    assert_eq!(served_version(&house.history.read_model(&FeatureStates), id_of(3)).unwrap(), None);
}

#[test]
fn the_same_events_give_the_same_versions_in_whatever_batches_they_come() {
    let mut house = house();
    house.set(1, 1, 1_000, content(1, FeatureValue::integer(1)));
    house.project(described());
    let expected = served(&house, 1);
    for sizes in [vec![1; 40], vec![3, 2, 5], vec![7]] {
        let connection = read_in_batches(&house.history, &FeatureStates, &sizes);
        assert_eq!(served_version(&connection, id_of(1)).unwrap(), Some(expected.clone()));
    }
}

#[test]
fn read_models_that_know_the_same_events_name_the_same_versions() {
    let mut house = house();
    house.set(1, 1, 1_000, content(1, FeatureValue::integer(1)));
    let settings = EnvironmentSettings::named("env1");
    let after = EnvironmentSettings { hide_disabled_flags: Some(true), ..settings.clone() };
    house.environment(1, EnvironmentEvent::EnvironmentSettingsChanged { before: settings, after });
    house.project(described());
    let served = served(&house, 1);
    let project = features::project(&house.history.read_model(&Features), served.project).unwrap().unwrap();
    let status = house.history.read_model(&EnvironmentStatus);
    let environment = environment_status::environment(&status, id_of(1)).unwrap().unwrap();
    assert_eq!((project.version, environment.version), (served.project_version, served.environment_version));
    assert!(served.environment_version > Version(1) && served.project_version > Version(1));
}

#[test]
fn all_features_come_in_the_order_in_which_they_were_made() {
    let mut house = House::with_features(3);
    house.delete_feature(2);
    let connection = house.history.read_model(&Features);
    let project = offshoot_aggregates::ids::ProjectId(crate::house::PROJECT.cast_signed());
    let all = features::all_features(&connection, project).unwrap();
    assert_eq!(all.iter().map(|feature| feature.definition.id.0).collect::<Vec<_>>(), [1, 3]);
    house.project(ProjectEvent::SegmentCreated { segment: segment(4, "gold") });
    let of_feature = offshoot_aggregates::project::Segment { feature: Some(FeatureId(1)), ..segment(5, "own") };
    house.project(ProjectEvent::SegmentCreated { segment: of_feature });
    let connection = house.history.read_model(&Features);
    let segments = features::all_segments(&connection, project).unwrap();
    assert_eq!(segments.iter().map(|stored| stored.segment.id.0).collect::<Vec<_>>(), [4, 5]);
}
