//! The digest of a read model: what two files have in common that say the same, however they came to say it.

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Result, Row, Rows};
use uuid::Uuid;

/// A digest of all rows of a read model, in order of their primary keys. The checkpoint is no part of it: files that saw
/// further events, none of which concerned them, still have the same digest. Takes time in proportion to the file.
///
/// # Errors
/// The file cannot be read.
pub fn digest(connection: &Connection) -> Result<Uuid> {
    let mut tables = connection.prepare(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
            AND name <> 'checkpoint' ORDER BY name",
    )?;
    let tables = tables.query_map([], |row| row.get::<_, String>(0))?;
    tables.into_iter().try_fold(Uuid::nil(), |digest, table| table_digest(connection, digest, &table?))
}

fn table_digest(connection: &Connection, before: Uuid, table: &str) -> Result<Uuid> {
    let mut keys = connection.prepare("SELECT name FROM pragma_table_info(?1) WHERE pk > 0 ORDER BY pk")?;
    let keys: Vec<String> = keys.query_map([table], |row| row.get(0))?.collect::<Result<_>>()?;
    let order = if keys.is_empty() { "rowid".to_owned() } else { keys.join(", ") };
    let mut statement = connection.prepare(&format!("SELECT * FROM {table} ORDER BY {order}"))?;
    let columns = statement.column_count();
    digest_rows(Uuid::new_v5(&before, table.as_bytes()), columns, statement.query([])?)
}

/// The digest of rows of so many columns, in their order, after `digest`.
pub(crate) fn digest_rows(mut digest: Uuid, columns: usize, mut rows: Rows<'_>) -> Result<Uuid> {
    let mut bytes = Vec::new();
    while let Some(row) = rows.next()? {
        bytes.clear();
        (0..columns).try_for_each(|column| write_value(&mut bytes, row, column))?;
        digest = Uuid::new_v5(&digest, &bytes);
    }
    Ok(digest)
}

/// Writes a value so that no two rows of different values look alike: its type, its length where it has one, itself.
fn write_value(bytes: &mut Vec<u8>, row: &Row<'_>, column: usize) -> Result<()> {
    match row.get_ref(column)? {
        ValueRef::Null => bytes.push(0),
        ValueRef::Integer(integer) => {
            bytes.push(1);
            bytes.extend(integer.to_be_bytes());
        }
        ValueRef::Real(real) => {
            bytes.push(2);
            bytes.extend(real.to_bits().to_be_bytes());
        }
        ValueRef::Text(content) => write_bytes(bytes, 3, content),
        ValueRef::Blob(content) => write_bytes(bytes, 4, content),
    }
    Ok(())
}

fn write_bytes(bytes: &mut Vec<u8>, kind: u8, content: &[u8]) {
    bytes.push(kind);
    bytes.extend((content.len() as u64).to_be_bytes());
    bytes.extend(content);
}
