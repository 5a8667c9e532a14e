//! A segment's condition, ready to be asked.

use offshoot_aggregates::ids::SegmentId;
use offshoot_aggregates::project::{SegmentCondition, SegmentOperator};

use super::bucketing::hashed_percentage;
use super::comparison::{ComparedValue, Comparison};
use super::context::ContextValue;
use super::numbers::{parse_python_float, python_modulo};
use super::pattern::Pattern;
use super::property::{Member, Property};
use super::value_list::ValueList;

/// A condition: what is asked, and of what.
#[derive(Debug)]
pub(super) struct CompiledCondition {
    pub(super) property: Property,
    question: Question,
}

/// What is asked. Where the condition's value makes no sense the question holds `None`, and the answer is no.
#[derive(Debug)]
enum Question {
    Compare(Comparison, ComparedValue),
    Contains(ComparedValue),
    NotContains(Box<str>),
    Regex(Option<Pattern>),
    PercentageSplit(Option<f64>),
    Modulo(Option<Modulo>),
    IsSet,
    IsNotSet,
    In(ValueList),
}

/// `divisor|remainder`
#[derive(Clone, Copy, Debug)]
struct Modulo {
    divisor: f64,
    remainder: f64,
}

impl CompiledCondition {
    pub(super) fn new(condition: &SegmentCondition) -> Self {
        use SegmentOperator as O;
        let value = condition.value.as_deref().unwrap_or_default();
        let compare = |comparison| Question::Compare(comparison, ComparedValue::new(value));
        let question = match condition.operator {
            O::Equal => compare(Comparison::Equal),
            O::NotEqual => compare(Comparison::NotEqual),
            O::GreaterThan => compare(Comparison::GreaterThan),
            O::GreaterThanInclusive => compare(Comparison::GreaterThanInclusive),
            O::LessThan => compare(Comparison::LessThan),
            O::LessThanInclusive => compare(Comparison::LessThanInclusive),
            O::Contains => Question::Contains(ComparedValue::new(value)),
            O::NotContains => Question::NotContains(value.into()),
            O::Regex => Question::Regex(Pattern::new(value)),
            O::PercentageSplit => Question::PercentageSplit(parse_python_float(value)),
            O::Modulo => Question::Modulo(Modulo::new(value)),
            O::IsSet => Question::IsSet,
            O::IsNotSet => Question::IsNotSet,
            O::In => Question::In(ValueList::new(value)),
        };
        Self { property: property(condition), question }
    }

    /// Whether it asks for a flag.
    pub(super) fn asks_for_flag(&self) -> bool {
        matches!(self.property.member, Some(Member::Flag(..)))
    }

    /// The answer for a property's value, `None` where the context does not have it.
    pub(super) fn holds(&self, value: Option<&ContextValue<'_>>, segment: SegmentId) -> bool {
        let Some(value) = value else { return matches!(self.question, Question::IsNotSet) };
        match &self.question {
            Question::Compare(comparison, compared) => compared.compare(*comparison, value),
            Question::Contains(compared) => compared.is_contained_in(value),
            Question::NotContains(part) => {
                matches!(value, ContextValue::Text(text) if !text.contains(part.as_ref()))
            }
            Question::Regex(pattern) => pattern.as_ref().is_some_and(|pattern| pattern.matches(value)),
            Question::PercentageSplit(share) => {
                share.is_some_and(|share| hashed_percentage(&[&segment, value]) <= share)
            }
            Question::Modulo(modulo) => modulo.is_some_and(|modulo| modulo.holds(value)),
            Question::IsSet => true,
            Question::IsNotSet => false,
            Question::In(list) => list.contains(value),
        }
    }
}

/// A percentage split without a property splits the identities by their keys.
fn property(condition: &SegmentCondition) -> Property {
    let name = condition.property.as_deref().unwrap_or_default();
    if name.is_empty() && condition.operator == SegmentOperator::PercentageSplit {
        return Property::identity_key();
    }
    Property::new(name)
}

impl Modulo {
    fn new(value: &str) -> Option<Self> {
        let (divisor, remainder) = value.split_once('|')?;
        Some(Self { divisor: parse_python_float(divisor)?, remainder: parse_python_float(remainder)? })
    }

    fn holds(self, value: &ContextValue<'_>) -> bool {
        let number = match value {
            ContextValue::Text(_) => None,
            ContextValue::Integer(integer) => integer.to_f64(),
            ContextValue::Float(float) => Some(*float),
            ContextValue::Boolean(boolean) => Some(f64::from(u8::from(*boolean))),
        };
        number.and_then(|number| python_modulo(number, self.divisor)).is_some_and(|rest| rest == self.remainder)
    }
}
