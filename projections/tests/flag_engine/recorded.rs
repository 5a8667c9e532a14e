//! What a running Flagsmith (2.265) answered for four identities of one environment: a clone's and an import's users keep
//! what they had.

use offshoot_aggregates::environment::FeatureValue;
use offshoot_aggregates::ids::FeatureId;
use offshoot_aggregates::project::{SegmentOperator, SegmentRuleType};
use offshoot_projections::flag_engine::{
    CompiledEnvironment, EnvironmentIdentity, FeatureDefinition, StateSource, TraitValue,
};
use serde_json::{Value, json};

use super::oracle::plain;
use super::scenario::{
    condition, context, feature, insert, option, overridden, rule, segment, state, state_with_value, with_shares,
};

const GOLD: &[(&str, TraitValue<'static>)] = &[("plan", TraitValue::Text("gold"))];

/// The features `banner`, `mvflag` and `intflag`, the segment `gold` and the override for `user_1`, with Flagsmith's ids.
fn recorded_environment() -> CompiledEnvironment {
    let mut environment = CompiledEnvironment::new(EnvironmentIdentity {
        api_key: "Ad5bVwtVYqkKJXssevz3UT".into(),
        name: "Production".into(),
        use_identity_composite_key_for_hashing: true,
    });
    let gold = condition("plan", SegmentOperator::Equal, "gold");
    let inner = rule(SegmentRuleType::Any, vec![gold], Vec::new());
    environment.insert_segment(&segment(5, vec![rule(SegmentRuleType::All, Vec::new(), vec![inner])]));
    let banner = feature(38_201, "banner", state(44_411, "viaSimple"));
    insert(&mut environment, overridden(banner, 5, 1, state(44_415, "goldval")));
    let mut split = feature(38_202, "mvflag", with_shares(state(44_412, "control"), &[(1, 60.0), (2, 10.0), (3, 0.0)]));
    split.options = vec![option(1, "a", None), option(2, "b", None), option(3, "c", Some("variant_c"))].into();
    insert(&mut environment, split);
    let number = |id, number| state_with_value(id, FeatureValue::integer(number));
    let int_flag: FeatureDefinition = feature(38_203, "intflag", number(44_413, 42));
    insert(&mut environment, overridden(int_flag, 5, 0, number(44_416, 99)));
    environment.insert_identity_override("user_1", FeatureId(38_201), state(44_417, "idval"));
    environment
}

/// Value, variant and state of each feature.
fn answers(identifier: &str, traits: &[(&str, TraitValue<'_>)]) -> Vec<Value> {
    let environment = recorded_environment();
    let flags = environment.evaluator(context(identifier, traits)).flags().collect::<Vec<_>>();
    flags.iter().map(|flag| json!([plain(flag.feature_value()), flag.variant_key(), flag.state.id])).collect()
}

#[test]
fn identities_get_what_a_running_flagsmith_gave_them() {
    let default = || json!([42, null, 44_413]);
    let golden = || json!([99, null, 44_416]);
    assert_eq!(answers("user_1", &[]), [json!(["idval", null, 44_417]), json!(["a", null, 44_412]), default()]);
    let gold_banner = || json!(["goldval", null, 44_415]);
    assert_eq!(answers("user_3", GOLD), [gold_banner(), json!(["a", null, 44_412]), golden()]);
    assert_eq!(answers("user_4", GOLD), [gold_banner(), json!(["b", null, 44_412]), golden()]);
    let nameless = "c5501db73aba343c1859b9ec00592baa92ac6371470afd7f723821d07372c8f6";
    assert_eq!(answers(nameless, GOLD), [gold_banner(), json!(["control", "control", 44_412]), golden()]);
}

#[test]
fn an_evaluation_says_which_override_was_taken() {
    let environment = recorded_environment();
    let mut evaluator = environment.evaluator(context("user_3", GOLD));
    let StateSource::SegmentOverride { link, index } = evaluator.flag_named("intflag").unwrap().source else {
        panic!("a segment override")
    };
    assert_eq!((link.segment.0, link.priority, index), (5, 0, 0));
}
