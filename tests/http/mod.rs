//! The HTTP door, asked over real connections.

mod foundation;
mod idempotency;
mod reading;
mod small_door;
