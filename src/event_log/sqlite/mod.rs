//! The event log in one SQLite file: one writer with group commit, and a few readers. For one process; see
//! [`DirectoryLock`](super::DirectoryLock).

mod copying;
mod file;
mod reader;
mod recording;
mod writer;

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use offshoot_aggregates::{Position, RecordedEvent, StreamId, Version};
use tokio::sync::{mpsc, oneshot, watch};
use uuid::Uuid;

use self::reader::Readers;
use self::recording::PreparedAppend;
use self::writer::{Progress, Request, Writer};
use super::{Append, AppendError, Appended, EventLog, OpenError, ReadError, Written};
use crate::background::Niceness;
use crate::limits::{APPEND_QUEUE_MAX, LOG_WRITER_NICENESS};

pub(super) use self::copying::{SqliteCopy, vacuum_into};

/// An event log in a SQLite file.
///
/// Whatever was acknowledged is on disk (`synchronous=FULL`). Dropping the log loses nothing of it; [`EventLog::close`]
/// also waits until the writer has stopped and the file is in one piece.
///
/// [`EventLog::written`] counts as syncs: one for each commit, however many appends share it, and two for each checkpoint
/// (one of the write-ahead log, one of the file).
pub struct SqliteEventLog {
    queue: mpsc::Sender<Request>,
    progress: Arc<Progress>,
    readers: Arc<Readers>,
    /// Closed by the writer when it has stopped.
    stopped: watch::Receiver<()>,
}

impl SqliteEventLog {
    /// Opens the log in the file at `path`, or creates it. The directory must exist.
    ///
    /// # Errors
    /// [`OpenError`] says what is in the way. A file that is not a log of ours is left as it is.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let (writer, progress) = Writer::open(path.to_owned())?;
        let (queue, requests) = mpsc::channel(APPEND_QUEUE_MAX);
        let (running, stopped) = watch::channel(());
        let niceness = Niceness::above_this_thread(LOG_WRITER_NICENESS);
        std::thread::Builder::new()
            .name("event-log-writer".to_owned())
            .spawn(move || {
                niceness.take();
                writer.run(requests);
                drop(running);
            })
            .map_err(|error| OpenError::Unavailable { path: path.to_owned(), detail: error.to_string() })?;
        Ok(Self { queue, progress, readers: Arc::new(Readers::new(path.to_owned())), stopped })
    }
}

#[async_trait]
impl EventLog for SqliteEventLog {
    fn store_name(&self) -> &'static str {
        "SQLite"
    }

    async fn append(&self, append: Append) -> Result<Appended, AppendError> {
        let (answer, outcome) = oneshot::channel();
        let request = Request::Append(PreparedAppend::new(append)?, answer);
        self.queue.send(request).await.map_err(|_| AppendError::Unavailable("it is closed".to_owned()))?;
        outcome.await.unwrap_or_else(|_| Err(AppendError::Unavailable("its writer has stopped".to_owned())))
    }

    fn takes_followers(&self) -> bool {
        true
    }

    async fn read_stream(
        &self,
        stream: &StreamId,
        after: Version,
        limit: usize,
    ) -> Result<Vec<RecordedEvent>, ReadError> {
        let stream = stream.to_string();
        self.readers.query(move |connection| reader::stream(connection, &stream, after, limit)).await
    }

    async fn read_all(&self, after: Position, limit: usize) -> Result<Vec<RecordedEvent>, ReadError> {
        self.readers.query(move |connection| reader::all(connection, after, limit)).await
    }

    async fn head(&self) -> Result<Position, ReadError> {
        // Nobody else writes the file.
        Ok(*self.progress.head.borrow())
    }

    async fn version_at(&self, stream: &StreamId, position: Position) -> Result<Version, ReadError> {
        let stream = stream.to_string();
        self.readers.query(move |connection| reader::version_at(connection, &stream, position)).await
    }

    async fn position_at(&self, time: Timestamp) -> Result<Position, ReadError> {
        let head = self.head().await?;
        self.readers.query(move |connection| reader::position_at(connection, time, head)).await
    }

    async fn time_at(&self, position: Position) -> Result<Option<Timestamp>, ReadError> {
        self.readers.query(move |connection| reader::time_at(connection, position)).await
    }

    async fn find_command(&self, command: Uuid) -> Result<Option<Appended>, ReadError> {
        self.readers
            .query(move |connection| recording::find_command(connection, command).map_err(reader::unavailable))
            .await
    }

    fn watch(&self) -> watch::Receiver<Position> {
        self.progress.head.subscribe()
    }

    fn written(&self) -> Written {
        self.progress.counters.written()
    }

    async fn close(&self) {
        // Fails if it is closed already: then there is only the wait.
        let _ = self.queue.send(Request::Close).await;
        let mut stopped = self.stopped.clone();
        while stopped.changed().await.is_ok() {}
    }
}
