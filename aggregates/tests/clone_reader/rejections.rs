//! Sources that say something that cannot be true. Commands do not make such a source; a damaged log might.

use offshoot_aggregates::environment::{EnvironmentEvent, FeatureStateContent, InvalidClone};
use offshoot_aggregates::ids::FeatureId;
use offshoot_aggregates::project::ProjectEvent;

use super::{Source, source};
use crate::support::environment::{content, link, override_set, share, state_changed};
use crate::support::project::{
    environment_reserved, feature, feature_created, feature_deleted, multivariate, option, segment_created,
};

fn reserved() -> ProjectEvent {
    environment_reserved(2, "staging", 0, 1)
}

/// The feature `flag` with the options 1 and 2, the segment 5, and what happened to the environment.
fn flag(environment: impl IntoIterator<Item = EnvironmentEvent>) -> Source {
    let flag = multivariate(1, "flag", [option(1, 30.0), option(2, 20.0)]);
    source([feature_created(flag, 0), segment_created(5, "gold"), reserved()], environment)
}

fn with(shares: &[(i64, f64)]) -> FeatureStateContent {
    let multivariate = shares.iter().map(|(option, percentage)| share(*option, *percentage)).collect();
    FeatureStateContent { multivariate, ..content("set", 20_000) }
}

fn set(shares: &[(i64, f64)]) -> EnvironmentEvent {
    state_changed(20_000, content("value", 20_000), with(shares))
}

fn set_override(segment: i64, shares: &[(i64, f64)]) -> EnvironmentEvent {
    override_set(link(15, segment, 0), 105, with(shares))
}

#[test]
fn the_source_is_an_environment_of_the_project() {
    let invalid = source([feature_created(feature(1, "flag"), 0)], []).rejection();
    assert_eq!((invalid.code(), &invalid), ("unknown_source", &InvalidClone::UnknownSource));
}

#[test]
fn a_state_is_of_a_feature_that_the_project_has_or_had() {
    for event in [set(&[]), set_override(5, &[])] {
        let invalid = source([segment_created(5, "gold"), reserved()], [event.clone()]).rejection();
        assert_eq!((invalid.code(), &invalid), ("unknown_feature", &InvalidClone::UnknownFeature(FeatureId(1))));
        let had = [feature_created(feature(1, "flag"), 0), reserved(), feature_deleted(1, "flag")];
        assert_eq!(source(had, [event]).states(), []);
    }
}

#[test]
fn an_override_is_for_a_segment_that_the_project_has_or_had() {
    let invalid = flag([set_override(6, &[])]).rejection();
    let expected = InvalidClone::UnknownSegment { feature: FeatureId(1), segment: 6 };
    assert_eq!((invalid.code(), &invalid), ("unknown_segment", &expected));
}

#[test]
fn a_share_is_for_an_option_that_the_feature_has_or_had() {
    for event in [set(&[(3, 1.0)]), set_override(5, &[(3, 1.0)])] {
        let invalid = flag([event]).rejection();
        let expected = InvalidClone::UnknownOption { feature: FeatureId(1), option: 3 };
        assert_eq!((invalid.code(), &invalid), ("unknown_option", &expected));
    }
}

#[test]
fn shares_sum_to_at_most_100() {
    for event in [set(&[(1, 80.0), (2, 20.1)]), set_override(5, &[(1, 80.0), (2, 20.1)])] {
        let invalid = flag([event]).rejection();
        assert_eq!(
            (invalid.code(), &invalid),
            ("percentages_exceed_100", &InvalidClone::PercentagesExceed(FeatureId(1)))
        );
    }
    assert_eq!(flag([set(&[(1, 80.1), (2, 19.9)]), set_override(5, &[(1, 100.0)])]).states().len(), 2);
}

#[test]
fn shares_that_are_not_set_are_what_is_left_of_100_at_most() {
    for (set_share, left) in [(80.1, 19.9), (80.0, 20.0), (79.0, 20.0), (100.0, 0.0)] {
        let states = flag([set(&[(1, set_share)])]).states();
        let shares: Vec<_> = states[0].content.multivariate.iter().map(|share| share.percentage).collect();
        assert_eq!(shares, [set_share, left]);
    }
}

#[test]
fn states_before_one_that_cannot_be_copied_are_handed_out() {
    let project = [
        feature_created(feature(1, "a"), 0),
        feature_created(feature(2, "b"), 1),
        environment_reserved(2, "staging", 0, 2),
    ];
    let bad = EnvironmentEvent::FeatureStateChanged {
        feature: FeatureId(2),
        feature_name: "b".to_owned(),
        feature_state: offshoot_aggregates::ids::FeatureStateId(20_001),
        before: content("value", 20_001).into(),
        after: with(&[(3, 1.0)]).into(),
    };
    let source = source(project, [bad]);
    let mut reader = source.reader().unwrap();
    assert_eq!(reader.next_batch(1).unwrap().len(), 1);
    let expected = InvalidClone::UnknownOption { feature: FeatureId(2), option: 3 };
    assert_eq!(reader.next_batch(1), Err(expected));
    assert_eq!(reader.states(), 1);
}

#[test]
fn too_few_states_have_a_name_for_programs() {
    let invalid = InvalidClone::OtherTotal { expected: 5, actual: 4 };
    assert_eq!(invalid.code(), "other_total");
    assert_eq!(invalid.to_string(), "5 states were to be copied, 4 are there");
}
