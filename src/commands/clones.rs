//! Requesting a clone: the cut is pinned, the name reserved, and the new environment's stream says what is to be copied.

use std::sync::Arc;

use jiff::Timestamp;
use offshoot_aggregates::environment::{
    CloneMode, CloneModeReason, CloneOrigin, CloneReader, CloneRequest, CloneTarget, Environment, EnvironmentCommand,
    EnvironmentError, EnvironmentRef, InvalidClone, clone_size,
};
use offshoot_aggregates::permissions::Principal;
use offshoot_aggregates::project::{Project, ProjectError};
use offshoot_aggregates::text::check_name;
use offshoot_aggregates::{Position, StreamId, Version};
use uuid::Uuid;

use super::batch_size::batch_size;
use super::environments::environment_uuid;
use super::{CommandContext, CommandError, Commands, Created, NewEnvironmentOptions};
use crate::clock;
use crate::event_log::Appended;
use crate::limits::{CLONE_BATCH_SIZE, SYNC_CLONE_FEATURE_STATES_MAX};

/// The moment as of which a source is copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AsOf {
    /// The moment of the request.
    Now,
    /// A position of the log.
    Position(Position),
    /// A time.
    Time(Timestamp),
}

/// What a clone is to be.
#[derive(Clone, Debug)]
pub struct CloneOptions {
    /// Its name.
    pub name: String,
    /// Its description; the source's if none is given.
    pub description: Option<Option<String>>,
    /// Whether to wait for the copy.
    pub mode: CloneMode,
    /// Why, if the request was for an asynchronous clone. If such a request is to be copied synchronously and has too many
    /// states to wait for, it is copied asynchronously all the same: whoever sent it did not want to wait.
    pub mode_reason: Option<CloneModeReason>,
    /// The moment as of which the source is copied.
    pub as_of: AsOf,
    /// Whether the source's permissions are taken over.
    pub clone_permissions: bool,
    /// Who administers it, whatever the source's permissions say.
    pub admin: Option<Principal>,
}

/// Why a clone cannot be made as asked.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum CloneRejection {
    /// The source did not exist at the moment asked for.
    #[error("the source did not exist at that moment")]
    AsOfBeforeSource,
    /// The moment asked for has not come yet.
    #[error("that moment has not come yet")]
    AsOfInFuture,
    /// The source is itself being created, or was at the moment asked for.
    #[error("the source's feature states are still being copied")]
    SourceIsCreating,
    /// The source cannot be copied as it is.
    #[error(transparent)]
    Invalid(#[from] InvalidClone),
    /// There are too many states to wait for.
    #[error("{actual} feature states are too many to wait for: at most {max}; ask for an asynchronous clone")]
    TooManyStates {
        /// How many there are.
        actual: u64,
        /// How many there may be.
        max: u64,
    },
}

/// Source and project as of a position of the log.
pub struct Cut {
    /// The position.
    pub position: Position,
    /// The version of the source's stream there.
    pub source_version: Version,
    /// The version of the project's stream there.
    pub project_version: Version,
    /// The source's project.
    pub project_uuid: Uuid,
    /// The source there.
    pub source: Arc<Environment>,
    /// The project there.
    pub project: Arc<Project>,
}

impl Commands {
    /// Requests a clone. In synchronous mode it is complete when this returns.
    ///
    /// # Errors
    /// [`CommandError`].
    pub async fn request_clone(
        &self,
        context: &CommandContext,
        source: Uuid,
        options: CloneOptions,
    ) -> Result<Created<EnvironmentRef>, CommandError> {
        check_name("name", &options.name, offshoot_aggregates::limits::NAME_CHARACTERS_MAX)?;
        let cut = self.pin_cut(source, options.as_of).await?;
        let (defaults, overrides) = clone_size(&cut.source, &cut.project);
        let total = defaults + overrides;
        let (mode, mode_reason) = decide_mode(&options, total)?;
        let mut context = context.clone();
        context.metadata.clone_mode_reason = mode_reason;
        let context = &context;
        let mut settings = cut.source.settings().cloned().ok_or(EnvironmentError::NotFound)?;
        settings.name.clone_from(&options.name);
        settings.description = options.description.unwrap_or(settings.description);
        settings.check()?;
        let uuid = environment_uuid(context, None);
        let (project, name) = (cut.project_uuid, options.name);
        let reserved = self.reserve_environment(context, project, uuid, &name, overrides, true).await?;
        let target = CloneTarget {
            first_feature_state_id: reserved.reservation.first_feature_state_id,
            first_override_state_id: reserved.first_override_state_id,
            first_feature_segment_id: reserved.first_feature_segment_id,
        };
        let origin = self.origin(source, &cut, mode, total, target).await?;
        let batches = match mode {
            CloneMode::Async => Ok(Vec::new()),
            CloneMode::Sync => read_all(source, &cut, target).await,
        };
        if matches!(&batches, Err(CommandError::Rejected(_))) {
            self.abandon_environment(context, project, &reserved, name.clone()).await?;
        }
        let batches = batches?;
        let new = NewEnvironmentOptions { settings, api_key: None, admin: options.admin };
        let environment = self.new_environment(project, &reserved, new).await?;
        let inherited = cut.source.grants().values().filter(|_| options.clone_permissions);
        let grants = inherited.cloned().collect();
        if mode == CloneMode::Async {
            self.keep_cut(source, &cut);
        }
        let request = CloneRequest { environment, origin, grants, batches };
        let command = EnvironmentCommand::RequestEnvironmentClone(Box::new(request));
        self.finish_environment(context, project, &reserved, name, command).await
    }

    /// Lets a failed clone go on from the batch that failed.
    ///
    /// # Errors
    /// [`CommandError`]: the clone is not a failed one.
    pub async fn retry_clone(&self, context: &CommandContext, clone: Uuid) -> Result<Appended, CommandError> {
        self.environment(&context.step("retry_clone"), clone, EnvironmentCommand::RetryClone).await
    }

    /// Gives up a clone that is not complete: the environment is deleted, its name free again.
    ///
    /// # Errors
    /// [`CommandError`]: the clone is complete, or no clone.
    pub async fn cancel_clone(&self, context: &CommandContext, clone: Uuid) -> Result<Appended, CommandError> {
        self.remove_environment(context, clone, EnvironmentCommand::CancelClone).await
    }

    /// Source and project as of a moment.
    ///
    /// # Errors
    /// [`CommandError`]: the source did not exist then, or was being created, or the moment has not come.
    pub async fn pin_cut(&self, source: Uuid, as_of: AsOf) -> Result<Cut, CommandError> {
        let position = self.position(as_of).await?;
        let cut = self.load_cut(source, position).await?;
        if !cut.source.exists() || !cut.project.exists() {
            return Err(CloneRejection::AsOfBeforeSource.into());
        }
        if cut.source.is_creating() {
            return Err(CloneRejection::SourceIsCreating.into());
        }
        Ok(cut)
    }

    /// Source and project as of a position at which the source existed.
    ///
    /// # Errors
    /// [`CommandError`]: the source did not exist then.
    pub async fn load_cut(&self, source: Uuid, position: Position) -> Result<Cut, CommandError> {
        let stream = StreamId::environment(source);
        let source_version = self.log.version_at(&stream, position).await?;
        let at_cut = self.environments.snapshot_at(&stream.key, source_version).await?;
        let (project_uuid, _) = at_cut.aggregate.project().ok_or(CloneRejection::AsOfBeforeSource)?;
        let stream = StreamId::project(project_uuid);
        let project_version = self.log.version_at(&stream, position).await?;
        let project = self.projects.snapshot_at(&stream.key, project_version).await?;
        Ok(Cut {
            position,
            source_version,
            project_version,
            project_uuid,
            source: Arc::new(at_cut.aggregate),
            project: Arc::new(project.aggregate),
        })
    }

    /// Keeps a cut for the worker: the project has gone on by the name that was reserved, the source may.
    fn keep_cut(&self, source: Uuid, cut: &Cut) {
        let (source, project) = (StreamId::environment(source), StreamId::project(cut.project_uuid));
        self.environments.keep_until_asked(&source.key, Environment::clone(&cut.source), cut.source_version);
        self.projects.keep_until_asked(&project.key, Project::clone(&cut.project), cut.project_version);
    }

    async fn position(&self, as_of: AsOf) -> Result<Position, CommandError> {
        let head = self.log.head().await?;
        match as_of {
            AsOf::Now => Ok(head),
            AsOf::Position(position) if position > head => Err(CloneRejection::AsOfInFuture.into()),
            AsOf::Position(position) => Ok(position),
            AsOf::Time(time) if time > clock::now() => Err(CloneRejection::AsOfInFuture.into()),
            AsOf::Time(time) => Ok(self.log.position_at(time).await?),
        }
    }

    async fn origin(
        &self,
        source: Uuid,
        cut: &Cut,
        mode: CloneMode,
        feature_states_total: u64,
        target: CloneTarget,
    ) -> Result<CloneOrigin, CommandError> {
        let batch_size = match (mode, self.log.append_bytes_max()) {
            (CloneMode::Async, Some(bytes)) => batch_size_for(source, cut, target, bytes).await?,
            _ => CLONE_BATCH_SIZE,
        };
        let batches = feature_states_total.div_ceil(u64::from(batch_size));
        Ok(CloneOrigin {
            source: cut.source.reference(source).ok_or(EnvironmentError::NotFound)?,
            position: cut.position,
            as_of: self.log.time_at(cut.position).await?.ok_or(CloneRejection::AsOfBeforeSource)?,
            source_version: cut.source_version,
            project_version: cut.project_version,
            mode,
            feature_states_total,
            batch_size,
            batches_total: u32::try_from(batches).map_err(|_| ProjectError::NotFound)?,
            first_feature_state_id: target.first_feature_state_id,
            first_override_state_id: target.first_override_state_id,
            first_feature_segment_id: target.first_feature_segment_id,
        })
    }
}

/// Whether to wait for a copy of so many states, and why if that was not asked for.
fn decide_mode(options: &CloneOptions, total: u64) -> Result<(CloneMode, Option<CloneModeReason>), CloneRejection> {
    let max = SYNC_CLONE_FEATURE_STATES_MAX;
    match (options.mode, options.mode_reason) {
        (CloneMode::Sync, None) if total > max => Err(CloneRejection::TooManyStates { actual: total, max }),
        (CloneMode::Sync, Some(_)) if total > max => Ok((CloneMode::Async, Some(CloneModeReason::TooManyStates))),
        decided => Ok(decided),
    }
}

/// How many states a batch may have for a log that takes only so many bytes at once.
async fn batch_size_for(source: Uuid, cut: &Cut, target: CloneTarget, bytes: usize) -> Result<u32, CommandError> {
    let (environment, project) = (cut.source.clone(), cut.project.clone());
    let measure = move || batch_size(CloneReader::new(source, environment, project, target)?, bytes);
    let size = tokio::task::spawn_blocking(measure).await;
    Ok(size.map_err(|error| CommandError::Fault(error.to_string()))??)
}

/// Everything that a clone copies, batch by batch, at once.
async fn read_all(
    source: Uuid,
    cut: &Cut,
    target: CloneTarget,
) -> Result<Vec<Arc<Vec<offshoot_aggregates::environment::BatchedState>>>, CommandError> {
    let (environment, project) = (cut.source.clone(), cut.project.clone());
    let read = move || {
        let mut reader = CloneReader::new(source, environment, project, target)?;
        let mut batches = Vec::new();
        loop {
            let batch = reader.next_batch(CLONE_BATCH_SIZE as usize)?;
            if batch.is_empty() {
                return Ok(batches);
            }
            batches.push(Arc::new(batch));
        }
    };
    let batches = tokio::task::spawn_blocking(read).await;
    let batches = batches.map_err(|error| CommandError::Fault(error.to_string()))?;
    batches.map_err(|error: InvalidClone| CloneRejection::from(error).into())
}
