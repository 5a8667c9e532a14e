//! The HTTP door: translates requests into commands and queries, and what comes of them into answers. It decides nothing.
//!
//! `router` puts it together. A request passes `envelope` (its id, log line, metrics, headers), authentication and
//! `idempotency`, and reaches the file of its resource, which reads it with `body`, `fields` and `pagination` and answers
//! with an `answer::Answer` or a `problem::Problem`.
//!
//! Requests for flags take the short way: `lean` surrounds them, and `sdk` and `ofrep` answer them from memory.

pub mod answer;
pub mod body;
mod change_stream;
mod conditional;
pub mod cookie_session;
pub mod detached;
pub mod ended_sessions;
pub mod envelope;
pub mod field_errors;
pub mod fields;
mod freshness;
mod gate;
pub mod health;
pub mod idempotency;
pub mod kinds;
mod lean;
pub mod ofrep;
pub mod openapi;
pub mod operational;
pub mod pagination;
pub mod problem;
pub mod rejections;
pub mod request_context;
mod requested_value;
mod resources;
pub mod router;
mod sdk;
mod serve;
pub mod session;
pub mod state;

pub use gate::Gate;
pub use serve::{DoorError, door, serve};
pub use state::AppState;
