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
//!
//! # Where it differs from Flagsmith's engine
//!
//! On purpose, each with a test:
//!
//! * What makes Flagsmith's engine fail matches nobody here: a pattern that is none, a modulo of zero or of an integer greater
//!   than any float.
//! * Nothing runs away. Patterns are matched in linear time, or given up after so many steps of back-tracking; segments that
//!   ask for flags which ask for each other are followed only so far and so deep (`flag_dependencies`).
//! * Some patterns are not supported and match nobody (`pattern::translation`); `\b` takes marks for parts of words.
//! * Of JSON paths those that are names only have a value, of `$.environment`, `$.identity`, `$.flags.NAME` and
//!   `$.features.NAME`; wildcards, indexes and filters have none, nor has `$.segments`.
//! * Numbers in conditions are written in ASCII digits, and those of versions fit 64 bits. JSON lists are JSON, without
//!   `NaN`, and lists in lists have no text.
//! * An identity override is found by exactly its identifier. Flagsmith's SDKs compare it as a trait, so that `007` has the
//!   overrides of `7`, and `1.50` none.
//! * Traits count without an identity. A condition without a value compares with the empty text, not with `None`.

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
pub use segment::CompiledSegment;
