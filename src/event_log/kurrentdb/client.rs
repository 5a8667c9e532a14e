//! A client that is looked after: it is made anew when it has closed or its server is gone, which it does not do by itself.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use eventstore::{AppendToStreamOptions, Client, Credentials, Error, EventData, ExpectedRevision, WriteResult};
use tokio::time::{Instant, sleep};
use tonic::Code;

use super::naming::Names;
use super::nodelay;
use super::url::Place;
use crate::event_log::backoff::backoff;
use crate::limits::{KURRENT_CONNECTION_CHECK, STORE_APPEND_WAIT, STORE_BACKOFF, STORE_READ_WAIT};

/// The options of a request: to the leader, which knows all that was acknowledged, from whoever the URL names.
macro_rules! addressed {
    ($client:expr, $options:expr) => {{
        let options = $options.requires_leader(true);
        match $client.credentials() {
            Some(credentials) => options.authenticated(credentials),
            None => options,
        }
    }};
}
pub(super) use addressed;

/// A client that is made anew when it is of no use any more.
pub(super) struct SupervisedClient {
    place: Place,
    current: Mutex<Current>,
    /// As long as it was never reached, whoever opens the log says so.
    was_reached: AtomicBool,
    is_away: AtomicBool,
    /// When its connections were last looked after; see [`nodelay`].
    looked_after: Mutex<Option<Instant>>,
}

#[derive(Default)]
struct Current {
    client: Option<Client>,
    /// Counts the clients, so that a failure of an old one does not cost the new one.
    number: u64,
}

/// Why the server did not do as asked, as far as is known.
#[derive(Debug)]
pub(super) enum Failure {
    /// It was not asked, or did nothing; later it may.
    NotDone(String),
    /// It refuses, and did nothing.
    Refused(Error),
    /// It may have done it.
    Unknown(String),
}

impl SupervisedClient {
    /// Connects when it is first used.
    pub(super) fn new(place: Place) -> Self {
        let (was_reached, is_away) = (AtomicBool::new(false), AtomicBool::new(false));
        Self { place, current: Mutex::default(), was_reached, is_away, looked_after: Mutex::default() }
    }

    /// Makes a client, which connects to nobody yet. Says what is in the way on this side, if something is.
    pub(super) fn prepare(&self) -> Result<(), String> {
        self.client().map(drop).map_err(|error| error.to_string())
    }

    /// Who asks.
    pub(super) fn credentials(&self) -> Option<Credentials> {
        self.place.credentials.clone()
    }

    /// What things are called there.
    pub(super) fn names(&self) -> &Names {
        &self.place.names
    }

    /// Asks the server, for at most `wait`.
    pub(super) async fn ask<T, F>(&self, wait: Duration, ask: impl FnOnce(Client) -> F) -> Result<T, Failure>
    where
        F: Future<Output = eventstore::Result<T>>,
    {
        let (client, number) = self.client().map_err(|error| Failure::NotDone(error.to_string()))?;
        let answer = tokio::time::timeout(wait, ask(client)).await.unwrap_or(Err(Error::DeadlineExceeded));
        match answer {
            Ok(answer) => {
                self.is_back();
                self.look_after_connections();
                Ok(answer)
            }
            Err(error) => {
                // The next one may come over another connection.
                *self.looked_after.lock().unwrap_or_else(PoisonError::into_inner) = None;
                Err(self.failure(error, number))
            }
        }
    }

    fn look_after_connections(&self) {
        let mut looked_after = self.looked_after.lock().unwrap_or_else(PoisonError::into_inner);
        if looked_after.is_none_or(|last| last.elapsed() > KURRENT_CONNECTION_CHECK) {
            *looked_after = Some(Instant::now());
            tokio::task::spawn_blocking(|| {
                if let Err(error) = nodelay::set_on_all_connections() {
                    tracing::debug!(%error, "requests to KurrentDB do not leave at once");
                }
            });
        }
    }

    /// Reads; if the server was not asked at all, as its leader has changed or the client has closed, a few times.
    pub(super) async fn read<T, F>(&self, read: impl Fn(Client) -> F) -> Result<T, Failure>
    where
        F: Future<Output = eventstore::Result<T>>,
    {
        let begun = Instant::now();
        let mut pauses = backoff();
        loop {
            match self.ask(STORE_READ_WAIT, &read).await {
                Err(Failure::NotDone(_)) if begun.elapsed() < STORE_BACKOFF.1 => {
                    sleep(pauses.next().unwrap_or(STORE_BACKOFF.1)).await;
                }
                answer => return answer,
            }
        }
    }

    /// Appends to a stream that is at this revision.
    pub(super) async fn append(
        &self,
        stream: &str,
        expected: ExpectedRevision,
        events: Vec<EventData>,
    ) -> Result<WriteResult, Failure> {
        let options = AppendToStreamOptions::default().expected_revision(expected).deadline(STORE_APPEND_WAIT);
        let options = addressed!(self, options);
        // The server's own deadline comes first, if it is there.
        let wait = STORE_APPEND_WAIT + Duration::from_secs(1);
        self.ask(wait, |client| async move { client.append_to_stream(stream, &options, events).await }).await
    }

    fn client(&self) -> eventstore::Result<(Client, u64)> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let client = match &current.client {
            Some(client) => client.clone(),
            None => {
                let client = Client::new(self.place.settings.clone())?;
                current.number += 1;
                current.client.insert(client).clone()
            }
        };
        Ok((client, current.number))
    }

    /// What an error means; the client that had it is given up if it is of no use any more.
    fn failure(&self, error: Error, number: u64) -> Failure {
        let text = error.to_string();
        let (failure, is_lost) = match error {
            // Before anything was sent.
            Error::ConnectionClosed | Error::GrpcConnectionError(_) | Error::InitializationError(_) => {
                (Failure::NotDone(text.clone()), true)
            }
            // The client is on its way to the leader.
            Error::NotLeaderException(_) => (Failure::NotDone("another node leads the cluster".to_owned()), false),
            Error::ServerError(_) | Error::DeadlineExceeded => (Failure::Unknown(text.clone()), true),
            // A write that timed out between the nodes of the cluster; a request that broke off.
            Error::Grpc { code: Code::Aborted | Code::Cancelled | Code::ResourceExhausted, .. } => {
                (Failure::Unknown(text.clone()), false)
            }
            error => (Failure::Refused(error), false),
        };
        if is_lost {
            self.lose(number, &text);
        }
        failure
    }

    fn lose(&self, number: u64, error: &str) {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let is_lost = current.number == number && current.client.take().is_some();
        if is_lost && self.was_reached.load(Ordering::Relaxed) && !self.is_away.swap(true, Ordering::Relaxed) {
            tracing::warn!(error, "KurrentDB cannot be reached");
        }
    }

    fn is_back(&self) {
        self.was_reached.store(true, Ordering::Relaxed);
        if self.is_away.swap(false, Ordering::Relaxed) {
            tracing::info!("KurrentDB can be reached again");
        }
    }
}

impl Failure {
    /// What went wrong, for operators.
    pub(super) fn into_detail(self) -> String {
        match self {
            Self::NotDone(detail) | Self::Unknown(detail) => detail,
            Self::Refused(error) => error.to_string(),
        }
    }
}
