//! The read model `feature_states`: what lists show, by filter and page.

use offshoot_aggregates::environment::{FeatureValue, ValueType};
use offshoot_aggregates::ids::{EnvironmentId, FeatureId, FeatureSegmentId, FeatureStateId};
use offshoot_projections::Page;
use offshoot_projections::feature_states::{
    StateFilter, StateScope, count_states, default_states_of, feature_state, list_states, matching_features,
    override_counts,
};
use rusqlite::Connection;

use crate::house::{House, content, feature_of, id_of, link};

/// Environment 1: features 1 to 5, overrides of 2 (segments 7 and 8) and of 4 (segment 7); environment 2: the features.
fn house() -> House {
    let mut house = House::with_features(5);
    house.new_environment(1);
    house.new_environment(2);
    let value = || content(1, FeatureValue::integer(1));
    house.set_override(1, 2, link(1, 8, 0), 1_500, value());
    house.set_override(1, 2, link(2, 7, 1), 1_501, value());
    house.set_override(1, 4, link(3, 7, 0), 1_502, value());
    house
}

fn listed(connection: &Connection, filter: StateFilter, page: Page) -> Vec<i64> {
    list_states(connection, id_of(1), filter, page).unwrap().iter().map(|state| state.id.0).collect()
}

const WITH_OVERRIDES: StateFilter = StateFilter { scope: StateScope::All, feature: None, feature_segment: None };

#[test]
fn lists_are_in_order_of_features_each_default_before_its_overrides() {
    let connection = house().states();
    let defaults = listed(&connection, StateFilter::default(), Page::ALL);
    assert_eq!(defaults, [1_000, 1_001, 1_002, 1_003, 1_004]);
    let all = listed(&connection, WITH_OVERRIDES, Page::ALL);
    assert_eq!(all, [1_000, 1_001, 1_501, 1_500, 1_002, 1_003, 1_502, 1_004]);
}

#[test]
fn lists_are_filtered_by_feature_and_by_link() {
    let connection = house().states();
    let feature = Some(FeatureId(2));
    let of_feature = StateFilter { feature, ..StateFilter::default() };
    assert_eq!(listed(&connection, of_feature, Page::ALL), [1_001]);
    assert_eq!(listed(&connection, StateFilter { feature, ..WITH_OVERRIDES }, Page::ALL), [1_001, 1_501, 1_500]);
    let of_link = StateFilter { feature_segment: Some(FeatureSegmentId(3)), ..WITH_OVERRIDES };
    assert_eq!(listed(&connection, of_link, Page::ALL), [1_502]);
    for (filter, count) in [(of_feature, 1), (StateFilter { feature, ..WITH_OVERRIDES }, 3), (of_link, 1)] {
        assert_eq!(count_states(&connection, id_of(1), filter).unwrap(), count);
    }
    let other_feature = StateFilter { feature, ..of_link };
    assert_eq!(count_states(&connection, id_of(1), other_feature).unwrap(), 0);
}

#[test]
fn pages_together_are_the_list() {
    let connection = house().states();
    let page = |offset| listed(&connection, WITH_OVERRIDES, Page { limit: 3, offset });
    assert_eq!([page(0), page(3), page(6)].concat(), listed(&connection, WITH_OVERRIDES, Page::ALL));
    assert_eq!(page(9), [0; 0]);
}

#[test]
fn an_environment_that_nobody_knows_has_no_states() {
    let connection = house().states();
    let nobody = EnvironmentId(9);
    assert_eq!(list_states(&connection, nobody, WITH_OVERRIDES, Page::ALL).unwrap(), []);
    assert_eq!(count_states(&connection, nobody, WITH_OVERRIDES).unwrap(), 0);
    assert_eq!(default_states_of(&connection, nobody, &[FeatureId(1)]).unwrap().len(), 0);
    assert_eq!(override_counts(&connection, nobody, &[FeatureId(2)]).unwrap().len(), 0);
    assert_eq!(matching_features(&connection, nobody, None, None, Page::ALL).unwrap(), []);
}

#[test]
fn ids_that_nobody_has_are_not_found() {
    let connection = house().states();
    for id in [0, -1, 999, 1_005, 1_499, 5_000_000, i64::MAX, i64::MIN] {
        assert_eq!(feature_state(&connection, FeatureStateId(id)).unwrap(), None, "{id}");
    }
}

#[test]
fn the_default_states_of_some_features_are_found_by_feature() {
    let connection = house().states();
    let found = default_states_of(&connection, id_of(2), &[FeatureId(4), FeatureId(2), FeatureId(9)]).unwrap();
    let mut ids: Vec<_> = found.iter().map(|(feature, state)| (feature.0, state.id.0)).collect();
    ids.sort_unstable();
    assert_eq!(ids, [(2, 2_001), (4, 2_003)]);
}

#[test]
fn overrides_are_counted_by_feature_and_environment() {
    let connection = house().states();
    let features = [1, 2, 4].map(FeatureId);
    let counts = override_counts(&connection, id_of(1), &features).unwrap();
    assert_eq!(counts, [(FeatureId(2), 2), (FeatureId(4), 1)].into());
    assert_eq!(override_counts(&connection, id_of(2), &features).unwrap().len(), 0);
}

#[test]
fn features_are_found_by_what_their_default_state_says() {
    let mut house = House::with_features(0);
    (1..=6).for_each(|feature| house.create_feature(feature_of(feature, &[])));
    house.new_environment(1);
    let off = |value| {
        let mut content = content(1, value);
        content.enabled = false;
        content
    };
    house.set(1, 1, 1_000, content(1, FeatureValue::text(Some("Größe: 100%"))));
    house.set(1, 2, 1_001, off(FeatureValue::text(Some("100"))));
    house.set(1, 3, 1_002, content(1, FeatureValue::integer(-1_007)));
    house.set(1, 4, 1_003, off(FeatureValue::boolean(true)));
    house.set(1, 5, 1_004, content(1, FeatureValue::text(None)));
    let kept = FeatureValue { value_type: ValueType::Int, integer_value: Some(3), ..FeatureValue::text(Some("100")) };
    house.set(1, 6, 1_005, off(kept));
    house.set_override(1, 5, link(1, 7, 0), 1_500, content(1, FeatureValue::text(Some("100"))));
    let connection = house.states();
    let found = |is_enabled, value_search| -> Vec<i64> {
        let features = matching_features(&connection, id_of(1), is_enabled, value_search, Page::ALL).unwrap();
        features.iter().map(|feature| feature.0).collect()
    };
    assert_eq!(found(None, None), [1, 2, 3, 4, 5, 6]);
    assert_eq!((found(Some(true), None), found(Some(false), None)), (vec![1, 3, 5], vec![2, 4, 6]));
    assert_eq!(found(None, Some("100")), [1, 2, 3]);
    assert_eq!(found(Some(false), Some("100")), [2]);
    assert_eq!((found(None, Some("GRÖSSE")), found(None, Some("GRÖß"))), (vec![], vec![1]));
    assert_eq!((found(None, Some("%")), found(None, Some("TRUE"))), (vec![1], vec![4]));
    let page = Page { limit: 2, offset: 1 };
    let paged = matching_features(&connection, id_of(1), None, None, page).unwrap();
    assert_eq!(paged, [FeatureId(2), FeatureId(3)]);
}
