//! What every projection is: a name, a version, tables, and a fold from events to rows; and how events are applied
//! together with the checkpoint, in one transaction.

use offshoot_aggregates::environment::BatchOutline;
use offshoot_aggregates::{Event, Position, RecordedEvent};
use rusqlite::{Connection, OptionalExtension, Transaction};

/// A fold from events to the rows of one SQLite file.
///
/// The same events always give the same rows, in whatever batches they come. A projection keeps nothing outside its file.
pub trait Projection: Send + Sync + 'static {
    /// The read model's name: lower case, as in its file's name and in the API.
    fn name(&self) -> &'static str;

    /// Raised whenever the tables or the fold change: files of other versions are then rebuilt from the log.
    fn version(&self) -> u32;

    /// The oldest version whose files the present queries can still read, so that they serve while the new one is built.
    fn readable_since(&self) -> u32 {
        self.version()
    }

    /// The statements that create the tables, for an empty file.
    fn schema(&self) -> &'static str;

    /// Whether events of this type can concern the read model. Those that cannot are passed over without being read.
    fn concerns(&self, _event_type: &str) -> bool {
        true
    }

    /// Whether batches of feature states are only counted. Then they come to [`Projection::apply_outline`], and their states
    /// are not read.
    fn counts_batches(&self) -> bool {
        false
    }

    /// Applies a batch of feature states of which only the outline was read.
    ///
    /// # Errors
    /// The file cannot be written.
    fn apply_outline(&self, _: &Transaction<'_>, _: &RecordedEvent, _: &BatchOutline) -> rusqlite::Result<()> {
        Ok(())
    }

    /// Applies one event. Events that do not concern the read model change nothing.
    ///
    /// # Errors
    /// The file cannot be written.
    fn apply(&self, tx: &Transaction<'_>, recorded: &RecordedEvent, event: &Event) -> rusqlite::Result<()>;
}

/// Why events were not applied. None of them was.
#[derive(Debug, thiserror::Error)]
#[error("the read model {read_model} cannot be written: {source}")]
pub struct ApplyError {
    /// Which read model.
    pub read_model: &'static str,
    /// What SQLite said.
    pub source: rusqlite::Error,
}

/// An event that the projection could not read: kept and reported, not skipped in silence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParkedEvent {
    /// Its place in the log.
    pub position: Position,
    /// Its stream.
    pub stream: String,
    /// Its type.
    pub event_type: String,
    /// Why it could not be read.
    pub detail: String,
}

const SHARED_SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS checkpoint (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        name TEXT NOT NULL,
        version INTEGER NOT NULL,
        position INTEGER NOT NULL,
        is_caught_up INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    CREATE TABLE IF NOT EXISTS parked (
        position INTEGER PRIMARY KEY,
        stream TEXT NOT NULL,
        event_type TEXT NOT NULL,
        detail TEXT NOT NULL
    ) STRICT;";

/// Statements that a connection keeps ready: more than any fold has, so that none is prepared twice.
const PREPARED_STATEMENTS_MAX: usize = 64;

/// Makes a connection's file that of the projection: creates the tables if the file is empty.
///
/// # Errors
/// The file cannot be written.
pub fn open(connection: &mut Connection, projection: &dyn Projection) -> rusqlite::Result<()> {
    connection.set_prepared_statement_cache_capacity(PREPARED_STATEMENTS_MAX);
    let tx = connection.transaction()?;
    tx.execute_batch(SHARED_SCHEMA)?;
    let known: Option<i64> = tx.query_row("SELECT version FROM checkpoint", [], |row| row.get(0)).optional()?;
    if known.is_none() {
        tx.execute_batch(projection.schema())?;
        tx.execute(
            "INSERT INTO checkpoint (one, name, version, position) VALUES (1, ?1, ?2, 0)",
            (projection.name(), projection.version()),
        )?;
    }
    tx.commit()
}

/// The position up to which a file has all events.
///
/// # Errors
/// The file cannot be read, or is not a read model.
pub fn position(connection: &Connection) -> rusqlite::Result<Position> {
    let position: u64 =
        connection.prepare_cached("SELECT position FROM checkpoint")?.query_row([], |row| row.get(0))?;
    Ok(Position(position))
}

/// Marks a file as complete: it had every event of the log at some moment, so it may serve readers.
///
/// # Errors
/// The file cannot be written.
pub fn mark_caught_up(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute("UPDATE checkpoint SET is_caught_up = 1", [])?;
    Ok(())
}

/// Whether the file was marked as complete.
///
/// # Errors
/// The file cannot be read, or is not a read model.
pub fn is_caught_up(connection: &Connection) -> rusqlite::Result<bool> {
    connection.query_row("SELECT is_caught_up FROM checkpoint", [], |row| row.get(0))
}

/// Applies events, which follow the file's position in the order of the log, and moves the position, in one transaction.
/// Events at or below the position were applied before and are left out. Unreadable events are parked.
///
/// # Errors
/// The file cannot be written; then nothing was applied.
pub fn apply<'e>(
    connection: &mut Connection,
    projection: &dyn Projection,
    events: impl IntoIterator<Item = &'e RecordedEvent>,
) -> Result<Position, ApplyError> {
    apply_in_transaction(connection, projection, events)
        .map_err(|source| ApplyError { read_model: projection.name(), source })
}

fn apply_in_transaction<'e>(
    connection: &mut Connection,
    projection: &dyn Projection,
    events: impl IntoIterator<Item = &'e RecordedEvent>,
) -> rusqlite::Result<Position> {
    let before = position(connection)?;
    let tx = connection.transaction()?;
    let mut last = before;
    for recorded in events {
        if recorded.position <= last {
            continue;
        }
        if projection.concerns(&recorded.event_type) {
            apply_event(&tx, projection, recorded)?;
        }
        last = recorded.position;
    }
    if last > before {
        tx.prepare_cached("UPDATE checkpoint SET position = ?1")?.execute([last.0])?;
    }
    tx.commit()?;
    Ok(last)
}

fn apply_event(tx: &Transaction<'_>, projection: &dyn Projection, recorded: &RecordedEvent) -> rusqlite::Result<()> {
    let outline = if projection.counts_batches() { BatchOutline::of(recorded) } else { None };
    match outline {
        Some(Ok(outline)) => projection.apply_outline(tx, recorded, &outline),
        Some(Err(error)) => park(tx, recorded, &error.to_string()),
        None => match recorded.event() {
            Ok(event) => projection.apply(tx, recorded, event),
            Err(error) => park(tx, recorded, &error.to_string()),
        },
    }
}

fn park(tx: &Transaction<'_>, recorded: &RecordedEvent, detail: &str) -> rusqlite::Result<()> {
    tx.execute(
        "INSERT OR REPLACE INTO parked (position, stream, event_type, detail) VALUES (?1, ?2, ?3, ?4)",
        (recorded.position.0, recorded.stream.to_string(), &recorded.event_type, detail),
    )?;
    Ok(())
}

/// The events that the projection could not read, oldest first.
///
/// # Errors
/// The file cannot be read.
pub fn parked(connection: &Connection) -> rusqlite::Result<Vec<ParkedEvent>> {
    let mut statement =
        connection.prepare("SELECT position, stream, event_type, detail FROM parked ORDER BY position LIMIT 1000")?;
    let rows = statement.query_map([], |row| {
        Ok(ParkedEvent {
            position: Position(row.get(0)?),
            stream: row.get(1)?,
            event_type: row.get(2)?,
            detail: row.get(3)?,
        })
    })?;
    rows.collect()
}
