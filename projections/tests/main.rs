//! The tests of the read models: events in, rows out.

mod access;
mod features;
mod history;
mod segments;
