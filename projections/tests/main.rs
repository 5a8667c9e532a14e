//! The tests of the read models: events in, rows out.

mod access;
mod audit_log;
mod batching;
mod every_event;
mod features;
mod history;
mod segments;
