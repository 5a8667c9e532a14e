//! Claims: for each piece of work a stream in which whoever has it says so again and again. Whoever sees nothing new there for a
//! while takes over; of several the first one does, as the stream's revision decides. No clock is compared with another.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use eventstore::{Error, EventData, ExpectedRevision};
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::client::{Failure, SupervisedClient};
use super::reader::Reader;
use crate::event_log::{Claim, ReadError};
use crate::limits::{KURRENT_CLAIM_LIFE, STORE_SESSION_CHECK};

/// The claims of this node.
pub(super) struct Claims {
    node: Uuid,
    client: Arc<SupervisedClient>,
    reader: Arc<Reader>,
    held: Arc<Mutex<HashSet<Uuid>>>,
    /// Claims of others: the revision that was last seen of each, and when it was first.
    others: Mutex<HashMap<Uuid, (u64, Instant)>>,
    stop: CancellationToken,
}

/// What stands in the stream of a piece of work.
#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    /// Who has it; nobody, if it was given back.
    node: Option<Uuid>,
}

/// Nobody else in this process has the work, as long as there is this: also if whoever asked for it does not wait for the answer.
struct Held {
    work: Uuid,
    all: Arc<Mutex<HashSet<Uuid>>>,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.all.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.work);
    }
}

/// A claim while it is held.
struct Holding {
    work: Uuid,
    node: Uuid,
    client: Arc<SupervisedClient>,
    revision: u64,
    is_lost: Arc<AtomicBool>,
    released: CancellationToken,
}

impl Claims {
    pub(super) fn new(client: Arc<SupervisedClient>, reader: Arc<Reader>, stop: CancellationToken) -> Self {
        Self { node: Uuid::new_v4(), client, reader, held: Arc::default(), others: Mutex::default(), stop }
    }

    pub(super) async fn claim(&self, work: Uuid) -> Result<Option<Claim>, ReadError> {
        // From here on nobody else in this process has a chance.
        if !self.held.lock().unwrap_or_else(PoisonError::into_inner).insert(work) {
            return Ok(None);
        }
        let held = Held { work, all: self.held.clone() };

        let last = self.reader.stream_end(&self.client.names().claim(work), 1).await?.pop();
        let expected = match last {
            None => ExpectedRevision::NoStream,
            Some(last) => {
                let entry: Entry = last.as_json().unwrap_or(Entry { node: None });
                let is_others = entry.node.is_some_and(|node| node != self.node);
                if is_others && !self.is_forsaken(work, last.revision) {
                    return Ok(None);
                }
                ExpectedRevision::Exact(last.revision)
            }
        };
        match write(&self.client, work, expected, Some(self.node)).await {
            Ok(revision) => Ok(Some(self.hold(held, revision))),
            // Someone was faster.
            Err(Failure::Refused(Error::WrongExpectedVersion { .. })) => Ok(None),
            Err(failure) => Err(ReadError::Unavailable(failure.into_detail())),
        }
    }

    /// Whether nothing was heard of whoever has it for so long that this node may take over.
    fn is_forsaken(&self, work: Uuid, revision: u64) -> bool {
        let mut others = self.others.lock().unwrap_or_else(PoisonError::into_inner);
        // What has not been asked about for long is done, by whomever.
        others.retain(|_, (_, since)| since.elapsed() < KURRENT_CLAIM_LIFE * 100);
        let seen = others.entry(work).or_insert_with(|| (revision, Instant::now()));
        if seen.0 != revision {
            *seen = (revision, Instant::now());
        }
        seen.1.elapsed() >= KURRENT_CLAIM_LIFE
    }

    fn hold(&self, held: Held, revision: u64) -> Claim {
        let work = held.work;
        self.others.lock().unwrap_or_else(PoisonError::into_inner).remove(&work);
        let (is_lost, released) = (Arc::new(AtomicBool::new(false)), CancellationToken::new());
        let holding = Holding {
            work,
            node: self.node,
            client: self.client.clone(),
            revision,
            is_lost: is_lost.clone(),
            released: released.clone(),
        };
        let stop = self.stop.clone();
        tokio::spawn(async move {
            let _held = held;
            holding.run(&stop).await;
        });
        Claim::new(is_lost, move || released.cancel())
    }
}

impl Holding {
    /// Says again and again that the work is this node's, until it is given back or lost.
    async fn run(mut self, stop: &CancellationToken) {
        let mut said = Instant::now();
        loop {
            tokio::select! {
                () = self.released.cancelled() => {
                    // If it does not arrive, the others wait as long as for a dead node.
                    let _ = self.say(None).await;
                    return;
                }
                () = stop.cancelled() => return,
                () = sleep(STORE_SESSION_CHECK) => {}
            }
            let begun = Instant::now();
            match self.say(Some(self.node)).await {
                Ok(()) => said = begun,
                Err(Failure::Refused(_)) => break,
                Err(_) if said.elapsed() >= KURRENT_CLAIM_LIFE => break,
                Err(_) => {}
            }
        }
        self.is_lost.store(true, Ordering::Release);
        tracing::warn!(work = %self.work, "a claim is lost");
    }

    async fn say(&mut self, node: Option<Uuid>) -> Result<(), Failure> {
        self.revision = write(&self.client, self.work, ExpectedRevision::Exact(self.revision), node).await?;
        Ok(())
    }
}

/// The revision of what was written.
async fn write(
    client: &SupervisedClient,
    work: Uuid,
    expected: ExpectedRevision,
    node: Option<Uuid>,
) -> Result<u64, Failure> {
    let event = EventData::json("OffshootWorkClaimed", &Entry { node });
    let event = event.map_err(|error| Failure::NotDone(error.to_string()))?;
    // The same thing said after the same revision is said once.
    let after = format!("{expected:?} {node:?}");
    let event = event.id(Uuid::new_v5(&work, after.as_bytes()));
    let written = client.append(&client.names().claim(work), expected, vec![event]).await?;
    Ok(written.next_expected_version)
}
