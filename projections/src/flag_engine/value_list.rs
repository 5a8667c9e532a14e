//! The values that an `IN` condition lists: as a JSON list, or separated by commas.

use std::collections::HashSet;
use std::fmt::Write;

use serde_json::value::RawValue;

use super::context::ContextValue;
use super::numbers::{PythonFloat, ShortText, parse_trait_integer};

/// The texts of a list.
#[derive(Debug)]
pub(super) struct ValueList(HashSet<Box<str>>);

impl ValueList {
    /// A text that begins with `[` is a JSON list if it reads as one; any other is split at its commas, blanks and all.
    pub(super) fn new(text: &str) -> Self {
        let list = text.starts_with('[').then(|| serde_json::from_str::<Vec<&RawValue>>(text).ok()).flatten();
        Self(match list {
            Some(items) => items.into_iter().filter_map(|item| item_text(item.get())).collect(),
            None => text.split(',').map(Into::into).collect(),
        })
    }

    /// Whether the value is listed. Only texts and integers can be.
    pub(super) fn contains(&self, value: &ContextValue<'_>) -> bool {
        match value {
            ContextValue::Text(text) => self.0.contains(text.as_ref()),
            ContextValue::Integer(integer) => {
                let mut text = ShortText::default();
                match write!(text, "{integer}") {
                    Ok(()) => self.0.contains(text.as_str()),
                    Err(_) => self.0.contains(integer.to_string().as_str()),
                }
            }
            ContextValue::Float(_) | ContextValue::Boolean(_) => false,
        }
    }
}

/// The text that an item of a JSON list stands for: Python's `str` of it.
fn item_text(json: &str) -> Option<Box<str>> {
    match json {
        "true" => Some("True".into()),
        "false" => Some("False".into()),
        "null" => Some("None".into()),
        text if text.starts_with('"') => serde_json::from_str(text).ok(),
        list if list.starts_with(['[', '{']) => None,
        number => match parse_trait_integer(number) {
            Some(integer) => Some(integer.to_string().into()),
            None => number.parse().ok().map(|float| PythonFloat(float).to_string().into()),
        },
    }
}
