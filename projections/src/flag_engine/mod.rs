//! The flag engine: what a feature is for somebody, decided in memory from compiled environments. Pure: no I/O, no clock,
//! no chance.
//!
//! ```text
//! let mut environment = CompiledEnvironment::new(EnvironmentIdentity { api_key, name, use_identity_composite_key_for_hashing });
//! environment.insert_segment(&segment);                              // offshoot_aggregates::project::Segment
//! environment.insert_feature(Arc::new(CompiledFeature::new(FeatureDefinition { .. }, attachment)));
//! environment.insert_identity_override("somebody", feature_id, state);
//!
//! let context = Context { identity: Some(Identity::new("somebody")), traits: &[("plan", TraitValue::Text("gold"))] };
//! let mut evaluator = environment.evaluator(context);                // borrows; remembers which segments matched
//! for flag in evaluator.flags() { flag.enabled(), flag.value(), flag.variant_key(), flag.reason }
//! evaluator.flag_named("checkout");                                  // one feature
//! evaluator.is_in_segment(segment_id);
//! ```
//!
//! * [`CompiledEnvironment`] is made of shared parts: a clone of it costs next to nothing, and changing one feature of the
//!   clone copies a few pointers, however many features there are. Clone, change, swap.
//! * [`CompiledFeature`] carries an attachment of the caller's choice, such as rendered JSON. [`StateSource`] says which of
//!   the feature's states was taken, with its index, so that an attachment can hold something for each.
//! * The meaning is that of Flagsmith's own engine (Python, 11.1): the same value, variant and reason for the same input.
//!
//! The rules in short: an identity override wins over segment overrides, of which the one with the lowest priority number
//! wins (of equal ones that of the segment with the lowest id), over the environment's default. A multivariate state then
//! gives each identity one of its options, or the control value, by an MD5 hash of the state's seed and the identity's key.

mod bucketing;
mod comparison;
mod condition;
mod context;
mod environment;
mod evaluation;
mod evaluator;
mod feature;
mod flag_dependencies;
mod json_path;
mod membership;
mod numbers;
mod pattern;
mod property;
mod segment;
mod value_list;

pub use bucketing::hashed_percentage;
pub use context::{Context, Identity, TraitValue};
pub use environment::{CompiledEnvironment, EnvironmentIdentity};
pub use evaluation::{Evaluation, FlagValue, Reason, StateSource, Variant};
pub use evaluator::Evaluator;
pub use feature::{CompiledFeature, FeatureDefinition, SegmentState};
