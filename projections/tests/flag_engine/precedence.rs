//! Which of a feature's states applies.

use offshoot_aggregates::ids::{FeatureId, SegmentId};
use offshoot_projections::flag_engine::{Context, FlagValue, StateSource, TraitValue};

use super::scenario::{context, environment, feature, insert, overridden, plan_segment, state};

const GOLD: &[(&str, TraitValue<'static>)] = &[("plan", TraitValue::Text("gold"))];

#[test]
fn a_feature_without_overrides_has_its_default_for_everybody() {
    let mut environment = environment();
    insert(&mut environment, feature(1, "banner", state(10, "hello")));

    for context in [Context::default(), context("somebody", GOLD)] {
        let flag = environment.evaluator(context).flag_named("banner").unwrap();

        assert_eq!((flag.value(), flag.enabled(), flag.source), (FlagValue::Text("hello"), true, StateSource::Default));
        assert_eq!((flag.variant_key(), flag.reason.to_string().as_str()), (None, "STATIC"));
    }
}

#[test]
fn a_segment_override_applies_to_those_in_the_segment_only() {
    let mut environment = environment();
    environment.insert_segment(&plan_segment(7, "gold"));
    insert(&mut environment, overridden(feature(1, "banner", state(10, "hello")), 7, 0, state(11, "golden")));

    let mut evaluator = environment.evaluator(context("somebody", GOLD));
    let flag = evaluator.flag_named("banner").unwrap();
    assert_eq!(flag.value(), FlagValue::Text("golden"));
    assert_eq!(flag.reason.to_string(), "TARGETING_MATCH; segment=segment_7");
    assert!(evaluator.is_in_segment(SegmentId(7)));

    let flag = environment.evaluator(context("other", &[])).flag_named("banner").unwrap();
    assert_eq!((flag.value(), flag.reason.to_string().as_str()), (FlagValue::Text("hello"), "DEFAULT"));
}

#[test]
fn of_two_segment_overrides_the_one_with_the_lower_priority_number_wins() {
    let mut environment = environment();
    for segment in [7, 8, 9] {
        environment.insert_segment(&plan_segment(segment, "gold"));
    }
    let banner = overridden(feature(1, "banner", state(10, "hello")), 7, 2, state(11, "seven"));
    let banner = overridden(banner, 9, 1, state(12, "nine"));
    insert(&mut environment, overridden(banner, 8, 1, state(13, "eight")));

    let flag = environment.evaluator(context("somebody", GOLD)).flag_named("banner").unwrap();

    assert_eq!(flag.value(), FlagValue::Text("eight"), "of equal priorities that of the lower segment id");
    assert!(matches!(flag.source, StateSource::SegmentOverride { index: 0, .. }));
}

#[test]
fn an_identity_override_wins_over_all_others() {
    let mut environment = environment();
    environment.insert_segment(&plan_segment(7, "gold"));
    insert(&mut environment, overridden(feature(1, "banner", state(10, "hello")), 7, 0, state(11, "golden")));
    environment.insert_identity_override("somebody", FeatureId(1), state(12, "mine"));

    let flag = environment.evaluator(context("somebody", GOLD)).flag_named("banner").unwrap();
    assert_eq!((flag.value(), flag.source), (FlagValue::Text("mine"), StateSource::IdentityOverride));
    assert_eq!(flag.reason.to_string(), "TARGETING_MATCH; segment=identity_overrides");
    assert_eq!(
        environment.evaluator(context("other", GOLD)).flag_named("banner").unwrap().value(),
        FlagValue::Text("golden")
    );

    environment.remove_identity_override("somebody", FeatureId(1));
    assert_eq!(
        environment.evaluator(context("somebody", GOLD)).flag_named("banner").unwrap().value(),
        FlagValue::Text("golden")
    );
}

#[test]
fn an_identity_override_makes_the_default_of_others_one_of_several() {
    let mut environment = environment();
    insert(&mut environment, feature(1, "banner", state(10, "hello")));
    environment.insert_identity_override("somebody", FeatureId(1), state(12, "mine"));

    let reason =
        |identifier| environment.evaluator(context(identifier, &[])).flag_named("banner").unwrap().reason.to_string();
    assert_eq!(reason("other"), "DEFAULT");

    environment.remove_identity_override("somebody", FeatureId(1));
    let reason = environment.evaluator(context("other", &[])).flag_named("banner").unwrap().reason.to_string();
    assert_eq!(reason, "STATIC");
}
