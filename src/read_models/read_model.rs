//! One read model: the file that serves it, how far it is, and how it is asked.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwapOption;
use offshoot_aggregates::Position;
use offshoot_projections::digest::digest;
use offshoot_projections::{ParkedEvent, Projection, parked};
use rusqlite::Connection;
use tokio::sync::{Notify, Semaphore, watch};
use uuid::Uuid;

use super::files::{Generation, ReadModelFiles};
use crate::limits::READ_CONNECTIONS_MAX;

/// Why a read model did not answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// There is no file that can serve yet; it is being built from the log.
    #[error("the read model {name} is being built: it is at position {position}")]
    Building {
        /// Which read model.
        name: &'static str,
        /// How far it is.
        position: Position,
    },
    /// Its file cannot be read.
    #[error("the read model {name} cannot be read: {detail}")]
    Failed {
        /// Which read model.
        name: &'static str,
        /// What SQLite said.
        detail: String,
    },
}

/// What a read model does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadModelState {
    /// It follows the log.
    Live,
    /// It follows the log while a new file is being built beside it.
    Rebuilding,
    /// It has no file that can serve; one is being built.
    Building,
    /// Its projection stopped: its file cannot be written. It is tried again and again.
    Stopped,
}

impl ReadModelState {
    /// Its name in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Rebuilding => "rebuilding",
            Self::Building => "building",
            Self::Stopped => "stopped",
        }
    }
}

/// How far the file is that is being built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BuildProgress {
    /// The position it is at.
    pub position: Position,
    /// The position the log was at when it began.
    pub goal: Position,
}

/// How a read model does.
#[derive(Clone, Debug)]
pub struct ReadModelStatus {
    /// Its name.
    pub name: &'static str,
    /// The version of its projection.
    pub version: u32,
    /// The position that the serving file is at.
    pub position: Position,
    /// What it does.
    pub state: ReadModelState,
    /// How far the file is that is being built, if one is.
    pub build: Option<BuildProgress>,
    /// The events it could not read.
    pub parked: Vec<ParkedEvent>,
}

/// One read model.
pub struct ReadModel {
    projection: Arc<dyn Projection>,
    files: ReadModelFiles,
    serving: ArcSwapOption<ServingFile>,
    position: watch::Sender<Position>,
    /// How many wait for the serving file to get further.
    waiting: watch::Sender<usize>,
    build: Mutex<Option<BuildProgress>>,
    is_stopped: std::sync::atomic::AtomicBool,
    builds: watch::Sender<u64>,
    pub(crate) rebuild_requested: Notify,
}

/// A file with connections that read it.
struct ServingFile {
    generation: Generation,
    connections: Mutex<Vec<Connection>>,
    permits: Arc<Semaphore>,
}

impl ReadModel {
    pub(super) fn new(directory: &Path, projection: Arc<dyn Projection>) -> Self {
        let files = ReadModelFiles::new(directory, projection.name());
        Self {
            projection,
            files,
            serving: ArcSwapOption::empty(),
            position: watch::Sender::new(Position::START),
            waiting: watch::Sender::new(0),
            build: Mutex::new(None),
            is_stopped: false.into(),
            builds: watch::Sender::new(0),
            rebuild_requested: Notify::new(),
        }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.projection.name()
    }

    /// Its projection.
    #[must_use]
    pub fn projection(&self) -> &Arc<dyn Projection> {
        &self.projection
    }

    /// Its files.
    #[must_use]
    pub fn files(&self) -> &ReadModelFiles {
        &self.files
    }

    /// The position that the serving file is at.
    #[must_use]
    pub fn position(&self) -> Position {
        *self.position.borrow()
    }

    /// Whether there is a file that serves.
    #[must_use]
    pub fn is_serving(&self) -> bool {
        self.serving.load().is_some()
    }

    /// Waits until the serving file has reached a position; meanwhile its projector takes no pauses.
    pub async fn reached(&self, position: Position) {
        if self.position() >= position {
            return;
        }
        let _waiting = Waiting::among(&self.waiting);
        // The sender lives as long as `self`, so waiting cannot fail.
        let _ = self.position.subscribe().wait_for(|reached| *reached >= position).await;
    }

    /// Waits until somebody waits for the serving file to get further.
    pub(crate) async fn waited_for(&self) {
        let _ = self.waiting.subscribe().wait_for(|waiting| *waiting > 0).await;
    }

    /// Tells when the serving file has moved.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<Position> {
        self.position.subscribe()
    }

    /// Asks for a new file to be built from the log, beside the one that serves, and to take its place. The receiver
    /// changes once it has.
    pub fn request_rebuild(&self) -> watch::Receiver<u64> {
        let builds = self.builds.subscribe();
        self.rebuild_requested.notify_one();
        builds
    }

    /// Asks the read model something. The closure runs where it may block; all its questions are answered as of one
    /// moment.
    ///
    /// # Errors
    /// [`QueryError`].
    pub async fn query<T, F>(&self, query: F) -> Result<T, QueryError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        let Some(serving) = self.serving.load_full() else {
            let position = self.progress().map_or(Position::START, |build| build.position);
            return Err(QueryError::Building { name: self.name(), position });
        };
        let failed = |detail: String| QueryError::Failed { name: self.name(), detail };
        let permit = serving.permits.clone().acquire_owned().await.map_err(|error| failed(error.to_string()))?;
        let span = tracing::Span::current();
        let run = move || {
            let _entered = span.entered();
            let _permit = permit;
            let connection = serving.take()?;
            let answer = connection.unchecked_transaction().and_then(|snapshot| query(&snapshot));
            serving.put_back(connection);
            answer
        };
        let answer = tokio::task::spawn_blocking(run).await.map_err(|error| failed(error.to_string()))?;
        answer.map_err(|error| failed(error.to_string()))
    }

    /// How it does.
    ///
    /// # Errors
    /// [`QueryError::Failed`].
    pub async fn status(&self) -> Result<ReadModelStatus, QueryError> {
        let parked = match self.query(parked).await {
            Err(QueryError::Building { .. }) => Vec::new(),
            other => other?,
        };
        let build = self.progress();
        let is_stopped = self.is_stopped.load(std::sync::atomic::Ordering::Relaxed);
        let state = match (self.is_serving(), build) {
            _ if is_stopped => ReadModelState::Stopped,
            (true, None) => ReadModelState::Live,
            (true, Some(_)) => ReadModelState::Rebuilding,
            (false, _) => ReadModelState::Building,
        };
        let (name, version, position) = (self.name(), self.projection.version(), self.position());
        Ok(ReadModelStatus { name, version, position, state, build, parked })
    }

    /// What it says, as one value to compare with others that show the same position, and that position.
    ///
    /// # Errors
    /// [`QueryError`].
    pub async fn digest(&self) -> Result<(Position, Uuid), QueryError> {
        self.query(|file| Ok((offshoot_projections::position(file)?, digest(file)?))).await
    }

    pub(crate) fn progress(&self) -> Option<BuildProgress> {
        *self.build.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set_progress(&self, progress: Option<BuildProgress>) {
        *self.build.lock().unwrap_or_else(PoisonError::into_inner) = progress;
    }

    pub(crate) fn set_stopped(&self, is_stopped: bool) {
        self.is_stopped.store(is_stopped, std::sync::atomic::Ordering::Relaxed);
    }

    pub(crate) fn set_position(&self, position: Position) {
        self.position.send_if_modified(|reached| {
            let is_further = position > *reached;
            *reached = (*reached).max(position);
            is_further
        });
    }

    /// Lets a file serve from now on. Returns the one that served until now.
    pub(crate) fn serve(&self, generation: Generation, position: Position) -> Option<Generation> {
        let permits = Arc::new(Semaphore::new(READ_CONNECTIONS_MAX));
        let file = ServingFile { generation, connections: Mutex::default(), permits };
        let before = self.serving.swap(Some(Arc::new(file)));
        self.set_position(position);
        self.builds.send_modify(|builds| *builds += 1);
        before.map(|file| file.generation.clone())
    }

    /// Lets no file serve any more.
    pub(crate) fn close(&self) {
        self.serving.store(None);
    }
}

/// One of those who wait, until it is dropped.
struct Waiting<'w>(&'w watch::Sender<usize>);

impl<'w> Waiting<'w> {
    fn among(waiting: &'w watch::Sender<usize>) -> Self {
        waiting.send_modify(|waiting| *waiting += 1);
        Self(waiting)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|waiting| *waiting -= 1);
    }
}

impl ServingFile {
    fn take(&self) -> rusqlite::Result<Connection> {
        let idle = self.connections.lock().unwrap_or_else(PoisonError::into_inner).pop();
        idle.map_or_else(|| self.generation.open_reader(), Ok)
    }

    fn put_back(&self, connection: Connection) {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
    }
}
