//! What every event log promises, tested against each store: a new store is one more line at the end of this file.

mod appending;
mod breaking;
pub(crate) mod child;
mod directory_lock;
mod disk_full;
mod followers;
mod following;
#[cfg(feature = "fault-points")]
mod killed;
mod kurrentdb_faults;
mod kurrentdb_migrating;
mod kurrentdb_nodes;
mod opening;
mod postgres_nodes;
mod reading;
mod sqlite_file;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use offshoot::event_log::{
    Append, EventLog, KurrentEventLog, KurrentUrl, NewEvent, PostgresEventLog, SqliteEventLog, Ticket,
};
use offshoot_aggregates::{Position, RecordedEvent, StreamId, Version};
use tempfile::TempDir;
use uuid::Uuid;

use crate::double::process::Double;
use crate::support::postgres::TestDatabase;

/// A place for one log, empty at first. Opening it again finds what was recorded.
#[async_trait]
trait Store: Send + Sync {
    async fn open(&self) -> Arc<dyn EventLog>;
}

/// A directory of its own, with the log's SQLite file in it.
struct SqliteStore {
    directory: TempDir,
}

impl SqliteStore {
    fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("log.db")
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn open(&self) -> Arc<dyn EventLog> {
        Arc::new(SqliteEventLog::open(&self.path()).unwrap())
    }
}

/// A database of its own.
struct PostgresStore {
    database: TestDatabase,
}

impl PostgresStore {
    fn new() -> Self {
        Self { database: TestDatabase::new() }
    }
}

#[async_trait]
impl Store for PostgresStore {
    async fn open(&self) -> Arc<dyn EventLog> {
        Arc::new(PostgresEventLog::open(&self.database.place()).await.unwrap())
    }
}

/// A protocol double of KurrentDB of its own; with `OFFSHOOT_TEST_KURRENTDB=esdb://…`, an installation of its own on that server.
struct KurrentStore {
    url: String,
    _double: Option<Double>,
}

impl KurrentStore {
    fn new() -> Self {
        match std::env::var("OFFSHOOT_TEST_KURRENTDB") {
            Ok(url) => Self { url: format!("{url}&installation=test{}", Uuid::new_v4().simple()), _double: None },
            Err(_) => {
                let double = Double::new();
                Self { url: double.url(), _double: Some(double) }
            }
        }
    }
}

#[async_trait]
impl Store for KurrentStore {
    async fn open(&self) -> Arc<dyn EventLog> {
        open_kurrentdb(&self.url).await
    }
}

async fn open_kurrentdb(url: &str) -> Arc<dyn EventLog> {
    Arc::new(KurrentEventLog::open(&KurrentUrl::new(url).unwrap()).await.unwrap())
}

/// An append of one event for each payload.
fn append_of(stream: &StreamId, expected: u64, payloads: &[&str]) -> Append {
    let event = |payload: &&str| NewEvent {
        event_type: "ProjectCreated",
        event_version: "1",
        payload: format!("{{\"payload\":\"{payload}\"}}"),
    };
    Append {
        stream: stream.clone(),
        expected: Version(expected),
        events: payloads.iter().map(event).collect(),
        metadata: Arc::new(HashMap::from([("actor".to_owned(), "tester".to_owned())])),
        command: None,
        ticket: Ticket::default(),
        follows: None,
    }
}

/// All events, page by page: a page may end before a hole that a failed append left.
async fn everything(log: &Arc<dyn EventLog>) -> Vec<RecordedEvent> {
    let mut events: Vec<RecordedEvent> = Vec::new();
    loop {
        let after = events.last().map_or(Position::START, |event| event.position);
        let page = log.read_all(after, 1_000).await.unwrap();
        if page.is_empty() {
            return events;
        }
        events.extend(page);
    }
}

fn new_stream() -> StreamId {
    StreamId::project(Uuid::new_v4())
}

macro_rules! event_log_contract {
    ($name:ident, $store:expr) => {
        mod $name {
            use super::*;

            event_log_contract!(@tests appending, $store, [
                positions_rise_and_versions_have_no_holes
                an_append_behind_its_stream_conflicts
                an_append_ahead_of_its_stream_conflicts
                a_conflicting_append_leaves_nothing
                of_appends_at_the_same_version_one_wins
                a_command_is_done_once
                a_command_repeated_by_many_at_once_is_done_once
                a_command_that_conflicted_can_be_tried_again
                an_append_without_events_is_refused
                what_was_written_is_counted
                whoever_is_not_waiting_any_more_does_no_harm
            ]);
            event_log_contract!(@tests reading, $store, [
                events_come_back_as_they_were_written
                large_events_come_back_whole
                an_empty_log_reads_as_empty
                pages_hold_at_most_the_limit
                pages_of_large_events_are_bounded_by_bytes
                a_stream_holds_only_its_own_events
                the_head_is_the_last_event_and_wakes_whoever_watches
                the_version_at_a_position_counts_the_events_up_to_it
                times_never_go_back_and_lead_to_positions
                many_readers_at_once_all_get_their_answer
            ]);
            event_log_contract!(@tests following, $store, [
                readers_miss_nothing_and_repeat_nothing_while_many_write
            ]);
            event_log_contract!(@tests opening, $store, [
                everything_is_there_after_opening_again
                a_log_that_was_dropped_without_closing_keeps_what_it_acknowledged
                a_closed_log_refuses_appends
                closing_finishes_what_is_in_hand
            ]);
        }
    };
    (@tests $group:ident, $store:expr, [$($test:ident)*]) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                let store = $store;
                super::$group::$test(&store).await;
            }
        )*
    };
}

event_log_contract!(sqlite, SqliteStore::new());
event_log_contract!(postgres, PostgresStore::new());
event_log_contract!(kurrentdb, KurrentStore::new());

macro_rules! followers_contract {
    ($name:ident, $store:expr) => {
        mod $name {
            use super::*;

            event_log_contract!(@tests followers, $store, [
                followers_are_recorded_in_the_order_in_which_they_were_sent
                a_follower_of_what_was_not_recorded_conflicts_even_if_its_version_fits
                a_follower_that_comes_before_whom_it_follows_conflicts
                a_ticket_is_settled_before_readers_see_the_event
                a_log_that_is_closed_leaves_no_ticket_open
            ]);
        }
    };
}

followers_contract!(sqlite_followers, SqliteStore::new());
followers_contract!(postgres_followers, PostgresStore::new());
