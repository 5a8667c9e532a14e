//! What a condition compares with: read once as each of the types that a trait can have.

use std::cmp::Ordering;

use semver::Version;

use super::context::ContextValue;
use super::numbers::{Integer, parse_python_float, parse_python_integer};

/// What marks a text as a version.
const VERSION_SUFFIX: &str = ":semver";

/// How a trait's value is compared with a condition's.
#[derive(Clone, Copy, Debug)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    GreaterThan,
    GreaterThanInclusive,
    LessThan,
    LessThanInclusive,
}

impl Comparison {
    /// Whether it holds for values in this order; values without an order, `NaN` among them, are only not equal.
    fn holds(self, order: Option<Ordering>) -> bool {
        match self {
            Self::Equal => order == Some(Ordering::Equal),
            Self::NotEqual => order != Some(Ordering::Equal),
            Self::GreaterThan => order == Some(Ordering::Greater),
            Self::GreaterThanInclusive => order.is_some_and(Ordering::is_ge),
            Self::LessThan => order == Some(Ordering::Less),
            Self::LessThanInclusive => order.is_some_and(Ordering::is_le),
        }
    }
}

/// The value of a condition as each type. Where it does not read as the type of the trait, nothing holds of it, not even
/// that it is different.
#[derive(Debug)]
pub(super) struct ComparedValue {
    text: Box<str>,
    integer: Option<Integer<'static>>,
    float: Option<f64>,
    version: Option<VersionText>,
}

/// A version, and what stood before the suffix.
#[derive(Debug)]
struct VersionText {
    version: Option<Version>,
    text: Box<str>,
}

impl ComparedValue {
    pub(super) fn new(text: &str) -> Self {
        let version = text
            .strip_suffix(VERSION_SUFFIX)
            .map(|version| VersionText { version: Version::parse(version).ok(), text: version.into() });
        Self { text: text.into(), integer: parse_python_integer(text), float: parse_python_float(text), version }
    }

    /// Compares a trait's value with this one, as the trait's type.
    pub(super) fn compare(&self, comparison: Comparison, value: &ContextValue<'_>) -> bool {
        match value {
            ContextValue::Text(text) => match &self.version {
                Some(VersionText { version, .. }) => version
                    .as_ref()
                    .zip(Version::parse(text).ok())
                    .is_some_and(|(own, other)| comparison.holds(Some(other.cmp_precedence(own)))),
                None => comparison.holds(Some(text.as_ref().cmp(&self.text))),
            },
            ContextValue::Integer(integer) => {
                self.integer.as_ref().is_some_and(|own| comparison.holds(Some(integer.cmp(own))))
            }
            ContextValue::Float(float) => self.float.is_some_and(|own| comparison.holds(float.partial_cmp(&own))),
            // All but `False` and `false` counts as true.
            ContextValue::Boolean(boolean) => {
                comparison.holds(Some(boolean.cmp(&!matches!(self.text.as_ref(), "False" | "false"))))
            }
        }
    }

    /// Whether a trait's text contains this one. A version contains its pre-release and its build metadata.
    pub(super) fn is_contained_in(&self, value: &ContextValue<'_>) -> bool {
        let ContextValue::Text(text) = value else { return false };
        match &self.version {
            Some(own) => Version::parse(text).is_ok_and(|version| {
                let is_part = |part: &str| !part.is_empty() && part == own.text.as_ref();
                is_part(version.pre.as_str()) || is_part(version.build.as_str())
            }),
            None => text.contains(self.text.as_ref()),
        }
    }
}
