//! The flag engine: environments in, flags out.

mod bucketing;
mod operators;
mod oracle;
mod precedence;
mod scenario;
mod variants;
