//! What a feature is for somebody, and why.

use std::fmt;

use offshoot_aggregates::environment::{FeatureState, FeatureValue, SegmentLink, ValueType};
use offshoot_aggregates::project::MultivariateOption;

use super::feature::CompiledFeature;
use super::numbers::PythonFloat;

/// What a feature is for somebody. It borrows from the environment.
#[derive(Debug)]
pub struct Evaluation<'e, A = ()> {
    /// The feature.
    pub feature: &'e CompiledFeature<A>,
    /// Which of its states was taken.
    pub source: StateSource<'e>,
    /// That state.
    pub state: &'e FeatureState,
    /// Which of the state's variants was taken.
    pub variant: Variant<'e>,
    /// Why it is so.
    pub reason: Reason<'e>,
}

/// Which of a feature's states was taken.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum StateSource<'e> {
    /// The environment's default.
    Default,
    /// A segment override.
    SegmentOverride {
        /// The segment and the priority.
        link: &'e SegmentLink,
        /// Its place in [`CompiledFeature::overrides`].
        index: usize,
    },
    /// An override for this identity.
    IdentityOverride,
}

/// Which of a state's variants was taken.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Variant<'e> {
    /// The state has none, or there is no identity to choose one for: it is the state's own value.
    None,
    /// The share that is left over by the options: the state's own value.
    Control,
    /// An option.
    Option {
        /// The option.
        option: &'e MultivariateOption,
        /// Its place in [`CompiledFeature::options`].
        index: usize,
    },
}

/// Why a feature is what it is; the text is Flagsmith's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Reason<'e> {
    /// It is the same for everybody.
    Static,
    /// There are overrides, but none applies.
    Default,
    /// A segment override applies.
    Segment {
        /// The segment's name.
        name: &'e str,
    },
    /// An identity override applies.
    IdentityOverride,
    /// One of the options was chosen by the identity's hash, of whichever state.
    Split {
        /// The option's share, in percent.
        weight: f64,
    },
    /// A segment asks for the flag on which it depends itself; its overrides do not apply.
    CircularDependency,
}

impl fmt::Display for Reason<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Static => f.write_str("STATIC"),
            Self::Default => f.write_str("DEFAULT"),
            Self::Segment { name } => write!(f, "TARGETING_MATCH; segment={name}"),
            Self::IdentityOverride => f.write_str("TARGETING_MATCH; segment=identity_overrides"),
            Self::Split { weight } => write!(f, "SPLIT; weight={}", PythonFloat(*weight)),
            Self::CircularDependency => f.write_str("ERROR; code=CIRCULAR_DEPENDENCY"),
        }
    }
}

/// A feature's effective value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlagValue<'e> {
    /// There is none.
    Null,
    /// A text.
    Text(&'e str),
    /// An integer.
    Integer(i32),
    /// True or false.
    Boolean(bool),
}

impl<'e> From<&'e FeatureValue> for FlagValue<'e> {
    fn from(value: &'e FeatureValue) -> Self {
        match value.value_type {
            ValueType::Unicode => value.string_value.as_deref().map_or(Self::Null, Self::Text),
            ValueType::Int => value.integer_value.map_or(Self::Null, Self::Integer),
            ValueType::Bool => value.boolean_value.map_or(Self::Null, Self::Boolean),
        }
    }
}

impl<'e, A> Evaluation<'e, A> {
    /// Whether the feature is on.
    #[must_use]
    pub fn enabled(&self) -> bool {
        self.state.content.enabled
    }

    /// The value, with a column for each type.
    #[must_use]
    pub fn feature_value(&self) -> &'e FeatureValue {
        match self.variant {
            Variant::Option { option, .. } => &option.value,
            Variant::None | Variant::Control => &self.state.content.value,
        }
    }

    /// The effective value.
    #[must_use]
    pub fn value(&self) -> FlagValue<'e> {
        self.feature_value().into()
    }

    /// The variant's name: the option's key if it has one, `control` for the control value, else none.
    #[must_use]
    pub fn variant_key(&self) -> Option<&'e str> {
        match self.variant {
            Variant::None => None,
            Variant::Control => Some("control"),
            Variant::Option { option, .. } => option.key.as_deref(),
        }
    }
}
