//! Keeps one read model up to date with the log, and builds it anew beside the old file when that is needed or asked for.

use std::sync::Arc;
use std::time::Duration;

use backon::BackoffBuilder;
use offshoot_aggregates::{Position, RecordedEvent};
use offshoot_projections::{apply, position};
use rusqlite::Connection;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::background::give_way;
use crate::event_feed::EventFeed;
use crate::fault_points;
use crate::limits::{PROJECTION_GATHERED_BYTES, PROJECTION_INTERVAL};
use crate::outage::Outage;
use crate::read_models::{BuildProgress, Generation, ReadModel};

/// The first and the longest pause after a file could not be written.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(5));

/// Keeps one read model up to date.
pub struct Projector {
    read_model: Arc<ReadModel>,
    feed: Arc<EventFeed>,
    shutdown: CancellationToken,
    interval: Duration,
}

/// A file and the connection that writes it.
struct OpenFile {
    generation: Generation,
    connection: Connection,
    position: Position,
}

/// Events were not applied.
struct NotApplied {
    /// The file, if it is still there to be tried again.
    file: Option<OpenFile>,
    error: ProjectorError,
}

impl NotApplied {
    fn of(file: Option<OpenFile>, error: impl Into<ProjectorError>) -> Box<Self> {
        Box::new(Self { file, error: error.into() })
    }
}

/// Why a projector cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum ProjectorError {
    /// The directory of the read models cannot be used.
    #[error("the directory of the read models cannot be used: {0}")]
    Directory(#[from] std::io::Error),
    /// A file cannot be opened or written.
    #[error("a read model's file cannot be used: {0}")]
    File(#[from] rusqlite::Error),
    /// A file cannot be written.
    #[error(transparent)]
    Apply(#[from] offshoot_projections::ApplyError),
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] crate::event_log::ReadError),
    /// The work broke off.
    #[error("the work broke off: {0}")]
    Broken(#[from] tokio::task::JoinError),
}

impl Projector {
    /// A projector of a read model.
    #[must_use]
    pub fn new(read_model: Arc<ReadModel>, feed: Arc<EventFeed>, shutdown: CancellationToken) -> Self {
        Self { read_model, feed, shutdown, interval: PROJECTION_INTERVAL }
    }

    /// The same, but it writes no more often than once in `interval` while nobody waits for the read model.
    #[must_use]
    pub fn with_interval(self, interval: Duration) -> Self {
        Self { interval, ..self }
    }

    /// Lets the newest complete file serve, and starts to follow the log. A missing or outdated file is built in the
    /// background; the task that is returned ends at shutdown.
    ///
    /// # Errors
    /// The directory of the read models cannot be used.
    pub fn start(self) -> Result<JoinHandle<()>, ProjectorError> {
        let live = self.open_serving()?;
        Ok(tokio::spawn(self.supervise(live)))
    }

    /// Finds the file to serve. One of an older version serves, as it is, only as long as the new one is being built.
    fn open_serving(&self) -> Result<Option<OpenFile>, ProjectorError> {
        let projection = self.read_model.projection();
        let (version, readable_since) = (projection.version(), projection.readable_since());
        let mut serving = None;
        for generation in self.read_model.files().list()?.into_iter().rev() {
            let is_usable = (readable_since..=version).contains(&generation.version)
                && generation.can_serve()
                && !self.is_of_another_log(&generation);
            if serving.is_none() && is_usable {
                serving = Some(generation);
            } else {
                // What is left of builds that broke off, of files that were replaced, and of other versions.
                generation.delete();
            }
        }
        let Some(generation) = serving else { return Ok(None) };
        if generation.version == version {
            let connection = generation.open_live(projection.as_ref())?;
            let position = position(&connection)?;
            self.read_model.serve(generation.clone(), position);
            return Ok(Some(OpenFile { generation, connection, position }));
        }
        let position = position(&generation.open_reader()?)?;
        self.read_model.serve(generation, position);
        Ok(None)
    }

    /// Whether a file has seen more than there is: the log was restored from a backup, or lost its end with its machine.
    fn is_of_another_log(&self, generation: &Generation) -> bool {
        let head = *self.feed.hint().borrow();
        let seen = generation.open_reader().and_then(|connection| position(&connection));
        let is_ahead = seen.is_ok_and(|seen| seen > head);
        if is_ahead {
            tracing::warn!(read_model = self.read_model.name(), %head, "a read model is ahead of the log: it is built anew");
        }
        is_ahead
    }

    async fn supervise(self, live: Option<OpenFile>) {
        let this = Arc::new(self);
        let tasks = TaskTracker::new();
        let (finished, mut built) = mpsc::channel(1);
        let build = |goal: &Arc<Self>| {
            goal.read_model
                .set_progress(Some(BuildProgress { position: Position::START, goal: *goal.feed.hint().borrow() }));
            tasks.spawn(goal.clone().build_until_done(finished.clone()));
        };
        let mut stop = this.shutdown.child_token();
        let mut follow = match live {
            Some(file) => Some(tasks.spawn(this.clone().follow(file, stop.clone()))),
            None => {
                build(&this);
                None
            }
        };
        loop {
            tokio::select! {
                () = this.shutdown.cancelled() => break,
                () = this.read_model.rebuild_requested.notified(), if this.read_model.progress().is_none() => build(&this),
                Some(file) = built.recv() => {
                    stop.cancel();
                    if let Some(follow) = follow.take() {
                        // Two files are never written at the same time, so that the position only grows.
                        let _ = follow.await;
                    }
                    this.replace_serving(&file);
                    stop = this.shutdown.child_token();
                    follow = Some(tasks.spawn(this.clone().follow(file, stop.clone())));
                }
            }
        }
        tasks.close();
        tasks.wait().await;
        this.read_model.close();
    }

    fn replace_serving(&self, file: &OpenFile) {
        let replaced = self.read_model.serve(file.generation.clone(), file.position);
        self.read_model.set_progress(None);
        if let Some(replaced) = replaced {
            replaced.delete();
        }
        tracing::info!(read_model = self.read_model.name(), position = %file.position, "a read model was built anew");
    }

    /// Applies the log's events to a file as they come, until told to stop.
    async fn follow(self: Arc<Self>, mut file: OpenFile, stop: CancellationToken) {
        let mut hint = self.feed.hint();
        let mut backoff = backoff();
        let mut pause_end = Instant::now();
        let mut written = self.feed.log().written().bytes;
        let mut outage = Outage::default();
        while !stop.is_cancelled() {
            let gathered = self.pause_unless_waited_for(pause_end, written);
            let step = tokio::select! {
                () = stop.cancelled() => return,
                events = self.feed.gather_after(file.position, &mut hint, gathered) => events,
            };
            pause_end = Instant::now() + self.interval;
            written = self.feed.log().written().bytes;
            let result = match step {
                Ok(events) => {
                    if let Some(waited) = outage.end() {
                        tracing::info!(read_model = self.read_model.name(), ?waited, "the log can be read again");
                    }
                    if events.is_empty() {
                        continue;
                    }
                    self.apply(file, events).await
                }
                Err(error) => {
                    // Nothing is wrong with the file: it serves what it has, and goes on from there.
                    if outage.notice() {
                        tracing::warn!(read_model = self.read_model.name(), %error, "the log cannot be read for a while");
                    }
                    pause(&mut backoff, &stop).await;
                    continue;
                }
            };
            match result {
                Ok(applied) => {
                    file = applied;
                    self.read_model.set_position(file.position);
                    self.read_model.set_stopped(false);
                    backoff = self::backoff();
                }
                Err(not_applied) => {
                    let NotApplied { file: kept, error } = *not_applied;
                    self.read_model.set_stopped(true);
                    tracing::error!(read_model = self.read_model.name(), %error, "a read model is not kept up to date");
                    let Some(kept) = kept else { return };
                    file = kept;
                    pause(&mut backoff, &stop).await;
                }
            }
        }
    }

    /// A transaction costs much more than the few events that come during one: so under load they are gathered, unless
    /// somebody waits to see them, or so many bytes were written since that the transaction's own cost does not show.
    async fn pause_unless_waited_for(&self, end: Instant, written_before: u64) {
        let enough = async {
            while self.feed.log().written().bytes - written_before < PROJECTION_GATHERED_BYTES {
                tokio::time::sleep(self.interval / 4).await;
            }
        };
        tokio::select! {
            () = tokio::time::sleep_until(end) => {}
            () = self.read_model.waited_for() => {}
            () = enough => {}
        }
    }

    async fn apply(&self, mut file: OpenFile, events: Vec<Arc<RecordedEvent>>) -> Result<OpenFile, Box<NotApplied>> {
        let projection = self.read_model.projection().clone();
        let span = tracing::debug_span!("projection", read_model = self.read_model.name(), events = events.len());
        let run = move || {
            let _entered = span.entered();
            fault_points::reached("before-projection");
            let applied = apply(&mut file.connection, projection.as_ref(), up_to_the_checkpoint(&events));
            match applied {
                Ok(position) => {
                    fault_points::reached("after-projection");
                    tracing::debug!(first = file.position.0 + 1, last = position.0, "applied");
                    file.position = position;
                    Ok(file)
                }
                Err(error) => Err(NotApplied::of(Some(file), error)),
            }
        };
        match tokio::task::spawn_blocking(run).await {
            Ok(result) => result,
            Err(error) => Err(NotApplied::of(None, error)),
        }
    }

    /// Builds a new file, again and again until it succeeds.
    async fn build_until_done(self: Arc<Self>, finished: mpsc::Sender<OpenFile>) {
        let (mut backoff, mut outage) = (backoff(), Outage::default());
        while !self.shutdown.is_cancelled() {
            match self.build().await {
                Ok(Some(file)) => {
                    let _ = finished.send(file).await;
                    return;
                }
                Ok(None) => return,
                Err(error) => {
                    // A log that is away is spoken of once.
                    let is_away = matches!(error, ProjectorError::Log(_));
                    if !is_away || outage.notice() {
                        tracing::error!(read_model = self.read_model.name(), %error, "a read model cannot be built");
                    }
                    pause(&mut backoff, &self.shutdown).await;
                }
            }
        }
    }

    /// Builds a new file from the whole log, until it has every event there is. `None` if there was a shutdown before.
    async fn build(&self) -> Result<Option<OpenFile>, ProjectorError> {
        let projection = self.read_model.projection().clone();
        let generation = self.read_model.files().next(projection.version())?;
        let goal = self.feed.log().head().await?;
        let connection = generation.open_build(projection.as_ref())?;
        let mut file = OpenFile { generation, connection, position: Position::START };
        let mut next = self.feed.after(Position::START).await?;
        while !next.is_empty() {
            if self.shutdown.is_cancelled() {
                file.generation.delete();
                return Ok(None);
            }
            let last = next.last().map_or(file.position, |event| event.position);
            // The next page is read while this one is applied.
            let (applied, read) = tokio::join!(self.apply(file, next), self.feed.after(last));
            file = applied.map_err(|not_applied| not_applied.error)?;
            next = read?;
            self.read_model
                .set_progress(Some(BuildProgress { position: file.position, goal: goal.max(file.position) }));
        }
        let OpenFile { generation, connection, position } = file;
        let finish = move || {
            let connection = generation.finish_build(connection, projection.as_ref())?;
            Ok::<_, rusqlite::Error>(OpenFile { generation, connection, position })
        };
        Ok(Some(tokio::task::spawn_blocking(finish).await??))
    }
}

/// The events; whoever has taken the last of them moves the checkpoint next.
fn up_to_the_checkpoint(events: &[Arc<RecordedEvent>]) -> impl Iterator<Item = &RecordedEvent> {
    let end = std::iter::from_fn(|| {
        fault_points::reached("before-checkpoint");
        None
    });
    events.iter().map(AsRef::as_ref).inspect(|_| give_way()).chain(end)
}

fn backoff() -> backon::ExponentialBackoff {
    let (first, longest) = BACKOFF;
    backon::ExponentialBuilder::new()
        .with_min_delay(first)
        .with_max_delay(longest)
        .without_max_times()
        .with_jitter()
        .build()
}

async fn pause(backoff: &mut backon::ExponentialBackoff, stop: &CancellationToken) {
    let pause = backoff.next().unwrap_or(BACKOFF.1);
    let _ = tokio::time::timeout(pause, stop.cancelled()).await;
}
