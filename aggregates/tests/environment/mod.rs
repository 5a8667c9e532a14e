//! Environments, a module a concept.

mod clone_batches;
mod clone_endings;
mod clone_requests;
mod feature_states;
mod import;
mod life;
mod multivariate;
mod permissions;
mod priorities;
mod segment_overrides;
mod while_creating;
