//! Offshoot, the library: everything but the thin binary.

pub mod http;
pub mod limits;
pub mod telemetry;
