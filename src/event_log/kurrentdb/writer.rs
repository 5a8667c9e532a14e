//! Recording: an append is sent until it is known what became of it.

use std::sync::Arc;

use eventstore::{CurrentRevision, Error, ExpectedRevision, WriteResult};
use offshoot_aggregates::{Position, Version};
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep};

use super::client::{Failure, SupervisedClient};
use super::envelope::Parcel;
use super::reader::Reader;
use super::remembered::{Remembered, Sent};
use crate::event_log::backoff::backoff;
use crate::event_log::write_counters::WriteCounters;
use crate::event_log::{Append, AppendError, Appended, ReadError};
use crate::fault_points;
use crate::limits::{GROUP_COMMIT_APPENDS_MAX, STORE_BACKOFF, STORE_SETTLE_WAIT};

/// Records appends.
pub(super) struct Writer {
    client: Arc<SupervisedClient>,
    reader: Arc<Reader>,
    remembered: Remembered,
    pub(super) counters: WriteCounters,
    /// Bytes that the server takes in one append.
    pub(super) append_bytes: usize,
    /// Appends that are under way.
    under_way: Semaphore,
}

/// What became of an append.
enum Outcome {
    Recorded(Appended),
    Conflict(Version),
}

/// What one attempt has come to.
enum Attempt {
    Settled(Outcome),
    Failed(Failure),
}

impl Writer {
    pub(super) fn new(client: Arc<SupervisedClient>, reader: Arc<Reader>, append_bytes: usize) -> Self {
        Self {
            remembered: Remembered::new(client.clone(), reader.clone()),
            client,
            reader,
            counters: WriteCounters::default(),
            append_bytes,
            under_way: Semaphore::new(GROUP_COMMIT_APPENDS_MAX),
        }
    }

    pub(super) fn remembered(&self) -> &Remembered {
        &self.remembered
    }

    /// Records an append.
    pub(super) async fn append(&self, append: &Append) -> Result<Appended, AppendError> {
        if append.events.is_empty() {
            return Err(AppendError::Unavailable("an append needs at least one event".to_owned()));
        }
        let parcel =
            Parcel::new(self.client.names(), append).map_err(|error| AppendError::Unavailable(error.to_string()))?;
        if parcel.size > self.append_bytes {
            return Err(AppendError::TooLarge { bytes: parcel.size, max: self.append_bytes });
        }
        let _turn = self.under_way.acquire().await;
        let Some(command) = append.command else { return self.record(&parcel).await };
        let _alone = self.remembered.alone(command).await;
        match self.remembered.send(command, &parcel).await.map_err(unavailable)? {
            Sent::Done(appended) => return Err(AppendError::AlreadyDone(appended)),
            Sent::Here => {}
        }
        match self.record(&parcel).await {
            // It may have been this very command that was faster, from another node.
            Err(conflict @ AppendError::Conflict { .. }) => {
                match self.remembered.find(command).await.map_err(unavailable)? {
                    Some((_, appended)) => Err(AppendError::AlreadyDone(appended)),
                    None => Err(conflict),
                }
            }
            outcome => outcome,
        }
    }

    async fn record(&self, parcel: &Parcel) -> Result<Appended, AppendError> {
        match self.settle(parcel).await? {
            Outcome::Recorded(appended) => {
                self.counters.count_append(parcel.events.len() as u64, parcel.bytes as u64);
                self.counters.count_syncs(1);
                self.reader.horizon.reach(appended.position);
                Ok(appended)
            }
            Outcome::Conflict(actual) => Err(AppendError::Conflict { expected: parcel.expected, actual }),
        }
    }

    /// Sends the events, with the same ids and at the same revision, as often as it takes to know what became of them: the server
    /// recognises what it has.
    async fn settle(&self, parcel: &Parcel) -> Result<Outcome, AppendError> {
        let begun = Instant::now();
        let mut unknown: Option<(Instant, String)> = None;
        let mut pauses = backoff();
        loop {
            fault_points::reached("before-commit");
            let failure = match self.attempt(parcel, unknown.is_some()).await {
                Attempt::Settled(outcome) => return Ok(outcome),
                Attempt::Failed(failure) => failure,
            };
            match (failure, &unknown) {
                (Failure::Refused(error), None) => return Err(AppendError::Unavailable(error.to_string())),
                (Failure::NotDone(detail), None) if begun.elapsed() > STORE_BACKOFF.1 => {
                    return Err(AppendError::Unavailable(detail));
                }
                (Failure::Unknown(detail), None) => unknown = Some((Instant::now(), detail)),
                // An earlier attempt may have been recorded, or still be under way.
                (_, Some((since, detail))) if since.elapsed() > STORE_SETTLE_WAIT => {
                    return Err(AppendError::Unknown(detail.clone()));
                }
                _ => {}
            }
            sleep(pauses.next().unwrap_or(STORE_BACKOFF.1)).await;
        }
    }

    async fn attempt(&self, parcel: &Parcel, is_repeated: bool) -> Attempt {
        let expected = match parcel.expected {
            Version::NONE => ExpectedRevision::NoStream,
            Version(version) => ExpectedRevision::Exact(version - 1),
        };
        match self.client.append(&parcel.stream, expected, parcel.events.clone()).await {
            Ok(write) => {
                fault_points::reached("after-commit");
                match place_of(parcel, &write).filter(|_| !is_repeated) {
                    Some(appended) => Attempt::Settled(Outcome::Recorded(appended)),
                    // An answer to a repetition need not say where the events are.
                    None => self.find(parcel, None).await,
                }
            }
            Err(Failure::Refused(Error::WrongExpectedVersion { current, .. })) => {
                let actual = match current {
                    CurrentRevision::NoStream => Version::NONE,
                    CurrentRevision::Current(revision) => Version(revision + 1),
                };
                if is_repeated { self.find(parcel, Some(actual)).await } else { conflict(actual) }
            }
            Err(failure) => Attempt::Failed(failure),
        }
    }

    /// Finds the events in their stream; if they are not there, someone else was faster, and the stream is at `actual`.
    async fn find(&self, parcel: &Parcel, actual: Option<Version>) -> Attempt {
        let count = parcel.ids.len() as u64;
        let before_last = parcel.expected.plus(count - 1);
        let last = match self.reader.stream(&parcel.stream, before_last, 1).await {
            Ok(mut events) => events.pop(),
            Err(error) => return Attempt::Failed(Failure::Unknown(error.to_string())),
        };
        match (last.filter(|last| parcel.ids.last() == Some(&last.id)), actual) {
            (Some(last), _) => {
                let (position, version) = (last.event.position, last.event.version);
                Attempt::Settled(Outcome::Recorded(Appended { position, version }))
            }
            (None, Some(actual)) => conflict(actual),
            (None, None) => Attempt::Failed(Failure::Unknown("the events are not where they should be".to_owned())),
        }
    }
}

fn conflict(actual: Version) -> Attempt {
    Attempt::Settled(Outcome::Conflict(actual))
}

/// Where the server says that the last event is.
fn place_of(parcel: &Parcel, write: &WriteResult) -> Option<Appended> {
    let version = parcel.expected.plus(parcel.ids.len() as u64);
    let position = Position(write.position.commit);
    let is_told = write.next_expected_version + 1 == version.0 && position > Position::START;
    (is_told && i64::try_from(position.0).is_ok()).then_some(Appended { position, version })
}

fn unavailable(error: ReadError) -> AppendError {
    AppendError::Unavailable(error.to_string())
}
