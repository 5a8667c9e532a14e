//! The value of a trait as a request has it, borrowed from the request's body where that is possible.

use std::borrow::Cow;
use std::fmt;

use offshoot_projections::flag_engine::TraitValue;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::limits::TRAIT_VALUE_CHARACTERS_MAX;

/// The value of a trait as a request has it.
#[derive(Clone, Debug, PartialEq)]
pub enum RequestedValue<'a> {
    /// There is no such trait.
    Null,
    /// A text; also the digits of a whole number that is too big.
    Text(Cow<'a, str>),
    /// A whole number.
    Integer(i64),
    /// A number with a fraction.
    Float(f64),
    /// True or false.
    Boolean(bool),
}

impl RequestedValue<'_> {
    /// The value for the engine.
    #[must_use]
    pub fn for_engine(&self) -> TraitValue<'_> {
        match self {
            Self::Null => TraitValue::Null,
            Self::Text(text) => TraitValue::Text(text),
            Self::Integer(integer) => TraitValue::Integer(*integer),
            Self::Float(float) => TraitValue::Float(*float),
            Self::Boolean(boolean) => TraitValue::Boolean(*boolean),
        }
    }

    /// Writes it as JSON.
    pub fn write(&self, out: &mut Vec<u8>) {
        // Writing into memory cannot fail.
        let _ = match self {
            Self::Null => serde_json::to_writer(out, &()),
            Self::Text(text) => serde_json::to_writer(out, text.as_ref()),
            Self::Integer(integer) => serde_json::to_writer(out, integer),
            Self::Float(float) => serde_json::to_writer(out, float),
            Self::Boolean(boolean) => serde_json::to_writer(out, boolean),
        };
    }

    /// Whether it is a text that is longer than one may be.
    #[must_use]
    pub fn is_too_long(&self) -> bool {
        // Nearly all texts are short in bytes already.
        let max = TRAIT_VALUE_CHARACTERS_MAX;
        matches!(self, Self::Text(text) if text.len() > max && text.chars().count() > max)
    }

    /// What Python writes for it: Flagsmith names anonymous identities by a hash of this.
    #[must_use]
    pub fn as_python(&self) -> Cow<'_, str> {
        match self {
            Self::Null => "None".into(),
            Self::Text(text) => text.as_ref().into(),
            Self::Integer(integer) => integer.to_string().into(),
            Self::Float(float) => serde_json::to_string(float).unwrap_or_default().into(),
            Self::Boolean(true) => "True".into(),
            Self::Boolean(false) => "False".into(),
        }
    }
}

impl From<Value> for RequestedValue<'_> {
    fn from(value: Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(boolean) => Self::Boolean(boolean),
            Value::String(text) => Self::Text(Cow::Owned(text)),
            Value::Number(number) => match (number.as_i64(), number.as_f64()) {
                (Some(integer), _) => Self::Integer(integer),
                (None, Some(float)) if number.is_f64() => Self::Float(float),
                _ => Self::Text(Cow::Owned(number.to_string())),
            },
            // Flagsmith takes any other value for a text.
            other => Self::Text(Cow::Owned(other.to_string())),
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for RequestedValue<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = RequestedValue<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(RequestedValue::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(RequestedValue::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_i64<E: Error>(self, integer: i64) -> Result<Self::Value, E> {
        Ok(RequestedValue::Integer(integer))
    }

    fn visit_u64<E: Error>(self, integer: u64) -> Result<Self::Value, E> {
        let digits = || RequestedValue::Text(Cow::Owned(integer.to_string()));
        Ok(i64::try_from(integer).map_or_else(|_| digits(), RequestedValue::Integer))
    }

    fn visit_f64<E: Error>(self, float: f64) -> Result<Self::Value, E> {
        Ok(RequestedValue::Float(float))
    }

    fn visit_bool<E: Error>(self, boolean: bool) -> Result<Self::Value, E> {
        Ok(RequestedValue::Boolean(boolean))
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(RequestedValue::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Self::Value, A::Error> {
        Value::deserialize(SeqAccessDeserializer::new(items)).map(RequestedValue::from)
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Self::Value, A::Error> {
        Value::deserialize(MapAccessDeserializer::new(members)).map(RequestedValue::from)
    }
}

/// A text that borrows from the body if nothing in it was escaped.
#[derive(Debug)]
pub struct BorrowedText<'a>(pub Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for BorrowedText<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(TextVisitor)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = BorrowedText<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(BorrowedText(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(BorrowedText(Cow::Owned(text.to_owned())))
    }
}
