//! Offshoot, the library: everything but the thin binary.

pub mod event_log;
pub mod fault_points;
pub mod limits;
