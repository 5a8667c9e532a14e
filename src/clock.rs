//! The one place that reads the system's clock, besides the log, which stamps its events.

use jiff::{Timestamp, Unit};

/// Now, in whole microseconds: what every store can keep.
#[must_use]
pub fn now() -> Timestamp {
    let now = Timestamp::now();
    now.round(Unit::Microsecond).unwrap_or(now)
}
