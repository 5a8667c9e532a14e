//! Environments, a module a concept.

mod clone_batches;
mod clone_endings;
mod clone_requests;
mod feature_states;
mod identities;
mod identity_overrides;
mod import;
mod import_identities;
mod life;
mod multivariate;
mod permissions;
mod priorities;
mod segment_overrides;
mod server_keys;
mod while_creating;
