//! Segments and the limits of their rules.

use offshoot_aggregates::ids::{FeatureId, SegmentId};
use offshoot_aggregates::limits::{
    CONDITION_CHARACTERS_MAX, DESCRIPTION_CHARACTERS_MAX, NAME_CHARACTERS_MAX, SEGMENT_CONDITIONS_MAX,
    SEGMENT_DEPTH_MAX,
};
use offshoot_aggregates::project::{
    Project, ProjectCommand as Command, ProjectError as Error, ProjectEvent as Event, Segment, SegmentCondition,
    SegmentRule,
};

use crate::support::project::{
    condition, feature, feature_created, feature_deleted, project, rule, segment, segment_created, segment_deleted,
};
use crate::support::scenario::given;
use crate::support::{bad_names, bad_texts, problem, text};

/// A segment may neither come to be like this nor be changed to this.
#[track_caller]
fn rejected(segment: &Segment, error: impl Into<Error>) {
    let error = error.into();
    let (create, change) =
        (Command::CreateSegment { segment: segment.clone() }, Command::ChangeSegment { segment: segment.clone() });
    given::<Project>(project([])).when(create).then_rejected(error.clone());
    given::<Project>(project([segment_created(1, "gold")])).when(change).then_rejected(error);
}

#[track_caller]
fn accepted(segment: Segment) {
    given::<Project>(project([])).when(Command::CreateSegment { segment }).then_accepted();
}

fn with_rules(rules: Vec<SegmentRule>) -> Segment {
    Segment { rules, ..segment(1, "gold") }
}

fn with_condition(condition: SegmentCondition) -> Segment {
    with_rules(vec![rule(vec![condition])])
}

#[test]
fn a_segment_comes_to_be() {
    let project = given::<Project>(project([]))
        .when(Command::CreateSegment { segment: segment(1, "gold") })
        .then([segment_created(1, "gold")]);
    assert_eq!(*project.segments()[&SegmentId(1)], segment(1, "gold"));
}

#[test]
fn segments_may_share_a_name() {
    given::<Project>(project([segment_created(1, "gold")]))
        .when(Command::CreateSegment { segment: segment(2, "gold") })
        .then([segment_created(2, "gold")]);
}

#[test]
fn the_texts_of_a_segment_have_limits_that_are_counted_in_characters() {
    for (name, wrong) in bad_names(NAME_CHARACTERS_MAX) {
        rejected(&segment(1, &name), problem("name", wrong));
    }
    for (description, wrong) in bad_texts(DESCRIPTION_CHARACTERS_MAX) {
        let segment = Segment { description: Some(description.clone()), ..segment(1, "gold") };
        rejected(&segment, problem("description", wrong));
        let in_condition = SegmentCondition { description: Some(description), ..condition() };
        rejected(&with_condition(in_condition), problem("description", wrong));
    }
    for (bad, wrong) in bad_texts(CONDITION_CHARACTERS_MAX) {
        let property = SegmentCondition { property: Some(bad.clone()), ..condition() };
        rejected(&with_condition(property), problem("property", wrong));
        let value = SegmentCondition { value: Some(bad), ..condition() };
        rejected(&with_condition(value), problem("value", wrong));
    }
    let longest = text(CONDITION_CHARACTERS_MAX);
    accepted(with_condition(SegmentCondition { value: Some(longest.clone()), property: Some(longest), ..condition() }));
}

#[test]
fn a_segment_has_rules() {
    rejected(&with_rules(vec![]), Error::SegmentWithoutRules);
}

#[test]
fn a_segment_has_a_limited_number_of_rules_and_conditions() {
    let max = SEGMENT_CONDITIONS_MAX;
    // The rule itself counts.
    rejected(&with_rules(vec![rule(vec![condition(); max])]), Error::SegmentTooBig { max });
    accepted(with_rules(vec![rule(vec![condition(); max - 1])]));
    rejected(&with_rules(vec![rule(vec![]); max + 1]), Error::SegmentTooBig { max });
    let nested = SegmentRule { rules: vec![rule(vec![condition()]); max / 2], ..rule(vec![]) };
    rejected(&with_rules(vec![nested]), Error::SegmentTooBig { max });
}

#[test]
fn rules_are_nested_in_rules_and_no_deeper() {
    assert_eq!(SEGMENT_DEPTH_MAX, 2);
    let second = SegmentRule { rules: vec![rule(vec![condition()])], ..rule(vec![]) };
    accepted(with_rules(vec![second.clone()]));
    let third = SegmentRule { rules: vec![second], ..rule(vec![]) };
    rejected(&with_rules(vec![third]), Error::SegmentTooDeep { max: 2 });
}

#[test]
fn a_segment_is_for_a_feature_that_is_there() {
    let specific = Segment { feature: Some(FeatureId(1)), ..segment(1, "gold") };
    rejected(&specific, Error::FeatureNotFound);
    let flag = feature_created(feature(1, "flag"), 0);
    given::<Project>(project([flag.clone()]))
        .when(Command::CreateSegment { segment: specific.clone() })
        .then([Event::SegmentCreated { segment: specific.clone() }]);
    given::<Project>(project([flag, feature_deleted(1, "flag")]))
        .when(Command::CreateSegment { segment: specific })
        .then_rejected(Error::FeatureNotFound);
}

#[test]
fn a_segment_whose_feature_was_deleted_can_still_be_changed() {
    let before = Segment { feature: Some(FeatureId(1)), ..segment(1, "gold") };
    let after = Segment { name: "silver".to_owned(), ..before.clone() };
    let events = project([
        feature_created(feature(1, "flag"), 0),
        Event::SegmentCreated { segment: before.clone() },
        feature_deleted(1, "flag"),
    ]);
    given::<Project>(events)
        .when(Command::ChangeSegment { segment: after.clone() })
        .then([Event::SegmentChanged { before, after }]);
}

#[test]
fn a_segment_is_changed_as_a_whole() {
    let after = Segment { description: Some("rich".to_owned()), ..segment(1, "platinum") };
    let project = given::<Project>(project([segment_created(1, "gold")]))
        .when(Command::ChangeSegment { segment: after.clone() })
        .then([Event::SegmentChanged { before: segment(1, "gold"), after: after.clone() }]);
    assert_eq!(*project.segments()[&SegmentId(1)], after);
}

#[test]
fn a_segment_that_is_changed_to_what_it_is_stays() {
    given::<Project>(project([segment_created(1, "gold")]))
        .when(Command::ChangeSegment { segment: segment(1, "gold") })
        .then_nothing();
}

#[test]
fn a_segment_is_deleted() {
    let project = given::<Project>(project([segment_created(1, "gold")]))
        .when(Command::DeleteSegment { segment: SegmentId(1) })
        .then([segment_deleted(1, "gold")]);
    assert!(project.segments().is_empty());
    assert!(project.is_deleted_segment(SegmentId(1)));
    assert!(!project.is_deleted_segment(SegmentId(2)));
}

#[test]
fn a_segment_that_is_not_there_can_be_neither_changed_nor_deleted() {
    for command in
        [Command::ChangeSegment { segment: segment(1, "gold") }, Command::DeleteSegment { segment: SegmentId(1) }]
    {
        given::<Project>(project([])).when(command.clone()).then_rejected(Error::SegmentNotFound);
        let deleted = project([segment_created(1, "gold"), segment_deleted(1, "gold")]);
        given::<Project>(deleted).when(command).then_rejected(Error::SegmentNotFound);
    }
}
