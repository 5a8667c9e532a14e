//! Flagsmith's own engines, compared with ours.

mod case;
mod generator;
mod patterns;
mod python;
mod rust_crate;
mod speed;
mod texts;

pub use case::plain;
