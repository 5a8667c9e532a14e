//! Everything that is tested from outside, in one binary: real files, real SQLite, real HTTP, real processes.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, reason = "these are tests")]

mod clients;
mod clone;
mod cluster;
mod commands;
mod console;
mod contract;
mod crash;
mod double;
mod flags;
mod http;
mod import;
mod layout;
mod nodes;
mod projecting;
mod support;
