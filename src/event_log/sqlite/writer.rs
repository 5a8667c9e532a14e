//! The one thread that writes the log. Whatever waits when it comes to the queue shares one transaction, and with it one
//! wait for the disk.

use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use offshoot_aggregates::Position;
use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot, watch};

use super::file;
use super::recording::{self, PreparedAppend};
use crate::event_log::write_counters::{WriteCounters, count_outcome};
use crate::event_log::{AppendError, Appended, Fate, OpenError};
use crate::fault_points;
use crate::limits::{
    CHECKPOINT_WAIT, GROUP_COMMIT_APPENDS_MAX, GROUP_COMMIT_BYTES_MAX, GROUP_COMMIT_GATHERING_MAX,
    WAL_PAGES_BEFORE_CHECKPOINT, WAL_PAGES_BEFORE_WAITING,
};

type Outcome = Result<Appended, AppendError>;

/// An append in the queue, and who waits for it.
type Waiting = (PreparedAppend, oneshot::Sender<Outcome>);

/// What the writer is asked for.
pub(super) enum Request {
    /// To record something, and to say what became of it.
    Append(PreparedAppend, oneshot::Sender<Outcome>),
    /// To stop, once everything that was asked before is done.
    Close,
}

/// What the writer lets others see.
pub(super) struct Progress {
    /// The last event on disk.
    pub(super) head: watch::Sender<Position>,
    /// What was written so far.
    pub(super) counters: WriteCounters,
}

/// What the writer works with.
pub(super) struct Writer {
    path: PathBuf,
    /// `None` if it broke and could not be opened again yet.
    connection: Option<Connection>,
    /// Whether the last transaction failed, so that the end of the write-ahead log is not to be trusted.
    failed: bool,
    /// Pages in the write-ahead log when it was last moved into the file.
    pages_at_checkpoint: i64,
    progress: Arc<Progress>,
}

impl Writer {
    pub(super) fn open(path: PathBuf) -> Result<(Self, Arc<Progress>), OpenError> {
        let connection = file::open(&path)?;
        let end = recording::end(&connection)
            .map_err(|error| OpenError::Unavailable { path: path.clone(), detail: file::describe(&error) })?;
        let progress =
            Arc::new(Progress { head: watch::Sender::new(end.position), counters: WriteCounters::default() });
        let writer = Self {
            path,
            connection: Some(connection),
            failed: false,
            pages_at_checkpoint: 0,
            progress: Arc::clone(&progress),
        };
        Ok((writer, progress))
    }

    /// Works until it is told to stop, or nobody is left who could ask. Then the file has everything in one piece.
    pub(super) fn run(mut self, mut queue: mpsc::Receiver<Request>) {
        let mut expected = 1;
        while let Some(group) = next_group(&mut queue, expected) {
            if group.is_empty() {
                continue;
            }
            metrics::histogram!("offshoot_append_group_size").record(group.len() as f64);
            let outcomes = self.record(&group);
            // Those of this group are likely to come again, beside those who came meanwhile.
            expected = group.len() + queue.len();
            answer(group, outcomes);
            self.checkpoint_if_due();
        }
        self.checkpoint("TRUNCATE");
    }

    /// Records a group. What is reported as recorded is on disk; what is not, is not there.
    fn record(&mut self, group: &[Waiting]) -> Vec<Outcome> {
        self.transact(group).unwrap_or_else(|error| {
            let detail = file::describe(&error);
            if !self.failed {
                // Once, not for everyone who tries while the disk is full; those are counted.
                tracing::error!(error = detail, "appends were not recorded");
            }
            self.failed = true;
            // Before anyone is told that nothing was recorded: it must stay so if the process dies now. If the disk does not
            // let it, it is tried again before the next append.
            let _ = self.recover();
            group.iter().for_each(|(append, _)| append.settle(Fate::Failed));
            group.iter().map(|_| Err(AppendError::Unavailable(detail.clone()))).collect()
        })
    }

    /// Records a group in one transaction. If it fails, nothing of the group was recorded.
    fn transact(&mut self, group: &[Waiting]) -> rusqlite::Result<Vec<Outcome>> {
        let progress = Arc::clone(&self.progress);
        let connection = self.recover()?;
        connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        let before = recording::end(connection)?;
        let mut end = before;
        let mut outcomes = Vec::with_capacity(group.len());
        for (append, _) in group {
            let outcome = append.record(connection, &mut end)?;
            append.settle(if outcome.is_ok() { Fate::Uncommitted } else { Fate::Failed });
            outcomes.push(outcome);
        }
        if end.position == before.position {
            connection.prepare_cached("ROLLBACK")?.execute([])?;
            return Ok(outcomes);
        }
        fault_points::reached("before-commit");
        connection.prepare_cached("COMMIT")?.execute([])?;
        fault_points::reached("after-commit");
        progress.counters.count_syncs(1);
        for ((append, _), _) in group.iter().zip(&outcomes).filter(|(_, outcome)| outcome.is_ok()) {
            append.settle(Fate::Recorded);
            progress.counters.count_append(append.events(), append.bytes());
        }
        progress.head.send_replace(end.position);
        Ok(outcomes)
    }

    /// A connection without a transaction. After a failure it is made sure that nothing of the failed transaction is left;
    /// if that cannot be done, because the disk is still full, the log takes no appends.
    fn recover(&mut self) -> rusqlite::Result<&Connection> {
        if self.failed && self.connection.as_ref().is_some_and(|connection| !roll_back(connection)) {
            self.connection = None;
        }
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => file::reopen(&self.path)?,
        };
        let connection = self.connection.insert(connection);
        if self.failed {
            file::write_nothing(connection)?;
            self.progress.counters.count_syncs(1);
            self.failed = false;
        }
        Ok(connection)
    }

    /// Moves what was committed from the write-ahead log into the file, so that the former does not grow without end.
    fn checkpoint_if_due(&mut self) {
        let Some(Ok(pages)) = self.connection.as_ref().map(|connection| checkpoint(connection, "NOOP")) else { return };
        if pages < self.pages_at_checkpoint {
            // It has started from its beginning again.
            self.pages_at_checkpoint = 0;
        }
        if pages - self.pages_at_checkpoint >= WAL_PAGES_BEFORE_CHECKPOINT {
            // Also if it moves less than all, as when someone reads an older state: trying again at once would not help.
            self.pages_at_checkpoint = pages;
            self.checkpoint(if pages < WAL_PAGES_BEFORE_WAITING { "PASSIVE" } else { "RESTART" });
        }
    }

    /// The modes are SQLite's: `PASSIVE` does what it can, `RESTART` and `TRUNCATE` also wait for readers for a moment.
    fn checkpoint(&self, mode: &str) {
        let Some(connection) = &self.connection else { return };
        match file::with_busy_timeout(connection, CHECKPOINT_WAIT, |connection| checkpoint(connection, mode)) {
            // One for the write-ahead log, one for the file.
            Ok(_) => self.progress.counters.count_syncs(2),
            // Nothing is lost: the next one moves all.
            Err(error) => tracing::warn!(error = file::describe(&error), mode, "the checkpoint failed"),
        }
    }
}

/// What waits in the queue, as much as may share a commit: at least one request, then whatever else is there. If more are
/// expected, the other threads get a moment to bring them; a lone writer never waits. `None` once the queue is closed and empty.
fn next_group(queue: &mut mpsc::Receiver<Request>, expected: usize) -> Option<Vec<Waiting>> {
    let mut next = Some(queue.blocking_recv()?);
    let since = Instant::now();
    let mut group = Vec::with_capacity(expected);
    let mut bytes = 0;
    while let Some(request) = next {
        match request {
            Request::Append(append, answer) => {
                bytes += append.bytes();
                group.push((append, answer));
            }
            Request::Close => queue.close(),
        }
        if group.len() >= GROUP_COMMIT_APPENDS_MAX || bytes >= GROUP_COMMIT_BYTES_MAX as u64 {
            break;
        }
        next = queue.try_recv().ok();
        while next.is_none() && group.len() < expected && since.elapsed() < GROUP_COMMIT_GATHERING_MAX {
            thread::yield_now();
            next = queue.try_recv().ok();
        }
    }
    Some(group)
}

fn answer(group: Vec<Waiting>, outcomes: Vec<Outcome>) {
    for ((_, waiting), outcome) in group.into_iter().zip(outcomes) {
        count_outcome(&outcome);
        // Whoever asked may have gone; what was recorded stays.
        let _ = waiting.send(outcome);
    }
}

/// Whether the connection is without a transaction now.
fn roll_back(connection: &Connection) -> bool {
    connection.is_autocommit() || connection.execute_batch("ROLLBACK").is_ok()
}

/// Returns the pages in the write-ahead log.
fn checkpoint(connection: &Connection, mode: &str) -> rusqlite::Result<i64> {
    connection.prepare_cached(&format!("PRAGMA wal_checkpoint({mode})"))?.query_row([], |row| row.get(1))
}
