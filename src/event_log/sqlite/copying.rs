//! Reading and writing a log's file past the log, for copying it as it is.

use std::path::Path;

use async_trait::async_trait;
use offshoot_aggregates::{Position, RecordedEvent};
use rusqlite::Connection;
use uuid::Uuid;

use super::file;
use super::reader::unavailable;
use crate::event_log::copying::{PastTheLog, RecordedCommand, recorded_command};
use crate::event_log::{Copied, CopyError, OpenError, ReadError};

/// A connection past the log.
pub(in crate::event_log) struct SqliteCopy {
    connection: Connection,
}

impl SqliteCopy {
    /// Opens the file of a log.
    pub(in crate::event_log) fn open(path: &Path) -> Result<Self, OpenError> {
        Ok(Self { connection: file::open(path)? })
    }

    fn try_write(&mut self, events: &[RecordedEvent], commands: &[RecordedCommand]) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction()?;
        {
            let mut insert = transaction.prepare_cached(
                "INSERT INTO event
                    (position, stream, version, event_type, event_version, recorded_at, metadata, payload)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?;
            for event in events {
                insert.execute((
                    event.position.0,
                    event.stream.to_string(),
                    event.version.0,
                    &event.event_type,
                    &event.event_version,
                    event.recorded_at.as_microsecond(),
                    &*event.metadata,
                    &*event.payload,
                ))?;
            }
            let mut insert = transaction
                .prepare_cached("INSERT INTO command (id, stream, position, version) VALUES (?1, ?2, ?3, ?4)")?;
            for command in commands {
                let (stream, last) = (command.stream.to_string(), command.last);
                insert.execute((command.id.as_bytes(), stream, last.position.0, last.version.0))?;
            }
        }
        transaction.commit()
    }
}

/// Copies a log's file as it is at one moment, whoever writes to it meanwhile, and tells what is in the copy.
pub(in crate::event_log) fn vacuum_into(from: &Path, to: &Path) -> Result<Copied, CopyError> {
    let failed = |error: rusqlite::Error| CopyError::Write(file::describe(&error));
    let source = file::open_read_only(from).map_err(failed)?;
    if !file::is_log(&source).map_err(failed)? {
        return Err(OpenError::Foreign { path: from.to_owned() }.into());
    }
    source.execute("VACUUM INTO ?1", [to.to_string_lossy()]).map_err(failed)?;
    let copy = file::open_read_only(to).map_err(failed)?;
    let sql = "SELECT (SELECT count(*) FROM event), (SELECT count(*) FROM command), (SELECT coalesce(max(position), 0) FROM event)";
    let counts = |row: &rusqlite::Row<'_>| {
        Ok(Copied { events: row.get(0)?, commands: row.get(1)?, head: Position(row.get(2)?) })
    };
    copy.query_row(sql, [], counts).map_err(failed)
}

#[async_trait]
impl PastTheLog for SqliteCopy {
    async fn commands(&mut self, after: Option<Uuid>, limit: usize) -> Result<Vec<RecordedCommand>, ReadError> {
        let sql = "SELECT id, stream, position, version FROM command WHERE ?1 IS NULL OR id > ?1 ORDER BY id LIMIT ?2";
        let mut statement = self.connection.prepare_cached(sql).map_err(unavailable)?;
        let (after, limit) = (after.map(|id| id.as_bytes().to_vec()), i64::try_from(limit).unwrap_or(i64::MAX));
        let rows = statement
            .query_map((after, limit), |row| {
                Ok((row.get::<_, [u8; 16]>(0)?, row.get::<_, String>(1)?, row.get::<_, i64>(2)?, row.get::<_, i64>(3)?))
            })
            .map_err(unavailable)?;
        rows.map(|row| {
            let (id, stream, position, version) = row.map_err(unavailable)?;
            recorded_command(Uuid::from_bytes(id), &stream, position, version)
        })
        .collect()
    }

    async fn write(&mut self, events: &[RecordedEvent], commands: &[RecordedCommand]) -> Result<(), String> {
        self.try_write(events, commands).map_err(|error| file::describe(&error))
    }
}
