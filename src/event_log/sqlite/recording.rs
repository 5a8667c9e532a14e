//! What the writer does within its transaction: one append after the other, each all or nothing.

use jiff::Timestamp;
use offshoot_aggregates::{Position, Version};
use rusqlite::{Connection, OptionalExtension};
use uuid::Uuid;

use crate::event_log::{Append, AppendError, Appended, Fate, NewEvent, Ticket};

/// An append as it will stand in the file; made by the caller, so that the writer has less to do.
pub(super) struct PreparedAppend {
    stream: String,
    expected: Version,
    events: Vec<NewEvent>,
    metadata: String,
    command: Option<Uuid>,
    ticket: Ticket,
    follows: Option<Ticket>,
    bytes: u64,
}

/// Where the log ends, in the transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct End {
    /// The last event.
    pub(super) position: Position,
    /// When it was recorded, in microseconds since the epoch.
    pub(super) recorded_at: i64,
}

impl PreparedAppend {
    pub(super) fn new(append: Append) -> Result<Self, AppendError> {
        if append.events.is_empty() {
            return Err(AppendError::Unavailable("an append needs at least one event".to_owned()));
        }
        // In the order of the keys: the same metadata always gives the same text.
        let sorted: std::collections::BTreeMap<_, _> = append.metadata.iter().collect();
        let metadata = serde_json::to_string(&sorted).map_err(|error| AppendError::Unavailable(error.to_string()))?;
        let bytes = append.events.iter().map(|event| (event.payload.len() + metadata.len()) as u64).sum();
        Ok(Self {
            stream: append.stream.to_string(),
            expected: append.expected,
            events: append.events,
            metadata,
            command: append.command,
            ticket: append.ticket,
            follows: append.follows,
            bytes,
        })
    }

    pub(super) fn events(&self) -> u64 {
        self.events.len() as u64
    }

    /// Bytes of payload and metadata.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Says what has become of it.
    pub(super) fn settle(&self, fate: Fate) {
        self.ticket.set(fate);
    }

    /// Records the append, and moves the end of the log.
    ///
    /// The inner error concerns this append alone, which then left nothing; the outer one the whole transaction.
    pub(super) fn record(
        &self,
        connection: &Connection,
        end: &mut End,
    ) -> rusqlite::Result<Result<Appended, AppendError>> {
        if let Some(command) = self.command
            && let Some(appended) = find_command(connection, command)?
        {
            return Ok(Err(AppendError::AlreadyDone(appended)));
        }
        let actual = version(connection, &self.stream)?;
        // Whoever was before it in the queue had its turn before it.
        let is_orphan =
            self.follows.as_ref().is_some_and(|before| !matches!(before.fate(), Fate::Uncommitted | Fate::Recorded));
        if actual != self.expected || is_orphan {
            return Ok(Err(AppendError::Conflict { expected: self.expected, actual }));
        }
        // A single statement is all or nothing by itself.
        let several_statements = self.events.len() > 1 || self.command.is_some();
        if several_statements {
            connection.prepare_cached("SAVEPOINT append")?.execute([])?;
        }
        // Held back if the system's clock went back.
        let recorded_at = now().max(end.recorded_at);
        match self.insert(connection, recorded_at) {
            Ok(appended) => {
                if several_statements {
                    connection.prepare_cached("RELEASE append")?.execute([])?;
                }
                *end = End { position: appended.position, recorded_at };
                Ok(Ok(appended))
            }
            // SQLite has given up the transaction, as it does when the disk is full.
            Err(error) if connection.is_autocommit() => Err(error),
            Err(error) => {
                if several_statements {
                    connection.prepare_cached("ROLLBACK TO append")?.execute([])?;
                    connection.prepare_cached("RELEASE append")?.execute([])?;
                }
                Ok(Err(AppendError::Unavailable(super::file::describe(&error))))
            }
        }
    }

    fn insert(&self, connection: &Connection, recorded_at: i64) -> rusqlite::Result<Appended> {
        let mut insert = connection.prepare_cached(
            "INSERT INTO event (stream, version, event_type, event_version, recorded_at, metadata, payload)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?;
        let mut last = Appended { position: Position::START, version: self.expected };
        for event in &self.events {
            let version = last.version.plus(1);
            let position = insert.insert((
                &self.stream,
                version.0,
                event.event_type,
                event.event_version,
                recorded_at,
                &self.metadata,
                &event.payload,
            ))?;
            last = Appended { position: Position(position.unsigned_abs()), version };
        }
        if let Some(command) = self.command {
            connection
                .prepare_cached("INSERT INTO command (id, stream, position, version) VALUES (?1, ?2, ?3, ?4)")?
                .execute((command.as_bytes(), &self.stream, last.position.0, last.version.0))?;
        }
        Ok(last)
    }
}

impl Drop for PreparedAppend {
    /// Whatever the writer did not settle never will be recorded.
    fn drop(&mut self) {
        self.settle(Fate::Failed);
    }
}

/// Where the log ends.
pub(super) fn end(connection: &Connection) -> rusqlite::Result<End> {
    connection
        .prepare_cached("SELECT position, recorded_at FROM event ORDER BY position DESC LIMIT 1")?
        .query_row([], |row| Ok(End { position: Position(row.get(0)?), recorded_at: row.get(1)? }))
        .optional()
        .map(|end| end.unwrap_or(End { position: Position::START, recorded_at: i64::MIN }))
}

/// Where the events of a command are.
pub(super) fn find_command(connection: &Connection, command: Uuid) -> rusqlite::Result<Option<Appended>> {
    connection
        .prepare_cached("SELECT position, version FROM command WHERE id = ?1")?
        .query_row([command.as_bytes()], |row| {
            Ok(Appended { position: Position(row.get(0)?), version: Version(row.get(1)?) })
        })
        .optional()
}

/// The version that a stream is at.
fn version(connection: &Connection, stream: &str) -> rusqlite::Result<Version> {
    let version: Option<u64> = connection
        .prepare_cached("SELECT max(version) FROM event WHERE stream = ?1")?
        .query_row([stream], |row| row.get(0))?;
    Ok(version.map_or(Version::NONE, Version))
}

/// The one place where the log reads the system's clock, in microseconds since the epoch.
fn now() -> i64 {
    Timestamp::now().as_microsecond()
}
