//! Commands that must never be done twice.
//!
//! The database has no transaction over two streams, and no index of our own. So each such command has a stream that says where
//! its events were sent, before they are: to which stream, at which version. Whether they are there is seen there, and once the
//! stream has that version it stays as it is.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use eventstore::{EventData, ExpectedRevision, ReadStreamOptions, StreamPosition};
use offshoot_aggregates::{StreamId, Version};
use serde::{Deserialize, Serialize};
use tokio::sync::OwnedMutexGuard;
use uuid::Uuid;

use super::client::{Failure, SupervisedClient};
use super::envelope::Parcel;
use super::reader::Reader;
use crate::event_log::backoff::backoff;
use crate::event_log::{Appended, ReadError};
use crate::limits::{CONFLICT_RETRIES_MAX, STORE_BACKOFF};

/// Places that one command was sent to: each was lost to somebody else.
const PLACES_MAX: usize = 1_000;

/// The commands that the log remembers.
pub(super) struct Remembered {
    client: Arc<SupervisedClient>,
    reader: Arc<Reader>,
    in_hand: Arc<Mutex<HashMap<Uuid, Arc<tokio::sync::Mutex<()>>>>>,
}

/// A place that a command's events were sent to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Place {
    stream: String,
    expected: u64,
}

/// What is known of such a place.
enum Known {
    /// The events are there.
    Done(StreamId, Appended),
    /// Others are.
    Lost,
    /// Nothing is there yet.
    Open,
}

/// What is to be done with a command's events.
pub(super) enum Sent {
    /// Nothing: they are recorded.
    Done(Appended),
    /// To record them.
    Here,
}

/// Nobody else in this process sends the command meanwhile.
pub(super) struct Alone {
    command: Uuid,
    guard: Option<OwnedMutexGuard<()>>,
    in_hand: Arc<Mutex<HashMap<Uuid, Arc<tokio::sync::Mutex<()>>>>>,
}

impl Remembered {
    pub(super) fn new(client: Arc<SupervisedClient>, reader: Arc<Reader>) -> Self {
        Self { client, reader, in_hand: Arc::default() }
    }

    /// Waits until nobody else in this process sends the command.
    pub(super) async fn alone(&self, command: Uuid) -> Alone {
        let mine = {
            let mut in_hand = self.in_hand.lock().unwrap_or_else(PoisonError::into_inner);
            in_hand.entry(command).or_default().clone()
        };
        Alone { command, guard: Some(mine.lock_owned().await), in_hand: self.in_hand.clone() }
    }

    /// Where the events of a command are: in which stream, and the last of them.
    pub(super) async fn find(&self, command: Uuid) -> Result<Option<(StreamId, Appended)>, ReadError> {
        for (place, _) in self.places(command).await? {
            if let Known::Done(stream, appended) = self.look_at(command, &place).await? {
                return Ok(Some((stream, appended)));
            }
        }
        Ok(None)
    }

    /// Says where the command's events are about to be sent, unless they are recorded.
    pub(super) async fn send(&self, command: Uuid, parcel: &Parcel) -> Result<Sent, ReadError> {
        let here = Place { stream: parcel.stream.clone(), expected: parcel.expected.0 };
        let mut expected = ExpectedRevision::NoStream;
        for _ in 0..CONFLICT_RETRIES_MAX {
            if self.note(command, expected, &here).await? {
                return Ok(Sent::Here);
            }
            let places = self.places(command).await?;
            for (place, revision) in &places {
                expected = ExpectedRevision::Exact(*revision);
                match self.look_at(command, place).await? {
                    Known::Done(_, appended) => return Ok(Sent::Done(appended)),
                    Known::Open if place.stream != here.stream => {
                        let detail =
                            format!("the command was sent to {}, and may still be recorded there", place.stream);
                        return Err(ReadError::Unavailable(detail));
                    }
                    Known::Open | Known::Lost => {}
                }
            }
            if places.iter().any(|(place, _)| *place == here) {
                return Ok(Sent::Here);
            }
        }
        Err(ReadError::Unavailable("others keep sending the same command".to_owned()))
    }

    /// Whether it was noted, in a stream that was at this revision.
    async fn note(&self, command: Uuid, expected: ExpectedRevision, place: &Place) -> Result<bool, ReadError> {
        let event =
            EventData::json("OffshootCommandSent", place).map_err(|error| ReadError::Unavailable(error.to_string()))?;
        // Its own each time: who noted the same thing at the same time is told so.
        let event = event.id(Uuid::new_v4());
        let name = self.client.names().command(command);
        let mut pauses = backoff();
        loop {
            match self.client.append(&name, expected, vec![event.clone()]).await {
                Ok(_) => return Ok(true),
                Err(Failure::Refused(eventstore::Error::WrongExpectedVersion { .. })) => return Ok(false),
                Err(Failure::Refused(error)) => return Err(ReadError::Unavailable(error.to_string())),
                Err(failure) => match pauses.next().filter(|pause| *pause < STORE_BACKOFF.1) {
                    Some(pause) => tokio::time::sleep(pause).await,
                    None => return Err(ReadError::Unavailable(failure.into_detail())),
                },
            }
        }
    }

    /// The places that a command was sent to, and the revisions that say so.
    async fn places(&self, command: Uuid) -> Result<Vec<(Place, u64)>, ReadError> {
        let options = ReadStreamOptions::default().position(StreamPosition::Start).forwards();
        let events = self.reader.raw_stream(&self.client.names().command(command), options, PLACES_MAX).await?;
        let place = |event: &eventstore::RecordedEvent| Some((event.as_json().ok()?, event.revision));
        Ok(events.iter().filter_map(place).collect())
    }

    async fn look_at(&self, command: Uuid, place: &Place) -> Result<Known, ReadError> {
        let first = self.reader.stream(&place.stream, Version(place.expected), 1).await?;
        let Some(first) = first.into_iter().next() else { return Ok(Known::Open) };
        if first.command != Some(command) {
            return Ok(Known::Lost);
        }
        let (stream, version) = (first.event.stream, first.last_version);
        if version == first.event.version {
            return Ok(Known::Done(stream, Appended { position: first.event.position, version }));
        }
        let last = self.reader.stream(&place.stream, Version(version.0 - 1), 1).await?;
        let missing = || ReadError::Unavailable("the events of a command are not complete".to_owned());
        let position = last.first().ok_or_else(missing)?.event.position;
        Ok(Known::Done(stream, Appended { position, version }))
    }
}

impl Drop for Alone {
    fn drop(&mut self) {
        self.guard = None;
        let mut in_hand = self.in_hand.lock().unwrap_or_else(PoisonError::into_inner);
        // Whoever waits for it holds a clone as well.
        if in_hand.get(&self.command).is_some_and(|lock| Arc::strong_count(lock) == 1) {
            in_hand.remove(&self.command);
        }
    }
}
