//! The one task that writes the log for this node. Whatever waits when it comes to the queue shares one call and one commit.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use sqlx::Connection;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout};

use super::connection::{connect, describe, is_refused};
use super::following::Following;
use super::group::{Group, Outcome, Waiting};
use crate::event_log::backoff::backoff;
use crate::event_log::write_counters::{WriteCounters, count_outcome};
use crate::event_log::{AppendError, Fate};
use crate::fault_points;
use crate::limits::{STORE_APPEND_WAIT, STORE_BACKOFF, STORE_SETTLE_WAIT};

/// How often a group is repeated because other nodes recorded in the same streams at the same moment, before its appends are
/// told that the store is too busy. Each time one of the rivals has succeeded.
const RIVALRIES_MAX: usize = 20;

/// What the writer is asked for.
pub(super) enum Request {
    /// To record something, and to say what became of it.
    Append(Waiting),
    /// To stop, once everything that was asked before is done.
    Close,
}

/// What the writer works with.
pub(super) struct Writer {
    options: PgConnectOptions,
    connection: Option<PgConnection>,
    following: Arc<Following>,
    counters: Arc<WriteCounters>,
    /// Since when the store cannot be reached.
    away_since: Option<Instant>,
}

/// Why a group was not recorded, as far as is known.
enum Failure {
    /// Nothing of it was recorded.
    Nothing(String),
    /// Whether it was recorded is not known.
    Unknown(String),
}

impl Writer {
    pub(super) fn new(options: PgConnectOptions, following: Arc<Following>, counters: Arc<WriteCounters>) -> Self {
        Self { options, connection: None, following, counters, away_since: None }
    }

    /// Works until it is told to stop, or nobody is left who could ask.
    pub(super) async fn run(mut self, mut queue: mpsc::Receiver<Request>) {
        let mut deferred = VecDeque::new();
        while let Some(group) = next_group(&mut queue, &mut deferred).await {
            if group.is_empty() {
                continue;
            }
            metrics::histogram!("offshoot_append_group_size").record(group.len() as f64);
            let outcomes = self.record(&group).await;
            for (waiting, outcome) in group.into_waiting().into_iter().zip(outcomes) {
                count_outcome(&outcome);
                waiting.answer(outcome);
            }
        }
        if let Some(connection) = self.connection.take() {
            // The server notices by itself, if it cannot be told.
            let _ = timeout(Duration::from_secs(1), connection.close()).await;
        }
    }

    async fn record(&mut self, group: &Group) -> Vec<Outcome> {
        let following = self.following.clone();
        let _recording = following.begin_recording().await;
        match self.settle(group).await {
            Ok(outcomes) => {
                for (waiting, _) in group.waiting().iter().zip(&outcomes).filter(|(_, outcome)| outcome.is_ok()) {
                    self.counters.count_append(waiting.events(), waiting.bytes() as u64);
                }
                for (waiting, outcome) in group.waiting().iter().zip(&outcomes) {
                    waiting.settle(if outcome.is_ok() { Fate::Recorded } else { Fate::Failed });
                }
                if let Some((first, last)) = group.positions(&outcomes) {
                    self.counters.count_syncs(1);
                    self.following.recorded(first, last);
                }
                outcomes
            }
            Err(failure) => group.waiting().iter().map(|_| Err(failure.to_error())).collect(),
        }
    }

    /// Records a group. If the connection breaks before it is known whether the group was recorded, the group is sent again,
    /// as often as it takes to know: the server recognises what it has.
    async fn settle(&mut self, group: &Group) -> Result<Vec<Outcome>, Failure> {
        let mut rivalries = 0;
        let mut unknown: Option<(Instant, String)> = None;
        let mut pauses = backoff();
        loop {
            let attempt = match self.connection().await {
                Ok(connection) => {
                    fault_points::reached("before-commit");
                    let recording = group.record(connection, unknown.is_some());
                    let recorded = timeout(STORE_APPEND_WAIT, recording).await;
                    if matches!(recorded, Ok(Ok(_))) {
                        fault_points::reached("after-commit");
                    }
                    recorded.unwrap_or(Err(sqlx::Error::PoolTimedOut))
                }
                Err(detail) => match &unknown {
                    None => return Err(Failure::Nothing(detail)),
                    Some(_) => Err(sqlx::Error::PoolTimedOut),
                },
            };
            let error = match attempt {
                Ok(outcomes) => return Ok(outcomes),
                Err(error) => error,
            };
            if is_refused(&error) {
                if !is_rivalry(&error) || rivalries == RIVALRIES_MAX {
                    // An earlier attempt may have been recorded, or still be under way, all the same.
                    return Err(unknown
                        .map_or_else(|| Failure::Nothing(describe(&error)), |(_, detail)| Failure::Unknown(detail)));
                }
                rivalries += 1;
                continue;
            }
            self.lose_connection(&error);
            let (since, detail) = unknown.get_or_insert_with(|| (Instant::now(), describe(&error)));
            if since.elapsed() > STORE_SETTLE_WAIT {
                return Err(Failure::Unknown(detail.clone()));
            }
            sleep(pauses.next().unwrap_or(STORE_BACKOFF.1)).await;
        }
    }

    /// A connection; a new one if there is none. While the store is away for longer than a moment, nobody waits for it.
    async fn connection(&mut self) -> Result<&mut PgConnection, String> {
        let mut pauses = backoff();
        while self.connection.is_none() {
            match connect(&self.options).await {
                Ok(connection) => {
                    if self.away_since.take().is_some() {
                        tracing::info!("PostgreSQL can be reached again");
                    }
                    self.connection = Some(connection);
                }
                Err(error) => {
                    if self.away_since.is_none() {
                        tracing::error!(error = describe(&error), "PostgreSQL cannot be reached");
                    }
                    let since = *self.away_since.get_or_insert_with(Instant::now);
                    if since.elapsed() > STORE_BACKOFF.1 {
                        return Err(describe(&error));
                    }
                    sleep(pauses.next().unwrap_or(STORE_BACKOFF.1)).await;
                }
            }
        }
        self.connection.as_mut().ok_or_else(|| "there is no connection".to_owned())
    }

    fn lose_connection(&mut self, error: &sqlx::Error) {
        if self.connection.take().is_some() {
            tracing::warn!(error = describe(error), "the connection to PostgreSQL broke");
        }
    }
}

impl Failure {
    fn to_error(&self) -> AppendError {
        match self {
            Self::Nothing(detail) => AppendError::Unavailable(detail.clone()),
            Self::Unknown(detail) => AppendError::Unknown(detail.clone()),
        }
    }
}

/// Someone else recorded in the same stream, or did the same command, at the same moment (23505), or both waited for each other.
fn is_rivalry(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code().map(|code| code.into_owned()));
    matches!(code.as_deref(), Some("23505" | "40001" | "40P01"))
}

/// What waits: what had to wait for the group before, then what is in the queue. `None` once the queue is closed and all is done.
async fn next_group(queue: &mut mpsc::Receiver<Request>, deferred: &mut VecDeque<Waiting>) -> Option<Group> {
    let mut group = Group::default();
    let mut still_deferred = VecDeque::new();
    while let Some(waiting) = deferred.pop_front() {
        if group.is_full() {
            still_deferred.push_back(waiting);
        } else {
            still_deferred.extend(group.add(waiting));
        }
    }
    *deferred = still_deferred;
    let mut next = if group.is_empty() { Some(queue.recv().await?) } else { queue.try_recv().ok() };
    while let Some(request) = next {
        match request {
            Request::Append(waiting) => deferred.extend(group.add(waiting)),
            Request::Close => queue.close(),
        }
        if group.is_full() || deferred.len() >= crate::limits::GROUP_COMMIT_APPENDS_MAX {
            break;
        }
        next = queue.try_recv().ok();
    }
    group.sort();
    Some(group)
}
