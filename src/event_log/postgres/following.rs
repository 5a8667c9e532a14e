//! Knows how far the log is, so that readers wake as soon as there is something to read: told by the writer of this node, by
//! notifications from others, and, as both are only hints, by looking.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use offshoot_aggregates::Position;
use sqlx::postgres::PgListener;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::reader::Reader;
use crate::event_log::backoff::backoff;
use crate::limits::{STORE_BACKOFF, STORE_IN_FLIGHT_WAIT, STORE_NOTIFY_INTERVAL, STORE_OWN_APPEND_WAIT, STORE_POLL};

/// The channel on which nodes tell each other that they have recorded something.
const CHANNEL: &str = "offshoot_events";

/// Knows how far the log is.
pub(super) struct Following {
    reader: Arc<Reader>,
    head: watch::Sender<Position>,
    /// Someone says that there may be more.
    look: Notify,
    /// This node has recorded something that others may not know of.
    tell: Notify,
    /// By this the node knows its own notifications.
    id: String,
    /// Held by the writer of this node until those whose appends it records know what became of them.
    recording: tokio::sync::Mutex<()>,
    /// When the log was last looked at.
    told_all_at: Mutex<std::time::Instant>,
}

impl Following {
    pub(super) fn new(reader: Arc<Reader>, head: Position) -> Self {
        Self {
            id: Uuid::new_v4().to_string(),
            reader,
            head: watch::Sender::new(head),
            look: Notify::new(),
            tell: Notify::new(),
            recording: tokio::sync::Mutex::default(),
            told_all_at: Mutex::new(std::time::Instant::now()),
        }
    }

    pub(super) fn watch(&self) -> watch::Receiver<Position> {
        self.head.subscribe()
    }

    /// The last moment at which it was seen how far the log is.
    pub(super) fn told_all_at(&self) -> std::time::Instant {
        *self.told_all_at.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// As long as the writer holds this, nobody is woken by what it records, unless that takes too long.
    pub(super) async fn begin_recording(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.recording.lock().await
    }

    /// Notes that this node has recorded the events from `first` to `last`.
    pub(super) fn recorded(&self, first: Position, last: Position) {
        if first.0 <= self.reader.settled().0 + 1 {
            self.reader.settle(last);
            self.reach(last);
        } else {
            // Someone else is recording, or has recorded, something before.
            self.look.notify_one();
        }
        self.tell.notify_one();
    }

    fn reach(&self, position: Position) {
        self.head.send_if_modified(|head| {
            let is_further = position > *head;
            *head = (*head).max(position);
            is_further
        });
    }

    /// Looks for events of other nodes until told to stop: soon after there were some, less and less often when there are none.
    pub(super) async fn follow(self: Arc<Self>, stop: CancellationToken) {
        let (shortest, longest) = STORE_POLL;
        let mut pause = shortest;
        let mut pauses = backoff();
        while !stop.is_cancelled() {
            let begun = std::time::Instant::now();
            let looked = self.look_once().await;
            if looked.is_ok() {
                *self.told_all_at.lock().unwrap_or_else(PoisonError::into_inner) = begun;
            }
            match looked {
                Ok(true) => {
                    pause = shortest;
                    pauses = backoff();
                }
                Ok(false) => pause = (pause * 2).min(longest),
                Err(_) => pause = pauses.next().unwrap_or(STORE_BACKOFF.1),
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.look.notified(), if looked.is_ok() => {}
                () = sleep(pause) => {}
            }
        }
    }

    /// Whether there was something new.
    async fn look_once(&self) -> Result<bool, crate::event_log::ReadError> {
        let before = *self.head.borrow();
        if !self.reader.has_events_above(before).await? {
            return Ok(false);
        }
        let until = Instant::now() + STORE_IN_FLIGHT_WAIT;
        loop {
            let end = self.reader.end().await?;
            // What is this node's own, the writer tells; an append that hangs must not hide what others have recorded.
            let _ = timeout(STORE_OWN_APPEND_WAIT, self.recording.lock()).await;
            self.reach(end.last());
            // What is there but not to be seen yet will be in a moment.
            if end.last() > before || Instant::now() > until {
                return Ok(true);
            }
            sleep(STORE_POLL.0).await;
        }
    }

    /// Tells other nodes, until told to stop, when this one has recorded something: not in the transaction of an append, where
    /// it would keep others from committing at the same time, and no more often than is of use.
    pub(super) async fn tell(self: Arc<Self>, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.tell.notified() => {}
            }
            let next = Instant::now() + STORE_NOTIFY_INTERVAL;
            let told = sqlx::query("SELECT pg_notify($1, $2)").bind(CHANNEL).bind(&self.id).execute(self.reader.pool());
            // Only a hint: whoever is not told looks by itself.
            if let Ok(Err(error)) = timeout(Duration::from_secs(1), told).await {
                tracing::debug!(%error, "other nodes were not told of new events");
            }
            sleep_until(next).await;
        }
    }

    /// Listens to other nodes until told to stop.
    pub(super) async fn listen(self: Arc<Self>, stop: CancellationToken) {
        let mut pauses = backoff();
        while !stop.is_cancelled() {
            let listen = async {
                let mut listener = PgListener::connect_with(self.reader.pool()).await?;
                listener.listen(CHANNEL).await?;
                loop {
                    // What this node has recorded itself it knows.
                    if listener.recv().await?.payload() != self.id {
                        self.look.notify_one();
                    }
                    pauses = backoff();
                }
            };
            let heard: sqlx::Result<std::convert::Infallible> = tokio::select! {
                () = stop.cancelled() => return,
                heard = listen => heard,
            };
            let Err(error) = heard;
            tracing::debug!(%error, "other nodes are not listened to for a moment");
            sleep(pauses.next().unwrap_or(STORE_BACKOFF.1)).await;
        }
    }
}
