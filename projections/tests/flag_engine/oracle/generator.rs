//! Makes random cases, each from a number alone.

use std::sync::Arc;

use offshoot_aggregates::environment::{Allocation, FeatureState, FeatureStateContent, FeatureValue, SegmentLink};
use offshoot_aggregates::ids::{FeatureId, FeatureSegmentId, FeatureStateId, MultivariateOptionId, SegmentId};
use offshoot_aggregates::project::{
    FeatureType, MultivariateOption, Segment, SegmentCondition, SegmentOperator, SegmentRule, SegmentRuleType,
};
use offshoot_projections::flag_engine::{FeatureDefinition, SegmentState};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use uuid::Uuid;

use super::case::{Case, Trait};
use super::patterns::pattern;
use super::texts::{
    FEATURE_NAMES, IDENTIFIERS, LISTS, MODULI, NUMBERS, PATHS, PERCENTAGES, TRAIT_NAMES, VERSION_SUFFIXES, VERSIONS,
    WORDS,
};
use crate::flag_engine::scenario::{condition, rule};

pub const OPERATORS: &[SegmentOperator] = &[
    SegmentOperator::Equal,
    SegmentOperator::NotEqual,
    SegmentOperator::GreaterThan,
    SegmentOperator::GreaterThanInclusive,
    SegmentOperator::LessThan,
    SegmentOperator::LessThanInclusive,
    SegmentOperator::Contains,
    SegmentOperator::NotContains,
    SegmentOperator::Regex,
    SegmentOperator::PercentageSplit,
    SegmentOperator::Modulo,
    SegmentOperator::IsSet,
    SegmentOperator::IsNotSet,
    SegmentOperator::In,
];

const RULE_TYPES: &[SegmentRuleType] = &[SegmentRuleType::All, SegmentRuleType::Any, SegmentRuleType::None];

const FLAG_MEMBERS: &[&str] = &["enabled", "value", "variant", "reason", "name", "other"];

/// The case with this number.
pub fn case(number: u64) -> Case {
    Generator { random: StdRng::seed_from_u64(number), traits: Vec::new(), asks_for_flags: false, next_id: 100 }.case()
}

struct Generator {
    random: StdRng,
    traits: Vec<(String, Trait)>,
    asks_for_flags: bool,
    next_id: i64,
}

impl Generator {
    fn case(mut self) -> Case {
        self.asks_for_flags = self.random.random_bool(0.15);
        let identity = self.random.random_bool(0.95).then(|| self.pick(IDENTIFIERS));
        if identity.is_some() {
            self.traits = self.some_traits();
        }
        let segments: Vec<_> = (1..=self.random.random_range(1..=5)).map(|id| self.segment(id)).collect();
        let features: Vec<_> =
            (0..self.random.random_range(1..=5)).map(|index| self.feature(index, &segments)).collect();
        let identity_overrides = self.identity_overrides(identity.as_deref(), &features);
        Case {
            api_key: self.pick(&["env", "ser.env", "клю", "12"]),
            name: self.pick(&["Production", "7", ""]),
            segments,
            features,
            identity_overrides,
            identity: identity.map(|identifier| (identifier, self.traits)),
        }
    }

    fn pick(&mut self, texts: &[&str]) -> String {
        (*texts.choose(&mut self.random).unwrap()).to_owned()
    }

    /// Any text at all, mostly a short one that means something.
    fn text(&mut self) -> String {
        match self.random.random_range(0..10) {
            0..4 => self.pick(WORDS),
            4..7 => self.pick(NUMBERS),
            7..9 => self.pick(VERSIONS),
            _ => (0..self.random.random_range(0..6))
                .map(|_| self.random.random::<char>())
                .filter(|c| *c != '\0')
                .collect(),
        }
    }

    fn some_traits(&mut self) -> Vec<(String, Trait)> {
        let mut traits: Vec<(String, Trait)> = Vec::new();
        for _ in 0..self.random.random_range(0..7) {
            let name = self.pick(TRAIT_NAMES);
            if traits.iter().all(|(other, _)| *other != name) {
                traits.push((name, self.trait_value()));
            }
        }
        traits
    }

    fn trait_value(&mut self) -> Trait {
        match self.random.random_range(0..20) {
            0 => Trait::Null,
            1..9 => Trait::Text(self.text()),
            9..14 => self.integer(),
            14..17 => self.float(),
            _ => Trait::Boolean(self.random.random()),
        }
    }

    fn integer(&mut self) -> Trait {
        let digits = match self.random.random_range(0..4) {
            0 => return Trait::Integer(self.random.random()),
            1 => self.random.random_range(-10..40).to_string(),
            _ => self.pick(NUMBERS),
        };
        match digits.parse() {
            Ok(integer) => Trait::Integer(integer),
            Err(_) if is_integer(&digits) => Trait::BigInteger(digits),
            Err(_) => Trait::Integer(7),
        }
    }

    fn float(&mut self) -> Trait {
        let float: f64 = match self.random.random_range(0..4) {
            0 => f64::from_bits(self.random.random()),
            1 => f64::from(self.random.random_range(-100..100)) / 10.0,
            _ => self.pick(NUMBERS).parse().unwrap_or(1.5),
        };
        Trait::Float(if float.is_finite() { float } else { 1e300 })
    }

    fn segment(&mut self, id: i64) -> Segment {
        let rules = match self.random.random_range(0..10) {
            0..6 => vec![rule(SegmentRuleType::All, vec![self.condition()], Vec::new())],
            6..9 => (0..self.random.random_range(1..4)).map(|_| self.rule(1)).collect(),
            _ => Vec::new(),
        };
        Segment {
            id: SegmentId(id),
            uuid: Uuid::nil(),
            name: format!("segment_{id}"),
            description: None,
            feature: None,
            rules,
        }
    }

    fn rule(&mut self, depth: u32) -> SegmentRule {
        let rule_type = *RULE_TYPES.choose(&mut self.random).unwrap();
        let conditions = (0..self.random.random_range(0..3)).map(|_| self.condition()).collect();
        let rules = if depth < 3 { self.random.random_range(0..3) } else { 0 };
        let rules = (0..rules).map(|_| self.rule(depth + 1)).collect();
        rule(rule_type, conditions, rules)
    }

    fn condition(&mut self) -> SegmentCondition {
        let operator = *OPERATORS.choose(&mut self.random).unwrap();
        let known = self.traits.choose(&mut self.random).cloned();
        let (property, known) = match (self.random.random_range(0..20), known) {
            (0..14, Some((name, value))) => (name, Some(value)),
            (14..17, _) if self.asks_for_flags => (self.flag_path(), None),
            (14..17, _) if operator == SegmentOperator::PercentageSplit => (String::new(), None),
            (14..19, _) => (self.pick(PATHS), None),
            _ => (self.pick(TRAIT_NAMES), None),
        };
        let value = self.condition_value(operator, known.as_ref());
        condition(&property, operator, &value)
    }

    fn flag_path(&mut self) -> String {
        let feature = self.pick(FEATURE_NAMES);
        let member = self.pick(FLAG_MEMBERS);
        let quoted = self.random.random_bool(0.5) || feature == "7" || feature == "a.b";
        if quoted { format!("$.flags['{feature}'].{member}") } else { format!("$.flags.{feature}.{member}") }
    }

    fn condition_value(&mut self, operator: SegmentOperator, known: Option<&Trait>) -> String {
        use SegmentOperator as O;
        let own = known.map(text_of);
        if self.random.random_bool(0.1) {
            return self.text();
        }
        match operator {
            O::Regex => pattern(&mut self.random, own.as_deref()),
            O::PercentageSplit => self.pick(PERCENTAGES),
            // Flagsmith's engine fails on a divisor of zero.
            O::Modulo if self.random.random_bool(0.01) => "0|0".to_owned(),
            O::Modulo => self.pick(MODULI),
            O::In if self.random.random_bool(0.7) => self.pick(LISTS),
            _ => {
                let text = match own {
                    Some(own) if self.random.random_bool(0.4) => own,
                    _ => self.text(),
                };
                text + &self.version_suffix()
            }
        }
    }

    fn version_suffix(&mut self) -> String {
        if self.random.random_bool(0.25) { self.pick(VERSION_SUFFIXES) } else { String::new() }
    }

    fn feature(&mut self, index: usize, segments: &[Segment]) -> FeatureDefinition {
        let options: Vec<_> = (0..self.random.random_range(0..4)).map(|id| self.option(id)).collect();
        let mut overrides = Vec::new();
        for segment in segments {
            if self.random.random_bool(0.5) {
                let priority = self.random.random_range(0..3);
                let link = SegmentLink { feature_segment: FeatureSegmentId(1), segment: segment.id, priority };
                overrides.push(SegmentState { link, state: self.state(&options) });
            }
        }
        FeatureDefinition {
            id: FeatureId(i64::try_from(index).unwrap()),
            name: FEATURE_NAMES[index].into(),
            feature_type: FeatureType::Standard,
            default: self.state(&options),
            options: options.into(),
            overrides,
        }
    }

    fn option(&mut self, id: i64) -> MultivariateOption {
        MultivariateOption {
            id: MultivariateOptionId(id),
            uuid: Uuid::nil(),
            value: self.value(),
            default_percentage_allocation: 0.0,
            key: self.random.random_bool(0.5).then(|| format!("key_{id}")),
        }
    }

    fn value(&mut self) -> FeatureValue {
        match self.random.random_range(0..5) {
            0 => FeatureValue::text(None),
            1 => FeatureValue::integer(self.random.random()),
            2 => FeatureValue::boolean(self.random.random()),
            _ => FeatureValue::text(Some(&self.text())),
        }
    }

    fn state(&mut self, options: &[MultivariateOption]) -> FeatureState {
        let shares: &[f64] = &[0.0, 10.0, 33.3, 50.0, 100.0, 0.1, 1e-7, 12.345_678_9];
        let mut multivariate = Vec::new();
        for option in options {
            if self.random.random_bool(0.9) {
                let percentage = *shares.choose(&mut self.random).unwrap();
                multivariate.push(Allocation { option: option.id, percentage });
            }
        }
        self.next_id += 1;
        let content = FeatureStateContent {
            enabled: self.random.random(),
            value: self.value(),
            multivariate,
            seed: FeatureStateId(self.random.random_range(1..1_000_000)),
        };
        FeatureState::new(FeatureStateId(self.next_id), Arc::new(content))
    }

    /// Flagsmith's SDKs look for an identity by comparing its identifier as a trait, so one that reads as a number is not
    /// always found; such ones have no overrides here.
    fn identity_overrides(
        &mut self,
        identifier: Option<&str>,
        features: &[FeatureDefinition],
    ) -> Vec<(String, FeatureId, FeatureState)> {
        let mut overrides: Vec<(String, FeatureId, FeatureState)> = Vec::new();
        let reads_as_other = |identifier: &str| matches!(identifier, "007" | "1.50");
        if identifier.is_some_and(reads_as_other) {
            return overrides;
        }
        for feature in features {
            if self.random.random_bool(0.3) {
                let identifier = self.pick(IDENTIFIERS);
                if !reads_as_other(&identifier) {
                    let state = self.state(&feature.options);
                    overrides.push((identifier, feature.id, state));
                }
            }
        }
        overrides
    }
}

fn is_integer(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// What a trait may be compared with, so that it is equal.
fn text_of(value: &Trait) -> String {
    match value {
        Trait::Null => String::new(),
        Trait::Text(text) | Trait::BigInteger(text) => text.clone(),
        Trait::Integer(integer) => integer.to_string(),
        Trait::Float(float) => float.to_string(),
        Trait::Boolean(true) => "True".to_owned(),
        Trait::Boolean(false) => "False".to_owned(),
    }
}
