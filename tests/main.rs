//! The one binary of the tests that need more than one crate: real files, real SQLite, real processes.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

mod contract;
