//! The priorities of a feature's segment overrides: 0 is the highest.

use std::sync::Arc;

use offshoot_aggregates::environment::{
    Environment, EnvironmentCommand as Command, EnvironmentError as Error, EnvironmentEvent as Event, ExpectedOverride,
    PriorityChange, ProjectSegments, SegmentLink, StateChange,
};
use offshoot_aggregates::ids::{FeatureId, FeatureSegmentId, FeatureStateId, SegmentId};
use offshoot_aggregates::project::Project;

use crate::support::environment::{content, environment, feature_ref, link, override_set, segment_ref};
use crate::support::project::{environment_reserved, feature, feature_created, project, segment};
use crate::support::scenario::{fold, given};

fn reorder(priorities: &[(i64, u32)]) -> Command {
    let priorities = priorities.iter().map(|(id, priority)| (FeatureSegmentId(*id), *priority)).collect();
    Command::ReorderSegmentOverrides {
        feature: FeatureId(1),
        feature_name: "flag".to_owned(),
        priorities,
        segments: segments(),
    }
}

/// Segment 5 is called `gold`; the others are deleted.
fn segments() -> ProjectSegments {
    [(SegmentId(5), Arc::new(segment(5, "gold")))].into_iter().collect()
}

fn reordered(changes: &[(i64, u32, u32)]) -> Event {
    let change = |(id, before, after): &(i64, u32, u32)| PriorityChange {
        feature_segment: FeatureSegmentId(*id),
        segment: SegmentId(id / 10),
        segment_name: (id / 10 == 5).then(|| "gold".to_owned()),
        before: *before,
        after: *after,
    };
    Event::SegmentOverridesReordered {
        feature: FeatureId(1),
        feature_name: "flag".to_owned(),
        priorities: changes.iter().map(change).collect(),
    }
}

fn set(link: SegmentLink) -> Event {
    let state = 10 * link.feature_segment.0;
    override_set(link, state, content("a", state))
}

/// Overrides for the segments 5, 6 and 7, whose links have the ids 50, 60 and 70, in this order.
fn three() -> Vec<Event> {
    environment([set(link(50, 5, 0)), set(link(60, 6, 1)), set(link(70, 7, 2))])
}

/// Sets the override for a segment to what all overrides are here, and moves it to a place.
fn move_to(segment: i64, place: u32) -> Command {
    let project: Project =
        fold(project([feature_created(feature(1, "flag"), 0), environment_reserved(2, "staging", 0, 1)]));
    Command::SetSegmentOverride {
        feature: feature_ref(&project, 2, 1),
        segment: segment_ref(segment),
        feature_segment: FeatureSegmentId(10 * segment),
        feature_state: FeatureStateId(100 * segment),
        change: StateChange {
            value: Some(offshoot_aggregates::environment::FeatureValue::text(Some("a"))),
            ..StateChange::default()
        },
        priority: Some(place),
        expected: ExpectedOverride::Any,
        segments: segments(),
    }
}

fn priorities(environment: &Environment) -> Vec<(i64, u32)> {
    environment.overrides_of(FeatureId(1)).map(|item| (item.link.feature_segment.0, item.link.priority)).collect()
}

#[test]
fn overrides_get_the_priorities_that_are_named_and_the_others_keep_theirs() {
    let environment =
        given::<Environment>(three()).when(reorder(&[(70, 0), (50, 9)])).then([reordered(&[(50, 0, 9), (70, 2, 0)])]);
    assert_eq!(priorities(&environment), [(50, 9), (60, 1), (70, 0)]);
}

#[test]
fn only_priorities_that_change_are_recorded() {
    given::<Environment>(three())
        .when(reorder(&[(50, 0), (60, 2), (70, 1)]))
        .then([reordered(&[(60, 1, 2), (70, 2, 1)])]);
    given::<Environment>(three()).when(reorder(&[(50, 0), (60, 1)])).then_nothing();
    given::<Environment>(three()).when(reorder(&[])).then_nothing();
}

#[test]
fn an_override_that_is_named_twice_gets_the_later_priority() {
    given::<Environment>(three()).when(reorder(&[(50, 7), (50, 3)])).then([reordered(&[(50, 0, 3)])]);
    given::<Environment>(three()).when(reorder(&[(50, 7), (50, 0)])).then_nothing();
}

#[test]
fn one_unknown_override_spoils_the_order() {
    given::<Environment>(three()).when(reorder(&[(50, 1), (80, 0)])).then_rejected(Error::SegmentOverrideNotFound);
}

#[test]
fn an_override_moves_to_the_front_and_shifts_the_others() {
    let environment =
        given::<Environment>(three()).when(move_to(7, 0)).then([reordered(&[(70, 2, 0), (50, 0, 1), (60, 1, 2)])]);
    assert_eq!(priorities(&environment), [(50, 1), (60, 2), (70, 0)]);
}

#[test]
fn the_others_keep_their_order_of_priority_whatever_their_segments_are() {
    let events = environment([set(link(50, 5, 2)), set(link(60, 6, 1)), set(link(70, 7, 0))]);
    let environment = given::<Environment>(events).when(move_to(6, 2)).then([reordered(&[(50, 2, 1), (60, 1, 2)])]);
    assert_eq!(priorities(&environment), [(50, 1), (60, 2), (70, 0)]);
}

#[test]
fn an_override_that_moves_to_where_it_is_stays() {
    given::<Environment>(three()).when(move_to(6, 1)).then_nothing();
}

#[test]
fn a_place_behind_the_end_is_the_last_one() {
    given::<Environment>(three()).when(move_to(5, u32::MAX)).then([reordered(&[(60, 1, 0), (70, 2, 1), (50, 0, 2)])]);
}

#[test]
fn a_new_override_may_have_a_place_of_its_own() {
    let environment = given::<Environment>(three())
        .when(move_to(8, 1))
        .then([override_set(link(80, 8, 3), 800, content("a", 800)), reordered(&[(80, 3, 1), (60, 1, 2), (70, 2, 3)])]);
    assert_eq!(priorities(&environment), [(50, 0), (60, 2), (70, 3), (80, 1)]);
}

#[test]
fn the_first_override_of_a_feature_needs_no_move() {
    given::<Environment>(environment([])).when(move_to(5, 4)).then([override_set(
        link(50, 5, 0),
        500,
        content("a", 500),
    )]);
}

#[test]
fn a_hole_that_a_removed_override_left_is_closed_by_a_move() {
    let events = environment([set(link(50, 5, 3)), set(link(60, 6, 7))]);
    given::<Environment>(events).when(move_to(6, 0)).then([reordered(&[(60, 7, 0), (50, 3, 1)])]);
}
