//! The HTTP door, asked over real connections.

mod api_keys;
mod audit;
mod audit_lines;
mod chosen_keys;
mod described;
mod environments;
mod feature_list;
mod feature_states;
mod features;
mod foundation;
mod idempotency;
mod identities;
mod metrics;
mod multivariate_options;
mod organisations;
mod permissions;
mod projections;
mod projects;
mod reading;
mod recorded;
mod renaming;
mod segments;
mod server;
mod server_keys;
mod small_door;
mod state_refusals;
