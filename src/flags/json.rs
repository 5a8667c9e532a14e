//! JSON that is written straight into a buffer: the fragments from which answers are put together.

use std::io::Write as _;

use jiff::Timestamp;
use jiff::fmt::temporal::DateTimePrinter;
use offshoot_aggregates::environment::{FeatureValue, ValueType};

const PRINTER: DateTimePrinter = DateTimePrinter::new().precision(Some(6));

/// Writes a text with its quotes.
pub(super) fn text(out: &mut Vec<u8>, text: &str) {
    // Writing into memory cannot fail, nor can a text be anything but JSON.
    let _ = serde_json::to_writer(out, text);
}

/// Writes a text with its quotes, or `null`.
pub(super) fn optional_text(out: &mut Vec<u8>, value: Option<&str>) {
    match value {
        Some(value) => text(out, value),
        None => out.extend_from_slice(b"null"),
    }
}

/// Writes anything that looks the same in JSON: numbers that are whole, booleans, UUIDs in quotes of the caller's.
pub(super) fn plain(out: &mut Vec<u8>, value: impl std::fmt::Display) {
    let _ = write!(out, "{value}");
}

/// Writes a whole number, or `null`.
pub(super) fn optional_number(out: &mut Vec<u8>, value: Option<i64>) {
    match value {
        Some(value) => plain(out, value),
        None => out.extend_from_slice(b"null"),
    }
}

/// Writes a number that may have a fraction, always with one: `60.0`.
pub(super) fn float(out: &mut Vec<u8>, value: f64) {
    let _ = serde_json::to_writer(out, &value);
}

/// Writes a time in UTC with microseconds, as answers to people show it: `2026-11-22T05:21:35.353922Z`.
pub(super) fn time(out: &mut Vec<u8>, time: Timestamp) {
    let _ = write!(out, "\"{}\"", PRINTER.timestamp_to_string(&time));
}

/// Writes a time as the environment document has it: `2026-11-22T05:21:35.353922+00:00`.
pub(super) fn time_with_offset(out: &mut Vec<u8>, time: Timestamp) {
    let utc = PRINTER.timestamp_to_string(&time);
    let _ = write!(out, "\"{}+00:00\"", utc.trim_end_matches('Z'));
}

/// The effective value as JSON.
pub(super) fn value(out: &mut Vec<u8>, value: &FeatureValue) {
    match value.value_type {
        ValueType::Unicode => optional_text(out, value.string_value.as_deref()),
        ValueType::Int => optional_number(out, value.integer_value.map(i64::from)),
        ValueType::Bool => match value.boolean_value {
            Some(boolean) => plain(out, boolean),
            None => out.extend_from_slice(b"null"),
        },
    }
}
