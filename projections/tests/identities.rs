//! Identities and their overrides in the read model `feature_states`.

use std::sync::Arc;

use offshoot_aggregates::environment::{EnvironmentEvent, FeatureStateContent, FeatureValue, Origin};
use offshoot_aggregates::ids::{FeatureId, FeatureStateId, IdentityId};
use offshoot_projections::Page;
use offshoot_projections::feature_states::{
    FeatureStateView, StateFilter, StateScope, count_identities, count_states, environment_digest, environment_states,
    feature_state, identity, identity_named, identity_override_counts, identity_uuid, list_identities, list_states,
    override_counts,
};
use rusqlite::Connection;

use crate::history::{batched_override, option, uuid};
use crate::house::{House, all_states, batched, content, feature_of, features_in, id_of, link, shares, with_shares};

/// Features 1 (with option 10) and 2 in environment 1, which knows identities 7 and 8.
fn house() -> House {
    let mut house = House::with_features(0);
    house.create_feature(feature_of(1, &[10]));
    house.create_feature(feature_of(2, &[]));
    house.new_environment(1);
    house.add_identity(1, 7, "user_7");
    house.add_identity(1, 8, "user_8");
    house
}

fn said(seed: i64) -> FeatureStateContent {
    content(seed, FeatureValue::text(Some("mine")))
}

fn filtered(connection: &Connection, scope: StateScope) -> Vec<FeatureStateView> {
    let filter = StateFilter { scope, ..StateFilter::default() };
    let states = list_states(connection, id_of(1), filter, Page::ALL).unwrap();
    assert_eq!(count_states(connection, id_of(1), filter).unwrap(), states.len() as u64);
    states
}

/// Identity (0 if it is none) and feature of each state.
fn places(states: &[FeatureStateView]) -> Vec<(i64, i64)> {
    let identity = |state: &FeatureStateView| state.identity.as_ref().map_or(0, |identity| identity.id.0);
    states.iter().map(|state| (identity(state), state.feature.0)).collect()
}

fn identifiers(connection: &Connection, search: Option<&str>) -> Vec<String> {
    let found = list_identities(connection, id_of(1), search, Page::ALL).unwrap();
    assert_eq!(count_identities(connection, id_of(1), search).unwrap(), found.len() as u64);
    found.into_iter().map(|identity| identity.identifier).collect()
}

#[test]
fn identities_are_found_by_id_by_identifier_and_by_a_part_of_it() {
    let mut house = house();
    house.add_identity(1, 9, "some_100%");
    house.new_environment(2);
    house.add_identity(2, 10, "user_7");
    let connection = house.states();
    let found = identity(&connection, IdentityId(7)).unwrap().unwrap();
    assert_eq!((found.environment, found.identifier.as_str()), (id_of(1), "user_7"));
    assert_eq!(identity_named(&connection, id_of(1), "user_7").unwrap(), Some(found));
    assert_eq!(identity_named(&connection, id_of(2), "user_7").unwrap().unwrap().id, IdentityId(10));
    assert_eq!(identity_named(&connection, id_of(1), "USER_7").unwrap(), None);
    assert_eq!(identifiers(&connection, None), ["user_7", "user_8", "some_100%"]);
    assert_eq!(identifiers(&connection, Some("USER")), ["user_7", "user_8"]);
    assert_eq!(identifiers(&connection, Some("0%")), ["some_100%"]);
    let second = list_identities(&connection, id_of(1), None, Page { limit: 1, offset: 1 }).unwrap();
    assert_eq!(second.iter().map(|found| found.id.0).collect::<Vec<_>>(), [8]);
    let uuids = [7, 8].map(|id| identity_uuid(uuid(1), IdentityId(id)));
    assert_ne!(uuids[0], uuids[1]);
}

#[test]
fn an_override_is_a_state_of_its_identity() {
    let mut house = house();
    let created = house.now();
    house.set_identity_override(1, 1, 7, 1_500, said(1_500));
    let connection = house.states();
    let state = feature_state(&connection, FeatureStateId(1_500)).unwrap().unwrap();
    let of = state.identity.clone().unwrap();
    assert_eq!((of.id, of.identifier.as_str(), state.segment), (IdentityId(7), "user_7", None));
    assert_eq!((state.feature, &state.content), (FeatureId(1), &said(1_500)));
    assert!(state.is_override() && state.created_at > created);
    assert_eq!(places(&filtered(&connection, StateScope::Identity(IdentityId(7)))), [(7, 1)]);
    assert_eq!(places(&filtered(&connection, StateScope::Identity(IdentityId(8)))), []);
    let of_feature = |feature| StateFilter {
        scope: StateScope::Identities,
        feature: Some(FeatureId(feature)),
        feature_segment: None,
    };
    assert_eq!(count_states(&connection, id_of(1), of_feature(1)).unwrap(), 1);
    assert_eq!(count_states(&connection, id_of(1), of_feature(2)).unwrap(), 0);
}

#[test]
fn lists_have_the_states_that_are_asked_for_in_order() {
    let mut house = house();
    house.set_identity_override(1, 2, 7, 1_500, said(1));
    house.set_identity_override(1, 1, 8, 1_501, said(1));
    house.set_identity_override(1, 1, 7, 1_502, said(1));
    house.set_override(1, 1, link(5, 9, 0), 1_503, said(1));
    let connection = house.states();
    assert_eq!(places(&filtered(&connection, StateScope::Defaults)), [(0, 1), (0, 2)]);
    let all = filtered(&connection, StateScope::All);
    assert_eq!(places(&all), [(0, 1), (0, 1), (7, 1), (8, 1), (0, 2), (7, 2)]);
    assert_eq!(all[1].segment, Some(link(5, 9, 0)));
    let without_segments = filtered(&connection, StateScope::DefaultsAndIdentities);
    assert_eq!(places(&without_segments), [(0, 1), (7, 1), (8, 1), (0, 2), (7, 2)]);
    assert_eq!(places(&filtered(&connection, StateScope::Identities)), [(7, 1), (7, 2), (8, 1)]);
    let features = [FeatureId(1), FeatureId(2)];
    let counts = identity_override_counts(&connection, id_of(1), &features).unwrap();
    assert_eq!(counts, [(FeatureId(1), 2), (FeatureId(2), 1)].into());
    assert_eq!(override_counts(&connection, id_of(1), &features).unwrap(), [(FeatureId(1), 1)].into());
    let known = environment_states(&connection, id_of(1)).unwrap().unwrap();
    assert_eq!((known.default_states, known.override_states, known.identity_overrides), (2, 1, 3));
}

#[test]
fn an_override_that_is_set_again_keeps_its_id_and_its_beginning() {
    let mut house = house();
    house.set_identity_override(1, 1, 7, 1_500, said(1_500));
    let created = house.now();
    house.set_identity_override(1, 1, 7, 1_500, content(1_500, FeatureValue::integer(2)));
    let connection = house.states();
    let state = feature_state(&connection, FeatureStateId(1_500)).unwrap().unwrap();
    assert_eq!((state.created_at, state.updated_at), (created, house.now()));
    assert_eq!(state.content.value, FeatureValue::integer(2));
    assert_eq!(filtered(&connection, StateScope::Identities).len(), 1);
}

#[test]
fn an_override_goes_by_itself_with_its_identity_or_with_its_feature() {
    let mut house = house();
    for (identity, feature, id) in [(7, 1, 1_500), (7, 2, 1_501), (8, 1, 1_502), (8, 2, 1_503)] {
        house.set_identity_override(1, feature, identity, id, said(id));
    }
    house.remove_identity_override(1, 2, 8, 1_503);
    assert_eq!(places(&filtered(&house.states(), StateScope::Identities)), [(7, 1), (7, 2), (8, 1)]);
    house.delete_feature(2);
    assert_eq!(places(&filtered(&house.states(), StateScope::Identities)), [(7, 1), (8, 1)]);
    house.remove_identity(1, 7);
    let connection = house.states();
    assert_eq!(places(&filtered(&connection, StateScope::Identities)), [(8, 1)]);
    assert_eq!((identity(&connection, IdentityId(7)).unwrap(), features_in(&connection, 1)), (None, vec![1]));
    assert_eq!(feature_state(&connection, FeatureStateId(1_500)).unwrap(), None);
}

#[test]
fn an_override_that_was_decided_before_its_feature_was_deleted_does_not_come() {
    let mut house = house();
    house.delete_feature(1);
    house.set_identity_override(1, 1, 7, 1_500, said(1_500));
    assert_eq!(filtered(&house.states(), StateScope::Identities), []);
}

#[test]
fn an_override_has_the_shares_that_were_set_of_options_that_are_there() {
    let mut house = house();
    house.add_option(1, option(11, "late"));
    house.set_identity_override(1, 1, 7, 1_500, with_shares(said(1_500), &[(10, 40.0), (11, 60.0)]));
    house.set_identity_override(1, 1, 8, 1_501, with_shares(said(1_501), &[]));
    house.add_option(1, option(12, "later"));
    house.remove_option(1, option(10, "variant"));
    let states = filtered(&house.states(), StateScope::Identities);
    assert_eq!(states.iter().map(shares).collect::<Vec<_>>(), [vec![(11, 60.0)], vec![]]);
}

#[test]
fn a_clone_has_no_identities_and_says_the_same_as_its_source() {
    let mut house = house();
    house.set_identity_override(1, 1, 7, 1_500, said(1_500));
    house.begin_clone(2);
    let states = all_states(&house.states(), 1);
    let defaults: Vec<_> = states.iter().filter(|state| !state.is_override()).collect();
    let copied = defaults.iter().zip(2_000..);
    let copied = copied.map(|(state, id)| batched(state.feature.0, None, id, state.content.clone())).collect();
    house.copy(2, 1, copied);
    house.complete_clone(2);
    let connection = house.states();
    assert_eq!(all_states(&connection, 2).len(), 2);
    assert_eq!(count_identities(&connection, id_of(2), None).unwrap(), 0);
    let digests = [1, 2].map(|environment| environment_digest(&connection, id_of(environment)).unwrap());
    assert_eq!(digests[0], digests[1]);
}

#[test]
fn an_imported_batch_brings_identities_with_their_overrides() {
    let mut house = House::with_features(3);
    house.delete_feature(3);
    house.reserve(1, true);
    let origin = Origin::Import { document: "d".to_owned(), feature_states_total: 6, batches_total: 3 };
    house.create(1, origin);
    let states = vec![batched(1, None, 1_000, said(1)), batched(2, None, 1_001, said(1))];
    house.environment(1, EnvironmentEvent::FeatureStatesImported { batch: 1, states: Arc::new(states) });
    let imported = |batch, overrides| EnvironmentEvent::IdentityOverridesImported { batch, overrides };
    house.environment(
        1,
        imported(2, Arc::new(vec![batched_override(7, "user_7", 1), batched_override(7, "user_7", 2)])),
    );
    house.environment(
        1,
        imported(3, Arc::new(vec![batched_override(7, "user_7", 3), batched_override(8, "user_8", 1)])),
    );
    house.environment(1, EnvironmentEvent::ImportCompleted { feature_states: 6 });
    let connection = house.states();
    assert_eq!(identifiers(&connection, None), ["user_7", "user_8"]);
    assert_eq!(places(&filtered(&connection, StateScope::Identities)), [(7, 1), (7, 2), (8, 1)]);
    assert_eq!(feature_state(&connection, FeatureStateId(80_001)).unwrap().unwrap().content.seed, FeatureStateId(1));
}

#[test]
fn a_deleted_environment_has_no_identities() {
    let mut house = house();
    house.set_identity_override(1, 1, 7, 1_500, said(1_500));
    house.delete_environment(1);
    let connection = house.states();
    assert_eq!((identifiers(&connection, None).len(), identity(&connection, IdentityId(7)).unwrap()), (0, None));
    assert_eq!(feature_state(&connection, FeatureStateId(1_500)).unwrap(), None);
}
