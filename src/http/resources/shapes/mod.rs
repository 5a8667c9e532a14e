//! Forms that several resources show: each is written once.

pub mod timestamp;
