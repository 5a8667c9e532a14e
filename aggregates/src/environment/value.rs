//! The value of a feature state, in the form that Flagsmith keeps it: a type, and a column for each type.

use serde::{Deserialize, Serialize};

use crate::limits::STRING_VALUE_CHARACTERS_MAX;
use crate::text::{TextError, check_text};

/// Which column of a [`FeatureValue`] is its effective value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ValueType {
    /// The text.
    #[default]
    #[serde(rename = "unicode")]
    Unicode,
    /// The integer.
    #[serde(rename = "int")]
    Int,
    /// The boolean.
    #[serde(rename = "bool")]
    Bool,
}

/// A value: the column that `type` names is the effective one, the others keep what they held before.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeatureValue {
    /// Which column is effective.
    #[serde(rename = "type")]
    pub value_type: ValueType,
    /// The text, at most [`STRING_VALUE_CHARACTERS_MAX`] characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub string_value: Option<Box<str>>,
    /// The integer, of 32 bits as in Flagsmith.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub integer_value: Option<i32>,
    /// The boolean.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boolean_value: Option<bool>,
}

impl FeatureValue {
    /// A text, or no value at all.
    #[must_use]
    pub fn text(text: Option<&str>) -> Self {
        Self { string_value: text.map(Into::into), ..Self::default() }
    }

    /// An integer.
    #[must_use]
    pub fn integer(integer: i32) -> Self {
        Self { value_type: ValueType::Int, integer_value: Some(integer), ..Self::default() }
    }

    /// A boolean.
    #[must_use]
    pub fn boolean(boolean: bool) -> Self {
        Self { value_type: ValueType::Bool, boolean_value: Some(boolean), ..Self::default() }
    }

    /// The value that a feature's `initial_value` stands for, by Flagsmith's rule: an integer if it reads as one of 32
    /// bits, a boolean if it is `true`, `True`, `false` or `False`, else a text.
    #[must_use]
    pub fn from_initial(initial: Option<&str>) -> Self {
        match initial {
            None => Self::default(),
            Some("true" | "True") => Self::boolean(true),
            Some("false" | "False") => Self::boolean(false),
            Some(text) => text.parse().map_or_else(|_| Self::text(Some(text)), Self::integer),
        }
    }

    /// Takes over a new effective value and leaves the other columns as they were.
    #[must_use]
    pub fn overwritten_by(&self, new: &Self) -> Self {
        Self {
            value_type: new.value_type,
            string_value: new
                .string_value
                .clone()
                .or_else(|| (new.value_type != ValueType::Unicode).then(|| self.string_value.clone()).flatten()),
            integer_value: new.integer_value.or(self.integer_value.filter(|_| new.value_type != ValueType::Int)),
            boolean_value: new.boolean_value.or(self.boolean_value.filter(|_| new.value_type != ValueType::Bool)),
        }
    }

    /// Checks the text.
    ///
    /// # Errors
    /// The text is too long or holds a NUL character.
    pub fn check(&self, field: &'static str) -> Result<(), TextError> {
        self.string_value.as_deref().map_or(Ok(()), |text| check_text(field, text, STRING_VALUE_CHARACTERS_MAX))
    }
}
