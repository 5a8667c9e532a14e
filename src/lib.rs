//! Offshoot, the library: everything but the thin binary.

pub mod background;
pub mod cli;
pub mod clock;
pub mod clone_switch;
pub mod commands;
pub mod config;
pub mod console;
pub mod event_feed;
pub mod event_log;
pub mod fault_points;
pub mod flags;
pub mod http;
pub mod import;
pub mod limits;
pub mod node;
pub mod outage;
pub mod read_models;
pub mod secrets;
pub mod server;
pub mod starting;
pub mod telemetry;
pub mod workers;
