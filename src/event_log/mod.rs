//! The event log: the one truth. A trait, so that everything above it is the same on every store.

pub(crate) mod backoff;
mod backup;
mod claim;
mod copying;
mod directory_lock;
mod kurrentdb;
mod open_error;
mod password;
mod postgres;
mod sqlite;
mod ticket;
mod write_counters;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use jiff::Timestamp;
use offshoot_aggregates::{Position, RecordedEvent, StreamId, Version};
use tokio::sync::watch;
use uuid::Uuid;

pub use backup::{back_up, back_up_file, restore};
pub use claim::Claim;
pub use copying::{Copied, CopyError, CopySide, RecordedCommand, copy_log};
pub use directory_lock::{DirectoryLock, LockError};
pub use kurrentdb::{KurrentEventLog, KurrentUrl, PASSWORD_VARIABLE};
pub use open_error::OpenError;
pub use password::PASSWORD_FILE_VARIABLE;
pub use postgres::{PostgresEventLog, PostgresUrl};
pub use sqlite::SqliteEventLog;
pub use ticket::{Fate, Ticket};

/// An event that is about to be recorded.
#[derive(Clone, Debug)]
pub struct NewEvent {
    /// Its type, such as `CloneCompleted`.
    pub event_type: &'static str,
    /// The version of the type's shape.
    pub event_version: &'static str,
    /// What it says, as JSON.
    pub payload: String,
}

/// What a writer wants recorded: all of it or nothing, in one stream.
#[derive(Clone, Debug)]
pub struct Append {
    /// The stream.
    pub stream: StreamId,
    /// The version that the stream must be at.
    pub expected: Version,
    /// The events, at least one.
    pub events: Vec<NewEvent>,
    /// Who and what caused them; the same beside each.
    pub metadata: Arc<HashMap<String, String>>,
    /// The command, if it must never be done twice: the log remembers it, in the same transaction, for ever.
    pub command: Option<Uuid>,
    /// Tells what becomes of it.
    pub ticket: Ticket,
    /// The append that this one was decided on, if the log had not answered that one yet: unless that one is recorded, this
    /// one conflicts. Only for logs that take followers.
    pub follows: Option<Ticket>,
}

/// Where a command's events are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appended {
    /// The position of the last of them.
    pub position: Position,
    /// The version of the last of them.
    pub version: Version,
}

/// Why nothing was recorded.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// The stream is at another version: someone was faster.
    #[error("the stream is at version {actual}, not {expected}")]
    Conflict {
        /// The version that was expected.
        expected: Version,
        /// The version that the stream is at.
        actual: Version,
    },
    /// The command was done before; its events are here.
    #[error("the command was done before")]
    AlreadyDone(Appended),
    /// It is more than the store takes in one append.
    #[error("{bytes} bytes are more than the event log takes at once, which is {max}")]
    TooLarge {
        /// Bytes of the append, as the store counts them.
        bytes: usize,
        /// Bytes that it takes.
        max: usize,
    },
    /// The store is away, full or broken. Nothing was recorded.
    #[error("the event log cannot be written: {0}")]
    Unavailable(String),
    /// The store is away since the events were sent to it: they may have been recorded, or not. Whoever repeats the append with
    /// the same [`Append::command`] learns which.
    #[error("it is not known whether the event log has recorded it: {0}")]
    Unknown(String),
}

/// Why nothing was read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The store is away or broken.
    #[error("the event log cannot be read: {0}")]
    Unavailable(String),
    /// A row of the log is not an event of ours.
    #[error("the event at position {position} is damaged: {detail}")]
    Damaged {
        /// Where.
        position: Position,
        /// What is wrong with it.
        detail: String,
    },
}

/// The event log.
#[async_trait]
pub trait EventLog: Send + Sync + 'static {
    /// Records events, all or nothing, and answers once they are on disk.
    ///
    /// # Errors
    /// [`AppendError`]; whichever it is, but for [`AppendError::Unknown`], nothing was recorded.
    async fn append(&self, append: Append) -> Result<Appended, AppendError>;

    /// Whether it takes appends that follow others which it has not answered yet ([`Append::follows`]). Such a log records
    /// appends to one stream in the order in which their futures were first polled, and settles the ticket of each before it
    /// answers it; one that is not shared, before readers see it.
    fn takes_followers(&self) -> bool {
        false
    }

    /// The events of a stream with versions above `after`, in order, at most `limit`, and at most about
    /// [`PAGE_BYTES_MAX`](crate::limits::PAGE_BYTES_MAX) of payload, but one event if there is any.
    ///
    /// # Errors
    /// The store is away or the log is damaged.
    async fn read_stream(
        &self,
        stream: &StreamId,
        after: Version,
        limit: usize,
    ) -> Result<Vec<RecordedEvent>, ReadError>;

    /// The events of all streams with positions above `after`, in order of position, with the limits of
    /// [`EventLog::read_stream`]. Never passes a position at which an event may still appear.
    ///
    /// # Errors
    /// The store is away or the log is damaged.
    async fn read_all(&self, after: Position, limit: usize) -> Result<Vec<RecordedEvent>, ReadError>;

    /// The position of the last event that [`EventLog::read_all`] can read; [`Position::START`] if there is none.
    ///
    /// # Errors
    /// The store is away.
    async fn head(&self) -> Result<Position, ReadError>;

    /// The version that a stream was at when the log was at `position`.
    ///
    /// # Errors
    /// The store is away.
    async fn version_at(&self, stream: &StreamId, position: Position) -> Result<Version, ReadError>;

    /// The position of the last event that was recorded at `time` or before; [`Position::START`] if there is none.
    ///
    /// # Errors
    /// The store is away.
    async fn position_at(&self, time: Timestamp) -> Result<Position, ReadError>;

    /// When the last event at `position` or before was recorded; `None` if there is none.
    ///
    /// # Errors
    /// The store is away.
    async fn time_at(&self, position: Position) -> Result<Option<Timestamp>, ReadError>;

    /// Where the events of a command are, if it was recorded with [`Append::command`].
    ///
    /// # Errors
    /// The store is away.
    async fn find_command(&self, command: Uuid) -> Result<Option<Appended>, ReadError>;

    /// Wakes readers: a hint, never the truth (a reader also polls).
    fn watch(&self) -> watch::Receiver<Position>;

    /// A moment at which [`EventLog::watch`] told of everything that had been recorded before it: the last one that is known.
    fn told_all_at(&self) -> Instant {
        Instant::now()
    }

    /// What it keeps the events in, by the name that people know.
    fn store_name(&self) -> &'static str;

    /// Whether other processes may record events in it at the same time.
    fn is_shared(&self) -> bool {
        false
    }

    /// Bytes that one append may have, payload and what the store adds to it; `None` if that many are no question.
    fn append_bytes_max(&self) -> Option<usize> {
        None
    }

    /// Claims a piece of work for this process; `None` if another process is at it.
    ///
    /// # Errors
    /// The store is away.
    async fn claim(&self, work: Uuid) -> Result<Option<Claim>, ReadError> {
        let _ = work;
        Ok(Some(Claim::undisputed()))
    }

    /// What was written since the start, for metrics and benchmarks.
    fn written(&self) -> Written;

    /// Finishes what is in hand and stops. Later appends are refused.
    async fn close(&self);
}

/// What a log has written since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Appends that were recorded.
    pub appends: u64,
    /// Events in them.
    pub events: u64,
    /// Bytes of payload and metadata in them.
    pub bytes: u64,
    /// Times that the disk was waited for.
    pub syncs: u64,
}
