//! Which moment is where in the log: marks at intervals in a stream of their own, which can be searched by their number, where
//! the whole log can only be read from one place to the next.

use std::sync::Arc;

use eventstore::{EventData, ExpectedRevision, ReadStreamOptions, StreamPosition};
use jiff::Timestamp;
use offshoot_aggregates::Position;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use super::client::{Failure, SupervisedClient};
use super::reader::Reader;
use crate::event_log::ReadError;
use crate::limits::PAGE_EVENTS_MAX;

/// A moment, and the event of the log that was the last one then.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Mark {
    position: Position,
    /// Microseconds since 1970.
    recorded_at: i64,
}

impl Reader {
    /// A place at or before a position that the log can be read from.
    pub(super) async fn mark_before(
        &self,
        position: Position,
    ) -> Result<StreamPosition<eventstore::Position>, ReadError> {
        Ok(place(self.last_mark(|mark| mark.position <= position).await?))
    }

    /// When the last event at `position` or before was recorded; `None` if there is none.
    pub(super) async fn time_at(&self, position: Position) -> Result<Option<Timestamp>, ReadError> {
        let seen = self.look().await?;
        if position >= seen.head {
            return Ok(seen.head_time);
        }
        let mark = self.last_mark(|mark| mark.position <= position).await?;
        Ok(self.last_event(mark, |at, _| at <= position).await?.map(|(_, time)| time))
    }

    /// The position of the last event that was recorded at `time` or before.
    pub(super) async fn position_at(&self, time: Timestamp) -> Result<Position, ReadError> {
        let seen = self.look().await?;
        if seen.head_time.is_none_or(|head| head <= time) {
            return Ok(seen.head);
        }
        let mark = self.last_mark(|mark| mark.recorded_at <= time.as_microsecond()).await?;
        let found = self.last_event(mark, |_, at| at <= time).await?;
        Ok(found.map_or(Position::START, |(position, _)| position))
    }

    /// The last event, from a mark on, before the first one that is beyond what is asked for.
    async fn last_event(
        &self,
        mark: Option<Mark>,
        is_within: impl Fn(Position, Timestamp) -> bool,
    ) -> Result<Option<(Position, Timestamp)>, ReadError> {
        let mut found = None;
        let mut after = mark.map_or(Position::START, |mark| Position(mark.position.0 - 1));
        let mut from = place(mark);
        loop {
            let page = self.page(from, after, PAGE_EVENTS_MAX).await?;
            for event in page.iter().map(|opened| &opened.event) {
                if !is_within(event.position, event.recorded_at) {
                    return Ok(found);
                }
                found = Some((event.position, event.recorded_at));
                after = event.position;
                from = StreamPosition::Position(at(event.position));
            }
            if page.is_empty() {
                return Ok(found);
            }
        }
    }

    /// The last mark of which something holds that holds of all before it.
    async fn last_mark(&self, holds: impl Fn(&Mark) -> bool) -> Result<Option<Mark>, ReadError> {
        let Some((last, revision)) = self.newest_mark().await? else { return Ok(None) };
        if holds(&last) {
            return Ok(Some(last));
        }
        let (mut found, mut low, mut high) = (None, 0, revision);
        while low < high {
            let middle = low + (high - low) / 2;
            let options = ReadStreamOptions::default().position(StreamPosition::Position(middle)).forwards();
            let mark = self.raw_stream(&self.client().names().timeline, options, 1).await?.first().and_then(parse);
            match mark.filter(|mark| holds(mark)) {
                Some(mark) => {
                    found = Some(mark);
                    low = middle + 1;
                }
                None => high = middle,
            }
        }
        Ok(found)
    }

    async fn newest_mark(&self) -> Result<Option<(Mark, u64)>, ReadError> {
        let end = self.stream_end(&self.client().names().timeline, 1).await?;
        Ok(end.first().and_then(|event| parse(event).map(|mark| (mark, event.revision))))
    }
}

/// Sets a mark whenever one is due, until told to stop. Several nodes may be about to: the first one does.
pub(super) async fn set_marks(reader: Arc<Reader>, commands: Arc<SupervisedClient>, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = reader.horizon.mark_is_due.notified() => {}
        }
        // Without it the search takes longer, nothing else.
        if let Err(detail) = set_mark(&reader, &commands).await {
            tracing::debug!(detail, "a mark was not set");
        }
    }
}

async fn set_mark(reader: &Reader, commands: &SupervisedClient) -> Result<(), String> {
    let newest = reader.newest_mark().await.map_err(|error| error.to_string())?;
    let seen = reader.horizon.seen();
    let Some(time) = seen.head_time else { return Ok(()) };
    let expected = match newest {
        Some((mark, _)) if mark.position >= seen.head => return Ok(()),
        Some((_, revision)) => ExpectedRevision::Exact(revision),
        None => ExpectedRevision::NoStream,
    };
    // The clock may have gone back; the marks do not.
    let recorded_at = newest.map_or(i64::MIN, |(mark, _)| mark.recorded_at).max(time.as_microsecond());
    let mark = Mark { position: seen.head, recorded_at };
    let event = EventData::json("OffshootMark", &mark).map_err(|error| error.to_string())?;
    commands.append(&commands.names().timeline, expected, vec![event]).await.map(drop).map_err(Failure::into_detail)
}

fn parse(event: &eventstore::RecordedEvent) -> Option<Mark> {
    event.as_json().ok()
}

fn at(position: Position) -> eventstore::Position {
    eventstore::Position { commit: position.0, prepare: position.0 }
}

fn place(mark: Option<Mark>) -> StreamPosition<eventstore::Position> {
    mark.map_or(StreamPosition::Start, |mark| StreamPosition::Position(at(mark.position)))
}
