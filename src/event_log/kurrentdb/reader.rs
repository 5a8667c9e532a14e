//! Reading: pages of the whole log, pages of streams, and where the log ends.
//!
//! This client cannot ask the server for a part of the whole log by the names of its streams, only subscribe to it. So what
//! others keep in the same database is read over here; how far it was, is remembered.

use std::sync::Arc;

use eventstore::{Client, ReadAllOptions, ReadStreamOptions, StreamPosition};
use jiff::Timestamp;
use offshoot_aggregates::{Position, StreamId, Version};

use super::client::{Failure, SupervisedClient, addressed};
use super::envelope::{self, Opened};
use super::horizon::{Horizon, Passed, Seen};
use super::naming::Names;
use crate::event_log::ReadError;
use crate::limits::{PAGE_BYTES_MAX, PAGE_EVENTS_MAX};

/// Records that are read beyond what was asked for: the one to go on from, and some of others.
const RECORDS_BESIDE: usize = 32;

/// Reads the log.
pub(super) struct Reader {
    client: Arc<SupervisedClient>,
    pub(super) horizon: Arc<Horizon>,
}

type Place = StreamPosition<eventstore::Position>;

/// A stretch of the database.
struct Stretch {
    /// Where its first and last record are.
    first: Option<eventstore::Position>,
    last: Option<eventstore::Position>,
    /// The log's events in it.
    ours: Vec<eventstore::RecordedEvent>,
    /// Whether it reaches to the end.
    is_end: bool,
}

impl Reader {
    pub(super) fn new(client: Arc<SupervisedClient>) -> Self {
        Self { client, horizon: Arc::new(Horizon::new()) }
    }

    pub(super) fn client(&self) -> &SupervisedClient {
        &self.client
    }

    /// A page of the whole log.
    pub(super) async fn all(&self, after: Position, limit: usize) -> Result<Vec<Opened>, ReadError> {
        let seen = self.horizon.seen();
        if after >= seen.head {
            return self.page(seen.scanned.map_or(StreamPosition::Start, StreamPosition::Position), after, limit).await;
        }
        if after == Position::START {
            return self.page(StreamPosition::Start, after, limit).await;
        }
        match self.page_after_event(after, limit).await? {
            Some(page) => Ok(page),
            // There is no event at this position: someone made it up.
            None => self.page(self.mark_before(after).await?, after, limit).await,
        }
    }

    /// A page after an event; `None` if there is no event of the log at this position.
    async fn page_after_event(&self, after: Position, limit: usize) -> Result<Option<Vec<Opened>>, ReadError> {
        let place = eventstore::Position { commit: after.0, prepare: after.0 };
        let first = match self.stretch(StreamPosition::Position(place), after, limit, records_for(limit)).await {
            Err(Failure::Refused(eventstore::Error::Grpc { .. })) => return Ok(None),
            first => first.map_err(unavailable)?,
        };
        if first.first != Some(place) {
            return Ok(None);
        }
        match (first.is_end || !first.ours.is_empty(), first.last) {
            (false, Some(last)) => self.page(StreamPosition::Position(last), after, limit).await.map(Some),
            _ => self.open_all(&first.ours).map(Some),
        }
    }

    /// A page of events above `after`, from a place at or before it.
    pub(super) async fn page(&self, mut place: Place, after: Position, limit: usize) -> Result<Vec<Opened>, ReadError> {
        let mut records = records_for(limit);
        loop {
            let stretch = self.stretch(place, after, limit, records).await.map_err(unavailable)?;
            match stretch.last {
                Some(last) if !stretch.is_end && stretch.ours.is_empty() => place = StreamPosition::Position(last),
                _ => return self.open_all(&stretch.ours),
            }
            // It is a long way.
            records = records_for(PAGE_EVENTS_MAX);
        }
    }

    async fn stretch(&self, place: Place, after: Position, limit: usize, records: usize) -> Result<Stretch, Failure> {
        let options = ReadAllOptions::default().position(place).forwards().max_count(records);
        let options = addressed!(self.client, options);
        let names = self.client.names();
        self.client.read(|client| read_stretch(client, options.clone(), names, records, after, limit)).await
    }

    /// Looks how far the log is now. Everything is known then that was recorded before.
    pub(super) async fn look(&self) -> Result<Seen, ReadError> {
        loop {
            let seen = self.horizon.seen();
            let place = seen.scanned.map_or(StreamPosition::Start, StreamPosition::Position);
            let records = records_for(PAGE_EVENTS_MAX);
            let stretch = self.stretch(place, seen.head, PAGE_EVENTS_MAX, records).await.map_err(unavailable)?;
            let passed: Vec<Passed> = stretch.ours.iter().map(passed).collect();
            if let Some(last) = stretch.last {
                self.horizon.pass(last, &passed);
            }
            if stretch.is_end {
                return Ok(self.horizon.seen());
            }
        }
    }

    /// Finds the end of the log, backwards from the end of the database.
    pub(super) async fn find_end(&self) -> Result<(), Failure> {
        let (mut end, mut place) = (None, StreamPosition::End);
        loop {
            let count = if end.is_none() { RECORDS_BESIDE } else { PAGE_EVENTS_MAX };
            let options = ReadAllOptions::default().position(place).backwards().max_count(count);
            let options = addressed!(self.client, options);
            let read = |client| read_backwards(client, options.clone(), self.client.names());
            let (records, ours) = self.client.read(read).await?;
            let Some(&last) = records.last() else { return Ok(()) };
            let end = *end.get_or_insert(records[0]);
            match ours {
                Some(event) => {
                    self.horizon.pass(end, &[passed(&event)]);
                    return Ok(());
                }
                None if records.len() < count => {
                    self.horizon.pass(end, &[]);
                    return Ok(());
                }
                None => place = StreamPosition::Position(last),
            }
        }
    }

    /// The events of a stream above a version, at most `limit`, and at most about [`PAGE_BYTES_MAX`], but one if there is any.
    pub(super) async fn stream(&self, name: &str, after: Version, limit: usize) -> Result<Vec<Opened>, ReadError> {
        let options = ReadStreamOptions::default().position(StreamPosition::Position(after.0)).forwards();
        // Above it are special revisions, and surely no event.
        if limit == 0 || i64::try_from(after.0).is_err() {
            return Ok(Vec::new());
        }
        self.open_all(&self.raw_stream(name, options, limit).await?)
    }

    /// The last events of a stream, the very last one first.
    pub(super) async fn stream_end(
        &self,
        name: &str,
        limit: usize,
    ) -> Result<Vec<eventstore::RecordedEvent>, ReadError> {
        let options = ReadStreamOptions::default().position(StreamPosition::End).backwards();
        self.raw_stream(name, options, limit).await
    }

    /// Events of any stream.
    pub(super) async fn raw_stream(
        &self,
        name: &str,
        options: ReadStreamOptions,
        limit: usize,
    ) -> Result<Vec<eventstore::RecordedEvent>, ReadError> {
        let options = &addressed!(self.client, options.max_count(limit));
        let read = |client: Client| async move {
            let mut stream = client.read_stream(name, options).await?;
            let (mut events, mut bytes) = (Vec::new(), 0);
            while events.len() < limit
                && let Some(event) = stream.next().await?
            {
                let Some(event) = event.event else { continue };
                bytes += event.data.len();
                if bytes > PAGE_BYTES_MAX && !events.is_empty() {
                    break;
                }
                events.push(event);
            }
            Ok(events)
        };
        match self.client.read(read).await {
            Err(Failure::Refused(eventstore::Error::ResourceNotFound)) => Ok(Vec::new()),
            read => read.map_err(unavailable),
        }
    }

    fn open_all(&self, events: &[eventstore::RecordedEvent]) -> Result<Vec<Opened>, ReadError> {
        let mut opened = Vec::with_capacity(events.len());
        for event in events {
            match envelope::open(self.client.names(), event) {
                Ok(event) => opened.push(event),
                // Whoever reads on from the good events before it is told then.
                Err(_) if !opened.is_empty() => break,
                Err(error) => return Err(error),
            }
        }
        Ok(opened)
    }

    /// The version that a stream was at when the log was at `position`.
    pub(super) async fn version_at(&self, stream: &StreamId, position: Position) -> Result<Version, ReadError> {
        let name = self.client.names().stream(stream);
        // Most often that is a moment ago.
        let end = self.stream_end(&name, 1).await?;
        let Some(last) = end.first() else { return Ok(Version::NONE) };
        let is_there = |event: &eventstore::RecordedEvent| event.position.commit <= position.0;
        if is_there(last) {
            return Ok(Version(last.revision + 1));
        }
        // `low` events are there; whether more are among those before `high` is searched for.
        let (mut low, mut high) = (0, last.revision);
        while low < high {
            let middle = low + (high - low) / 2;
            let options = ReadStreamOptions::default().position(StreamPosition::Position(middle)).forwards();
            let event = self.raw_stream(&name, options, 1).await?;
            match event.first() {
                Some(event) if is_there(event) => low = middle + 1,
                _ => high = middle,
            }
        }
        Ok(Version(low))
    }
}

/// How many records to read for so many events of the log.
fn records_for(limit: usize) -> usize {
    limit.saturating_add(RECORDS_BESIDE).min(PAGE_EVENTS_MAX + RECORDS_BESIDE)
}

async fn read_stretch(
    client: Client,
    options: ReadAllOptions,
    names: &Names,
    records: usize,
    after: Position,
    limit: usize,
) -> eventstore::Result<Stretch> {
    let mut stream = client.read_all(&options).await?;
    let mut stretch = Stretch { first: None, last: None, ours: Vec::new(), is_end: false };
    let (mut read, mut bytes) = (0, 0);
    while let Some(event) = stream.next().await? {
        read += 1;
        let Some(event) = event.event else { continue };
        let is_ours = names.is_log(&event.stream_id) && event.position.commit > after.0;
        bytes += if is_ours { event.data.len() } else { 0 };
        if is_ours && (stretch.ours.len() == limit || (bytes > PAGE_BYTES_MAX && !stretch.ours.is_empty())) {
            return Ok(stretch);
        }
        stretch.first = stretch.first.or(Some(event.position));
        stretch.last = Some(event.position);
        if is_ours {
            stretch.ours.push(event);
        }
    }
    stretch.is_end = read < records;
    Ok(stretch)
}

/// The places of records, from the end, up to and with the first that is the log's.
async fn read_backwards(
    client: Client,
    options: ReadAllOptions,
    names: &Names,
) -> eventstore::Result<(Vec<eventstore::Position>, Option<eventstore::RecordedEvent>)> {
    let mut stream = client.read_all(&options).await?;
    let mut records = Vec::new();
    while let Some(event) = stream.next().await? {
        let Some(event) = event.event else { continue };
        records.push(event.position);
        if names.is_log(&event.stream_id) {
            return Ok((records, Some(event)));
        }
    }
    Ok((records, None))
}

/// What is to be known of an event that is passed. Of one that is damaged whoever reads it is told.
pub(super) fn passed(event: &eventstore::RecordedEvent) -> Passed {
    let recorded_at = envelope::created(&event.metadata).unwrap_or(Timestamp::UNIX_EPOCH);
    Passed { position: Position(event.position.commit), recorded_at, bytes: event.data.len() }
}

pub(super) fn unavailable(failure: Failure) -> ReadError {
    ReadError::Unavailable(failure.into_detail())
}
