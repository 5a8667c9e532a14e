//! Times, as Flagsmith shows them.

use jiff::Timestamp;

/// A time in UTC with microseconds, such as `2026-11-22T05:21:35.353922Z`.
#[must_use]
pub fn iso(time: Timestamp) -> String {
    format!("{time:.6}")
}
