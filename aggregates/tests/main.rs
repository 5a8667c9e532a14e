//! Proof of what the aggregates allow: given events, when a command, then events or a rejection.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod clone_reader;
mod environment;
mod events;
mod id_allocator;
mod organisation;
mod project;
mod streams;
mod support;
