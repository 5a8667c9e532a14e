//! The HTTP door, asked over real connections.

mod api_keys;
mod chosen_keys;
mod environments;
mod foundation;
mod idempotency;
mod organisations;
mod permissions;
mod projections;
mod projects;
mod reading;
mod server;
mod small_door;
