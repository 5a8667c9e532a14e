//! The flag engine: environments in, flags out.

mod bucketing;
mod dependencies;
mod operators;
mod oracle;
mod patterns;
mod precedence;
mod rules;
mod scenario;
mod variants;
