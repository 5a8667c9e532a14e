//! The files of a read model: `{name}.v{version}.{generation}.sqlite`. A rebuild is a new generation beside the old one.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use offshoot_projections::{Projection, is_caught_up, mark_caught_up, open};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use crate::background::give_way_within;

/// Pages of a read model that a connection keeps in memory, in KiB. Negative is SQLite's way to say KiB.
const CACHE_KIB: i64 = -8_192;

/// The same while a file is being built: it is written from end to end.
const BUILD_CACHE_KIB: i64 = -65_536;

/// One file of a read model.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Generation {
    /// The version of the projection that it belongs to.
    pub version: u32,
    /// Counts the rebuilds.
    pub number: u64,
    /// Where it is.
    pub path: PathBuf,
}

/// The files of one read model in a directory.
#[derive(Clone, Debug)]
pub struct ReadModelFiles {
    directory: PathBuf,
    name: &'static str,
}

impl ReadModelFiles {
    /// The files of the read model with this name.
    #[must_use]
    pub fn new(directory: &Path, name: &'static str) -> Self {
        Self { directory: directory.to_owned(), name }
    }

    /// What is there, oldest first.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub fn list(&self) -> io::Result<Vec<Generation>> {
        fs::create_dir_all(&self.directory)?;
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.directory)? {
            let path = entry?.path();
            if let Some((version, number)) = self.parse(&path) {
                found.push(Generation { version, number, path });
            }
        }
        found.sort();
        Ok(found)
    }

    fn parse(&self, path: &Path) -> Option<(u32, u64)> {
        let name = path.file_name()?.to_str()?.strip_prefix(self.name)?.strip_prefix(".v")?;
        let (version, number) = name.strip_suffix(".sqlite")?.split_once('.')?;
        Some((version.parse().ok()?, number.parse().ok()?))
    }

    /// A file that is not there yet.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub fn next(&self, version: u32) -> io::Result<Generation> {
        let number = self.list()?.iter().map(|generation| generation.number + 1).max().unwrap_or(1);
        let path = self.directory.join(format!("{}.v{version}.{number}.sqlite", self.name));
        Ok(Generation { version, number, path })
    }
}

impl Generation {
    /// Opens the file for a projection that keeps it up to date while others read it.
    ///
    /// # Errors
    /// The file cannot be opened or written.
    pub fn open_live(&self, projection: &dyn Projection) -> rusqlite::Result<Connection> {
        let mut connection = Connection::open(&self.path)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        // A crash of the machine may cost the last transactions, never the file: they are applied again from the log.
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        prepare(&connection, CACHE_KIB)?;
        open(&mut connection, projection)?;
        give_way_within(&mut connection)?;
        Ok(connection)
    }

    /// Opens an empty file that nobody reads before [`Generation::finish_build`]: without a journal, because a build that
    /// breaks off is thrown away.
    ///
    /// # Errors
    /// The file cannot be opened or written.
    pub fn open_build(&self, projection: &dyn Projection) -> rusqlite::Result<Connection> {
        let mut connection = Connection::open(&self.path)?;
        connection.pragma_update(None, "journal_mode", "OFF")?;
        connection.pragma_update(None, "synchronous", "OFF")?;
        connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
        prepare(&connection, BUILD_CACHE_KIB)?;
        open(&mut connection, projection)?;
        give_way_within(&mut connection)?;
        Ok(connection)
    }

    /// Makes a built file safe on disk, and marks it as one that can serve.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn finish_build(&self, connection: Connection, projection: &dyn Projection) -> rusqlite::Result<Connection> {
        connection.close().map_err(|(_, error)| error)?;
        let sync = File::open(&self.path).and_then(|file| file.sync_all());
        sync.map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
        let connection = self.open_live(projection)?;
        mark_caught_up(&connection)?;
        Ok(connection)
    }

    /// Opens the file for reading.
    ///
    /// # Errors
    /// The file cannot be opened.
    pub fn open_reader(&self) -> rusqlite::Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.path, flags)?;
        prepare(&connection, CACHE_KIB)?;
        Ok(connection)
    }

    /// Whether the file was built to its end. A file that cannot be read was not.
    #[must_use]
    pub fn can_serve(&self) -> bool {
        self.open_reader().and_then(|connection| is_caught_up(&connection)).unwrap_or(false)
    }

    /// Deletes the file and what SQLite put beside it.
    pub fn delete(&self) {
        for suffix in ["", "-wal", "-shm"] {
            let mut path = self.path.clone().into_os_string();
            path.push(suffix);
            match fs::remove_file(&path) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => tracing::warn!(?path, %error, "an old read model cannot be deleted"),
            }
        }
    }
}

fn prepare(connection: &Connection, cache_kib: i64) -> rusqlite::Result<()> {
    // Without it SQLite prepares a statement anew for each set of parameters, as their values might suggest another plan.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.pragma_update(None, "cache_size", cache_kib)?;
    connection.set_prepared_statement_cache_capacity(128);
    connection.busy_timeout(std::time::Duration::from_secs(5))
}
