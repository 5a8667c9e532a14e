//! The HTTP door, asked over real connections.

mod foundation;
mod idempotency;
mod reading;
mod server;
mod small_door;
