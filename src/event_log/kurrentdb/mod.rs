//! The event log in KurrentDB (EventStoreDB until version 24): for as many nodes as there are. Tested against a protocol double,
//! not yet against a real server.
//!
//! * **Positions** are the commit positions of `$all`: bytes from the beginning of the database. They rise with holes, never
//!   repeat, and the server shows nothing behind what it has shown. Below 2^63 bytes they fit; as JSON numbers they are exact
//!   below 2^53.
//! * **Streams** have the installation's name in front of theirs ([`naming`]), so that the log can share a database. Nodes read
//!   all of it, though: what others keep there costs them time.
//! * **An append** is one append of KurrentDB, with event ids that are the same when it is sent again ([`envelope`]), until it is
//!   known what became of it ([`writer`]). Commands that must never be done twice have a stream each ([`remembered`]).
//! * **Times** are those of the server's clock. If it goes back, or a node with a slow clock becomes leader, so do they.
//! * **Size.** The server takes a limited number of bytes in one append; more is refused here already.

mod claims;
mod client;
mod copying;
mod endless_loop;
mod envelope;
mod following;
mod horizon;
mod naming;
mod nodelay;
mod reader;
mod remembered;
mod timeline;
mod url;
mod writer;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use jiff::Timestamp;
use offshoot_aggregates::{Position, RecordedEvent, StreamId, Version};
use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use self::claims::Claims;
use self::client::{Failure, SupervisedClient};
use self::reader::Reader;
use self::writer::Writer;
use super::write_counters::count_outcome;
use super::{Append, AppendError, Appended, Claim, EventLog, OpenError, ReadError, Written};

pub(super) use self::copying::KurrentCopy;
pub use self::url::{KurrentUrl, PASSWORD_VARIABLE};

/// An event log in KurrentDB, which other processes may use at the same time.
///
/// [`EventLog::written`] counts one sync for each append.
pub struct KurrentEventLog {
    writer: Arc<Writer>,
    reader: Arc<Reader>,
    claims: Claims,
    /// Appends in hand.
    appends: TaskTracker,
    is_closed: AtomicBool,
    stop: CancellationToken,
    /// Stops what runs in the background also when nobody closes the log.
    _stop_when_dropped: DropGuard,
}

impl KurrentEventLog {
    /// Opens the log in a database.
    ///
    /// # Errors
    /// [`OpenError`] says what is in the way.
    pub async fn open(url: &KurrentUrl) -> Result<Self, OpenError> {
        let failed = |detail: String| OpenError::Server { url: url.to_string(), detail };
        let place = url.place().map_err(failed)?;
        let append_bytes = place.append_bytes;
        // One for each: what is read in big pieces does not hold up what is recorded.
        let commands = Arc::new(SupervisedClient::new(place.clone()));
        let reader = Arc::new(Reader::new(Arc::new(SupervisedClient::new(place))));
        commands.prepare().map_err(failed)?;
        reader.find_end().await.map_err(|failure| match failure {
            Failure::NotDone(detail) | Failure::Unknown(detail) => OpenError::Away { url: url.to_string(), detail },
            Failure::Refused(error) => failed(error.to_string()),
        })?;
        let stop = CancellationToken::new();
        tokio::spawn(following::follow(reader.clone(), stop.clone()));
        tokio::spawn(timeline::set_marks(reader.clone(), commands.clone(), stop.clone()));
        Ok(Self {
            writer: Arc::new(Writer::new(commands.clone(), reader.clone(), append_bytes)),
            claims: Claims::new(commands, reader.clone(), stop.clone()),
            reader,
            appends: TaskTracker::new(),
            is_closed: AtomicBool::new(false),
            stop: stop.clone(),
            _stop_when_dropped: stop.drop_guard(),
        })
    }
}

#[async_trait]
impl EventLog for KurrentEventLog {
    async fn append(&self, append: Append) -> Result<Appended, AppendError> {
        if self.is_closed.load(Ordering::Acquire) {
            return Err(AppendError::Unavailable("it is closed".to_owned()));
        }
        // To its end, also if nobody waits for it any more.
        let writer = self.writer.clone();
        let appending = self.appends.spawn(async move {
            let outcome = writer.append(&append).await;
            count_outcome(&outcome);
            outcome
        });
        appending.await.unwrap_or_else(|error| Err(AppendError::Unknown(error.to_string())))
    }

    async fn read_stream(
        &self,
        stream: &StreamId,
        after: Version,
        limit: usize,
    ) -> Result<Vec<RecordedEvent>, ReadError> {
        let opened = self.reader.stream(&self.reader.client().names().stream(stream), after, limit).await?;
        Ok(opened.into_iter().map(|opened| opened.event).collect())
    }

    async fn read_all(&self, after: Position, limit: usize) -> Result<Vec<RecordedEvent>, ReadError> {
        if limit == 0 {
            return Ok(Vec::new());
        }
        let opened = self.reader.all(after, limit).await?;
        Ok(opened.into_iter().map(|opened| opened.event).collect())
    }

    async fn head(&self) -> Result<Position, ReadError> {
        Ok(self.reader.look().await?.head)
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
        Ok(self.writer.remembered().find(command).await?.map(|(_, appended)| appended))
    }

    fn watch(&self) -> watch::Receiver<Position> {
        self.reader.horizon.watch()
    }

    fn store_name(&self) -> &'static str {
        "KurrentDB"
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn append_bytes_max(&self) -> Option<usize> {
        Some(self.writer.append_bytes)
    }

    async fn claim(&self, work: Uuid) -> Result<Option<Claim>, ReadError> {
        self.claims.claim(work).await
    }

    fn written(&self) -> Written {
        self.writer.counters.written()
    }

    async fn close(&self) {
        self.is_closed.store(true, Ordering::Release);
        self.appends.close();
        self.appends.wait().await;
        self.stop.cancel();
    }
}
