//! What the tests from outside share.

pub mod builders;
pub mod client;
pub mod creating;
pub mod gated_log;
pub mod postgres;
pub mod postgres_server;
pub mod prepared;
pub mod process;
pub mod sample;
pub mod server;
pub mod store;
