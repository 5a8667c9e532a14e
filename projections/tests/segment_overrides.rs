//! The read model `feature_states`: segment overrides, their links and their priorities.

use offshoot_aggregates::environment::{EnvironmentEvent, FeatureValue, PriorityChange, SegmentLink};
use offshoot_aggregates::ids::{FeatureId, FeatureSegmentId, FeatureStateId, SegmentId};
use offshoot_projections::Page;
use offshoot_projections::feature_states::{
    count_feature_segments, environment_states, feature_segment, feature_state, list_feature_segments, override_counts,
};
use rusqlite::Connection;

use crate::history::{second, uuid};
use crate::house::{House, all_states, content, id_of, link, state_in};

fn house() -> House {
    let mut house = House::with_features(2);
    house.new_environment(1);
    house
}

fn links(connection: &Connection, feature: i64) -> Vec<SegmentLink> {
    let (environment, feature) = (id_of(1), FeatureId(feature));
    let links = list_feature_segments(connection, environment, feature, Page::ALL).unwrap();
    assert_eq!(count_feature_segments(connection, environment, feature).unwrap(), links.len() as u64);
    links.into_iter().map(|view| view.link).collect()
}

/// All overrides, those with a state, and the default states.
fn counts(connection: &Connection) -> (u64, u64, u64) {
    let states = environment_states(connection, id_of(1)).unwrap().unwrap();
    (states.overrides, states.override_states, states.default_states)
}

fn removed(feature: i64, link: SegmentLink, state: Option<i64>) -> EnvironmentEvent {
    EnvironmentEvent::SegmentOverrideRemoved {
        feature: FeatureId(feature),
        feature_name: format!("f{feature}"),
        segment_name: format!("s{}", link.segment),
        link,
        feature_state: state.map(FeatureStateId),
        before: None,
    }
}

#[test]
fn an_override_that_has_only_a_place_is_a_link_but_no_state() {
    let mut house = house();
    house.add_override(1, 1, link(5, 7, 0));
    let connection = house.states();
    assert_eq!(links(&connection, 1), [link(5, 7, 0)]);
    assert_eq!(all_states(&connection, 1).len(), 2);
    assert_eq!(counts(&connection), (1, 0, 2));
    assert_eq!(override_counts(&connection, id_of(1), &[FeatureId(1)]).unwrap().len(), 0);
    let view = feature_segment(&connection, FeatureSegmentId(5)).unwrap().unwrap();
    assert_eq!((view.environment, view.environment_uuid, view.feature), (id_of(1), uuid(1), FeatureId(1)));
    assert_eq!((view.link, view.feature_state), (link(5, 7, 0), None));
}

#[test]
fn the_first_state_of_an_override_counts_as_new() {
    let mut house = house();
    house.add_override(1, 1, link(5, 7, 0));
    house.set_override(1, 1, link(5, 7, 0), 1_500, content(1_500, FeatureValue::boolean(true)));
    let created_at = second(house.history.events.len() as u64);
    house.set_override(1, 1, link(5, 7, 0), 1_500, content(1_500, FeatureValue::boolean(false)));
    let connection = house.states();
    let state = state_in(&connection, 1, 1, Some(7)).unwrap();
    assert_eq!((state.id, state.segment), (FeatureStateId(1_500), Some(link(5, 7, 0))));
    assert_eq!(state.content.value, FeatureValue::boolean(false));
    assert_eq!((state.created_at, state.updated_at > created_at), (created_at, true));
    assert_eq!(feature_state(&connection, FeatureStateId(1_500)).unwrap(), Some(state));
    assert_eq!(counts(&connection), (1, 1, 2));
    let view = feature_segment(&connection, FeatureSegmentId(5)).unwrap().unwrap();
    assert_eq!(view.feature_state, Some(FeatureStateId(1_500)));
}

#[test]
fn an_override_is_set_without_having_had_a_place() {
    let mut house = house();
    house.set_override(1, 1, link(5, 7, 0), 1_500, content(1_500, FeatureValue::integer(1)));
    house.set_override(1, 1, link(6, 8, 1), 1_501, content(1_501, FeatureValue::integer(2)));
    let connection = house.states();
    assert_eq!(links(&connection, 1), [link(5, 7, 0), link(6, 8, 1)]);
    assert_eq!(
        override_counts(&connection, id_of(1), &[FeatureId(1), FeatureId(2)]).unwrap(),
        [(FeatureId(1), 2)].into()
    );
    assert_eq!(counts(&connection), (2, 2, 2));
}

#[test]
fn reordered_overrides_are_listed_by_their_new_priorities() {
    let mut house = house();
    for (id, segment, priority) in [(5, 7, 0), (6, 8, 1), (7, 9, 2)] {
        house.add_override(1, 1, link(id, segment, priority));
    }
    let change = |id, before, after| PriorityChange {
        feature_segment: FeatureSegmentId(id),
        segment: SegmentId(id + 2),
        segment_name: None,
        before,
        after,
    };
    house.environment(
        1,
        EnvironmentEvent::SegmentOverridesReordered {
            feature: FeatureId(1),
            feature_name: "f1".to_owned(),
            priorities: vec![change(5, 0, 2), change(7, 2, 0)],
        },
    );
    let connection = house.states();
    assert_eq!(links(&connection, 1), [link(7, 9, 0), link(6, 8, 1), link(5, 7, 2)]);
    let page = Page { limit: 1, offset: 1 };
    let second = list_feature_segments(&connection, id_of(1), FeatureId(1), page).unwrap();
    assert_eq!(second.iter().map(|view| view.link.feature_segment.0).collect::<Vec<_>>(), [6]);
}

#[test]
fn a_removed_override_is_gone_with_or_without_a_state() {
    let mut house = house();
    house.set_override(1, 1, link(5, 7, 0), 1_500, content(1_500, FeatureValue::integer(1)));
    house.add_override(1, 1, link(6, 8, 1));
    house.set_override(1, 2, link(7, 7, 0), 1_501, content(1_501, FeatureValue::integer(1)));
    house.environment(1, removed(1, link(5, 7, 0), Some(1_500)));
    house.environment(1, removed(1, link(6, 8, 1), None));
    let connection = house.states();
    assert_eq!((links(&connection, 1), links(&connection, 2)), (vec![], vec![link(7, 7, 0)]));
    assert_eq!(counts(&connection), (1, 1, 2));
    assert_eq!(feature_segment(&connection, FeatureSegmentId(5)).unwrap(), None);
    assert_eq!(feature_state(&connection, FeatureStateId(1_500)).unwrap(), None);
}

#[test]
fn a_deleted_segment_takes_its_overrides_along_in_every_environment() {
    let mut house = house();
    house.new_environment(2);
    for (environment, id) in [(1, 1_500), (2, 2_500)] {
        house.set_override(environment, 1, link(id, 7, 0), id, content(id, FeatureValue::integer(1)));
        house.set_override(environment, 1, link(id + 1, 8, 1), id + 1, content(id, FeatureValue::integer(1)));
    }
    house.add_override(1, 2, link(9, 7, 0));
    house.delete_segment(7);
    let connection = house.states();
    assert_eq!((links(&connection, 1), links(&connection, 2)), (vec![link(1_501, 8, 1)], vec![]));
    assert_eq!(counts(&connection), (1, 1, 2));
    assert_eq!(state_in(&connection, 2, 1, Some(7)), None);
    assert!(state_in(&connection, 2, 1, Some(8)).is_some());
}

#[test]
fn an_override_that_was_decided_before_its_segment_was_deleted_does_not_come() {
    let mut house = house();
    house.delete_segment(7);
    house.set_override(1, 1, link(5, 7, 0), 1_500, content(1_500, FeatureValue::integer(1)));
    house.add_override(1, 2, link(6, 7, 0));
    let connection = house.states();
    assert_eq!((links(&connection, 1), links(&connection, 2)), (vec![], vec![]));
}

#[test]
fn uuids_of_states_and_links_differ_and_stay() {
    let mut house = house();
    house.set_override(1, 1, link(1_000, 7, 0), 1_500, content(1_500, FeatureValue::integer(1)));
    let before = house.states();
    let ids: Vec<_> = all_states(&before, 1).iter().map(|state| state.uuid()).collect();
    let link = feature_segment(&before, FeatureSegmentId(1_000)).unwrap().unwrap();
    assert!(!ids.contains(&link.uuid()) && ids[0] != ids[1] && ids[1] != ids[2] && ids[0] != ids[2]);
    house.set(1, 1, 1_000, content(1, FeatureValue::integer(9)));
    let after: Vec<_> = all_states(&house.states(), 1).iter().map(|state| state.uuid()).collect();
    assert_eq!(ids, after);
}
