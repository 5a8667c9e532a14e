//! Flagsmith's Rust crate: our engine says the same where the crate says the same as Flagsmith's Python engine.
//!
//! The crate takes texts for booleans and numbers in its own way, looks for patterns anywhere in a text, gives a remainder the
//! sign of the number, hashes with 32-bit floats and writes weights differently; so the cases here are plain ones, and always
//! the same.

use flagsmith_flag_engine::engine::get_evaluation_result;
use flagsmith_flag_engine::engine_eval::EngineEvaluationContext;
use offshoot_aggregates::ids::FeatureId;
use offshoot_aggregates::project::{Segment, SegmentCondition, SegmentOperator as O, SegmentRuleType};
use offshoot_projections::flag_engine::{FeatureDefinition, Reason};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};

use super::case::{Case, Trait, plain};
use crate::flag_engine::scenario::{condition, feature, option, overridden, rule, segment, state, with_shares};

const CASES: u64 = 1_000;

/// Shares whose ends no hash comes near, so that the crate's 32-bit floats fall on the same side.
const SHARES: &[f64] = &[0.0, 10.0, 25.0, 33.3, 60.0];

const WORDS: &[&str] = &["gold", "silver", "golden", "ünïcode", "old"];

const VERSIONS: &[&str] = &["1.2.3", "1.10.0", "1.2.3-rc1", "2.0.0"];

const COMPARISONS: &[O] =
    &[O::Equal, O::NotEqual, O::GreaterThan, O::GreaterThanInclusive, O::LessThan, O::LessThanInclusive];

fn choose<T: Copy>(random: &mut StdRng, items: &[T]) -> T {
    *items.choose(random).unwrap()
}

fn plain_condition(random: &mut StdRng) -> SegmentCondition {
    let comparison = choose(random, COMPARISONS);
    match random.random_range(0..12) {
        0..2 => condition("plan", comparison, choose(random, WORDS)),
        2..4 => condition("age", comparison, &random.random_range(-5..40).to_string()),
        4 => condition("score", comparison, &format!("{}.5", random.random_range(-5..5))),
        5 => condition("beta", choose(random, &[O::Equal, O::NotEqual]), choose(random, &["true", "false"])),
        6 => condition("version", comparison, &format!("{}:semver", choose(random, VERSIONS))),
        7 => condition("plan", choose(random, &[O::Contains, O::NotContains]), choose(random, &["old", "si", "ü"])),
        8 => condition("plan", O::Regex, choose(random, &["^gold$", "^.*old", "^[a-z]+$"])),
        9 => condition("age", O::Modulo, choose(random, &["2|0", "3|1", "7|0"])),
        10 => condition(choose(random, &["age", "plan"]), O::In, choose(random, &["gold,7,8", "[\"silver\",\"9\"]"])),
        _ => {
            let property = choose(random, &["plan", "missing", "$.identity.key", ""]);
            let operator =
                if property.is_empty() { O::PercentageSplit } else { choose(random, &[O::IsSet, O::IsNotSet]) };
            condition(property, operator, "33.3")
        }
    }
}

fn plain_segment(random: &mut StdRng, id: i64) -> Segment {
    let rule_type =
        |random: &mut StdRng| choose(random, &[SegmentRuleType::All, SegmentRuleType::Any, SegmentRuleType::None]);
    let conditions = |random: &mut StdRng| (0..random.random_range(1..3)).map(|_| plain_condition(random)).collect();
    let nested = rule(rule_type(random), conditions(random), Vec::new());
    let outer = rule(rule_type(random), conditions(random), vec![nested]);
    segment(id, vec![outer])
}

fn plain_feature(random: &mut StdRng, id: i64, segments: &[Segment]) -> FeatureDefinition {
    let shares = |random: &mut StdRng| [(1, choose(random, SHARES)), (2, choose(random, &SHARES[..4]))];
    let options =
        if random.random_bool(0.5) { vec![option(1, "a", Some("first")), option(2, "b", None)] } else { Vec::new() };
    let default = with_shares(state(id * 10, "default"), &shares(random));
    let mut feature = feature(id, &format!("feature_{id}"), default);
    for segment in segments {
        if random.random_bool(0.5) {
            let own = with_shares(state(id * 10 + segment.id.0, &segment.name), &shares(random));
            feature = overridden(feature, segment.id.0, random.random_range(0..3), own);
        }
    }
    FeatureDefinition { options: options.into(), ..feature }
}

fn plain_case(number: u64) -> Case {
    let random = &mut StdRng::seed_from_u64(number);
    let segments: Vec<_> = (1..4).map(|id| plain_segment(random, id)).collect();
    let features: Vec<_> = (1..4).map(|id| plain_feature(random, id, &segments)).collect();
    let traits = [
        ("plan", Trait::Text(choose(random, WORDS).to_owned())),
        ("age", Trait::Integer(random.random_range(0..40))),
        ("score", Trait::Float(f64::from(random.random_range(-5..5)) + 0.5)),
        ("beta", Trait::Boolean(random.random())),
        ("version", Trait::Text(choose(random, VERSIONS).to_owned())),
    ];
    let traits =
        traits.into_iter().filter(|_| random.random_bool(0.9)).map(|(key, value)| (key.to_owned(), value)).collect();
    let mine = with_shares(state(99, "mine"), &[(1, 33.3)]);
    Case {
        api_key: "env".to_owned(),
        name: "Production".to_owned(),
        segments,
        features,
        identity_overrides: vec![("user_3".to_owned(), FeatureId(1), mine)],
        identity: Some((format!("user_{}", random.random_range(0..50)), traits)),
    }
}

/// What a flag is: on or off, value, variant, reason; in Flagsmith's words, weights as the crate writes them.
fn our_flags(case: &Case) -> Vec<(String, Value)> {
    let environment = case.environment();
    let traits = case.traits();
    let mut evaluator = environment.evaluator(case.context(&traits));
    let flags = evaluator.flags().map(|flag| {
        let reason = match flag.reason {
            Reason::Split { weight } => format!("SPLIT; weight={weight}"),
            reason => reason.to_string(),
        };
        let verdict = json!([flag.enabled(), plain(flag.feature_value()), flag.variant_key(), reason]);
        (flag.feature.name().to_string(), verdict)
    });
    flags.collect()
}

#[test]
fn our_engine_says_the_same_as_flagsmiths_crate_of_plain_environments() {
    let mut seen_segments = 0;
    for number in 0..CASES {
        let case = plain_case(number);
        let context: EngineEvaluationContext = serde_json::from_value(case.evaluation_context()).unwrap();
        let theirs = get_evaluation_result(&context);
        let environment = case.environment();
        let traits = case.traits();
        let mut evaluator = environment.evaluator(case.context(&traits));
        for segment in &case.segments {
            let is_in = theirs.segments.iter().any(|other| other.name == segment.name);
            assert_eq!(evaluator.is_in_segment(segment.id), is_in, "case {number}: {segment:#?} {traits:?}");
            seen_segments += u32::from(is_in);
        }
        for (name, ours) in our_flags(&case) {
            let flag = &theirs.flags[&name];
            let theirs = json!([flag.enabled, flag.value, flag.variant, flag.reason]);
            assert_eq!(ours, theirs, "case {number}, {name}: {}", case.evaluation_context());
        }
    }
    assert!(seen_segments > 500, "hardly any segment matched: {seen_segments}");
}
