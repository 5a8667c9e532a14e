//! One environment and one identity: as our engine takes them, and as Flagsmith's does.

use offshoot_aggregates::environment::{FeatureState, FeatureValue};
use offshoot_aggregates::ids::FeatureId;
use offshoot_aggregates::project::{Segment, SegmentCondition, SegmentRule};
use offshoot_projections::flag_engine::{
    CompiledEnvironment, Context, EnvironmentIdentity, FeatureDefinition, FlagValue, Identity, TraitValue,
};
use serde_json::{Map, Value, json};

use crate::flag_engine::scenario::insert;

/// A trait that owns its value.
#[derive(Clone, Debug, PartialEq)]
pub enum Trait {
    Null,
    Text(String),
    Integer(i64),
    /// An integer outside of `i64`: its digits.
    BigInteger(String),
    Float(f64),
    Boolean(bool),
}

impl Trait {
    fn value(&self) -> TraitValue<'_> {
        match self {
            Self::Null => TraitValue::Null,
            Self::Text(text) | Self::BigInteger(text) => TraitValue::Text(text),
            Self::Integer(integer) => TraitValue::Integer(*integer),
            Self::Float(float) => TraitValue::Float(*float),
            Self::Boolean(boolean) => TraitValue::Boolean(*boolean),
        }
    }

    fn json(&self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Text(text) => json!(text),
            Self::Integer(integer) => json!(integer),
            Self::BigInteger(digits) => json!({ "integer": digits }),
            Self::Float(float) => json!(float),
            Self::Boolean(boolean) => json!(boolean),
        }
    }
}

/// One environment and one identity.
#[derive(Clone, Debug)]
pub struct Case {
    pub api_key: String,
    pub name: String,
    /// In order of their ids.
    pub segments: Vec<Segment>,
    pub features: Vec<FeatureDefinition>,
    pub identity_overrides: Vec<(String, FeatureId, FeatureState)>,
    pub identity: Option<(String, Vec<(String, Trait)>)>,
}

impl Case {
    /// As our engine takes it.
    pub fn environment(&self) -> CompiledEnvironment {
        let mut environment = CompiledEnvironment::new(EnvironmentIdentity {
            api_key: self.api_key.as_str().into(),
            name: self.name.as_str().into(),
            use_identity_composite_key_for_hashing: true,
        });
        for segment in &self.segments {
            environment.insert_segment(segment);
        }
        for feature in &self.features {
            insert(&mut environment, feature.clone());
        }
        for (identifier, feature, state) in &self.identity_overrides {
            environment.insert_identity_override(identifier, *feature, state.clone());
        }
        environment
    }

    /// The traits as our engine takes them.
    pub fn traits(&self) -> Vec<(&str, TraitValue<'_>)> {
        let traits = self.identity.iter().flat_map(|(_, traits)| traits);
        traits.map(|(key, value)| (key.as_str(), value.value())).collect()
    }

    /// The context as our engine takes it.
    pub fn context<'a>(&'a self, traits: &'a [(&'a str, TraitValue<'a>)]) -> Context<'a> {
        Context { identity: self.identity.as_ref().map(|(identifier, _)| Identity::new(identifier)), traits }
    }

    /// The evaluation context as Flagsmith's engines take it, put together as its SDKs do.
    pub fn evaluation_context(&self) -> Value {
        let identity = self.identity.as_ref().map(|(identifier, traits)| {
            let traits: Map<String, Value> = traits.iter().map(|(key, value)| (key.clone(), value.json())).collect();
            json!({ "identifier": identifier, "key": format!("{}_{identifier}", self.api_key), "traits": traits })
        });
        let features: Map<String, Value> = self
            .features
            .iter()
            .map(|feature| (feature.name.to_string(), feature_context(feature, &feature.default, None)))
            .collect();
        let mut segments = Map::new();
        for segment in &self.segments {
            segments.insert(segment.id.to_string(), self.segment_context(segment));
        }
        for (index, (identifier, feature, state)) in self.identity_overrides.iter().enumerate() {
            let key = format!("identity_override_{index}");
            segments.insert(key, self.identity_override_context(identifier, *feature, state));
        }
        let mut context = json!({
            "environment": { "key": self.api_key, "name": self.name },
            "features": features,
            "segments": segments,
        });
        if let Some(identity) = identity {
            context["identity"] = identity;
        }
        context
    }

    fn segment_context(&self, segment: &Segment) -> Value {
        let overrides = self.features.iter().flat_map(|feature| {
            let own = feature.overrides.iter().filter(|over| over.link.segment == segment.id);
            own.map(|over| feature_context(feature, &over.state, Some(f64::from(over.link.priority))))
        });
        json!({
            "key": segment.id.to_string(),
            "name": segment.name,
            "rules": segment.rules.iter().map(rule_context).collect::<Vec<_>>(),
            "overrides": overrides.collect::<Vec<_>>(),
        })
    }

    /// The SDKs make a segment of those with the identifier, whose overrides come before all others.
    fn identity_override_context(&self, identifier: &str, feature: FeatureId, state: &FeatureState) -> Value {
        let overrides = self.features.iter().filter(|definition| definition.id == feature);
        json!({
            "key": "",
            "name": "identity_overrides",
            "rules": [{
                "type": "ALL",
                "conditions": [{ "property": "$.identity.identifier", "operator": "IN", "value": [identifier] }],
            }],
            "overrides": overrides
                .map(|definition| feature_context(definition, state, Some(f64::MIN)))
                .collect::<Vec<_>>(),
        })
    }
}

fn feature_context(feature: &FeatureDefinition, state: &FeatureState, priority: Option<f64>) -> Value {
    let variants = state.content.multivariate.iter().filter_map(|share| {
        let option = feature.options.iter().find(|option| option.id == share.option)?;
        let mut variant = json!({ "value": plain(&option.value), "weight": share.percentage, "priority": option.id.0 });
        if let Some(key) = &option.key {
            variant["key"] = json!(key);
        }
        Some(variant)
    });
    let mut context = json!({
        "key": state.content.seed.to_string(),
        "name": feature.name,
        "enabled": state.content.enabled,
        "value": plain(&state.content.value),
        "variants": variants.collect::<Vec<_>>(),
    });
    if let Some(priority) = priority {
        context["priority"] = json!(priority);
    }
    context
}

fn rule_context(rule: &SegmentRule) -> Value {
    json!({
        "type": rule.rule_type,
        "conditions": rule.conditions.iter().map(condition_context).collect::<Vec<_>>(),
        "rules": rule.rules.iter().map(rule_context).collect::<Vec<_>>(),
    })
}

fn condition_context(condition: &SegmentCondition) -> Value {
    json!({
        "property": condition.property.as_deref().unwrap_or_default(),
        "operator": condition.operator,
        "value": condition.value.as_deref().unwrap_or_default(),
    })
}

/// A value's effective column.
pub fn plain(value: &FeatureValue) -> Value {
    match FlagValue::from(value) {
        FlagValue::Null => Value::Null,
        FlagValue::Text(text) => json!(text),
        FlagValue::Integer(integer) => json!(integer),
        FlagValue::Boolean(boolean) => json!(boolean),
    }
}
