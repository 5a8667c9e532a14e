//! Offshoot, the library: everything but the thin binary.

pub mod limits;
