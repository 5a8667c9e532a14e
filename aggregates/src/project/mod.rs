//! A project: its features and segments, the names of its environments, and who may do what in it.

mod aggregate;
mod apply;
mod commands;
mod decide;
mod error;
mod events;
mod feature_names;
mod features;
mod segments;
mod settings;

pub use aggregate::{EnvironmentReservation, ImplicitState, Project};
pub use commands::{FeatureChange, OptionChange, OptionEdit, ProjectCommand};
pub use error::ProjectError;
pub use events::{ProjectEvent, ReservationPurpose};
pub use features::{Feature, FeatureDefinition, FeatureType, MultivariateOption};
pub use segments::{Segment, SegmentCondition, SegmentOperator, SegmentRule, SegmentRuleType};
pub use settings::ProjectSettings;
