//! How conditions and rules are joined, and what they can ask of besides traits.

use offshoot_aggregates::ids::SegmentId;
use offshoot_aggregates::project::{SegmentCondition, SegmentOperator as O, SegmentRule, SegmentRuleType as R};
use offshoot_projections::flag_engine::{Context, TraitValue as T};

use super::scenario::{condition, context, environment, rule, segment};

const TRAITS: &[(&str, T<'static>)] = &[("a", T::Integer(1)), ("b", T::Integer(2)), ("$.odd", T::Text("own"))];

fn is_in(rules: Vec<SegmentRule>, context: Context<'_>) -> bool {
    let mut environment = environment();
    environment.insert_segment(&segment(1, rules));
    environment.evaluator(context).is_in_segment(SegmentId(1))
}

fn yes() -> SegmentCondition {
    condition("a", O::Equal, "1")
}

fn no() -> SegmentCondition {
    condition("a", O::Equal, "2")
}

fn holds(rule: SegmentRule) -> bool {
    is_in(vec![rule], context("somebody", TRAITS))
}

#[test]
fn a_rule_joins_its_conditions_by_its_type() {
    for (rule_type, both, one, neither) in
        [(R::All, true, false, false), (R::Any, true, true, false), (R::None, false, false, true)]
    {
        assert_eq!(holds(rule(rule_type, vec![yes(), yes()], vec![])), both, "{rule_type:?}");
        assert_eq!(holds(rule(rule_type, vec![no(), yes()], vec![])), one, "{rule_type:?}");
        assert_eq!(holds(rule(rule_type, vec![no(), no()], vec![])), neither, "{rule_type:?}");
        assert!(holds(rule(rule_type, vec![], vec![])), "{rule_type:?} of nothing holds");
    }
}

#[test]
fn a_rule_joins_its_rules_by_its_type_and_both_parts_must_hold() {
    let holding = || rule(R::All, vec![yes()], vec![]);
    let failing = || rule(R::All, vec![no()], vec![]);
    assert!(holds(rule(R::Any, vec![yes()], vec![failing(), holding()])));
    assert!(!holds(rule(R::Any, vec![no()], vec![holding()])));
    assert!(!holds(rule(R::Any, vec![yes()], vec![failing()])));
    assert!(holds(rule(R::None, vec![no()], vec![failing()])));
    assert!(!holds(rule(R::None, vec![no()], vec![failing(), holding()])));
}

#[test]
fn all_rules_of_a_segment_must_hold_and_there_must_be_one() {
    let holding = || rule(R::All, vec![yes()], vec![]);
    assert!(is_in(vec![holding(), holding()], context("somebody", TRAITS)));
    assert!(!is_in(vec![holding(), rule(R::All, vec![no()], vec![])], context("somebody", TRAITS)));
    assert!(!is_in(vec![], context("somebody", TRAITS)));
}

#[test]
fn nobody_is_in_a_segment_that_the_environment_does_not_have() {
    let mut environment = environment();
    environment.insert_segment(&segment(1, vec![rule(R::All, vec![yes()], vec![])]));
    assert!(environment.evaluator(context("somebody", TRAITS)).is_in_segment(SegmentId(1)));
    environment.remove_segment(SegmentId(1));
    assert!(!environment.evaluator(context("somebody", TRAITS)).is_in_segment(SegmentId(1)));
}

fn equals(property: &str, value: &str) -> bool {
    holds(rule(R::All, vec![condition(property, O::Equal, value)], vec![]))
}

#[test]
fn conditions_can_ask_of_the_identity_and_the_environment() {
    assert!(equals("$.identity.key", "env-key_somebody"));
    assert!(equals("$.identity.identifier", "somebody"));
    assert!(equals("$.environment.key", "env-key"));
    assert!(equals("$.environment.name", "Production"));
    assert!(equals("$.identity.traits.a", "1"));
    assert!(equals("$.identity['traits'][\"a\"]", "1"));
    assert!(equals("$.odd", "own"), "a trait of the name of a path comes first");
    let without =
        |property: &str| is_in(vec![rule(R::All, vec![condition(property, O::IsSet, "")], vec![])], Context::default());
    assert!(!without("$.identity.key"));
    assert!(without("$.environment.name"));
}

/// Flagsmith's engine takes any JSON path; ours those that are names only. The others have no value.
#[test]
fn paths_with_wildcards_indexes_and_filters_have_no_value() {
    for path in
        ["$.identity.*", "$..key", "$.identity[?@.key]", "$.environment['key','name']", "$.features.x.variants[0].key"]
    {
        assert!(!holds(rule(R::All, vec![condition(path, O::IsSet, "")], vec![])), "{path}");
    }
}

#[test]
fn a_percentage_split_without_a_property_splits_by_the_key_of_the_identity() {
    let split = |share: &str, context: Context<'_>| {
        is_in(vec![rule(R::All, vec![condition("", O::PercentageSplit, share)], vec![])], context)
    };
    assert!(split("100", context("somebody", &[])));
    assert!(!split("0", context("somebody", &[])));
    assert!(!split("100", Context::default()), "without an identity there is nothing to split");
    // 1,env-key_somebody hashes to the same share as in Flagsmith's engine.
    assert!(split("30.077", context("somebody", &[])) && !split("30.071", context("somebody", &[])));
}

#[test]
fn of_several_traits_with_one_key_the_last_counts() {
    let traits = [("a", T::Integer(2)), ("a", T::Integer(1))];
    assert!(is_in(vec![rule(R::All, vec![yes()], vec![])], context("somebody", &traits)));
}

#[test]
fn a_condition_without_a_value_compares_with_the_empty_text() {
    let mut without_value = condition("a", O::Equal, "");
    without_value.value = None;
    let rules = || vec![rule(R::All, vec![without_value.clone()], vec![])];
    assert!(is_in(rules(), context("somebody", &[("a", T::Text(""))])));
    assert!(!is_in(rules(), context("somebody", &[("a", T::Text("None"))])));
}
