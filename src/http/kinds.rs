//! The kinds of values that fields hold: what they accept, and what they say when they don't, as Django REST framework
//! does, on which Flagsmith's clients rely.

use std::borrow::Cow;
use std::marker::PhantomData;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use offshoot_aggregates::text::{check_name, check_text};
use serde::de::DeserializeOwned;
use serde_json::{Number, Value};
use uuid::Uuid;

use super::field_errors::{FieldErrors, Messages};
use super::rejections::text_problem;

/// What a field may hold. `null` never comes here: [`Fields`](super::fields::Fields) decides about it.
pub trait Kind {
    /// What it is read as.
    type Value;

    /// Whether an empty text is a value; in a form, it is otherwise no value at all.
    const IS_TEXT: bool = false;

    /// Whether a repeated form field is a value; otherwise the last one counts.
    const IS_LIST: bool = false;

    /// Reads a value.
    ///
    /// # Errors
    /// What is wrong with it.
    fn read(&self, value: &Value) -> Result<Self::Value, Messages>;
}

/// What Python calls the value's type, as Flagsmith's texts do.
pub(super) fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "NoneType",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float",
        Value::Number(_) => "int",
        Value::String(_) => "str",
        Value::Array(_) => "list",
        Value::Object(_) => "dict",
    }
}

/// A text; see [`text`].
#[derive(Clone, Copy, Debug)]
pub struct Characters {
    max: usize,
    may_be_blank: bool,
    trimmed: bool,
    takes_booleans: bool,
}

/// A text of at most `max` characters that may not be blank. White space around it is cut off; numbers are taken as texts.
#[must_use]
pub const fn text(max: usize) -> Characters {
    Characters { max, may_be_blank: false, trimmed: true, takes_booleans: false }
}

impl Characters {
    /// It may be empty.
    #[must_use]
    pub const fn or_blank(self) -> Self {
        Self { may_be_blank: true, ..self }
    }

    /// White space around it stays, and makes no text blank that is longer than nothing.
    #[must_use]
    pub const fn verbatim(self) -> Self {
        Self { trimmed: false, may_be_blank: true, ..self }
    }

    /// Booleans are taken as texts too, written as Python writes them: `True` and `False`.
    #[must_use]
    pub const fn or_boolean(self) -> Self {
        Self { takes_booleans: true, ..self }
    }
}

impl Kind for Characters {
    type Value = String;
    const IS_TEXT: bool = true;

    fn read(&self, value: &Value) -> Result<String, Messages> {
        let text: Cow<'_, str> = match value {
            Value::String(text) if self.trimmed => text.trim().into(),
            Value::String(text) => text.into(),
            Value::Number(number) => number.to_string().into(),
            Value::Bool(value) if self.takes_booleans => if *value { "True" } else { "False" }.into(),
            _ => return Err(Messages::text("Not a valid string.")),
        };
        // The field's name in the error is not used: what is wrong is reported under the name in the body.
        let checked = if self.may_be_blank { check_text("", &text, self.max) } else { check_name("", &text, self.max) };
        match checked {
            Ok(()) => Ok(text.into_owned()),
            Err(error) => Err(Messages::text(text_problem(error.problem))),
        }
    }
}

/// A yes or no; see [`boolean`].
#[derive(Clone, Copy, Debug)]
pub struct Boolean;

/// `true` or `false`, also as 1 or 0 or one of the usual words.
#[must_use]
pub const fn boolean() -> Boolean {
    Boolean
}

impl Kind for Boolean {
    type Value = bool;

    fn read(&self, value: &Value) -> Result<bool, Messages> {
        let word = match value {
            Value::Bool(value) => return Ok(*value),
            Value::Number(number) => match number.as_f64() {
                Some(1.0) => "1".to_owned(),
                Some(0.0) => "0".to_owned(),
                _ => String::new(),
            },
            Value::String(text) => text.trim().to_ascii_lowercase(),
            _ => String::new(),
        };
        match word.as_str() {
            "t" | "y" | "yes" | "true" | "on" | "1" => Ok(true),
            "f" | "n" | "no" | "false" | "off" | "0" => Ok(false),
            _ => Err(Messages::text("Must be a valid boolean.")),
        }
    }
}

/// A whole number; see [`integer`].
#[derive(Clone, Copy, Debug)]
pub struct Integer {
    min: i64,
    max: i64,
}

/// A whole number from `min` to `max`, also as a text, also written as `4.0`.
#[must_use]
pub const fn integer(min: i64, max: i64) -> Integer {
    Integer { min, max }
}

impl Kind for Integer {
    type Value = i64;

    fn read(&self, value: &Value) -> Result<i64, Messages> {
        let number = whole(value).ok_or_else(|| Messages::text("A valid integer is required."))?;
        check_range(number, self.min, self.max)
    }
}

fn whole(value: &Value) -> Option<i64> {
    // Beyond 2^53 a float no longer says which whole number was meant.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    #[allow(clippy::cast_possible_truncation, reason = "whole and small enough")]
    let from_float = |float: f64| (float.fract() == 0.0 && float.abs() <= EXACT).then_some(float as i64);
    match value {
        Value::Number(number) => {
            number.as_i64().or_else(|| number.as_f64().filter(|_| number.is_f64()).and_then(from_float))
        }
        Value::String(text) => {
            let text = text.trim();
            let digits = text
                .split_once('.')
                .map_or(text, |(digits, zeros)| if zeros.bytes().all(|byte| byte == b'0') { digits } else { text });
            digits.parse().ok()
        }
        _ => None,
    }
}

fn check_range<T: PartialOrd + std::fmt::Display>(number: T, min: T, max: T) -> Result<T, Messages> {
    if number < min {
        return Err(Messages::text(format!("Ensure this value is greater than or equal to {min}.")));
    }
    if number > max {
        return Err(Messages::text(format!("Ensure this value is less than or equal to {max}.")));
    }
    Ok(number)
}

/// A number; see [`number`].
#[derive(Clone, Copy, Debug)]
pub struct Float {
    min: f64,
    max: f64,
}

/// A finite number from `min` to `max`, also as a text.
#[must_use]
pub const fn number(min: f64, max: f64) -> Float {
    Float { min, max }
}

impl Kind for Float {
    type Value = f64;

    fn read(&self, value: &Value) -> Result<f64, Messages> {
        let number = match value {
            Value::Number(number) => Number::as_f64(number),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        let finite = number.filter(|number| number.is_finite());
        check_range(finite.ok_or_else(|| Messages::text("A valid number is required."))?, self.min, self.max)
    }
}

/// The integer id of a related thing; see [`id`].
#[derive(Clone, Copy, Debug)]
pub struct Id;

/// The integer id of a related thing. Whether that thing exists is not known here.
#[must_use]
pub const fn id() -> Id {
    Id
}

impl Kind for Id {
    type Value = i64;

    fn read(&self, value: &Value) -> Result<i64, Messages> {
        whole(value)
            .ok_or_else(|| Messages::text(format!("Incorrect type. Expected pk value, received {}.", type_name(value))))
    }
}

/// A UUID; see [`uuid()`].
#[derive(Clone, Copy, Debug)]
pub struct UuidText;

/// A UUID in one of its usual forms.
#[must_use]
pub const fn uuid() -> UuidText {
    UuidText
}

impl Kind for UuidText {
    type Value = Uuid;

    fn read(&self, value: &Value) -> Result<Uuid, Messages> {
        let parsed = value.as_str().and_then(|text| Uuid::parse_str(text).ok());
        parsed.ok_or_else(|| Messages::text("Must be a valid UUID."))
    }
}

/// A moment; see [`moment`].
#[derive(Clone, Copy, Debug)]
pub struct Moment;

/// A moment in ISO 8601, in UTC where it has no offset; in whole microseconds, as far as every store can keep it.
#[must_use]
pub const fn moment() -> Moment {
    Moment
}

impl Kind for Moment {
    type Value = Timestamp;

    fn read(&self, value: &Value) -> Result<Timestamp, Messages> {
        let text = value.as_str().map(str::trim).unwrap_or_default();
        let local = || text.parse::<DateTime>().and_then(|time| TimeZone::UTC.to_timestamp(time));
        let parsed = text.parse::<Timestamp>().or_else(|_| local());
        let whole = parsed.and_then(|time| Timestamp::from_microsecond(time.as_microsecond()));
        whole.map_err(|_| {
            let format = "YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z]";
            Messages::text(format!("Datetime has wrong format. Use one of these formats instead: {format}."))
        })
    }
}

/// One of a few names; see [`choice`].
#[derive(Clone, Copy, Debug)]
pub struct Choice<T>(PhantomData<T>);

/// One of the names by which serde knows the variants of `T`.
#[must_use]
pub const fn choice<T: DeserializeOwned>() -> Choice<T> {
    Choice(PhantomData)
}

impl<T: DeserializeOwned> Kind for Choice<T> {
    type Value = T;

    fn read(&self, value: &Value) -> Result<T, Messages> {
        T::deserialize(value).map_err(|_| {
            let sent = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            Messages::text(format!("\"{sent}\" is not a valid choice."))
        })
    }
}

/// A list of values of one kind; see [`list`].
#[derive(Clone, Copy, Debug)]
pub struct List<K>(K);

/// A list of values of one kind, in a form the repeated field.
#[must_use]
pub const fn list<K: Kind>(kind: K) -> List<K> {
    List(kind)
}

impl<K: Kind> Kind for List<K> {
    type Value = Vec<K::Value>;
    const IS_LIST: bool = true;

    fn read(&self, value: &Value) -> Result<Self::Value, Messages> {
        let Value::Array(items) = value else {
            let text = format!("Expected a list of items but got type \"{}\".", type_name(value));
            return Err(Messages::text(text));
        };
        let mut values = Vec::with_capacity(items.len());
        let mut errors = FieldErrors::default();
        for (index, item) in items.iter().enumerate() {
            match self.0.read(item) {
                Ok(value) => values.push(value),
                Err(messages) => errors.add(index.to_string(), messages),
            }
        }
        if errors.is_empty() { Ok(values) } else { Err(Messages::Fields(errors)) }
    }
}
