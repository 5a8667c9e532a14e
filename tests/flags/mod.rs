//! Flags as applications ask for them, over real connections.

mod analytics;
mod application;
mod changes;
mod conditional;
mod creating;
mod document;
mod environment_flags;
mod identities;
mod ofrep;
mod ofrep_context;
mod ofrep_streams;
mod refused;
mod streams;
mod traits;
mod variants;
