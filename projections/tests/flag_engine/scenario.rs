//! Builds small environments for the tests of the flag engine.

use std::sync::Arc;

use offshoot_aggregates::environment::{Allocation, FeatureState, FeatureStateContent, FeatureValue, SegmentLink};
use offshoot_aggregates::ids::{
    FeatureId, FeatureSegmentId, FeatureStateId, MultivariateOptionId, SegmentConditionId, SegmentId, SegmentRuleId,
};
use offshoot_aggregates::project::{
    FeatureType, MultivariateOption, Segment, SegmentCondition, SegmentOperator, SegmentRule, SegmentRuleType,
};
use offshoot_projections::flag_engine::{
    CompiledEnvironment, CompiledFeature, Context, EnvironmentIdentity, FeatureDefinition, Identity, SegmentState,
    TraitValue,
};
use uuid::Uuid;

/// The client key of all environments here.
pub const API_KEY: &str = "env-key";

/// An environment without anything in it.
pub fn environment() -> CompiledEnvironment {
    CompiledEnvironment::new(EnvironmentIdentity {
        api_key: API_KEY.into(),
        name: "Production".into(),
        use_identity_composite_key_for_hashing: true,
    })
}

/// A state with this text as its value.
pub fn state(id: i64, text: &str) -> FeatureState {
    state_with_value(id, FeatureValue::text(Some(text)))
}

/// A state with this value; it is on.
pub fn state_with_value(id: i64, value: FeatureValue) -> FeatureState {
    let content = FeatureStateContent { enabled: true, value, multivariate: Vec::new(), seed: FeatureStateId(id) };
    FeatureState::new(FeatureStateId(id), Arc::new(content))
}

/// The same state with shares for options.
pub fn with_shares(mut state: FeatureState, shares: &[(i64, f64)]) -> FeatureState {
    let share = |(option, percentage): &(i64, f64)| Allocation {
        option: MultivariateOptionId(*option),
        percentage: *percentage,
    };
    Arc::make_mut(&mut state.content).multivariate = shares.iter().map(share).collect();
    state
}

/// A feature with this default state and nothing else.
pub fn feature(id: i64, name: &str, default: FeatureState) -> FeatureDefinition {
    FeatureDefinition {
        id: FeatureId(id),
        name: name.into(),
        feature_type: FeatureType::Standard,
        options: Arc::from([]),
        default,
        overrides: Vec::new(),
    }
}

/// An option of a multivariate feature.
pub fn option(id: i64, value: &str, key: Option<&str>) -> MultivariateOption {
    MultivariateOption {
        id: MultivariateOptionId(id),
        uuid: Uuid::nil(),
        value: FeatureValue::text(Some(value)),
        default_percentage_allocation: 0.0,
        key: key.map(Into::into),
    }
}

/// The same feature with an override for a segment.
pub fn overridden(
    mut feature: FeatureDefinition,
    segment: i64,
    priority: u32,
    state: FeatureState,
) -> FeatureDefinition {
    let link = SegmentLink { feature_segment: FeatureSegmentId(segment), segment: SegmentId(segment), priority };
    feature.overrides.push(SegmentState { link, state });
    feature
}

/// A condition.
pub fn condition(property: &str, operator: SegmentOperator, value: &str) -> SegmentCondition {
    SegmentCondition {
        id: SegmentConditionId(1),
        operator,
        property: Some(property.into()),
        value: Some(value.into()),
        description: None,
    }
}

/// A rule.
pub fn rule(rule_type: SegmentRuleType, conditions: Vec<SegmentCondition>, rules: Vec<SegmentRule>) -> SegmentRule {
    SegmentRule { id: SegmentRuleId(1), rule_type, rules, conditions }
}

/// A segment with these rules.
pub fn segment(id: i64, rules: Vec<SegmentRule>) -> Segment {
    Segment {
        id: SegmentId(id),
        uuid: Uuid::nil(),
        name: format!("segment_{id}"),
        description: None,
        feature: None,
        rules,
    }
}

/// A segment of those whose trait `plan` is this text.
pub fn plan_segment(id: i64, plan: &str) -> Segment {
    let condition = condition("plan", SegmentOperator::Equal, plan);
    segment(id, vec![rule(SegmentRuleType::All, vec![condition], Vec::new())])
}

/// Puts a feature into an environment.
pub fn insert(environment: &mut CompiledEnvironment, feature: FeatureDefinition) {
    environment.insert_feature(Arc::new(CompiledFeature::new(feature, ())));
}

/// An identity with traits.
pub fn context<'a>(identifier: &'a str, traits: &'a [(&'a str, TraitValue<'a>)]) -> Context<'a> {
    Context { identity: Some(Identity::new(identifier)), traits }
}

/// What the only condition of a segment says to a trait `t`; `None` is no trait.
pub fn answer(operator: SegmentOperator, value: &str, given: Option<TraitValue<'_>>) -> bool {
    let condition = condition("t", operator, value);
    let mut environment = environment();
    environment.insert_segment(&segment(1, vec![rule(SegmentRuleType::All, vec![condition], Vec::new())]));
    let traits: Vec<_> = given.into_iter().map(|given| ("t", given)).collect();
    environment.evaluator(context("somebody", &traits)).is_in_segment(SegmentId(1))
}
