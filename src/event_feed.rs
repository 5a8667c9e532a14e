//! Hands the log's events to all readers of this process: recent ones are read from the store, and decoded, only once.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use offshoot_aggregates::{Position, RecordedEvent};
use tokio::sync::watch;

use crate::event_log::{EventLog, ReadError};
use crate::limits::{FEED_BYTES_MAX, FEED_EVENTS_MAX, PAGE_EVENTS_MAX, POLL_INTERVAL};

/// The log's events for the readers of this process.
pub struct EventFeed {
    log: Arc<dyn EventLog>,
    begin: Position,
    recent: Mutex<Recent>,
    /// Held while the next recent events are read, so that readers that wait for the same events read them once.
    reading: tokio::sync::Mutex<()>,
}

/// The last events, without a hole: all that come after `after`, up to `end`.
#[derive(Default)]
struct Recent {
    after: Position,
    end: Position,
    events: VecDeque<Arc<RecordedEvent>>,
    bytes: usize,
}

impl EventFeed {
    /// A feed of a log. Events recorded before now are read from the log for each reader, later ones once for all.
    ///
    /// # Errors
    /// The log cannot be read.
    pub async fn new(log: Arc<dyn EventLog>) -> Result<Self, ReadError> {
        let head = log.head().await?;
        let recent = Recent { after: head, end: head, ..Recent::default() };
        Ok(Self { log, begin: head, recent: Mutex::new(recent), reading: tokio::sync::Mutex::default() })
    }

    /// The log behind the feed.
    #[must_use]
    pub fn log(&self) -> &Arc<dyn EventLog> {
        &self.log
    }

    /// Where the log ended when the feed began.
    #[must_use]
    pub fn begin(&self) -> Position {
        self.begin
    }

    /// The events above `position`, in order of position: at most a page; none if there are none.
    ///
    /// # Errors
    /// The log cannot be read.
    pub async fn after(&self, position: Position) -> Result<Vec<Arc<RecordedEvent>>, ReadError> {
        if let Some(events) = self.recent_after(position) {
            return Ok(events);
        }
        if position < self.with_recent(|recent| recent.after) {
            let page = self.log.read_all(position, PAGE_EVENTS_MAX).await?;
            return Ok(page.into_iter().map(Arc::new).collect());
        }
        let _reading = self.reading.lock().await;
        if let Some(events) = self.recent_after(position) {
            return Ok(events);
        }
        let end = self.with_recent(|recent| recent.end);
        let page = self.log.read_all(end, PAGE_EVENTS_MAX).await?;
        let page: Vec<_> = page.into_iter().map(Arc::new).collect();
        self.with_recent(|recent| recent.extend(&page));
        Ok(page.into_iter().filter(|event| event.position > position).collect())
    }

    /// The events above `position` once there may be any: at most a page; possibly none after [`POLL_INTERVAL`].
    ///
    /// # Errors
    /// The log cannot be read.
    pub async fn wait_after(
        &self,
        position: Position,
        hint: &mut watch::Receiver<Position>,
    ) -> Result<Vec<Arc<RecordedEvent>>, ReadError> {
        self.gather_after(position, hint, std::future::ready(())).await
    }

    /// As [`EventFeed::wait_after`], but looks no earlier than `gathered` is done: so a reader gets in one go what came
    /// meanwhile.
    ///
    /// # Errors
    /// The log cannot be read.
    pub async fn gather_after(
        &self,
        position: Position,
        hint: &mut watch::Receiver<Position>,
        gathered: impl Future<Output = ()>,
    ) -> Result<Vec<Arc<RecordedEvent>>, ReadError> {
        let is_at_end = *hint.borrow_and_update() == position;
        if is_at_end {
            wait_for_hint(hint).await;
        }
        gathered.await;
        hint.borrow_and_update();
        let events = self.after(position).await?;
        // A hint need not tell of everything: where it is not at the reader's position, only the log says what comes next.
        if events.is_empty() && !is_at_end {
            wait_for_hint(hint).await;
        }
        Ok(events)
    }

    /// Tells a reader when to look again; see [`EventFeed::wait_after`].
    #[must_use]
    pub fn hint(&self) -> watch::Receiver<Position> {
        self.log.watch()
    }

    fn with_recent<T>(&self, f: impl FnOnce(&mut Recent) -> T) -> T {
        f(&mut self.recent.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn recent_after(&self, position: Position) -> Option<Vec<Arc<RecordedEvent>>> {
        self.with_recent(|recent| {
            if position < recent.after || position >= recent.end {
                return None;
            }
            let first = recent.events.partition_point(|event| event.position <= position);
            Some(recent.events.range(first..).take(PAGE_EVENTS_MAX).cloned().collect())
        })
    }
}

impl Recent {
    fn extend(&mut self, page: &[Arc<RecordedEvent>]) {
        for event in page {
            self.bytes += event.payload.len();
            self.end = event.position;
            self.events.push_back(event.clone());
        }
        while self.bytes > FEED_BYTES_MAX || self.events.len() > FEED_EVENTS_MAX {
            let Some(oldest) = self.events.pop_front() else { return };
            self.bytes -= oldest.payload.len();
            self.after = oldest.position;
        }
    }
}

async fn wait_for_hint(hint: &mut watch::Receiver<Position>) {
    // Whether it was the hint or the time makes no difference: the reader looks again.
    let _ = tokio::time::timeout(POLL_INTERVAL, hint.changed()).await;
}
