//! Segments that ask for flags.

use offshoot_aggregates::ids::{FeatureId, SegmentId};
use offshoot_aggregates::project::{Segment, SegmentOperator as O, SegmentRuleType};
use offshoot_projections::flag_engine::{CompiledEnvironment, FlagValue, Reason, TraitValue};

use super::scenario::{
    condition, context, environment, feature, insert, option, overridden, plan_segment, rule, segment, state,
    with_shares,
};

const GOLD: &[(&str, TraitValue<'static>)] = &[("plan", TraitValue::Text("gold"))];

/// A segment of those for whom a member of a flag is this.
fn flag_segment(id: i64, path: &str, value: &str) -> Segment {
    segment(id, vec![rule(SegmentRuleType::All, vec![condition(path, O::Equal, value)], Vec::new())])
}

/// `base` is `golden` for those on the gold plan; `dependent` is `on` for those for whom `base` is `golden`.
fn chain() -> CompiledEnvironment {
    let mut environment = environment();
    environment.insert_segment(&flag_segment(1, "$.flags.base.value", "golden"));
    environment.insert_segment(&plan_segment(2, "gold"));
    insert(&mut environment, overridden(feature(1, "base", state(10, "plain")), 2, 0, state(11, "golden")));
    insert(&mut environment, overridden(feature(2, "dependent", state(20, "off")), 1, 0, state(21, "on")));
    environment
}

fn value(environment: &CompiledEnvironment, name: &str, traits: &[(&str, TraitValue<'_>)]) -> String {
    match environment.evaluator(context("somebody", traits)).flag_named(name).unwrap().value() {
        FlagValue::Text(text) => text.to_owned(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_segment_can_ask_for_a_flag() {
    let environment = chain();
    assert_eq!(value(&environment, "dependent", GOLD), "on");
    assert_eq!(value(&environment, "dependent", &[]), "off");
}

#[test]
fn all_members_of_a_flag_can_be_asked_for() {
    for (path, expected) in [
        ("$.flags.base.name", "base"),
        ("$.flags.base.enabled", "true"),
        ("$.flags['base'].reason", "TARGETING_MATCH; segment=segment_2"),
        ("$.flags.split.variant", "first"),
        ("$.flags.split.reason", "SPLIT; weight=100.0"),
    ] {
        let mut environment = chain();
        let mut split = feature(3, "split", with_shares(state(30, "control"), &[(1, 100.0)]));
        split.options = vec![option(1, "a", Some("first"))].into();
        insert(&mut environment, split);
        environment.insert_segment(&flag_segment(1, path, expected));
        assert_eq!(value(&environment, "dependent", GOLD), "on", "{path}");
    }
}

#[test]
fn a_flag_that_the_environment_does_not_have_has_no_value() {
    let mut environment = chain();
    environment.insert_segment(&segment(
        1,
        vec![rule(SegmentRuleType::All, vec![condition("$.flags.missing.value", O::IsNotSet, "")], Vec::new())],
    ));
    assert_eq!(value(&environment, "dependent", &[]), "on");
}

#[test]
fn a_flag_has_the_value_that_an_identity_override_gives_it() {
    let mut environment = chain();
    environment.insert_identity_override("somebody", FeatureId(1), state(12, "mine"));
    assert_eq!(value(&environment, "dependent", GOLD), "off");
    environment.insert_identity_override("somebody", FeatureId(1), state(12, "golden"));
    assert_eq!(value(&environment, "dependent", &[]), "on");
}

#[test]
fn a_flag_that_depends_on_itself_has_its_default() {
    let mut environment = environment();
    environment.insert_segment(&flag_segment(1, "$.flags.one.value", "default"));
    environment.insert_segment(&flag_segment(2, "$.flags.other.value", "default"));
    insert(&mut environment, overridden(feature(1, "one", state(10, "default")), 2, 0, state(11, "override")));
    insert(&mut environment, overridden(feature(2, "other", state(20, "default")), 1, 0, state(21, "override")));

    let mut evaluator = environment.evaluator(context("somebody", &[]));
    for name in ["one", "other"] {
        let flag = evaluator.flag_named(name).unwrap();
        assert_eq!((flag.value(), flag.reason), (FlagValue::Text("default"), Reason::CircularDependency), "{name}");
        assert_eq!(flag.reason.to_string(), "ERROR; code=CIRCULAR_DEPENDENCY");
    }
    assert!(!evaluator.is_in_segment(SegmentId(1)) && !evaluator.is_in_segment(SegmentId(2)));
}

/// Flagsmith's engine follows each path through the cycles: with twenty flags that each ask for all, longer than anybody waits.
#[test]
fn flags_that_all_depend_on_each_other_take_no_longer_than_a_moment() {
    let mut environment = environment();
    for id in 1..=20 {
        let ask = |other| condition(&format!("$.flags.f{other}.value"), O::Equal, "override");
        let conditions = (1..=20).map(ask).collect();
        environment.insert_segment(&segment(id, vec![rule(SegmentRuleType::Any, conditions, Vec::new())]));
        let default = state(id * 10, "default");
        insert(
            &mut environment,
            overridden(feature(id, &format!("f{id}"), default), id, 0, state(id * 10 + 1, "override")),
        );
    }
    for flag in environment.evaluator(context("somebody", &[])).flags() {
        assert_eq!((flag.value(), flag.reason), (FlagValue::Text("default"), Reason::CircularDependency));
    }
}

/// Flagsmith's engine comes to the end of its stack.
#[test]
fn a_chain_of_flags_can_be_only_so_long() {
    let reaches = |length: i64| {
        let mut environment = environment();
        for id in 1..=length {
            // In reverse, so that the first segment asks for the last flag.
            environment.insert_segment(&flag_segment(id, &format!("$.flags.f{}.value", id + 1), "on"));
            let default = state(id * 10, "off");
            insert(
                &mut environment,
                overridden(feature(id, &format!("f{id}"), default), id, 0, state(id * 10 + 1, "on")),
            );
        }
        insert(&mut environment, feature(length + 1, &format!("f{}", length + 1), state(1, "on")));
        value(&environment, "f1", &[])
    };
    assert_eq!(reaches(50), "on");
    assert_eq!(reaches(90), "on");
    assert_eq!(reaches(10_000), "off");
}
