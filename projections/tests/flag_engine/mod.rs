//! The flag engine: environments in, flags out.

mod bucketing;
mod operators;
mod precedence;
mod scenario;
mod variants;
