//! Clones: what Offshoot promises of them, each promise broken by a clone that copies row by row.

mod agreement;
mod answers;
mod consistency;
mod failure;
mod following;
mod observed;
mod resting;
