//! How times and numbers are written in pages.

use jiff::Timestamp;

/// A moment: exactly, and as it is shown until `modules/times.js` writes it in the viewer's time zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    /// As in RFC 3339, in UTC, to the millisecond.
    pub exact: String,
    /// To the minute, in UTC.
    pub short: String,
}

impl From<Timestamp> for Moment {
    fn from(time: Timestamp) -> Self {
        let exact = format!("{:.3}", time);
        let short = exact.get(..16).unwrap_or(&exact).replace('T', " ");
        Self { short: format!("{short} UTC"), exact }
    }
}

/// A number with a thin space between thousands, as in `81 233`.
#[must_use]
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 2);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

/// `one` or `many`, with the number before it.
#[must_use]
pub fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", grouped(number), if number == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_set_apart() {
        let shown = [0, 999, 1_000, 81_233, 1_234_567].map(grouped);
        assert_eq!(shown, ["0", "999", "1\u{202f}000", "81\u{202f}233", "1\u{202f}234\u{202f}567"]);
    }

    #[test]
    fn a_moment_is_shown_to_the_minute_and_kept_exactly() {
        let moment = Moment::from("2026-11-26T14:03:09.123456Z".parse::<Timestamp>().unwrap());
        assert_eq!(moment.exact, "2026-11-26T14:03:09.123Z");
        assert_eq!(moment.short, "2026-11-26 14:03 UTC");
    }
}
