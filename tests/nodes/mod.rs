//! Several nodes on one PostgreSQL: whichever is asked, it is one Offshoot.

mod claiming;
pub mod migrating;
mod outage;
mod restoring;
mod sharing;
mod starting;
mod tls;
mod waiting;
