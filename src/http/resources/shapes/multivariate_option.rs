//! Options of multivariate features, as the API shows and takes them.

use offshoot_aggregates::environment::{FeatureValue, ValueType};
use offshoot_aggregates::project::{MultivariateOption, OptionChange};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::feature_value::read_columns;
use crate::commands::NewOption;
use crate::http::fields::Fields;
use crate::http::kinds::number;

/// The default share of an option that is made without one, in percent.
const DEFAULT_SHARE: f64 = 100.0;

/// An option, shown in its feature.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct NestedOption {
    /// Its integer id.
    pub id: i64,
    /// Its UUID.
    pub uuid: Uuid,
    /// Which of the three values counts: `unicode`, `int` or `bool`.
    #[serde(rename = "type")]
    #[schema(value_type = String)]
    pub value_type: ValueType,
    /// The integer.
    pub integer_value: Option<i32>,
    /// The text.
    pub string_value: Option<String>,
    /// The boolean.
    pub boolean_value: Option<bool>,
    /// Its share in environments that come to be from now on, in percent.
    pub default_percentage_allocation: f64,
    /// The name of the variant.
    pub key: Option<String>,
}

impl From<MultivariateOption> for NestedOption {
    fn from(option: MultivariateOption) -> Self {
        let FeatureValue { value_type, string_value, integer_value, boolean_value } = option.value;
        Self {
            id: option.id.0,
            uuid: option.uuid,
            value_type,
            integer_value,
            string_value: string_value.map(Into::into),
            boolean_value,
            default_percentage_allocation: option.default_percentage_allocation,
            key: option.key,
        }
    }
}

/// An option, shown by itself.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ListedOption {
    /// What every form of it says.
    #[serde(flatten)]
    pub option: NestedOption,
    /// The integer id of its feature.
    pub feature: i64,
}

/// What a request says of an option's value and share.
#[derive(Clone, Debug, Default)]
pub struct OptionFields {
    value: Option<FeatureValue>,
    share: Option<f64>,
}

impl OptionFields {
    /// Reads the fields of an option whose value is `before`. Whether the share fits is for the project to decide.
    pub fn read(fields: &mut Fields, before: &FeatureValue) -> Self {
        let says_value =
            ["type", "string_value", "integer_value", "boolean_value"].iter().any(|column| fields.has(column));
        let mut value = read_columns(fields, before.value_type);
        // The effective column stays if it is not named, also if it becomes the effective one only now.
        match value.value_type {
            ValueType::Unicode if !fields.has("string_value") => value.string_value.clone_from(&before.string_value),
            ValueType::Int if !fields.has("integer_value") => value.integer_value = before.integer_value,
            ValueType::Bool if !fields.has("boolean_value") => value.boolean_value = before.boolean_value,
            _ => {}
        }
        Self {
            value: says_value.then_some(value),
            share: fields.optional("default_percentage_allocation", number(f64::MIN, f64::MAX)),
        }
    }

    /// A new option.
    pub fn into_new(self, key: Option<String>) -> NewOption {
        let default_percentage_allocation = self.share.unwrap_or(DEFAULT_SHARE);
        NewOption { default_percentage_allocation, value: self.value.unwrap_or_default(), key }
    }

    /// A change of an option that is there. `key`: `None` leaves it as it is.
    pub fn into_change(self, key: Option<Option<String>>) -> OptionChange {
        OptionChange { default_percentage_allocation: self.share, value: self.value, key }
    }
}

/// What a request may say of an option.
#[derive(Debug, ToSchema)]
#[allow(dead_code, reason = "only the description of the API is made from it")]
pub struct OptionBody {
    /// Its feature: the one in the path. A PATCH may leave it out.
    feature: i64,
    /// Which of the three values counts: `unicode`, `int` or `bool`. `unicode` if it is missing.
    r#type: Option<String>,
    /// The integer, of 32 bits.
    integer_value: Option<i32>,
    /// The text, at most 20,000 characters.
    string_value: Option<String>,
    /// The boolean.
    boolean_value: Option<bool>,
    /// Its share in percent, where nobody has set another one. All of a feature's are at most 100 together. 100 if it is
    /// missing.
    default_percentage_allocation: Option<f64>,
    /// The name of the variant, unique in the feature: letters, digits, `-` and `_`; not `control`.
    key: Option<String>,
}
