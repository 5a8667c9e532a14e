//! A protocol double of KurrentDB: a process of its own that speaks KurrentDB's protocol over a socket, keeps what it is given on
//! disk, and does wrong what tests ask for. It is not KurrentDB: it knows what clients of an event log use, and nothing else.

#![allow(clippy::result_large_err, reason = "tonic's own error is what its services answer")]

pub mod client;
mod faults;
pub mod log;
mod messages;
pub mod process;
mod reads;
mod service;
