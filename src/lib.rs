//! Offshoot, the library: everything but the thin binary.

pub mod clock;
pub mod commands;
pub mod event_log;
pub mod limits;
pub mod secrets;
