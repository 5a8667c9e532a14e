//! Reading the log: a few read-only connections, and the queries that run on them.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use jiff::Timestamp;
use offshoot_aggregates::{Position, RecordedEvent, StreamId, Version};
use rusqlite::{Connection, OptionalExtension, Params, Row};
use tokio::sync::Semaphore;

use super::file;
use crate::event_log::ReadError;
use crate::limits::{PAGE_BYTES_MAX, READ_CONNECTIONS_MAX};

/// The read-only connections. Each is opened when first needed, and dropped if a query fails on it.
pub(super) struct Readers {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
    permits: Arc<Semaphore>,
}

impl Readers {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, idle: Mutex::default(), permits: Arc::new(Semaphore::new(READ_CONNECTIONS_MAX)) }
    }

    /// Runs a query on a thread that may block, as soon as a connection is free.
    pub(super) async fn query<T, Q>(self: &Arc<Self>, query: Q) -> Result<T, ReadError>
    where
        T: Send + 'static,
        Q: FnOnce(&Connection) -> Result<T, ReadError> + Send + 'static,
    {
        let permit = Arc::clone(&self.permits).acquire_owned().await;
        let permit = permit.map_err(|error| ReadError::Unavailable(error.to_string()))?;
        let readers = Arc::clone(self);
        let answer = tokio::task::spawn_blocking(move || {
            let connection = readers.connection()?;
            let answer = query(&connection);
            if !matches!(answer, Err(ReadError::Unavailable(_))) {
                readers.idle().push(connection);
            }
            drop(permit);
            answer
        });
        answer.await.unwrap_or_else(|error| Err(ReadError::Unavailable(error.to_string())))
    }

    fn connection(&self) -> Result<Connection, ReadError> {
        let idle = self.idle().pop();
        idle.map_or_else(|| file::open_read_only(&self.path).map_err(unavailable), Ok)
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

macro_rules! select_events {
    ($rest:literal) => {
        concat!(
            "SELECT position, stream, version, event_type, event_version, recorded_at, metadata, payload FROM event ",
            $rest
        )
    };
}

/// A page of the whole log.
pub(super) fn all(connection: &Connection, after: Position, limit: usize) -> Result<Vec<RecordedEvent>, ReadError> {
    let sql = select_events!("WHERE position > ?1 ORDER BY position LIMIT ?2");
    page(connection, sql, (integer(after.0), integer(limit as u64)))
}

/// A page of one stream.
pub(super) fn stream(
    connection: &Connection,
    stream: &str,
    after: Version,
    limit: usize,
) -> Result<Vec<RecordedEvent>, ReadError> {
    let sql = select_events!("WHERE stream = ?1 AND version > ?2 ORDER BY version LIMIT ?3");
    page(connection, sql, (stream, integer(after.0), integer(limit as u64)))
}

fn page(connection: &Connection, sql: &str, parameters: impl Params) -> Result<Vec<RecordedEvent>, ReadError> {
    let mut statement = connection.prepare_cached(sql).map_err(unavailable)?;
    let mut rows = statement.query(parameters).map_err(unavailable)?;
    let mut events = Vec::new();
    let mut bytes = 0;
    while let Some(row) = rows.next().map_err(unavailable)? {
        match event(row) {
            Ok(event) => {
                bytes += event.payload.len();
                if bytes > PAGE_BYTES_MAX && !events.is_empty() {
                    break;
                }
                events.push(event);
            }
            // Whoever reads on from the good events before it is told then.
            Err(_) if !events.is_empty() => break,
            Err(error) => return Err(error),
        }
    }
    Ok(events)
}

fn event(row: &Row<'_>) -> Result<RecordedEvent, ReadError> {
    let position = Position(row.get(0).map_err(unavailable)?);
    let damaged = |detail: String| ReadError::Damaged { position, detail };
    let read = || -> rusqlite::Result<_> {
        let (stream, version) = (row.get::<_, String>(1)?, Version(row.get(2)?));
        let (event_type, event_version) = (row.get(3)?, row.get(4)?);
        let recorded_at: i64 = row.get(5)?;
        Ok((stream, version, event_type, event_version, recorded_at, row.get(6)?, row.get(7)?))
    };
    let (stream, version, event_type, event_version, recorded_at, metadata, payload) =
        read().map_err(|error| damaged(error.to_string()))?;
    Ok(RecordedEvent {
        position,
        stream: stream.parse::<StreamId>().map_err(|error| damaged(error.to_string()))?,
        version,
        event_type,
        event_version,
        recorded_at: Timestamp::from_microsecond(recorded_at).map_err(|error| damaged(error.to_string()))?,
        payload,
        metadata,
        decoded: OnceLock::new(),
    })
}

/// The version of a stream at a position. Steps back from the stream's end on its index alone, as most askers ask for the
/// present; a thousand events back cost well below a millisecond.
pub(super) fn version_at(connection: &Connection, stream: &str, position: Position) -> Result<Version, ReadError> {
    let version = connection
        .prepare_cached("SELECT version FROM event WHERE stream = ?1 AND position <= ?2 ORDER BY version DESC LIMIT 1")
        .and_then(|mut statement| statement.query_row((stream, integer(position.0)), |row| row.get(0)).optional());
    Ok(version.map_err(unavailable)?.map_or(Version::NONE, Version))
}

/// The last event that was recorded at `time` or before, among those up to `head`. Times never go down along the log, so
/// that some twenty look-ups by position find it, and no index is needed.
pub(super) fn position_at(connection: &Connection, time: Timestamp, head: Position) -> Result<Position, ReadError> {
    let time = time.as_microsecond();
    let (mut at_or_before, mut after) = (Position::START, head.0.saturating_add(1));
    while at_or_before.0 + 1 < after {
        let middle = at_or_before.0 + (after - at_or_before.0) / 2;
        match last_event(connection, Position(middle))? {
            Some((position, recorded_at)) if recorded_at > time => after = position.0,
            _ => at_or_before = Position(middle),
        }
    }
    // Positions may have holes: the event is the last one there or before.
    Ok(last_event(connection, at_or_before)?.map_or(Position::START, |(position, _)| position))
}

/// When the last event at `position` or before was recorded.
pub(super) fn time_at(connection: &Connection, position: Position) -> Result<Option<Timestamp>, ReadError> {
    last_event(connection, position)?
        .map(|(position, recorded_at)| {
            let time = Timestamp::from_microsecond(recorded_at);
            time.map_err(|error| ReadError::Damaged { position, detail: error.to_string() })
        })
        .transpose()
}

/// The last event at `position` or before, and when it was recorded, in microseconds since the epoch.
fn last_event(connection: &Connection, position: Position) -> Result<Option<(Position, i64)>, ReadError> {
    connection
        .prepare_cached("SELECT position, recorded_at FROM event WHERE position <= ?1 ORDER BY position DESC LIMIT 1")
        .and_then(|mut statement| {
            statement.query_row([integer(position.0)], |row| Ok((Position(row.get(0)?), row.get(1)?))).optional()
        })
        .map_err(unavailable)
}

/// SQLite's integers are signed: nothing is beyond its greatest one.
fn integer(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(super) fn unavailable(error: rusqlite::Error) -> ReadError {
    ReadError::Unavailable(file::describe(&error))
}
