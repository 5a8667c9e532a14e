//! The event log in PostgreSQL: for as many nodes as there are.
//!
//! Appends of a node go through one writer, which records whatever waits in one call ([`writer`], [`group`]); streams are loaded
//! by `postgres-es` ([`stream_loading`]). What keeps the order over all nodes stands in `migrations/`.

mod claims;
mod connection;
mod copying;
mod following;
mod group;
mod keys;
mod looking;
mod reader;
mod schema;
mod stream_loading;
mod writer;

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use offshoot_aggregates::{Position, RecordedEvent, StreamId, Version};
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::{CancellationToken, DropGuard};
use uuid::Uuid;

use self::claims::Claims;
use self::following::Following;
use self::group::Waiting;
use self::looking::Looking;
use self::reader::Reader;
use self::writer::{Request, Writer};
use super::write_counters::WriteCounters;
use super::{Append, AppendError, Appended, Claim, EventLog, OpenError, ReadError, Written};
use crate::limits::APPEND_QUEUE_MAX;

pub use self::connection::PostgresUrl;
pub(super) use self::copying::PostgresCopy;

/// An event log in a PostgreSQL database, which other processes may use at the same time.
///
/// [`EventLog::written`] counts one sync for each commit, however many appends share it.
pub struct PostgresEventLog {
    queue: mpsc::Sender<Request>,
    reader: Arc<Reader>,
    following: Arc<Following>,
    claims: Claims,
    looking: Looking,
    counters: Arc<WriteCounters>,
    /// Closed by the writer when it has stopped.
    stopped: watch::Receiver<()>,
    stop_following: CancellationToken,
    /// Stops it also when nobody closes the log.
    _stop_when_dropped: DropGuard,
}

impl PostgresEventLog {
    /// Opens the log in a database, and makes its tables, or brings them up to date.
    ///
    /// # Errors
    /// [`OpenError`] says what is in the way.
    pub async fn open(url: &PostgresUrl) -> Result<Self, OpenError> {
        let options = url.options().map_err(|detail| OpenError::Server { url: url.to_string(), detail })?;
        schema::prepare(url, &options).await?;
        let reader = Arc::new(Reader::new(connection::pool(&options)));
        // It was there a moment ago, and has the tables.
        let head = reader.head().await;
        let head = head.map_err(|error| OpenError::Away { url: url.to_string(), detail: error.to_string() })?;
        let following = Arc::new(Following::new(reader.clone(), head));
        let stop = CancellationToken::new();
        tokio::spawn(following.clone().follow(stop.clone()));
        tokio::spawn(following.clone().tell(stop.clone()));
        tokio::spawn(following.clone().listen(stop.clone()));
        let counters = Arc::new(WriteCounters::default());
        let writer = Writer::new(options.clone(), following.clone(), counters.clone());
        let (queue, requests) = mpsc::channel(APPEND_QUEUE_MAX);
        let (running, stopped) = watch::channel(());
        tokio::spawn(async move {
            writer.run(requests).await;
            drop(running);
        });
        Ok(Self {
            queue,
            reader,
            following,
            looking: Looking::new(options.clone()),
            claims: Claims::new(options),
            counters,
            stopped,
            stop_following: stop.clone(),
            _stop_when_dropped: stop.drop_guard(),
        })
    }
}

#[async_trait]
impl EventLog for PostgresEventLog {
    async fn append(&self, append: Append) -> Result<Appended, AppendError> {
        let (answer, outcome) = oneshot::channel();
        let request = Request::Append(Waiting::new(append, answer)?);
        self.queue.send(request).await.map_err(|_| AppendError::Unavailable("it is closed".to_owned()))?;
        outcome.await.unwrap_or_else(|_| Err(AppendError::Unknown("its writer has stopped".to_owned())))
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
        // Whoever knows a stream asks again and again whether there is more of it.
        if after > Version::NONE && !self.looking.has_gone_on(stream, after).await? {
            return Ok(Vec::new());
        }
        stream_loading::load(&self.reader, stream, after, limit).await
    }

    async fn read_all(&self, after: Position, limit: usize) -> Result<Vec<RecordedEvent>, ReadError> {
        self.reader.all(after, limit).await
    }

    async fn head(&self) -> Result<Position, ReadError> {
        self.reader.head().await
    }

    async fn version_at(&self, stream: &StreamId, position: Position) -> Result<Version, ReadError> {
        self.reader.version_at(stream, position).await
    }

    async fn position_at(&self, time: Timestamp) -> Result<Position, ReadError> {
        self.reader.position_at(time).await
    }

    async fn time_at(&self, position: Position) -> Result<Option<Timestamp>, ReadError> {
        self.reader.time_at(position).await
    }

    async fn find_command(&self, command: Uuid) -> Result<Option<Appended>, ReadError> {
        self.reader.find_command(command).await
    }

    fn watch(&self) -> watch::Receiver<Position> {
        self.following.watch()
    }

    fn told_all_at(&self) -> std::time::Instant {
        self.following.told_all_at()
    }

    fn store_name(&self) -> &'static str {
        "PostgreSQL"
    }

    fn is_shared(&self) -> bool {
        true
    }

    async fn claim(&self, work: Uuid) -> Result<Option<Claim>, ReadError> {
        self.claims.claim(work).await
    }

    fn written(&self) -> Written {
        self.counters.written()
    }

    async fn close(&self) {
        // Fails if it is closed already: then there is only the wait.
        let _ = self.queue.send(Request::Close).await;
        let mut stopped = self.stopped.clone();
        while stopped.changed().await.is_ok() {}
        self.stop_following.cancel();
        self.reader.pool().close().await;
    }
}
