//! How fast our engine is, beside Flagsmith's crate. It measures and asserts nothing, so it runs only when asked for:
//! `cargo test --release -p offshoot-projections flag_engine::oracle::speed -- --ignored --nocapture`.

use std::hint::black_box;
use std::time::{Duration, Instant};

use flagsmith_flag_engine::engine::get_evaluation_result;
use flagsmith_flag_engine::engine_eval::EngineEvaluationContext;
use offshoot_aggregates::ids::FeatureId;
use offshoot_aggregates::project::{SegmentOperator as O, SegmentRuleType};

use super::case::{Case, Trait};
use crate::flag_engine::scenario::{condition, feature, option, overridden, rule, segment, state, with_shares};

const FEATURES: i64 = 50;

const SEGMENTS: i64 = 10;

/// How long each engine is run; three times, in turn.
const MEASURED: Duration = Duration::from_secs(2);

/// 50 features, 10 of them with an override and 10 with variants; 10 segments, each with three conditions in two rules.
fn environment() -> Case {
    let segments = (1..=SEGMENTS).map(|id| {
        let age = condition("age", O::GreaterThan, &(id * 10).to_string());
        let version = condition("version", O::GreaterThanInclusive, &format!("1.{id}.0:semver"));
        let plan = condition("plan", O::In, &format!("plan_{id},gold"));
        let inner = rule(SegmentRuleType::Any, vec![age, version], Vec::new());
        segment(id, vec![rule(SegmentRuleType::All, vec![plan], vec![inner])])
    });
    let features = (1..=FEATURES).map(|id| {
        let default = with_shares(state(id * 100, "default"), &[(1, 30.0), (2, 30.0)]);
        let mut feature = feature(id, &format!("feature_{id}"), default);
        if id <= SEGMENTS {
            feature = overridden(feature, id, 0, state(id * 100 + 1, "override"));
        } else if id <= SEGMENTS + 10 {
            feature.options = vec![option(1, "a", None), option(2, "b", None)].into();
        }
        feature
    });
    let traits = [
        ("age", Trait::Integer(44)),
        ("version", Trait::Text("1.5.0".to_owned())),
        ("plan", Trait::Text("gold".to_owned())),
        ("beta", Trait::Boolean(true)),
        ("score", Trait::Float(1.5)),
    ];
    Case {
        api_key: "VzcVdfJR4Nsfzq7vzZvv5t".to_owned(),
        name: "Production".to_owned(),
        segments: segments.collect(),
        features: features.collect(),
        identity_overrides: vec![("user_3".to_owned(), FeatureId(1), state(99, "mine"))],
        identity: Some(("user_1".to_owned(), traits.map(|(key, value)| (key.to_owned(), value)).to_vec())),
    }
}

/// Evaluations of all features in a second.
fn rate(mut evaluate: impl FnMut()) -> f64 {
    let start = Instant::now();
    let mut count = 0.0;
    while start.elapsed() < MEASURED {
        for _ in 0..100 {
            evaluate();
        }
        count += 100.0;
    }
    count / start.elapsed().as_secs_f64()
}

#[test]
#[ignore = "measures, and asserts nothing"]
fn evaluations_in_a_second() {
    let case = environment();
    let compiled = case.environment();
    let traits = case.traits();
    let context: EngineEvaluationContext = serde_json::from_value(case.evaluation_context()).unwrap();
    for _ in 0..3 {
        let ours = rate(|| {
            for flag in compiled.evaluator(case.context(&traits)).flags() {
                black_box((flag.value(), flag.variant_key()));
            }
        });
        let theirs = rate(|| {
            black_box(get_evaluation_result(black_box(&context)));
        });
        println!(
            "evaluations/s of {FEATURES} features: ours {ours:.0}, the crate {theirs:.0}, {:.1} times",
            ours / theirs
        );
    }
}
