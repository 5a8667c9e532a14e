//! The patterns of `REGEX` conditions: Python's, because Flagsmith's engine is Python's, matched without catastrophic
//! back-tracking.

mod class;
mod source;
mod translation;

use std::fmt::Write;

use fancy_regex::{Regex, RegexBuilder};

use super::context::ContextValue;
use super::numbers::ShortText;

/// Steps of back-tracking in one match. Only look-around, back-references and the like need any; all else is matched in
/// time linear in the text. Some milliseconds.
const BACKTRACKING_STEPS_MAX: usize = 100_000;

/// Bytes that one compiled pattern may take, more or less. `\w` is some ten thousand bytes, so that it can be repeated a
/// hundred times.
const COMPILED_BYTES_MAX: usize = 4 << 20;

/// A pattern that a value's text must match from its beginning on, not necessarily to its end.
#[derive(Debug)]
pub(super) struct Pattern(Regex);

impl Pattern {
    /// Compiles a pattern; `None` if it is none, or one that is not supported.
    pub(super) fn new(pattern: &str) -> Option<Self> {
        let translated = translation::translate(pattern)?;
        RegexBuilder::new(&format!(r"\A(?:{translated})"))
            .backtrack_limit(BACKTRACKING_STEPS_MAX)
            .delegate_size_limit(COMPILED_BYTES_MAX)
            .build()
            .ok()
            .map(Self)
    }

    /// Whether it matches; not if that takes too many steps to find out.
    pub(super) fn matches(&self, value: &ContextValue<'_>) -> bool {
        if let ContextValue::Text(text) = value {
            return self.matches_text(text);
        }
        let mut text = ShortText::default();
        match write!(text, "{value}") {
            Ok(()) => self.matches_text(text.as_str()),
            Err(_) => self.matches_text(&value.to_string()),
        }
    }

    fn matches_text(&self, text: &str) -> bool {
        self.0.is_match(text).unwrap_or(false)
    }
}
