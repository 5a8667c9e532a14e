//! Numbers as Flagsmith's engine reads and writes them, which is Python's way: integers of any size, `1_000`, `1e+16`.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;

/// An integer of any size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Integer<'a> {
    Small(i64),
    /// One outside of `i64`: its digits, without zeros before them.
    Big {
        negative: bool,
        digits: Cow<'a, str>,
    },
}

impl<'a> Integer<'a> {
    /// An integer from ASCII digits.
    fn from_digits(negative: bool, digits: Cow<'a, str>) -> Self {
        let small = digits.bytes().try_fold(0_i64, |number, digit| {
            let digit = i64::from(digit - b'0');
            let number = number.checked_mul(10)?;
            if negative { number.checked_sub(digit) } else { number.checked_add(digit) }
        });
        if let Some(small) = small {
            return Self::Small(small);
        }
        let digits = match digits {
            Cow::Borrowed(digits) => Cow::Borrowed(digits.trim_start_matches('0')),
            Cow::Owned(digits) => Cow::Owned(digits.trim_start_matches('0').to_owned()),
        };
        Self::Big { negative, digits }
    }

    /// The nearest `f64`; `None` if it is beyond the greatest one.
    pub(super) fn to_f64(&self) -> Option<f64> {
        match self {
            Self::Small(small) => Some(*small as f64),
            Self::Big { negative, digits } => {
                let magnitude: f64 = digits.parse().ok().filter(|float: &f64| float.is_finite())?;
                Some(if *negative { -magnitude } else { magnitude })
            }
        }
    }
}

impl Ord for Integer<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Small(one), Self::Small(other)) => one.cmp(other),
            (Self::Small(_), Self::Big { negative, .. }) => {
                if *negative {
                    Ordering::Greater
                } else {
                    Ordering::Less
                }
            }
            (Self::Big { negative, .. }, Self::Small(_)) => {
                if *negative {
                    Ordering::Less
                } else {
                    Ordering::Greater
                }
            }
            (Self::Big { negative: true, .. }, Self::Big { negative: false, .. }) => Ordering::Less,
            (Self::Big { negative: false, .. }, Self::Big { negative: true, .. }) => Ordering::Greater,
            (Self::Big { negative, digits: one }, Self::Big { digits: other, .. }) => {
                let magnitude = one.len().cmp(&other.len()).then_with(|| one.cmp(other));
                if *negative { magnitude.reverse() } else { magnitude }
            }
        }
    }
}

impl PartialOrd for Integer<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Integer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Small(small) => small.fmt(f),
            Self::Big { negative, digits } => {
                if *negative {
                    f.write_str("-")?;
                }
                f.write_str(digits)
            }
        }
    }
}

/// The integer that a trait's text is: `-?[0-9]+`.
pub(super) fn parse_trait_integer(text: &str) -> Option<Integer<'_>> {
    let (negative, digits) = split_minus(text);
    is_digits(digits).then(|| Integer::from_digits(negative, Cow::Borrowed(digits)))
}

/// The float that a trait's text is: `-?[0-9]+\.[0-9]+`.
pub(super) fn parse_trait_float(text: &str) -> Option<f64> {
    let (whole, fraction) = split_minus(text).1.split_once('.')?;
    (is_digits(whole) && is_digits(fraction)).then(|| text.parse().ok()).flatten()
}

fn split_minus(text: &str) -> (bool, &str) {
    text.strip_prefix('-').map_or((false, text), |digits| (true, digits))
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The integer that Python's `int` makes of a text.
pub(super) fn parse_python_integer(text: &str) -> Option<Integer<'static>> {
    let text = text.trim();
    let (negative, digits) = match text.strip_prefix('+') {
        Some(digits) => (false, digits),
        None => split_minus(text),
    };
    let digits = without_underscores(digits)?;
    is_digits(&digits).then(|| Integer::from_digits(negative, Cow::Owned(digits.into_owned())))
}

/// The float that Python's `float` makes of a text.
pub(super) fn parse_python_float(text: &str) -> Option<f64> {
    without_underscores(text.trim())?.parse().ok()
}

/// Takes out the underscores, which may stand between two digits only.
fn without_underscores(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('_') {
        return Some(Cow::Borrowed(text));
    }
    let is_digit = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_digit);
    let bytes = text.as_bytes();
    let mut underscores = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'_');
    let between_digits =
        underscores.all(|(at, _)| at > 0 && is_digit(bytes.get(at - 1)) && is_digit(bytes.get(at + 1)));
    between_digits.then(|| Cow::Owned(text.replace('_', "")))
}

/// The remainder with the sign of the divisor, as Python's `%` gives it for floats; `None` for a divisor of zero.
pub(super) fn python_modulo(number: f64, divisor: f64) -> Option<f64> {
    if divisor == 0.0 {
        return None;
    }
    let remainder = number % divisor;
    if remainder == 0.0 {
        return Some(0.0_f64.copysign(divisor));
    }
    Some(if (divisor < 0.0) == (remainder < 0.0) { remainder } else { remainder + divisor })
}

/// Writes a float as Python's `str` does: the shortest digits that read back as the same, with a point or an exponent.
pub(super) struct PythonFloat(pub(super) f64);

/// Python writes an exponent where the first digit stands at a place below this one,
const PLAIN_EXPONENT_MIN: i32 = -4;
/// or at this one or above.
const PLAIN_EXPONENT_END: i32 = 16;

impl fmt::Display for PythonFloat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let float = self.0;
        if float.is_nan() {
            return f.write_str("nan");
        }
        if float.is_infinite() {
            return f.write_str(if float < 0.0 { "-inf" } else { "inf" });
        }
        let exponent = decimal_exponent(float);
        if (PLAIN_EXPONENT_MIN..PLAIN_EXPONENT_END).contains(&exponent) {
            // The shortest digits, and `.0` where there is no fraction.
            return if float.fract() == 0.0 { write!(f, "{float:.1}") } else { write!(f, "{float}") };
        }
        // Rust writes `1e-7`, Python `1e-07`.
        write!(f, "{}e{}{:02}", Mantissa(float), if exponent < 0 { '-' } else { '+' }, exponent.abs())
    }
}

/// The place of the first digit: 0 for 1 to below 10.
fn decimal_exponent(float: f64) -> i32 {
    if float == 0.0 {
        return 0;
    }
    let mut text = ShortText::default();
    let _ = fmt::Write::write_fmt(&mut text, format_args!("{float:e}"));
    text.as_str().split_once('e').and_then(|(_, exponent)| exponent.parse().ok()).unwrap_or_default()
}

/// The digits before the exponent.
struct Mantissa(f64);

impl fmt::Display for Mantissa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = ShortText::default();
        fmt::Write::write_fmt(&mut text, format_args!("{:e}", self.0))?;
        f.write_str(text.as_str().split_once('e').map_or("", |(mantissa, _)| mantissa))
    }
}

/// Bytes that the text of any `i64` or `f64` fits in: 24 are the most that a float takes.
const SHORT_TEXT_BYTES: usize = 32;

/// The text of a number, without an allocation.
#[derive(Default)]
pub(super) struct ShortText {
    bytes: [u8; SHORT_TEXT_BYTES],
    length: usize,
}

impl ShortText {
    pub(super) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.length]).unwrap_or_default()
    }
}

impl fmt::Write for ShortText {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = self.length + text.len();
        self.bytes.get_mut(self.length..end).ok_or(fmt::Error)?.copy_from_slice(text.as_bytes());
        self.length = end;
        Ok(())
    }
}
