//! The log's SQLite file: how it is recognised, created and opened.

use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::event_log::OpenError;

/// Tells our logs from other programs' SQLite files: `OffL` in ASCII.
const APPLICATION_ID: i32 = 0x4f66_664c;

/// The version of the tables below. Later ones migrate from it.
const SCHEMA_VERSION: i32 = 1;

/// The payload comes last in the row: whoever wants the columns before it need not follow its overflow pages.
const SCHEMA: &str = "
    CREATE TABLE event (
        position INTEGER PRIMARY KEY AUTOINCREMENT,
        stream TEXT NOT NULL,
        version INTEGER NOT NULL,
        event_type TEXT NOT NULL,
        event_version TEXT NOT NULL,
        recorded_at INTEGER NOT NULL,
        metadata TEXT NOT NULL,
        payload TEXT NOT NULL,
        UNIQUE (stream, version)
    ) STRICT;
    CREATE TABLE command (
        id BLOB PRIMARY KEY,
        stream TEXT NOT NULL,
        position INTEGER NOT NULL,
        version INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;";

/// Backups and the `sqlite3` program may hold the file for a moment; longer than this is an error.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Above the number of different statements that one connection runs.
const STATEMENTS: usize = 32;

/// KiB of pages that the writer keeps: streams have random names, so that their index is written all over.
const WRITER_CACHE_KIB: i32 = 16 << 10;

/// Opens the file for writing, and makes it a log if it is new or empty.
pub(super) fn open(path: &Path) -> Result<Connection, OpenError> {
    if path.exists() && !path.is_file() {
        return Err(OpenError::NotAFile { path: path.to_owned() });
    }
    let directory = path.parent().filter(|directory| !directory.as_os_str().is_empty());
    if directory.is_some_and(|directory| !directory.is_dir()) {
        return Err(OpenError::NoDirectory { path: path.to_owned() });
    }
    let mut connection = connect(path).map_err(|error| open_error(path, &error))?;
    // Before anything is written: another program's file must stay as it is.
    let new = is_new(&connection, path)?;
    if connection.is_readonly(rusqlite::MAIN_DB).map_err(|error| open_error(path, &error))? {
        return Err(OpenError::ReadOnly { path: path.to_owned() });
    }
    let journal_mode = prepare(&mut connection, new).map_err(|error| open_error(path, &error))?;
    if journal_mode != "wal" {
        let detail = "its file system does not support SQLite's write-ahead log".to_owned();
        return Err(OpenError::Unavailable { path: path.to_owned(), detail });
    }
    Ok(connection)
}

/// Opens the file of a log for writing again.
pub(super) fn reopen(path: &Path) -> rusqlite::Result<Connection> {
    let mut connection = connect(path)?;
    prepare(&mut connection, false)?;
    Ok(connection)
}

/// Opens the file of a log for reading.
pub(super) fn open_read_only(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    connect_with(path, flags)
}

/// Writes one page without changing what it says. After a commit that failed this overwrites what the failed one may have
/// left at the end of the write-ahead log, where a crash would make it look committed; if the disk has no room, it fails.
pub(super) fn write_nothing(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "application_id", APPLICATION_ID)
}

/// Does something that waits for others no longer than `timeout`.
pub(super) fn with_busy_timeout<T>(
    connection: &Connection,
    timeout: Duration,
    work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    connection.busy_timeout(timeout)?;
    let result = work(connection);
    connection.busy_timeout(BUSY_TIMEOUT)?;
    result
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    connect_with(path, flags)
}

fn connect_with(path: &Path, flags: OpenFlags) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    // Without it SQLite prepares a statement anew for each set of parameters, as their values might suggest another plan.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(connection)
}

/// Whether a file is a log that this version can read.
pub(super) fn is_log(connection: &Connection) -> rusqlite::Result<bool> {
    let (application, version, _) = identity(connection)?;
    Ok(application == APPLICATION_ID && version <= SCHEMA_VERSION)
}

fn is_new(connection: &Connection, path: &Path) -> Result<bool, OpenError> {
    let (application, version, tables) = identity(connection).map_err(|error| open_error(path, &error))?;
    match (application, version) {
        (APPLICATION_ID, SCHEMA_VERSION) => Ok(false),
        (APPLICATION_ID, found) if found > SCHEMA_VERSION => {
            Err(OpenError::Newer { path: path.to_owned(), found, known: SCHEMA_VERSION })
        }
        (0, 0) if tables == 0 => Ok(true),
        _ => Err(OpenError::Foreign { path: path.to_owned() }),
    }
}

fn identity(connection: &Connection) -> rusqlite::Result<(i32, i32, u64)> {
    let application = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let version = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let tables = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    Ok((application, version, tables))
}

/// Returns the journal mode that SQLite could have.
fn prepare(connection: &mut Connection, new: bool) -> rusqlite::Result<String> {
    let journal_mode = connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)?;
    // The writer does it itself, when nobody waits for a commit.
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    if new {
        let transaction = connection.transaction()?;
        transaction.execute_batch(SCHEMA)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", SCHEMA_VERSION)?;
        transaction.commit()?;
    }
    Ok(journal_mode)
}

fn open_error(path: &Path, error: &rusqlite::Error) -> OpenError {
    let path = path.to_owned();
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => OpenError::Foreign { path },
        Some(ErrorCode::ReadOnly) => OpenError::ReadOnly { path },
        _ => OpenError::Unavailable { path, detail: describe(error) },
    }
}

/// What SQLite said, with its extended code: `disk I/O error` alone is no help to whoever has to repair the disk.
pub(super) fn describe(error: &rusqlite::Error) -> String {
    match error {
        rusqlite::Error::SqliteFailure(failure, _) => format!("{error} (SQLite code {})", failure.extended_code),
        _ => error.to_string(),
    }
}
