//! The read model `feature_states`: clones and imports, whose states arrive in batches while everything else goes on.

use offshoot_aggregates::environment::{EnvironmentEvent, FeatureValue, Origin};
use offshoot_aggregates::ids::FeatureStateId;
use offshoot_projections::feature_states::{FeatureStates, environment_digest, environment_states, feature_state};
use rusqlite::Connection;

use crate::history::{option, second};
use crate::house::{
    House, all_states, assert_counted, batched, clone_origin, content, feature_of, features_in, id_of, link,
    read_in_batches, shares, state_in, with_shares,
};

/// An environment with three features, the second of them multivariate, and one override.
fn source() -> House {
    let mut house = House::with_features(1);
    house.create_feature(feature_of(2, &[20, 21]));
    house.create_feature(feature_of(3, &[]));
    house.new_environment(1);
    house.set(1, 1, 1_000, content(1_000, FeatureValue::text(Some("set"))));
    let set = with_shares(content(1_500, FeatureValue::integer(7)), &[(20, 80.0)]);
    house.set_override(1, 2, link(1, 7, 0), 1_500, set);
    house
}

/// What a clone of [`source`] copies: two batches.
fn copied(clone: i64) -> [Vec<offshoot_aggregates::environment::BatchedState>; 2] {
    let first = clone * 1_000;
    let hello = || FeatureValue::text(Some("hello"));
    let by_default = with_shares(content(1_001, hello()), &[(20, 25.0), (21, 25.0)]);
    let overridden = with_shares(content(1_500, FeatureValue::integer(7)), &[(20, 80.0)]);
    [
        vec![
            batched(1, None, first, content(1_000, FeatureValue::text(Some("set")))),
            batched(2, None, first + 1, by_default),
        ],
        vec![
            batched(2, Some(link(first, 7, 0)), first + 500, overridden),
            batched(3, None, first + 2, content(1_002, hello())),
        ],
    ]
}

fn copy_all(house: &mut House, clone: u64) {
    for (batch, states) in (1u32..).zip(copied(clone.cast_signed())) {
        house.copy(clone, batch, states);
    }
    house.complete_clone(clone);
}

fn is_creating(connection: &Connection, environment: u64) -> bool {
    environment_states(connection, id_of(environment)).unwrap().unwrap().is_creating
}

fn same_states(connection: &Connection, one: u64, other: u64) -> bool {
    let [one, other] = [one, other].map(|id| environment_digest(connection, id_of(id)).unwrap());
    one == other
}

#[test]
fn a_clone_has_the_states_of_its_source_under_ids_of_its_own() {
    let mut house = source();
    house.begin_clone(2);
    copy_all(&mut house, 2);
    let connection = house.states();
    assert!(same_states(&connection, 1, 2));
    let ids: Vec<_> = all_states(&connection, 2).iter().map(|state| state.id.0).collect();
    assert_eq!(ids, [2_000, 2_001, 2_500, 2_002]);
    for state in all_states(&connection, 2) {
        assert_eq!(feature_state(&connection, state.id).unwrap(), Some(state));
    }
    let states = environment_states(&connection, id_of(2)).unwrap().unwrap();
    assert_eq!((states.default_states, states.override_states, states.is_creating), (3, 1, false));
    house.set(1, 1, 1_000, content(1_000, FeatureValue::text(Some("other"))));
    assert!(!same_states(&house.states(), 1, 2));
}

#[test]
fn an_environment_that_nobody_knows_has_the_digest_of_nothing() {
    let mut house = source();
    house.begin_clone(2);
    let connection = house.states();
    assert!(same_states(&connection, 2, 9));
    assert!(!same_states(&connection, 1, 9));
}

#[test]
fn a_clone_is_creating_until_it_is_complete() {
    let mut house = source();
    house.begin_clone(2);
    assert!(is_creating(&house.states(), 2));
    house.copy(2, 1, copied(2)[0].clone());
    let connection = house.states();
    assert!(is_creating(&connection, 2));
    assert_eq!(features_in(&connection, 2), [1, 2]);
    let state = state_in(&connection, 2, 1, None).unwrap();
    let now = second(house.history.events.len() as u64);
    assert_eq!((state.created_at, state.updated_at), (now, now));
    house.copy(2, 2, copied(2)[1].clone());
    house.complete_clone(2);
    assert!(!is_creating(&house.states(), 2));
}

#[test]
fn a_feature_deleted_during_the_clone_is_not_in_it() {
    let mut house = source();
    house.begin_clone(2);
    house.copy(2, 1, copied(2)[0].clone());
    house.delete_feature(1);
    house.delete_feature(3);
    house.copy(2, 2, copied(2)[1].clone());
    house.complete_clone(2);
    let connection = house.states();
    assert_eq!((features_in(&connection, 1), features_in(&connection, 2)), (vec![2], vec![2]));
    assert!(same_states(&connection, 1, 2));
}

#[test]
fn a_feature_deleted_before_its_batch_takes_its_overrides_along() {
    let mut house = source();
    house.begin_clone(2);
    house.delete_feature(2);
    copy_all(&mut house, 2);
    let connection = house.states();
    assert_eq!(all_states(&connection, 2).len(), 2);
    assert!(same_states(&connection, 1, 2));
}

#[test]
fn a_feature_created_during_the_clone_is_in_it_at_once_and_stays() {
    let mut house = source();
    house.begin_clone(2);
    house.copy(2, 1, copied(2)[0].clone());
    house.create_feature(feature_of(4, &[]));
    let connection = house.states();
    assert_eq!(state_in(&connection, 2, 4, None).unwrap().id, FeatureStateId(100_401));
    house.copy(2, 2, copied(2)[1].clone());
    house.complete_clone(2);
    let connection = house.states();
    assert_eq!(features_in(&connection, 2), [1, 2, 3, 4]);
    let id = FeatureStateId(100_401);
    assert_eq!(feature_state(&connection, id).unwrap(), state_in(&connection, 2, 4, None));
}

#[test]
fn a_feature_created_between_the_cut_and_the_name_is_in_the_clone_once_it_is_complete() {
    let mut house = source();
    let cut = house.history.events.len() as u64;
    house.create_feature(feature_of(4, &[40]));
    house.reserve(2, true);
    house.create(2, clone_origin(2, cut, 4, 2));
    copy_all(&mut house, 2);
    let connection = house.states();
    let state = state_in(&connection, 2, 4, None).unwrap();
    assert_eq!((state.id, state.content.seed), (FeatureStateId(2_003), FeatureStateId(2_003)));
    assert_eq!(shares(&state), [(40, 25.0)]);
    assert_eq!(feature_state(&connection, FeatureStateId(2_003)).unwrap(), Some(state));
}

#[test]
fn a_segment_deleted_during_the_clone_overrides_nothing_in_it() {
    let mut house = source();
    house.begin_clone(2);
    house.delete_segment(7);
    copy_all(&mut house, 2);
    let connection = house.states();
    assert_eq!(state_in(&connection, 2, 2, Some(7)), None);
    assert!(same_states(&connection, 1, 2));
}

#[test]
fn an_option_added_during_the_clone_has_its_share_whether_the_batch_came_before_or_after() {
    let mut house = source();
    house.begin_clone(2);
    house.begin_clone(3);
    house.copy(2, 1, copied(2)[0].clone());
    house.add_option(2, option(22, "late"));
    house.copy(3, 1, copied(3)[0].clone());
    let connection = house.states();
    for environment in [1, 2, 3] {
        let state = state_in(&connection, environment, 2, None).unwrap();
        assert_eq!(shares(&state), [(20, 25.0), (21, 25.0), (22, 25.0)]);
    }
    house.copy(2, 2, copied(2)[1].clone());
    house.copy(3, 2, copied(3)[1].clone());
    house.complete_clone(2);
    house.complete_clone(3);
    let connection = house.states();
    assert!(same_states(&connection, 1, 2) && same_states(&connection, 1, 3));
    assert_eq!(shares(&state_in(&connection, 3, 2, Some(7)).unwrap()), [(20, 80.0)]);
}

#[test]
fn an_option_removed_during_the_clone_has_no_share_in_states_that_come_later() {
    let mut house = source();
    house.begin_clone(2);
    house.remove_option(2, option(20, "variant"));
    copy_all(&mut house, 2);
    let connection = house.states();
    assert_eq!(shares(&state_in(&connection, 2, 2, None).unwrap()), [(21, 25.0)]);
    assert_eq!(shares(&state_in(&connection, 2, 2, Some(7)).unwrap()), []);
    assert!(same_states(&connection, 1, 2));
}

#[test]
fn an_option_removed_before_the_cut_does_not_change_what_the_batches_say() {
    let mut house = source();
    house.remove_option(2, option(21, "variant"));
    house.begin_clone(2);
    let mut batch = copied(2)[0].clone();
    batch[1] = batched(2, None, 2_001, with_shares(content(1_001, FeatureValue::text(Some("hello"))), &[(20, 25.0)]));
    house.copy(2, 1, batch);
    house.copy(2, 2, copied(2)[1].clone());
    house.complete_clone(2);
    assert!(same_states(&house.states(), 1, 2));
}

#[test]
fn a_cancelled_clone_leaves_no_states() {
    let mut house = source();
    house.begin_clone(2);
    house.copy(2, 1, copied(2)[0].clone());
    house.environment(2, EnvironmentEvent::CloneCancelled { batches_copied: 1 });
    house.environment(2, EnvironmentEvent::EnvironmentDeleted { name: "env2".to_owned() });
    house.copy(2, 2, copied(2)[1].clone());
    let connection = house.states();
    assert_eq!((environment_states(&connection, id_of(2)).unwrap(), all_states(&connection, 2)), (None, vec![]));
}

#[test]
fn a_state_that_came_twice_counts_once_and_is_what_came_last() {
    let mut house = source();
    house.begin_clone(2);
    house.copy(2, 1, copied(2)[0].clone());
    house.copy(2, 2, copied(2)[0].iter().chain(&copied(2)[1]).cloned().collect());
    let late = content(1, FeatureValue::text(Some("late")));
    house.copy(
        2,
        3,
        (1..=60).map(|feature| batched(feature % 3 + 1, None, 2_000 + (feature % 3), late.clone())).collect(),
    );
    house.complete_clone(2);
    let connection = house.states();
    assert_counted(&connection);
    assert_eq!(features_in(&connection, 2), [1, 2, 3]);
    assert_eq!(state_in(&connection, 2, 1, None).unwrap().content.value, FeatureValue::text(Some("late")));
}

#[test]
fn a_batch_of_many_states_is_written_whole() {
    for count in [1, 24, 25, 26, 49, 50, 51, 500] {
        let mut house = House::with_features(count);
        house.new_environment(1);
        house.begin_clone(2);
        let value = |feature: i64| FeatureValue::text(Some(if feature % 2 == 0 { "even" } else { "odd" }));
        let state = |feature| batched(feature, None, 1_999 + feature, content(feature, value(feature)));
        house.copy(2, 1, (1..=count).map(state).collect());
        house.complete_clone(2);
        let states = all_states(&house.states(), 2);
        assert_eq!(states.len() as i64, count);
        for (feature, state) in (1..).zip(states) {
            assert_eq!((state.feature.0, state.id.0), (feature, 1_999 + feature));
            assert_eq!(state.content, content(feature, value(feature)));
        }
    }
}

#[test]
fn an_import_has_the_states_of_its_document_and_defaults_for_the_rest() {
    let mut house = House::with_features(1);
    house.create_feature(feature_of(2, &[20, 21]));
    house.create_feature(feature_of(3, &[]));
    house.reserve(1, true);
    house.create(1, Origin::Import { document: "d".to_owned(), feature_states_total: 2, batches_total: 1 });
    let states = vec![
        batched(1, None, 1_000, content(5, FeatureValue::boolean(true))),
        batched(2, None, 1_001, with_shares(content(6, FeatureValue::boolean(true)), &[(20, 90.0)])),
    ];
    house.environment(1, EnvironmentEvent::FeatureStatesImported { batch: 1, states: states.into() });
    assert!(is_creating(&house.states(), 1));
    house.environment(1, EnvironmentEvent::ImportCompleted { feature_states: 2 });
    let connection = house.states();
    assert!(!is_creating(&connection, 1));
    assert_eq!(features_in(&connection, 1), [1, 2, 3]);
    assert_eq!(shares(&state_in(&connection, 1, 2, None).unwrap()), [(20, 90.0), (21, 10.0)]);
    assert_eq!(state_in(&connection, 1, 3, None).unwrap().id, FeatureStateId(1_002));
}

#[test]
fn a_failed_clone_keeps_what_it_has_and_goes_on() {
    let mut house = source();
    house.begin_clone(2);
    house.copy(2, 1, copied(2)[0].clone());
    let (code, detail) = ("unavailable".to_owned(), "the store is away".to_owned());
    house.environment(2, EnvironmentEvent::CloneFailed { batch: 2, code, detail });
    assert!(is_creating(&house.states(), 2));
    house.environment(2, EnvironmentEvent::CloneRetried { attempt: 2, from_batch: 2 });
    house.copy(2, 2, copied(2)[1].clone());
    house.complete_clone(2);
    let connection = house.states();
    assert!(!is_creating(&connection, 2) && same_states(&connection, 1, 2));
}

#[test]
fn a_clone_is_the_same_however_its_events_are_batched() {
    let mut house = source();
    house.begin_clone(2);
    copy_all(&mut house, 2);
    let one_by_one = read_in_batches(&house.history, &FeatureStates, &[1; 100]);
    assert!(same_states(&one_by_one, 1, 2));
}
