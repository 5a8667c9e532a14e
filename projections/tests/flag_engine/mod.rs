//! The flag engine: environments in, flags out.

mod allocations;
mod bucketing;
mod changes;
mod dependencies;
mod deviations;
mod operators;
mod oracle;
mod patterns;
mod precedence;
mod recorded;
mod rules;
mod scenario;
mod variants;
