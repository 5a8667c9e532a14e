//! The value of a feature state: as an object with a column for each type, and as the plain value that it stands for.

use offshoot_aggregates::environment::{FeatureValue, ValueType};
use offshoot_aggregates::limits::STRING_VALUE_CHARACTERS_MAX;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::http::field_errors::Messages;
use crate::http::fields::Fields;
use crate::http::kinds::{Characters, Kind, boolean, choice, integer, text};

/// A value with a column for each type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ValueObject {
    /// Which column is the effective value: `unicode`, `int` or `bool`. The others keep what they held before.
    #[serde(rename = "type")]
    #[schema(value_type = String)]
    pub value_type: ValueType,
    /// At most 20,000 characters.
    pub string_value: Option<String>,
    /// Of 32 bits.
    pub integer_value: Option<i32>,
    /// True or false.
    pub boolean_value: Option<bool>,
}

impl From<FeatureValue> for ValueObject {
    fn from(value: FeatureValue) -> Self {
        let FeatureValue { value_type, string_value, integer_value, boolean_value } = value;
        Self { value_type, string_value: string_value.map(Into::into), integer_value, boolean_value }
    }
}

/// The effective value by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(untagged)]
pub enum PlainValue {
    /// At most 20,000 characters.
    Text(String),
    /// Of 32 bits.
    Integer(i32),
    /// True or false.
    Boolean(bool),
    /// There is no value.
    Null,
}

impl From<FeatureValue> for PlainValue {
    fn from(value: FeatureValue) -> Self {
        let plain = match value.value_type {
            ValueType::Unicode => value.string_value.map(|text| Self::Text(text.into())),
            ValueType::Int => value.integer_value.map(Self::Integer),
            ValueType::Bool => value.boolean_value.map(Self::Boolean),
        };
        plain.unwrap_or(Self::Null)
    }
}

/// A text as a value holds it: as it is.
const TEXT: Characters = text(STRING_VALUE_CHARACTERS_MAX).verbatim();

/// A whole number as a value holds it.
#[derive(Clone, Copy, Debug)]
struct Integer32;

impl Kind for Integer32 {
    type Value = i32;

    fn read(&self, value: &Value) -> Result<i32, Messages> {
        let in_range = integer(i32::MIN.into(), i32::MAX.into()).read(value)?;
        Ok(i32::try_from(in_range).unwrap_or_default())
    }
}

/// A plain value: a text, a whole number or a boolean. Numbers that are not whole are taken as texts.
#[derive(Clone, Copy, Debug)]
struct Plain;

impl Kind for Plain {
    type Value = FeatureValue;
    const IS_TEXT: bool = true;

    fn read(&self, value: &Value) -> Result<FeatureValue, Messages> {
        match value {
            Value::Bool(boolean) => Ok(FeatureValue::boolean(*boolean)),
            Value::Number(number) if !number.is_f64() => Integer32.read(value).map(FeatureValue::integer),
            value => TEXT.read(value).map(|text| FeatureValue::text(Some(&text))),
        }
    }
}

/// Reads a field that holds a plain value, `null` for none.
pub fn read_plain(fields: &mut Fields, name: &'static str) -> Option<FeatureValue> {
    fields.nullable(name, Plain).map(Option::unwrap_or_default)
}

/// Reads the members of a value object. Columns that are missing are as those that are `null`; a type that is missing is
/// `default_type`.
pub fn read_columns(fields: &mut Fields, default_type: ValueType) -> FeatureValue {
    FeatureValue {
        value_type: fields.optional("type", choice()).unwrap_or(default_type),
        string_value: fields.nullable("string_value", TEXT).flatten().map(Into::into),
        integer_value: fields.nullable("integer_value", Integer32).flatten(),
        boolean_value: fields.nullable("boolean_value", boolean()).flatten(),
    }
}

#[cfg(test)]
mod tests {
    use offshoot_aggregates::environment::{FeatureValue, ValueType};
    use serde_json::{Value, json};

    use super::{PlainValue, ValueObject, read_columns, read_plain};
    use crate::http::fields::Fields;
    use crate::http::problem::Problem;

    fn plain(value: Value) -> Result<Option<FeatureValue>, Problem> {
        let members = json!({ "value": value }).as_object().cloned().unwrap_or_default();
        let mut fields = Fields::from_object(members);
        let value = read_plain(&mut fields, "value");
        fields.finish().map(|()| value)
    }

    #[test]
    fn a_plain_value_has_the_type_of_what_was_sent() {
        let text = |text| FeatureValue::text(Some(text));
        for (sent, read) in [
            (json!("hello"), text("hello")),
            (json!(" 7 "), text(" 7 ")),
            (json!(""), text("")),
            (json!(42), FeatureValue::integer(42)),
            (json!(i32::MIN), FeatureValue::integer(i32::MIN)),
            (json!(1.5), text("1.5")),
            (json!(true), FeatureValue::boolean(true)),
            (json!(null), FeatureValue::default()),
        ] {
            assert_eq!(plain(sent.clone()), Ok(Some(read)), "{sent}");
        }
    }

    #[test]
    fn what_is_no_plain_value_is_refused() {
        let refused = |text: &'static str| Err(Problem::field("value", text));
        assert_eq!(plain(json!({})), refused("Not a valid string."));
        assert_eq!(plain(json!([1])), refused("Not a valid string."));
        assert_eq!(plain(json!(1_i64 << 31)), refused("Ensure this value is less than or equal to 2147483647."));
        assert_eq!(plain(json!(u64::MAX)), refused("A valid integer is required."));
        let long = "x".repeat(20_001);
        assert_eq!(plain(json!(long)), refused("Ensure this field has no more than 20000 characters."));
    }

    #[test]
    fn the_column_that_the_type_names_is_the_effective_value() {
        let value =
            FeatureValue { value_type: ValueType::Int, integer_value: Some(7), ..FeatureValue::text(Some("a")) };
        let written = |value: FeatureValue| {
            let plain = serde_json::to_string(&PlainValue::from(value.clone())).unwrap();
            (plain, serde_json::to_string(&ValueObject::from(value)).unwrap())
        };
        let object = r#"{"type":"int","string_value":"a","integer_value":7,"boolean_value":null}"#;
        assert_eq!(written(value.clone()), ("7".to_owned(), object.to_owned()));
        let boolean = FeatureValue { value_type: ValueType::Bool, ..value };
        assert_eq!(written(boolean).0, "null");
    }

    #[test]
    fn columns_are_read_one_by_one() {
        let members = json!({ "type": "int", "integer_value": 7, "string_value": null }).as_object().cloned();
        let mut fields = Fields::from_object(members.unwrap_or_default());
        assert_eq!(read_columns(&mut fields, ValueType::Bool), FeatureValue::integer(7));
        let mut fields = Fields::from_object(serde_json::Map::new());
        let empty = FeatureValue { value_type: ValueType::Bool, ..FeatureValue::default() };
        assert_eq!(read_columns(&mut fields, ValueType::Bool), empty);
    }
}
