//! The project that the demo and the benchmarks work with: like a real one in its mix of features, and of any size.

use offshoot_aggregates::environment::{EnvironmentSettings, FeatureValue};
use offshoot_aggregates::project::{FeatureType, ProjectSettings, SegmentOperator, SegmentRuleType};

use crate::commands::{
    ImportPlan, ImportedFeature, ImportedOverride, ImportedState, NewCondition, NewFeature, NewOption, NewRule,
    NewSegment,
};

/// Every how many features one is multivariate, and one has a segment override.
const EVERY: usize = 20;

/// The segments: who is in them.
const SEGMENTS: [(&str, &str, &str); 5] = [
    ("gold", "plan", "gold"),
    ("beta testers", "beta", "true"),
    ("germany", "country", "de"),
    ("new customers", "age_in_days", "7"),
    ("employees", "email_domain", "example.org"),
];

/// A project of `features` features with one environment. Every 20th feature is multivariate, and every 20th has a segment
/// override, so that there are 5 % more states than features.
pub fn sample_project(features: usize) -> ImportPlan {
    ImportPlan {
        document: "sample".to_owned(),
        project: ProjectSettings::named("Sample"),
        environment: EnvironmentSettings::named("Production"),
        api_key: None,
        segments: SEGMENTS.into_iter().map(|(name, property, value)| segment(name, property, value)).collect(),
        features: (0..features).map(feature).collect(),
        identities: Vec::new(),
    }
}

/// How many states the environment of [`sample_project`] has.
pub fn sample_states(features: usize) -> usize {
    features + features.div_ceil(EVERY)
}

/// A segment: whose trait `property` is `value`.
pub fn segment(name: &str, property: &str, value: &str) -> NewSegment {
    let condition = NewCondition {
        id: None,
        operator: SegmentOperator::Equal,
        property: Some(property.to_owned()),
        value: Some(value.to_owned()),
        description: None,
    };
    let rule = |rule_type, rules, conditions| NewRule { id: None, rule_type, rules, conditions };
    let inner = rule(SegmentRuleType::Any, Vec::new(), vec![condition]);
    let rules = vec![rule(SegmentRuleType::All, vec![inner], Vec::new())];
    NewSegment { name: name.to_owned(), description: None, feature: None, rules }
}

fn feature(number: usize) -> ImportedFeature {
    let is_multivariate = number % EVERY == 1;
    let options = if is_multivariate { vec![option("a", 30.0), option("b", 20.0)] } else { Vec::new() };
    let feature_type = if is_multivariate { FeatureType::Multivariate } else { FeatureType::Standard };
    let initial_value = match number % 4 {
        0 => format!("value-{number}"),
        1 => "control".to_owned(),
        2 => number.to_string(),
        _ => (number % 8 == 3).to_string(),
    };
    let value = FeatureValue::from_initial(Some(&initial_value));
    let shares = options.iter().map(|option| option.default_percentage_allocation).enumerate().collect();
    let state = ImportedState { enabled: number % 2 == 1, value, shares, seed: None };
    let overrides = if number.is_multiple_of(EVERY) { vec![segment_override(number)] } else { Vec::new() };
    let feature = NewFeature {
        name: format!("flag_{number:07}"),
        feature_type,
        default_enabled: state.enabled,
        initial_value: Some(initial_value),
        options,
        ..NewFeature::default()
    };
    ImportedFeature { feature, state, overrides }
}

fn option(value: &str, percentage: f64) -> NewOption {
    let (value, key) = (FeatureValue::text(Some(value)), Some(format!("variant_{value}")));
    NewOption { value, default_percentage_allocation: percentage, key }
}

fn segment_override(number: usize) -> ImportedOverride {
    let value = FeatureValue::text(Some(&format!("override-{number}")));
    let state = ImportedState { enabled: true, value, shares: Vec::new(), seed: None };
    ImportedOverride { segment: number / EVERY % SEGMENTS.len(), priority: 0, state }
}
