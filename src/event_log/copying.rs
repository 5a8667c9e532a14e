//! Copies a whole log from one store to another, as it is: positions, versions, times, commands.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use offshoot_aggregates::{Position, RecordedEvent, StreamId, Version};
use uuid::Uuid;

use super::kurrentdb::KurrentCopy;
use super::postgres::PostgresCopy;
use super::sqlite::SqliteCopy;
use super::{
    Appended, DirectoryLock, EventLog, KurrentEventLog, KurrentUrl, LockError, OpenError, PostgresEventLog,
    PostgresUrl, ReadError, SqliteEventLog,
};
use crate::limits::PAGE_EVENTS_MAX;

/// A log to copy from or to.
pub struct CopySide {
    log: Arc<dyn EventLog>,
    past: Box<dyn PastTheLog>,
    /// Held, so that no server works with the file meanwhile.
    _lock: Option<DirectoryLock>,
}

/// Reads and writes what a log holds, past the log.
#[async_trait]
pub(super) trait PastTheLog: Send {
    /// The commands with ids above `after`, in order of their ids.
    async fn commands(&mut self, after: Option<Uuid>, limit: usize) -> Result<Vec<RecordedCommand>, ReadError>;

    /// Whether events can be written at the positions that they have.
    fn keeps_positions(&self) -> bool {
        true
    }

    /// Writes events and commands as they are, and lets later ones follow them.
    async fn write(&mut self, events: &[RecordedEvent], commands: &[RecordedCommand]) -> Result<(), String>;
}

/// A command that a log remembers, and where the last of its events is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedCommand {
    /// The command.
    pub id: Uuid,
    /// The stream of its events.
    pub stream: StreamId,
    /// The last of them.
    pub last: Appended,
}

/// What was copied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Copied {
    /// Events.
    pub events: u64,
    /// Commands that are remembered.
    pub commands: u64,
    /// The position of the last event.
    pub head: Position,
}

/// Why a log was not copied.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// A store cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// A server works with the file.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// A log cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The target cannot be written.
    #[error("the target cannot be written: {0}")]
    Write(String),
    /// The target gives positions itself.
    #[error(
        "a log cannot be moved to KurrentDB, only from it: KurrentDB gives positions itself, and clones in the log say as of \
         which position they copy"
    )]
    OtherPositions,
    /// There is something in the target.
    #[error("the target is not empty: a log is written to a new store or file only")]
    NotEmpty,
    /// A backup cannot be written.
    #[error("the backup cannot be written: {0}")]
    Backup(#[from] std::io::Error),
    /// Someone wrote to one of the logs meanwhile.
    #[error("the source was written to meanwhile: stop every node, and copy it to a new store once more")]
    Written,
    /// The target is not what the source is.
    #[error("the copy differs from the source at position {0}: do not use it")]
    Differs(Position),
}

impl CopySide {
    /// Opens the log in the file at a path, which no server may be working with.
    ///
    /// # Errors
    /// [`CopyError::Open`] and [`CopyError::Lock`].
    pub fn sqlite(path: &Path) -> Result<Self, CopyError> {
        let directory = path.parent().filter(|directory| directory.is_dir());
        let lock = directory.map(DirectoryLock::acquire).transpose()?;
        Ok(Self { _lock: lock, ..Self::file(path)? })
    }

    /// Opens the log in a database.
    ///
    /// # Errors
    /// [`CopyError::Open`].
    pub async fn postgres(url: &PostgresUrl) -> Result<Self, CopyError> {
        let log = Arc::new(PostgresEventLog::open(url).await?);
        Ok(Self { log, past: Box::new(PostgresCopy::open(url).await?), _lock: None })
    }

    /// The log in a file that nobody works with, and that is there.
    pub(super) fn file(path: &Path) -> Result<Self, CopyError> {
        let log = Arc::new(SqliteEventLog::open(path)?);
        Ok(Self { log, past: Box::new(SqliteCopy::open(path)?), _lock: None })
    }

    /// The next events up to a position; `None` if there are no more.
    async fn events(&self, after: Position, head: Position) -> Result<Option<Vec<RecordedEvent>>, ReadError> {
        if after >= head {
            return Ok(None);
        }
        let mut page = self.log.read_all(after, PAGE_EVENTS_MAX).await?;
        page.retain(|event| event.position <= head);
        Ok((!page.is_empty()).then_some(page))
    }

    /// The next commands, and of them those whose events are up to a position; `None` if there are no more.
    async fn commands_up_to(
        &mut self,
        after: Option<Uuid>,
        head: Position,
    ) -> Result<Option<(Uuid, Vec<RecordedCommand>)>, ReadError> {
        let mut page = self.commands(after).await?;
        let Some(last) = page.last().map(|command| command.id) else { return Ok(None) };
        page.retain(|command| command.last.position <= head);
        Ok(Some((last, page)))
    }

    /// Opens the log in KurrentDB, to copy from.
    ///
    /// # Errors
    /// [`CopyError::Open`].
    pub async fn kurrentdb(url: &KurrentUrl) -> Result<Self, CopyError> {
        let log = Arc::new(KurrentEventLog::open(url).await?);
        Ok(Self { past: Box::new(KurrentCopy::new(log.clone())), log, _lock: None })
    }

    async fn commands(&mut self, after: Option<Uuid>) -> Result<Vec<RecordedCommand>, ReadError> {
        self.past.commands(after, PAGE_EVENTS_MAX).await
    }

    async fn write(&mut self, events: &[RecordedEvent], commands: &[RecordedCommand]) -> Result<(), CopyError> {
        self.past.write(events, commands).await.map_err(CopyError::Write)
    }

    /// Lets go of the log.
    pub async fn close(self) {
        self.log.close().await;
    }
}

/// Copies a log into an empty one, and then compares the two, event by event.
///
/// # Errors
/// [`CopyError`]. The source is left as it is, whatever happens; after an error the target is of no use.
pub async fn copy_log(from: &mut CopySide, to: &mut CopySide) -> Result<Copied, CopyError> {
    let copied = copy_as_of_now(from, to).await?;
    let has_more = !to.log.read_all(copied.head, 1).await?.is_empty();
    if has_more {
        return Err(CopyError::Differs(copied.head));
    }
    if from.log.head().await? == copied.head { Ok(copied) } else { Err(CopyError::Written) }
}

/// The same, but of a log that may be written to meanwhile: what it has now is copied.
pub(super) async fn copy_as_of_now(from: &mut CopySide, to: &mut CopySide) -> Result<Copied, CopyError> {
    if !to.past.keeps_positions() {
        return Err(CopyError::OtherPositions);
    }
    let is_empty = to.log.read_all(Position::START, 1).await?.is_empty() && to.commands(None).await?.is_empty();
    if !is_empty {
        return Err(CopyError::NotEmpty);
    }
    let mut copied = Copied { head: from.log.head().await?, ..Copied::default() };
    let mut position = Position::START;
    while let Some(page) = from.events(position, copied.head).await? {
        position = page.last().map_or(copied.head, |event| event.position);
        to.write(&page, &[]).await?;
        copied.events += page.len() as u64;
    }
    let mut after = None;
    while let Some((last, page)) = from.commands_up_to(after, copied.head).await? {
        after = Some(last);
        to.write(&[], &page).await?;
        copied.commands += page.len() as u64;
    }
    verify(from, to, copied.head).await?;
    Ok(copied)
}

/// Compares what the two have up to a position.
async fn verify(from: &mut CopySide, to: &mut CopySide, head: Position) -> Result<(), CopyError> {
    let mut position = Position::START;
    while let Some(page) = from.events(position, head).await? {
        let mut same = Vec::with_capacity(page.len());
        while same.len() < page.len() {
            let after = same.last().map_or(position, |event: &RecordedEvent| event.position);
            let more = to.log.read_all(after, page.len() - same.len()).await?;
            if more.is_empty() {
                return Err(CopyError::Differs(after));
            }
            same.extend(more);
        }
        if let Some((event, _)) = page.iter().zip(&same).find(|(one, other)| !is_same(one, other)) {
            return Err(CopyError::Differs(event.position));
        }
        position = page.last().map_or(head, |event| event.position);
    }
    let (mut after, mut copied) = (None, None);
    while let Some((last, page)) = from.commands_up_to(after, head).await? {
        after = Some(last);
        let same = if page.is_empty() { Vec::new() } else { to.past.commands(copied, page.len()).await? };
        if page != same {
            return Err(CopyError::Differs(page.first().map_or(position, |command| command.last.position)));
        }
        copied = page.last().map(|command| command.id).or(copied);
    }
    if to.commands(copied).await?.is_empty() { Ok(()) } else { Err(CopyError::Differs(head)) }
}

fn is_same(one: &RecordedEvent, other: &RecordedEvent) -> bool {
    let place = |event: &RecordedEvent| (event.position, event.version, event.recorded_at);
    let text = |event: &RecordedEvent| (event.event_type.clone(), event.event_version.clone());
    place(one) == place(other)
        && one.stream == other.stream
        && text(one) == text(other)
        && one.payload == other.payload
        && one.metadata == other.metadata
}

/// Where the last event of a command is, as the stores keep it.
pub(super) fn recorded_command(
    id: Uuid,
    stream: &str,
    position: i64,
    version: i64,
) -> Result<RecordedCommand, ReadError> {
    let position = Position(position.unsigned_abs());
    let damaged = |detail| ReadError::Damaged { position, detail };
    let stream = stream.parse::<StreamId>().map_err(|error| damaged(error.to_string()))?;
    Ok(RecordedCommand { id, stream, last: Appended { position, version: Version(version.unsigned_abs()) } })
}
