//! Options of multivariate features, as the API shows and takes them.

use offshoot_aggregates::environment::{FeatureValue, ValueType};
use offshoot_aggregates::limits::STRING_VALUE_CHARACTERS_MAX;
use offshoot_aggregates::project::{MultivariateOption, OptionChange};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::commands::NewOption;
use crate::http::fields::Fields;
use crate::http::kinds::{boolean, choice, integer, number, text};

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

/// What a request says of an option's value and share; `None` is not said.
#[derive(Clone, Debug, Default)]
pub struct OptionFields {
    value_type: Option<ValueType>,
    integer: Option<Option<i32>>,
    string: Option<Option<String>>,
    boolean: Option<Option<bool>>,
    share: Option<f64>,
}

impl OptionFields {
    /// Reads the fields of an option. Whether the share fits is for the project to decide.
    pub fn read(fields: &mut Fields) -> Self {
        let integer = fields.nullable("integer_value", integer(i32::MIN.into(), i32::MAX.into()));
        Self {
            value_type: fields.optional("type", choice()),
            integer: integer.map(|integer| integer.and_then(|integer| i32::try_from(integer).ok())),
            string: fields.nullable("string_value", text(STRING_VALUE_CHARACTERS_MAX).verbatim()),
            boolean: fields.nullable("boolean_value", boolean()),
            share: fields.optional("default_percentage_allocation", number(f64::MIN, f64::MAX)),
        }
    }

    /// The default share that it asks for, in percent, if it is a new option's.
    pub fn new_share(&self) -> f64 {
        self.share.unwrap_or(DEFAULT_SHARE)
    }

    /// A new option.
    pub fn into_new(self, key: Option<String>) -> NewOption {
        NewOption { default_percentage_allocation: self.new_share(), value: self.value(FeatureValue::default()), key }
    }

    /// A change of an option that has a value already. `key`: `None` leaves it as it is.
    pub fn into_change(self, value: &FeatureValue, key: Option<Option<String>>) -> OptionChange {
        let says_value =
            self.value_type.is_some() || self.integer.is_some() || self.string.is_some() || self.boolean.is_some();
        OptionChange {
            default_percentage_allocation: self.share,
            value: says_value.then(|| self.value(value.clone())),
            key,
        }
    }

    fn value(self, before: FeatureValue) -> FeatureValue {
        FeatureValue {
            value_type: self.value_type.unwrap_or(before.value_type),
            string_value: self.string.map_or(before.string_value, |string| string.map(Into::into)),
            integer_value: self.integer.unwrap_or(before.integer_value),
            boolean_value: self.boolean.unwrap_or(before.boolean_value),
        }
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
