//! Which variant of a multivariate feature an identity gets.

use std::sync::Arc;

use offshoot_aggregates::environment::FeatureState;
use offshoot_aggregates::ids::{FeatureId, FeatureStateId};
use offshoot_projections::flag_engine::{
    CompiledEnvironment, Context, EnvironmentIdentity, FeatureDefinition, FlagValue, Identity, Reason,
};

use super::scenario::{API_KEY, context, environment, feature, insert, option, state, with_shares};

/// A seed like those that Flagsmith gives.
const SEED: i64 = 44_412;

fn with_options(default: FeatureState) -> FeatureDefinition {
    let options = vec![option(1, "a", Some("first")), option(2, "b", None)];
    FeatureDefinition { options: options.into(), ..feature(1, "banner", default) }
}

fn shares(shares: &[(i64, f64)]) -> CompiledEnvironment {
    let mut environment = environment();
    insert(&mut environment, with_options(with_shares(state(SEED, "control"), shares)));
    environment
}

/// Value, variant and reason for an identity.
fn outcome(environment: &CompiledEnvironment, context: Context<'_>) -> (String, Option<String>, String) {
    let flag = environment.evaluator(context).flag_named("banner").unwrap();
    let FlagValue::Text(value) = flag.value() else { panic!("a text") };
    (value.to_owned(), flag.variant_key().map(Into::into), flag.reason.to_string())
}

fn expected(value: &str, variant: Option<&str>, reason: &str) -> (String, Option<String>, String) {
    (value.to_owned(), variant.map(Into::into), reason.to_owned())
}

#[test]
fn an_identity_gets_the_option_that_its_hash_falls_into() {
    let somebody = context("user_1", &[]);
    assert_eq!(
        outcome(&shares(&[(1, 100.0), (2, 0.0)]), somebody),
        expected("a", Some("first"), "SPLIT; weight=100.0")
    );
    assert_eq!(outcome(&shares(&[(1, 0.0), (2, 100.0)]), somebody), expected("b", None, "SPLIT; weight=100.0"));
    assert_eq!(outcome(&shares(&[(1, 0.0), (2, 0.0)]), somebody), expected("control", Some("control"), "STATIC"));
}

#[test]
fn without_an_identity_there_is_no_variant() {
    assert_eq!(outcome(&shares(&[(1, 100.0)]), Context::default()), expected("control", None, "STATIC"));
}

#[test]
fn the_shares_of_options_that_the_feature_has_no_longer_do_not_count() {
    assert_eq!(outcome(&shares(&[(3, 100.0)]), context("user_1", &[])), expected("control", None, "STATIC"));
    assert_eq!(
        outcome(&shares(&[(2, 100.0), (3, 100.0)]), context("user_1", &[])),
        expected("b", None, "SPLIT; weight=100.0")
    );
}

#[test]
fn an_identity_override_has_variants_of_its_own() {
    let mut environment = shares(&[(1, 100.0), (2, 0.0)]);
    environment.insert_identity_override(
        "user_1",
        FeatureId(1),
        with_shares(state(5, "mine"), &[(1, 0.0), (2, 100.0)]),
    );

    assert_eq!(outcome(&environment, context("user_1", &[])), expected("b", None, "SPLIT; weight=100.0"));
}

#[test]
fn a_state_with_another_id_but_the_same_seed_gives_everybody_the_same_variant() {
    let original = shares(&[(1, 30.0), (2, 40.0)]);
    let mut copy = environment();
    let mut default = with_shares(state(SEED, "control"), &[(1, 30.0), (2, 40.0)]);
    default.id = FeatureStateId(99);
    insert(&mut copy, with_options(default));

    let mut seen = std::collections::BTreeSet::new();
    for number in 0..200 {
        let identifier = format!("user_{number}");
        let own = outcome(&original, context(&identifier, &[]));
        assert_eq!(own, outcome(&copy, context(&identifier, &[])));
        seen.insert(own.0);
    }
    assert_eq!(seen.len(), 3, "all variants are somebody's");
}

#[test]
fn identities_are_hashed_by_their_ids_where_the_environment_says_so() {
    let mut environment = CompiledEnvironment::new(EnvironmentIdentity {
        api_key: API_KEY.into(),
        name: Arc::from("Production"),
        use_identity_composite_key_for_hashing: false,
    });
    insert(&mut environment, with_options(with_shares(state(SEED, "control"), &[(1, 30.0), (2, 40.0)])));

    let variants = |identifier: &'static str| {
        let with_id = |id| Context { identity: Some(Identity { identifier, id: Some(id) }), traits: &[] };
        (0..50).map(|id| outcome(&environment, with_id(id)).0).collect::<Vec<_>>()
    };
    assert_eq!(variants("one"), variants("other"));
    assert!(variants("one").iter().any(|variant| *variant != variants("one")[0]));
}

#[test]
fn a_split_names_the_share_of_the_option() {
    let environment = shares(&[(1, 100.0)]);
    let flag = environment.evaluator(context("user_1", &[])).flag_named("banner").unwrap();
    assert_eq!(flag.reason, Reason::Split { weight: 100.0 });
}
