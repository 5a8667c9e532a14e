//! What Offshoot's readers see: events become read models, each one SQLite file that can be deleted and comes back the same.
//!
//! One read model a file: its tables, its fold and its queries. `projection` holds what they share: how a batch of events
//! is applied together with the checkpoint, in one transaction.

pub mod access;
pub mod audit_log;
mod columns;
pub mod digest;
pub mod environment_status;
pub mod feature_states;
pub mod features;
pub mod flag_engine;
mod lists;
pub mod projection;

pub use lists::Page;
pub use projection::{
    ApplyError, ParkedEvent, Projection, apply, is_caught_up, mark_caught_up, open, parked, position,
};
