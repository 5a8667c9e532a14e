//! What features are in an environment, as pages show it.

use offshoot_aggregates::environment::{Allocation, FeatureStateContent, FeatureValue, ValueType};
use offshoot_aggregates::project::MultivariateOption;
use serde_json::{Value, json};

use super::texts;

/// A feature state as pages show it.
#[derive(Clone, Debug)]
pub struct ShownState {
    /// Its integer id.
    pub id: i64,
    /// Whether the feature is on.
    pub is_on: bool,
    /// Its value.
    pub value: ShownValue,
    /// The share of each of the feature's options.
    pub shares: Vec<ShownShare>,
    /// What is left for the value when every option has its share, in percent.
    pub control: String,
    /// All of it as JSON: what whoever changes it has seen of it. `modules/states.js` compares it with what is there by then.
    pub seen: String,
}

/// A value, and what kind of value it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownValue {
    /// `text`, `number`, `boolean` or `none`.
    pub kind: &'static str,
    /// The value, written out.
    pub text: String,
}

/// The share of an option.
#[derive(Clone, Debug)]
pub struct ShownShare {
    /// The option's integer id.
    pub option: i64,
    /// What it gives.
    pub value: String,
    /// Percent.
    pub percentage: String,
}

impl ShownState {
    /// A state of a feature with these options.
    #[must_use]
    pub fn of(id: i64, content: &FeatureStateContent, options: &[MultivariateOption]) -> Self {
        let share = |option: &MultivariateOption| {
            let set = content.multivariate.iter().find(|share| share.option == option.id);
            set.map_or(0.0, |share| share.percentage)
        };
        let shares = options.iter().map(|option| ShownShare {
            option: option.id.0,
            value: ShownValue::of(&option.value).text,
            percentage: percent(share(option)),
        });
        Self {
            id,
            is_on: content.enabled,
            value: ShownValue::of(&content.value),
            shares: shares.collect(),
            control: percent((100.0 - options.iter().map(share).sum::<f64>()).max(0.0)),
            seen: seen(content).to_string(),
        }
    }
}

impl ShownValue {
    /// The value that counts.
    #[must_use]
    pub fn of(value: &FeatureValue) -> Self {
        match effective(value) {
            Value::Bool(boolean) => Self { kind: "boolean", text: boolean.to_string() },
            Value::Number(number) => Self { kind: "number", text: number.to_string() },
            Value::String(text) => Self { kind: "text", text },
            _ => Self { kind: "none", text: String::new() },
        }
    }

    /// What stands for it where there is only a line.
    #[must_use]
    pub fn line(&self) -> &str {
        match self.kind {
            "none" => texts::features::NO_VALUE,
            "text" if self.text.is_empty() => texts::features::EMPTY_VALUE,
            _ => &self.text,
        }
    }
}

/// A percentage with no more digits than it needs.
fn percent(percentage: f64) -> String {
    let rounded = (percentage * 1_000.0).round() / 1_000.0;
    rounded.to_string()
}

/// As the API shows it, without what never matters to whoever changes it.
fn seen(content: &FeatureStateContent) -> Value {
    let mut shares: Vec<&Allocation> = content.multivariate.iter().collect();
    shares.sort_by_key(|share| share.option);
    let shares: Vec<_> = shares.iter().map(|share| json!([share.option.0, share.percentage])).collect();
    json!({ "enabled": content.enabled, "value": effective(&content.value), "shares": shares })
}

fn effective(value: &FeatureValue) -> Value {
    match value.value_type {
        ValueType::Unicode => value.string_value.as_deref().map(Value::from),
        ValueType::Int => value.integer_value.map(Value::from),
        ValueType::Bool => value.boolean_value.map(Value::from),
    }
    .unwrap_or(Value::Null)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_shown_with_its_kind() {
        let shown = |value: FeatureValue| {
            let ShownValue { kind, text } = ShownValue::of(&value);
            (kind, text)
        };
        assert_eq!(shown(FeatureValue::text(Some("a"))), ("text", "a".to_owned()));
        assert_eq!(shown(FeatureValue::integer(-7)), ("number", "-7".to_owned()));
        assert_eq!(shown(FeatureValue::boolean(true)), ("boolean", "true".to_owned()));
        assert_eq!(shown(FeatureValue::default()), ("none", String::new()));
    }

    #[test]
    fn percentages_have_no_more_digits_than_they_need() {
        assert_eq!([30.0, 33.3, 100.0 - 30.1 - 20.2].map(percent), ["30", "33.3", "49.7"]);
    }
}
