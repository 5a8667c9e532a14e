//! What lists share: which rows of them are asked for, and how a text is searched in them.

use std::fmt::Display;

use rusqlite::types::Value;

/// A part of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// The most rows wanted.
    pub limit: u64,
    /// Rows to leave out before the first.
    pub offset: u64,
}

impl Page {
    /// The whole list.
    pub const ALL: Self = Self { limit: u64::MAX, offset: 0 };

    /// `LIMIT` and `OFFSET` as SQLite takes them.
    pub(crate) fn bounds(self) -> (i64, i64) {
        (i64::try_from(self.limit).unwrap_or(i64::MAX), i64::try_from(self.offset).unwrap_or(i64::MAX))
    }
}

/// The pattern for `LIKE … ESCAPE '\'` that finds exactly the texts with `part` in them. SQLite lets the case of ASCII
/// letters be as it will, and no other's.
pub(crate) fn like_containing(part: &str) -> String {
    let mut pattern = String::with_capacity(part.len() + 2);
    pattern.push('%');
    for character in part.chars() {
        if matches!(character, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern.push('%');
    pattern
}

/// A set of ids as a JSON array, for `json_each`.
pub(crate) fn id_set<I: Display>(ids: impl IntoIterator<Item = I>) -> String {
    let ids: Vec<_> = ids.into_iter().map(|id| id.to_string()).collect();
    format!("[{}]", ids.join(","))
}

/// What the rows of a list must fulfil, all of it.
#[derive(Default)]
pub(crate) struct Conditions {
    clauses: Vec<&'static str>,
    values: Vec<Value>,
}

impl Conditions {
    /// One more condition, with a `?` for its value.
    pub(crate) fn add(&mut self, clause: &'static str, value: impl Into<Value>) {
        self.clauses.push(clause);
        self.values.push(value.into());
    }

    /// One more condition if there is a value for it.
    pub(crate) fn add_some(&mut self, clause: &'static str, value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            self.add(clause, value);
        }
    }

    /// What stands after `WHERE`.
    pub(crate) fn sql(&self) -> String {
        if self.clauses.is_empty() { "TRUE".to_owned() } else { self.clauses.join(" AND ") }
    }

    /// The values of the conditions, then those of the page.
    pub(crate) fn values_and(self, page: Page) -> impl Iterator<Item = Value> {
        let (limit, offset) = page.bounds();
        self.values.into_iter().chain([limit.into(), offset.into()])
    }

    /// The values of the conditions.
    pub(crate) fn values(self) -> impl Iterator<Item = Value> {
        self.values.into_iter()
    }
}
