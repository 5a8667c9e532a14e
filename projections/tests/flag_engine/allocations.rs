//! What an evaluation allocates: next to nothing, however many rules and flags there are.

use std::hint::black_box;

use allocation_counter::measure;
use offshoot_aggregates::project::{SegmentOperator as O, SegmentRuleType};
use offshoot_projections::flag_engine::{CompiledEnvironment, TraitValue};

use super::scenario::{
    condition, context, environment, feature, insert, option, overridden, rule, segment, state, with_shares,
};

/// The identity's key as a text, put together once in an evaluation in which a condition asks for it.
const KEY_ALLOCATIONS: u64 = 2;

const TRAITS: &[(&str, TraitValue<'static>)] = &[
    ("plan", TraitValue::Text("gold")),
    ("age", TraitValue::Integer(30)),
    ("score", TraitValue::Float(1.5)),
    ("version", TraitValue::Text("1.5.0")),
    ("beta", TraitValue::Boolean(true)),
];

/// Segments with this many rules each, of every operator, that match nobody; so all are checked.
fn with_rules(rules: usize) -> CompiledEnvironment {
    let mut environment = environment();
    let never = || {
        vec![
            condition("plan", O::Equal, "silver"),
            condition("age", O::GreaterThan, "100"),
            condition("score", O::LessThan, "0"),
            condition("version", O::GreaterThan, "2.0.0:semver"),
            condition("plan", O::Contains, "x"),
            condition("plan", O::Regex, "^silver"),
            condition("score", O::Regex, "x"),
            condition("age", O::Modulo, "7|1"),
            condition("age", O::In, "1,2,3"),
            condition("", O::PercentageSplit, "0"),
            condition("missing", O::IsSet, ""),
        ]
    };
    for id in 1..=10 {
        let rules = (0..rules).map(|_| rule(SegmentRuleType::Any, never(), Vec::new())).collect();
        environment.insert_segment(&segment(id, vec![rule(SegmentRuleType::Any, never(), rules)]));
        let default = with_shares(state(id * 10, "default"), &[(1, 30.0)]);
        let mut feature =
            overridden(feature(id, &format!("feature_{id}"), default), id, 0, state(id * 10 + 1, "override"));
        feature.options = vec![option(1, "a", None)].into();
        insert(&mut environment, feature);
    }
    environment
}

#[test]
fn an_evaluation_allocates_nothing_per_rule() {
    for rules in [1, 100] {
        let environment = with_rules(rules);
        let evaluate = || {
            let mut evaluator = environment.evaluator(context("somebody", TRAITS));
            for feature in ["feature_1", "feature_5", "feature_10"] {
                let flag = evaluator.flag_named(feature).unwrap();
                black_box((flag.value(), flag.variant_key()));
            }
        };
        // Patterns make room for themselves when they are first used.
        evaluate();
        let allocations = measure(evaluate).count_total;
        assert!(allocations <= KEY_ALLOCATIONS, "{allocations} with {rules} rules in each segment");
    }
}

#[test]
fn going_through_all_flags_allocates_the_same_however_many_there_are() {
    let allocations = |features: i64| {
        let mut environment = with_rules(1);
        for id in 11..=features {
            insert(&mut environment, feature(id, &format!("feature_{id}"), state(id * 10, "default")));
        }
        let evaluate = || {
            for flag in environment.evaluator(context("somebody", TRAITS)).flags() {
                black_box((flag.value(), flag.variant_key()));
            }
        };
        evaluate();
        measure(evaluate).count_total
    };
    assert_eq!(allocations(10_000), allocations(1_000));
    assert!(allocations(10_000) < 10);
}
