//! Lines that follow from one request, as one: a clone is a line that unfolds into all that happened for it.

use rusqlite::types::Value;
use rusqlite::{Connection, Result, params_from_iter};
use uuid::Uuid;

use super::queries::{AuditEntry, AuditFilter, entry, read_entry};
use crate::lists::Page;

/// What followed from one request.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditGroup {
    /// The line that says best what was done: the first that says what changed, or the first.
    pub line: AuditEntry,
    /// The last line: how far it is, or how it ended.
    pub last: AuditEntry,
    /// How many lines there are.
    pub lines: u64,
}

/// Groups of lines that pass the filter, a page of them, those that began last first.
///
/// # Errors
/// The file cannot be read.
pub fn list_groups(connection: &Connection, filter: &AuditFilter, page: Page) -> Result<Vec<AuditGroup>> {
    let conditions = filter.conditions();
    // From the newest line down, those that nothing of the same request came before. What is looked for before a line is
    // found by the request: the conditions are wrapped, so that no other index is taken for them.
    let sql = format!(
        "SELECT id, correlation_id FROM entry WHERE {0} AND NOT EXISTS (
            SELECT 1 FROM entry AS earlier
            WHERE earlier.correlation_id = entry.correlation_id AND earlier.id < entry.id AND ifnull({0}, 0))
            ORDER BY id DESC LIMIT ? OFFSET ?",
        conditions.sql()
    );
    let values: Vec<Value> = filter.conditions().values().chain(conditions.values_and(page)).collect();
    let heads: Vec<(u64, Option<Uuid>)> = connection
        .prepare_cached(&sql)?
        .query_map(params_from_iter(values), |row| {
            let correlation: Option<Vec<u8>> = row.get(1)?;
            Ok((row.get(0)?, correlation.and_then(|bytes| Uuid::from_slice(&bytes).ok())))
        })?
        .collect::<Result<_>>()?;
    let groups = heads.into_iter().map(|(head, correlation)| group(connection, filter, head, correlation));
    groups.filter_map(Result::transpose).collect()
}

fn group(
    connection: &Connection,
    filter: &AuditFilter,
    head: u64,
    correlation: Option<Uuid>,
) -> Result<Option<AuditGroup>> {
    let (lines, last, telling) = match correlation {
        None => (1, head, None),
        Some(correlation) => {
            let conditions = filter.conditions();
            let sql = format!(
                "SELECT count(*), max(id), min(CASE WHEN change_type <> 'UNKNOWN' THEN id END) FROM entry
                    WHERE correlation_id = ? AND ifnull({}, 0)",
                conditions.sql()
            );
            let values = std::iter::once(Value::from(correlation.as_bytes().to_vec())).chain(conditions.values());
            let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get::<_, Option<u64>>(2)?));
            connection.prepare_cached(&sql)?.query_row(params_from_iter(values), read)?
        }
    };
    let (line, last) = (entry(connection, telling.unwrap_or(head))?, entry(connection, last)?);
    Ok(line.zip(last).map(|(line, last)| AuditGroup { line, last, lines }))
}

/// The lines of one group that pass the filter, a page of them, oldest first.
///
/// # Errors
/// The file cannot be read.
pub fn entries_of_group(
    connection: &Connection,
    filter: &AuditFilter,
    correlation: Uuid,
    page: Page,
) -> Result<Vec<AuditEntry>> {
    let conditions = filter.conditions();
    let sql = format!(
        "SELECT * FROM entry WHERE correlation_id = ? AND ifnull({}, 0) ORDER BY id LIMIT ? OFFSET ?",
        conditions.sql()
    );
    let values = std::iter::once(Value::from(correlation.as_bytes().to_vec())).chain(conditions.values_and(page));
    connection.prepare_cached(&sql)?.query_map(params_from_iter(values), read_entry)?.collect()
}
