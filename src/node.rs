//! One running Offshoot without its doors: the log, the commands, the read models and the workers.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::background::Background;
use crate::clock;
use crate::commands::{CommandError, Commands};
use crate::config::{DataConfig, WorkerConfig};
use crate::event_feed::EventFeed;
use crate::event_log::{DirectoryLock, LockError, OpenError, ReadError};
use crate::flags::{self, Flags};
use crate::read_models::ReadModels;
use crate::workers::{CloneWorker, Projector, ProjectorError, measure_lag, sweep_names};

/// One running Offshoot without its doors.
pub struct Node {
    /// The one way to change anything.
    pub commands: Commands,
    /// The log's events.
    pub feed: Arc<EventFeed>,
    /// What readers see.
    pub read_models: ReadModels,
    /// What is served of environments.
    pub flags: Arc<Flags>,
    shutdown: CancellationToken,
    projectors: TaskTracker,
    workers: TaskTracker,
    stop_workers: CancellationToken,
    _background: Background,
    /// Held as long as the node runs, so that no second process opens the same data.
    _lock: DirectoryLock,
}

/// Why a node does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The directory cannot be made.
    #[error("the data directory {path} cannot be made: {source}")]
    Directory {
        /// Which directory.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Another process has the directory.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The system gives no threads.
    #[error("threads for the work in the background cannot be started: {0}")]
    Background(std::io::Error),
    /// The store cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The log cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The read models cannot be opened.
    #[error(transparent)]
    Projector(#[from] ProjectorError),
    /// An empty store cannot be given its first organisation.
    #[error("the store cannot be given its first organisation: {0}")]
    Bootstrap(#[from] CommandError),
}

impl StartError {
    /// Whether the store is away, and a later start may succeed.
    #[must_use]
    pub fn is_away(&self) -> bool {
        matches!(
            self,
            Self::Open(OpenError::Away { .. })
                | Self::Read(ReadError::Unavailable(_))
                | Self::Bootstrap(CommandError::Unavailable(_))
        )
    }
}

impl Node {
    /// Takes the directory of the data, which is made if it is not there, for this process.
    ///
    /// # Errors
    /// It cannot be made, or another process has it.
    pub fn hold_directory(config: &DataConfig) -> Result<DirectoryLock, StartError> {
        std::fs::create_dir_all(&config.data_dir)
            .map_err(|source| StartError::Directory { path: config.data_dir.clone(), source })?;
        Ok(DirectoryLock::acquire(&config.data_dir)?)
    }

    /// Opens the data and starts the projectors and the workers. A store that is away is not waited for.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn start(config: &DataConfig, workers: &WorkerConfig) -> Result<Self, StartError> {
        let lock = Self::hold_directory(config)?;
        let feed = EventFeed::new(config.store().open().await?).await?;
        Self::start_on(feed, &config.read_models(), workers, lock)
    }

    /// Starts the projectors and the workers on a log that is open, with the read models in a directory.
    ///
    /// # Errors
    /// [`StartError`].
    pub fn start_on(
        feed: EventFeed,
        read_models: &Path,
        workers: &WorkerConfig,
        lock: DirectoryLock,
    ) -> Result<Self, StartError> {
        let feed = Arc::new(feed);
        let (log, head) = (feed.log().clone(), feed.begin());
        // Whoever has the log to itself finds no command of another process running.
        let alone_since = (!log.is_shared()).then(clock::now);
        let commands = Commands::new(log);
        let read_models = ReadModels::new(read_models);
        let (shutdown, stop_workers) = (CancellationToken::new(), CancellationToken::new());
        let (projectors, working) = (TaskTracker::new(), TaskTracker::new());
        let flags = Flags::new(read_models.clone(), head);
        // Whoever asks for flags waits for this one.
        projectors.spawn(flags::follow(flags.clone(), feed.clone(), shutdown.clone()));
        let background = Background::start().map_err(StartError::Background)?;
        {
            let _entered = background.enter();
            for read_model in read_models.all() {
                let task = Projector::new(read_model.clone(), feed.clone(), shutdown.clone()).start()?;
                projectors.spawn(task);
            }
            let status = read_models.environment_status.clone();
            let clone_worker = CloneWorker::new(commands.clone(), feed.clone(), status, stop_workers.clone())
                .resting(workers.clone_batch_pause)
                .retrying(workers.clone_retries);
            working.spawn(clone_worker.run());
            let age_min = workers.forgotten_name_age;
            let sweeping = (commands.clone(), read_models.clone());
            working.spawn(sweep_names(sweeping.0, sweeping.1, alone_since, age_min, stop_workers.clone()));
            working.spawn(measure_lag(commands.log().clone(), read_models.clone(), stop_workers.clone()));
        }
        let workers = working;
        let _background = background;
        Ok(Self {
            commands,
            feed,
            read_models,
            flags,
            shutdown,
            projectors,
            workers,
            stop_workers,
            _background,
            _lock: lock,
        })
    }

    /// Finishes what is in hand and stops: first the workers, then the projectors, then the log.
    pub async fn stop(self) {
        self.stop_workers.cancel();
        self.workers.close();
        self.workers.wait().await;
        self.shutdown.cancel();
        self.projectors.close();
        self.projectors.wait().await;
        self.commands.log().close().await;
    }
}
