//! The read model `feature_states`: the states that environments have of features, as features and options come and go.

use offshoot_aggregates::environment::{EnvironmentEvent, FeatureStateContent, FeatureValue, Origin};
use offshoot_aggregates::ids::FeatureStateId;
use offshoot_aggregates::project::{FeatureDefinition, ProjectEvent, ReservationPurpose};
use offshoot_projections::feature_states::{EnvironmentStates, environment_states, feature_state};
use rusqlite::Connection;

use crate::history::{option, second, uuid};
use crate::house::{
    House, PROJECT, all_states, batched, content, feature_of, features_in, id_of, link, shares, state_in, with_shares,
};

fn as_a_whole(connection: &Connection, environment: u64) -> Option<EnvironmentStates> {
    environment_states(connection, id_of(environment)).unwrap()
}

#[test]
fn a_new_environment_has_every_feature_in_its_default_state() {
    let mut house = House::with_features(2);
    let enabled =
        FeatureDefinition { default_enabled: false, initial_value: Some("42".into()), ..feature_of(3, &[31, 32]) };
    house.create_feature(enabled);
    house.new_environment(1);
    let connection = house.states();
    assert_eq!(features_in(&connection, 1), [1, 2, 3]);
    let state = state_in(&connection, 1, 3, None).unwrap();
    assert_eq!((state.id, state.content.seed), (FeatureStateId(1_002), FeatureStateId(1_002)));
    assert_eq!((state.content.enabled, &state.content.value), (false, &FeatureValue::integer(42)));
    assert_eq!(shares(&state), [(31, 25.0), (32, 25.0)]);
    let at = second(house.history.events.len() as u64);
    assert_eq!((state.created_at, state.updated_at), (at, at));
    assert_eq!((state.environment, state.environment_uuid, state.segment), (id_of(1), uuid(1), None));
}

#[test]
fn an_environment_whose_name_is_only_reserved_is_not_seen() {
    let mut house = House::with_features(2);
    house.reserve(1, false);
    let connection = house.states();
    assert_eq!(as_a_whole(&connection, 1), None);
    assert_eq!(all_states(&connection, 1), []);
    house.create(1, Origin::New);
    assert_eq!(features_in(&house.states(), 1), [1, 2]);
}

#[test]
fn an_environment_whose_last_name_is_released_is_gone() {
    let mut house = House::with_features(1);
    house.new_environment(1);
    let rename = ProjectEvent::EnvironmentNameReserved {
        environment: uuid(1),
        environment_id: id_of(1),
        name: "new".to_owned(),
        reservation: 2,
        purpose: ReservationPurpose::Rename,
    };
    let release = |name: &str| ProjectEvent::EnvironmentNameReleased { environment: uuid(1), name: name.to_owned() };
    house.project(rename);
    house.project(release("env1"));
    assert_eq!(features_in(&house.states(), 1), [1]);
    house.project(release("new"));
    let connection = house.states();
    assert_eq!((as_a_whole(&connection, 1), all_states(&connection, 1)), (None, vec![]));
}

#[test]
fn a_name_that_another_project_reserves_for_a_known_uuid_leaves_the_environment_alone() {
    let mut house = House::with_features(1);
    house.new_environment(1);
    house.history.project(12, crate::history::project_created(12, 1));
    let purpose = ReservationPurpose::NewEnvironment {
        ordinal: 0,
        known_features: 0,
        first_feature_state_id: FeatureStateId(9_000),
        in_batches: false,
    };
    let (environment, name) = (uuid(1), "taken".to_owned());
    let reserved = ProjectEvent::EnvironmentNameReserved {
        environment,
        environment_id: id_of(4),
        name: name.clone(),
        reservation: 1,
        purpose,
    };
    house.history.project(12, reserved);
    house.history.project(12, ProjectEvent::EnvironmentNameReleased { environment, name });
    assert_eq!(features_in(&house.states(), 1), [1]);
}

#[test]
fn a_deleted_environment_is_gone_with_all_its_states() {
    let mut house = House::with_features(2);
    house.new_environment(1);
    house.new_environment(2);
    house.environment(1, EnvironmentEvent::EnvironmentDeleted { name: "env1".to_owned() });
    house.create_feature(feature_of(3, &[]));
    let connection = house.states();
    assert_eq!((as_a_whole(&connection, 1), all_states(&connection, 1)), (None, vec![]));
    assert_eq!(feature_state(&connection, FeatureStateId(1_000)).unwrap(), None);
    assert_eq!(features_in(&connection, 2), [1, 2, 3]);
}

#[test]
fn a_deleted_project_leaves_nothing_behind() {
    let mut house = House::with_features(2);
    house.new_environment(1);
    house.begin_clone(2);
    house.delete_segment(7);
    house.project(ProjectEvent::ProjectDeleted { name: "project11".to_owned() });
    house.copy(2, 1, vec![batched(1, None, 2_000, content(1, FeatureValue::integer(1)))]);
    house.complete_clone(2);
    let connection = house.states();
    for table in ["project", "environment", "feature", "deleted_segment", "feature_state"] {
        let rows: u64 = connection.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap();
        assert_eq!(rows, 0, "{table}");
    }
}

#[test]
fn a_feature_that_is_created_later_has_its_state_everywhere_at_once() {
    let mut house = House::with_features(1);
    house.new_environment(1);
    house.new_environment(2);
    house.create_feature(feature_of(2, &[21]));
    let connection = house.states();
    for (environment, id) in [(1, 100_200), (2, 100_201)] {
        let state = state_in(&connection, environment, 2, None).unwrap();
        assert_eq!((state.id, state.content.seed), (FeatureStateId(id), FeatureStateId(id)));
        assert_eq!(shares(&state), [(21, 25.0)]);
        assert_eq!(feature_state(&connection, FeatureStateId(id)).unwrap(), Some(state));
        assert_eq!(as_a_whole(&connection, environment).unwrap().updated_at, second(house.history.events.len() as u64));
    }
}

#[test]
fn features_that_are_imported_are_states_of_the_environments_to_come() {
    let mut house = House::with_features(0);
    house.import_features(vec![feature_of(1, &[]), feature_of(2, &[21])]);
    house.new_environment(1);
    let connection = house.states();
    assert_eq!(features_in(&connection, 1), [1, 2]);
    let state = state_in(&connection, 1, 2, None).unwrap();
    assert_eq!((state.id, shares(&state)), (FeatureStateId(1_001), vec![(21, 25.0)]));
}

#[test]
fn a_deleted_feature_is_gone_from_every_environment_with_its_overrides() {
    let mut house = House::with_features(3);
    house.new_environment(1);
    house.new_environment(2);
    house.set_override(1, 2, link(1, 7, 0), 1_500, content(1_500, FeatureValue::integer(1)));
    house.delete_feature(2);
    let connection = house.states();
    assert_eq!((features_in(&connection, 1), features_in(&connection, 2)), (vec![1, 3], vec![1, 3]));
    let states = as_a_whole(&connection, 1).unwrap();
    assert_eq!((states.default_states, states.overrides, states.override_states), (2, 0, 0));
    assert_eq!(feature_state(&connection, FeatureStateId(1_001)).unwrap(), None);
}

#[test]
fn a_change_that_was_decided_before_its_feature_was_deleted_does_not_bring_it_back() {
    let mut house = House::with_features(2);
    house.new_environment(1);
    house.delete_feature(2);
    house.set(1, 2, 1_001, content(1_001, FeatureValue::integer(1)));
    house.set_override(1, 2, link(1, 7, 0), 1_500, content(1_500, FeatureValue::integer(1)));
    assert_eq!(all_states(&house.states(), 1).len(), 1);
}

#[test]
fn a_state_that_is_set_keeps_its_id_and_when_it_was_created() {
    let mut house = House::with_features(1);
    house.new_environment(1);
    let created_at = second(house.history.events.len() as u64);
    let value = FeatureValue { integer_value: Some(5), boolean_value: Some(true), ..FeatureValue::text(Some("new")) };
    house.set(1, 1, 1_000, content(77, value.clone()));
    let updated_at = second(house.history.events.len() as u64);
    let connection = house.states();
    let state = state_in(&connection, 1, 1, None).unwrap();
    assert_eq!((state.id, &state.content), (FeatureStateId(1_000), &content(77, value)));
    assert_eq!((state.created_at, state.updated_at), (created_at, updated_at));
    let states = as_a_whole(&connection, 1).unwrap();
    assert_eq!((states.updated_at, states.version.0, states.default_states), (updated_at, 2, 1));
}

#[test]
fn times_never_go_back() {
    let mut house = House::with_features(1);
    house.new_environment(1);
    let latest = second(house.history.events.len() as u64);
    house.set(1, 1, 1_000, content(1, FeatureValue::integer(1)));
    house.history.events.last_mut().unwrap().recorded_at = second(1);
    let connection = house.states();
    assert_eq!(state_in(&connection, 1, 1, None).unwrap().updated_at, latest);
    assert_eq!(as_a_whole(&connection, 1).unwrap().updated_at, latest);
}

#[test]
fn an_option_that_is_added_later_has_its_default_share_in_every_environment() {
    let mut house = House::with_features(0);
    house.create_feature(feature_of(1, &[10]));
    house.new_environment(1);
    house.new_environment(2);
    house.set(1, 1, 1_000, with_shares(content(1, FeatureValue::integer(1)), &[(10, 60.0)]));
    house.add_option(1, option(11, "late"));
    let connection = house.states();
    assert_eq!(shares(&state_in(&connection, 1, 1, None).unwrap()), [(10, 60.0), (11, 25.0)]);
    assert_eq!(shares(&state_in(&connection, 2, 1, None).unwrap()), [(10, 25.0), (11, 25.0)]);
    let now = second(house.history.events.len() as u64);
    assert_eq!(state_in(&connection, 2, 1, None).unwrap().updated_at, now);
}

#[test]
fn an_option_that_is_removed_loses_its_share_also_in_overrides() {
    let mut house = House::with_features(0);
    house.create_feature(feature_of(1, &[10, 11]));
    house.new_environment(1);
    let set = with_shares(content(1, FeatureValue::integer(1)), &[(10, 60.0), (11, 5.0)]);
    house.set_override(1, 1, link(1, 7, 0), 1_500, set);
    house.remove_option(1, option(10, "variant"));
    let connection = house.states();
    assert_eq!(shares(&state_in(&connection, 1, 1, None).unwrap()), [(11, 25.0)]);
    assert_eq!(shares(&state_in(&connection, 1, 1, Some(7)).unwrap()), [(11, 5.0)]);
}

#[test]
fn a_default_share_that_changes_holds_for_environments_to_come() {
    let mut house = House::with_features(0);
    house.create_feature(feature_of(1, &[10]));
    house.new_environment(1);
    house.change_default_share(1, option(10, "variant"), 70.0);
    house.new_environment(2);
    let connection = house.states();
    assert_eq!(shares(&state_in(&connection, 1, 1, None).unwrap()), [(10, 25.0)]);
    assert_eq!(shares(&state_in(&connection, 2, 1, None).unwrap()), [(10, 70.0)]);
}

#[test]
fn a_default_share_that_changes_between_name_and_environment_does_not_count_for_it() {
    let mut house = House::with_features(0);
    house.create_feature(feature_of(1, &[10]));
    house.reserve(1, false);
    house.change_default_share(1, option(10, "variant"), 70.0);
    house.create(1, Origin::New);
    assert_eq!(shares(&state_in(&house.states(), 1, 1, None).unwrap()), [(10, 25.0)]);
}

#[test]
fn a_change_that_was_decided_before_an_option_came_has_its_default_share() {
    let mut house = House::with_features(0);
    house.create_feature(feature_of(1, &[10]));
    house.new_environment(1);
    house.add_option(1, option(11, "late"));
    house.set(1, 1, 1_000, with_shares(content(1, FeatureValue::integer(1)), &[(10, 60.0)]));
    assert_eq!(shares(&state_in(&house.states(), 1, 1, None).unwrap()), [(10, 60.0), (11, 25.0)]);
}

#[test]
fn a_project_is_what_its_own_events_say() {
    let mut house = House::with_features(1);
    house.new_environment(1);
    house.history.project(12, crate::history::project_created(12, 1));
    house.history.project(12, crate::history::feature_created(9, "other", 0));
    house.history.project(12, ProjectEvent::ProjectDeleted { name: "project12".to_owned() });
    assert_ne!(PROJECT, 12);
    assert_eq!(features_in(&house.states(), 1), [1]);
}

#[test]
fn features_that_are_on_are_counted_as_they_are_switched_and_go() {
    let mut house = House::with_features(3);
    house.new_environment(1);
    let off = |id| FeatureStateContent { enabled: false, ..content(id, FeatureValue::integer(1)) };
    let enabled = |house: &House| as_a_whole(&house.states(), 1).unwrap().enabled_states;
    let before = enabled(&house);
    for feature in 1..=3 {
        house.set(1, feature, 999 + feature, content(999 + feature, FeatureValue::integer(1)));
    }
    assert_eq!((before, enabled(&house)), (3, 3));
    house.set(1, 2, 1_001, off(1_001));
    house.set(1, 2, 1_001, off(1_001));
    house.set_override(1, 1, link(1, 7, 0), 1_500, off(1_500));
    assert_eq!(enabled(&house), 2);
    house.delete_feature(1);
    house.delete_feature(2);
    assert_eq!(enabled(&house), 1);
}
