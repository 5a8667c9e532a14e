//! The real binary, killed, stopped and starved at every moment that counts: it goes on where it was, and nothing is lost,
//! doubled or half done.

pub mod api;
mod disk;
#[cfg(feature = "fault-points")]
mod first_start;
#[cfg(feature = "fault-points")]
mod killed_at_fault_points;
pub mod killed_at_random;
#[cfg(feature = "fault-points")]
mod killed_while_flags_change;
#[cfg(feature = "fault-points")]
mod killed_while_named;
#[cfg(feature = "fault-points")]
mod killed_while_projecting;
#[cfg(feature = "fault-points")]
mod killed_while_requested;
mod stopping;
pub mod verdict;
