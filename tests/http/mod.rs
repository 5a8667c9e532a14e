//! The HTTP door, asked over real connections.

mod feature_list;
mod features;
mod foundation;
mod idempotency;
mod multivariate_options;
mod reading;
mod segments;
mod server;
mod small_door;
