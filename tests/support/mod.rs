//! What the tests from outside share.

pub mod builders;
pub mod client;
pub mod creating;
pub mod server;
