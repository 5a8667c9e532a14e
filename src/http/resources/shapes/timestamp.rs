//! Times as the API shows them.

use jiff::Timestamp;
use jiff::fmt::temporal::DateTimePrinter;

const PRINTER: DateTimePrinter = DateTimePrinter::new().precision(Some(6));

/// A time in ISO 8601, in UTC, with microseconds: `2026-11-22T05:21:35.353922Z`.
#[must_use]
pub fn iso(time: Timestamp) -> String {
    PRINTER.timestamp_to_string(&time)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::iso;

    #[test]
    fn a_time_always_has_six_digits_after_the_second() {
        let text = |micros| iso(Timestamp::from_microsecond(micros).unwrap());
        assert_eq!(text(1_795_324_895_353_922), "2026-11-22T05:21:35.353922Z");
        assert_eq!(text(1_795_324_895_000_000), "2026-11-22T05:21:35.000000Z");
    }
}
