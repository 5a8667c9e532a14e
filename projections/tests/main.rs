//! The tests of the read models: events in, rows out.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod access;
mod audit_log;
mod batching;
mod clone_progress;
mod cloned_states;
mod default_states;
mod environments;
mod every_event;
mod features;
mod flag_engine;
mod folding;
mod history;
mod house;
mod house_identities;
mod identities;
mod segment_overrides;
mod segments;
mod served_versions;
mod server_keys;
mod state_queries;
