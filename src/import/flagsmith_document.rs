//! Flagsmith's environment document, as its `/environment-document/` answers it: a project's features and segments, and one
//! environment's states, identity overrides among them. Traits are left behind.
//!
//! The client key is kept, and so are the seeds: the same identity gets the same variant as before.

use std::collections::{HashMap, HashSet};

use offshoot_aggregates::environment::{EnvironmentSettings, FeatureValue};
use offshoot_aggregates::ids::FeatureStateId;
use offshoot_aggregates::limits::{IDENTIFIER_CHARACTERS_MAX, IDENTITIES_MAX, IDENTITY_OVERRIDES_MAX};
use offshoot_aggregates::project::{FeatureType, ProjectSettings, SegmentOperator, SegmentRuleType};
use offshoot_aggregates::text::{TextError, check_name};
use serde::Deserialize;
use serde_json::Value;

use crate::commands::{
    ImportPlan, ImportedFeature, ImportedIdentity, ImportedOverride, ImportedState, NewCondition, NewFeature,
    NewOption, NewRule, NewSegment,
};

/// Why a document cannot be brought in.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// It is not JSON, or not of the form of an environment document.
    #[error("the document is not a Flagsmith environment document: {0}")]
    Form(#[from] serde_json::Error),
    /// A feature has two default states.
    #[error("the document has two states of the feature {0}")]
    TwoStates(String),
    /// An override is of a feature that has no default state.
    #[error("the document overrides the feature {0}, but has no state of it")]
    OverrideWithoutState(String),
    /// A state gives a share to an option that the feature's default state does not have.
    #[error("the document gives a share of the feature {feature} to option {option:?}, which its state does not have")]
    UnknownOption {
        /// The feature.
        feature: String,
        /// The option's id in the document.
        option: Option<i64>,
    },
    /// An identity comes twice, or has two overrides of a feature.
    #[error("the document has two overrides for the identity {identifier:?} of the feature {feature}")]
    TwoIdentityOverrides {
        /// The identity.
        identifier: String,
        /// The feature.
        feature: String,
    },
    /// An identifier breaks a rule.
    #[error("the document has an identity whose {0}")]
    Identifier(#[from] TextError),
    /// There are more identities or identity overrides than an environment may have.
    #[error("the document has {actual} {what}, and an environment has at most {max}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many there are.
        actual: usize,
        /// The most there may be.
        max: usize,
    },
    /// A value is of a kind that Flagsmith does not have.
    #[error("the value of the feature {feature} is {value}, which is no text, 32-bit integer, boolean or null")]
    Value {
        /// The feature.
        feature: String,
        /// The value.
        value: Value,
    },
}

#[derive(Deserialize)]
struct Document {
    api_key: String,
    name: Option<String>,
    project: ProjectPart,
    feature_states: Vec<StatePart>,
    #[serde(default)]
    identity_overrides: Vec<IdentityPart>,
    allow_client_traits: Option<bool>,
    hide_disabled_flags: Option<bool>,
    hide_sensitive_data: Option<bool>,
    use_identity_composite_key_for_hashing: Option<bool>,
    use_identity_overrides_in_local_eval: Option<bool>,
}

#[derive(Deserialize)]
struct ProjectPart {
    hide_disabled_flags: bool,
    enable_realtime_updates: Option<bool>,
    #[serde(default)]
    server_key_only_feature_ids: Vec<i64>,
    #[serde(default)]
    segments: Vec<SegmentPart>,
}

#[derive(Deserialize)]
struct SegmentPart {
    name: String,
    rules: Vec<RulePart>,
    #[serde(default)]
    feature_states: Vec<StatePart>,
}

#[derive(Deserialize)]
struct RulePart {
    #[serde(rename = "type")]
    rule_type: SegmentRuleType,
    #[serde(default)]
    rules: Vec<RulePart>,
    #[serde(default)]
    conditions: Vec<ConditionPart>,
}

#[derive(Deserialize)]
struct ConditionPart {
    operator: SegmentOperator,
    value: Option<String>,
    #[serde(rename = "property_", alias = "property")]
    property: Option<String>,
}

#[derive(Deserialize)]
struct StatePart {
    feature: FeaturePart,
    enabled: bool,
    django_id: Option<i64>,
    feature_segment: Option<PriorityPart>,
    feature_state_value: Value,
    #[serde(default)]
    multivariate_feature_state_values: Vec<AllocationPart>,
}

#[derive(Deserialize)]
struct IdentityPart {
    identifier: String,
    #[serde(default)]
    identity_features: Vec<StatePart>,
}

#[derive(Deserialize)]
struct FeaturePart {
    id: i64,
    name: String,
    #[serde(rename = "type")]
    feature_type: FeatureType,
}

#[derive(Deserialize)]
struct PriorityPart {
    priority: Option<u32>,
}

#[derive(Deserialize)]
struct AllocationPart {
    multivariate_feature_option: OptionPart,
    percentage_allocation: f64,
}

#[derive(Deserialize)]
struct OptionPart {
    id: Option<i64>,
    value: Value,
    key: Option<String>,
}

/// Reads a document. The names are those of the new project and of the new environment; without one the document's own.
///
/// # Errors
/// [`DocumentError`].
pub fn read(json: &str, project: String, environment: Option<String>) -> Result<ImportPlan, DocumentError> {
    let document: Document = serde_json::from_str(json)?;
    let own_name = document.name.clone().unwrap_or_else(|| document.api_key.clone());
    let mut features = Vec::with_capacity(document.feature_states.len());
    let mut known = KnownFeatures::with_capacity(document.feature_states.len());
    for state in &document.feature_states {
        let place = features.len();
        if known.insert(state.feature.id, KnownFeature { place, options: options_of(state) }).is_some() {
            return Err(DocumentError::TwoStates(state.feature.name.clone()));
        }
        let is_server_key_only = document.project.server_key_only_feature_ids.contains(&state.feature.id);
        features.push(feature(state, is_server_key_only)?);
    }
    for (segment, part) in document.project.segments.iter().enumerate() {
        for state in &part.feature_states {
            let (place, imported) = override_state(&known, state)?;
            let priority = state.feature_segment.as_ref().and_then(|part| part.priority).unwrap_or(0);
            features[place].overrides.push(ImportedOverride { segment, priority, state: imported });
        }
    }
    Ok(ImportPlan {
        document: own_name.clone(),
        project: project_settings(project, &document.project),
        environment: environment_settings(environment.unwrap_or(own_name), &document),
        identities: identities(&known, &document.identity_overrides)?,
        api_key: Some(document.api_key),
        segments: document.project.segments.into_iter().map(segment).collect(),
        features,
    })
}

/// A feature of the document: its place in the plan, and the ids of its options in order.
struct KnownFeature {
    place: usize,
    options: Vec<Option<i64>>,
}

/// The features of the document, by their ids there.
type KnownFeatures = HashMap<i64, KnownFeature>;

fn override_state(known: &KnownFeatures, state: &StatePart) -> Result<(usize, ImportedState), DocumentError> {
    let feature = known.get(&state.feature.id);
    let feature = feature.ok_or_else(|| DocumentError::OverrideWithoutState(state.feature.name.clone()))?;
    Ok((feature.place, imported_state(state, &feature.options)?))
}

/// The identities that have overrides.
fn identities(known: &KnownFeatures, parts: &[IdentityPart]) -> Result<Vec<ImportedIdentity>, DocumentError> {
    let mut seen = HashSet::new();
    let mut identities = Vec::new();
    for part in parts.iter().filter(|part| !part.identity_features.is_empty()) {
        check_name("identifier", &part.identifier, IDENTIFIER_CHARACTERS_MAX)?;
        let mut features = HashSet::new();
        let is_new = seen.insert(part.identifier.as_str());
        let mut overrides = Vec::with_capacity(part.identity_features.len());
        for state in &part.identity_features {
            let (place, imported) = override_state(known, state)?;
            if !is_new || !features.insert(place) {
                let (identifier, feature) = (part.identifier.clone(), state.feature.name.clone());
                return Err(DocumentError::TwoIdentityOverrides { identifier, feature });
            }
            overrides.push((place, imported));
        }
        identities.push(ImportedIdentity { identifier: part.identifier.clone(), overrides });
    }
    let overrides = identities.iter().map(|identity| identity.overrides.len()).sum();
    let counted =
        [("identities", identities.len(), IDENTITIES_MAX), ("identity overrides", overrides, IDENTITY_OVERRIDES_MAX)];
    match counted.into_iter().find(|(_, actual, max)| actual > max) {
        Some((what, actual, max)) => Err(DocumentError::TooMany { what, actual, max }),
        None => Ok(identities),
    }
}

fn project_settings(name: String, part: &ProjectPart) -> ProjectSettings {
    ProjectSettings {
        hide_disabled_flags: part.hide_disabled_flags,
        enable_realtime_updates: part.enable_realtime_updates.unwrap_or(false),
        ..ProjectSettings::named(name)
    }
}

fn environment_settings(name: String, document: &Document) -> EnvironmentSettings {
    let default = EnvironmentSettings::named(name);
    EnvironmentSettings {
        allow_client_traits: document.allow_client_traits.unwrap_or(default.allow_client_traits),
        hide_disabled_flags: document.hide_disabled_flags,
        hide_sensitive_data: document.hide_sensitive_data.unwrap_or(default.hide_sensitive_data),
        use_identity_composite_key_for_hashing: document
            .use_identity_composite_key_for_hashing
            .unwrap_or(default.use_identity_composite_key_for_hashing),
        use_identity_overrides_in_local_eval: document
            .use_identity_overrides_in_local_eval
            .unwrap_or(default.use_identity_overrides_in_local_eval),
        ..default
    }
}

/// The document does not say what a feature's defaults are: the environment's state is taken for them.
fn feature(state: &StatePart, is_server_key_only: bool) -> Result<ImportedFeature, DocumentError> {
    let value = value(&state.feature.name, &state.feature_state_value)?;
    let mut options = Vec::new();
    for allocation in in_order(&state.multivariate_feature_state_values) {
        options.push(NewOption {
            value: self::value(&state.feature.name, &allocation.multivariate_feature_option.value)?,
            default_percentage_allocation: allocation.percentage_allocation,
            key: allocation.multivariate_feature_option.key.clone(),
        });
    }
    let feature = NewFeature {
        name: state.feature.name.clone(),
        feature_type: state.feature.feature_type,
        default_enabled: state.enabled,
        initial_value: initial_value(&value),
        is_server_key_only,
        options,
        ..NewFeature::default()
    };
    let state = imported_state(state, &options_of(state))?;
    Ok(ImportedFeature { feature, state, overrides: Vec::new() })
}

/// Options are told apart by their ids, and identities are put into buckets in the order of these.
fn in_order(allocations: &[AllocationPart]) -> Vec<&AllocationPart> {
    let mut sorted: Vec<_> = allocations.iter().collect();
    sorted.sort_by_key(|allocation| allocation.multivariate_feature_option.id);
    sorted
}

/// The ids of the options that a feature's default state has, in order.
fn options_of(state: &StatePart) -> Vec<Option<i64>> {
    in_order(&state.multivariate_feature_state_values).iter().map(|part| part.multivariate_feature_option.id).collect()
}

/// A state of a feature with these options.
fn imported_state(state: &StatePart, options: &[Option<i64>]) -> Result<ImportedState, DocumentError> {
    let mut shares = Vec::new();
    for (index, part) in in_order(&state.multivariate_feature_state_values).into_iter().enumerate() {
        let option = part.multivariate_feature_option.id;
        let place = match option {
            Some(_) => options.iter().position(|known| *known == option),
            None => (index < options.len()).then_some(index),
        };
        let unknown = || DocumentError::UnknownOption { feature: state.feature.name.clone(), option };
        shares.push((place.ok_or_else(unknown)?, part.percentage_allocation));
    }
    Ok(ImportedState {
        enabled: state.enabled,
        value: value(&state.feature.name, &state.feature_state_value)?,
        shares,
        seed: state.django_id.map(FeatureStateId),
    })
}

fn value(feature: &str, value: &Value) -> Result<FeatureValue, DocumentError> {
    let unknown = || DocumentError::Value { feature: feature.to_owned(), value: value.clone() };
    match value {
        Value::Null => Ok(FeatureValue::text(None)),
        Value::Bool(boolean) => Ok(FeatureValue::boolean(*boolean)),
        Value::String(text) => Ok(FeatureValue::text(Some(text))),
        Value::Number(number) => {
            let integer = number.as_i64().and_then(|integer| i32::try_from(integer).ok());
            integer.map(FeatureValue::integer).ok_or_else(unknown)
        }
        Value::Array(_) | Value::Object(_) => Err(unknown()),
    }
}

fn initial_value(value: &FeatureValue) -> Option<String> {
    let number = value.integer_value.map(|integer| integer.to_string());
    let boolean = value.boolean_value.map(|boolean| boolean.to_string());
    value.string_value.as_deref().map(str::to_owned).or(number).or(boolean)
}

fn segment(part: SegmentPart) -> NewSegment {
    NewSegment { name: part.name, description: None, feature: None, rules: part.rules.into_iter().map(rule).collect() }
}

fn rule(part: RulePart) -> NewRule {
    NewRule {
        id: None,
        rule_type: part.rule_type,
        rules: part.rules.into_iter().map(rule).collect(),
        conditions: part.conditions.into_iter().map(condition).collect(),
    }
}

fn condition(part: ConditionPart) -> NewCondition {
    let ConditionPart { operator, value, property } = part;
    NewCondition { id: None, operator, property, value, description: None }
}
