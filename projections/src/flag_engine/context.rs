//! Who asks: an identity, its traits, and the values that conditions see of them.

use std::borrow::Cow;
use std::fmt;

use super::numbers::{Integer, PythonFloat, parse_trait_float, parse_trait_integer};

/// Whom the flags are evaluated for. It borrows everything and is cheap to copy.
#[derive(Clone, Copy, Debug, Default)]
pub struct Context<'a> {
    /// Who it is; without it nothing is split by percentage and no identity override applies.
    pub identity: Option<Identity<'a>>,
    /// What is known of them, by key. Of several with the same key the last one counts.
    pub traits: &'a [(&'a str, TraitValue<'a>)],
}

/// An identity.
#[derive(Clone, Copy, Debug)]
pub struct Identity<'a> {
    /// What the client calls it.
    pub identifier: &'a str,
    /// Its integer id, which environments that do not hash with composite keys hash with instead.
    pub id: Option<i64>,
}

impl<'a> Identity<'a> {
    /// An identity that has only an identifier.
    #[must_use]
    pub fn new(identifier: &'a str) -> Self {
        Self { identifier, id: None }
    }
}

/// The value of a trait, of the type that the client gave it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum TraitValue<'a> {
    /// As if the trait were not there.
    Null,
    /// A text. One that is the digits of a number, such as `-12` or `1.50`, counts as that number, as in Flagsmith. So an
    /// integer outside of `i64` can be given as its digits.
    Text(&'a str),
    /// An integer.
    Integer(i64),
    /// A number that is written with a fraction or an exponent.
    Float(f64),
    /// True or false.
    Boolean(bool),
}

/// Traits that are found one after the other; more are found by a sorted index.
const UNSORTED_TRAITS_MAX: usize = 16;

/// The traits of a context, to be found by their keys.
#[derive(Debug)]
pub(super) struct Traits<'a> {
    traits: &'a [(&'a str, TraitValue<'a>)],
    /// The places of the traits, in order of their keys; of several with one key in the order in which they came.
    sorted: Vec<usize>,
}

impl<'a> Traits<'a> {
    pub(super) fn new(traits: &'a [(&'a str, TraitValue<'a>)]) -> Self {
        let mut sorted = Vec::new();
        if traits.len() > UNSORTED_TRAITS_MAX {
            sorted.extend(0..traits.len());
            sorted.sort_by_key(|place| traits[*place].0);
        }
        Self { traits, sorted }
    }

    /// The last one with this key.
    pub(super) fn get(&self, name: &str) -> Option<TraitValue<'a>> {
        if self.traits.len() <= UNSORTED_TRAITS_MAX {
            return self.traits.iter().rev().find(|(key, _)| *key == name).map(|(_, value)| *value);
        }
        let end = self.sorted.partition_point(|place| self.traits[*place].0 <= name);
        let (key, value) = self.traits[*self.sorted.get(end.checked_sub(1)?)?];
        (key == name).then_some(value)
    }
}

/// A value as conditions see it: texts that are numbers have become numbers.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum ContextValue<'a> {
    Text(Cow<'a, str>),
    Integer(Integer<'a>),
    Float(f64),
    Boolean(bool),
}

impl<'a> ContextValue<'a> {
    /// What a text counts as.
    pub(super) fn from_text(text: &'a str) -> Self {
        // Nearly all texts that are no numbers differ from one in the first byte.
        if !text.starts_with(|first: char| first == '-' || first.is_ascii_digit()) {
            return Self::Text(Cow::Borrowed(text));
        }
        if let Some(integer) = parse_trait_integer(text) {
            return Self::Integer(integer);
        }
        parse_trait_float(text).map_or(Self::Text(Cow::Borrowed(text)), Self::Float)
    }

    /// What a trait counts as; `None` if it is null.
    pub(super) fn from_trait(value: TraitValue<'a>) -> Option<Self> {
        Some(match value {
            TraitValue::Null => return None,
            TraitValue::Text(text) => Self::from_text(text),
            TraitValue::Integer(integer) => Self::Integer(Integer::Small(integer)),
            TraitValue::Float(float) => Self::Float(float),
            TraitValue::Boolean(boolean) => Self::Boolean(boolean),
        })
    }
}

/// The text that is hashed and matched: Python's `str` of the value.
impl fmt::Display for ContextValue<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Integer(integer) => integer.fmt(f),
            Self::Float(float) => PythonFloat(*float).fmt(f),
            Self::Boolean(true) => f.write_str("True"),
            Self::Boolean(false) => f.write_str("False"),
        }
    }
}
