//! The one way in: load, decide, append, retry.

use std::sync::Arc;
use std::time::Instant;

use cqrs_es::{AggregateError, CqrsFramework};
use offshoot_aggregates::command_names::NamedCommand;
use offshoot_aggregates::environment::{Environment, EnvironmentCommand};
use offshoot_aggregates::id_allocator::IdAllocator;
use offshoot_aggregates::organisation::{Organisation, OrganisationCommand};
use offshoot_aggregates::project::{Project, ProjectCommand};
use tracing::Instrument;
use uuid::Uuid;

use super::aggregate_store::{AggregateStore, Cached, CommandStore, Snapshot};
use super::context::CommandContext;
use super::error::{CommandError, Rejection};
use super::ids::IdBlocks;
use super::outcome::{CommandScope, NoEffect, Outcome};
use crate::event_log::{Appended, EventLog};
use crate::limits::CONFLICT_RETRIES_MAX;

/// The one way to change anything: sends commands to aggregates and records what they decide.
#[derive(Clone)]
pub struct Commands {
    pub(super) log: Arc<dyn EventLog>,
    pub(super) organisations: Arc<AggregateStore<Organisation>>,
    pub(super) projects: Arc<AggregateStore<Project>>,
    pub(super) environments: Arc<AggregateStore<Environment>>,
    pub(super) ids: Arc<IdBlocks>,
}

impl Commands {
    /// Commands over a log.
    pub fn new(log: Arc<dyn EventLog>) -> Self {
        let allocator: Arc<AggregateStore<IdAllocator>> = Arc::new(AggregateStore::new(log.clone()));
        Self {
            organisations: Arc::new(AggregateStore::new(log.clone())),
            projects: Arc::new(AggregateStore::new(log.clone())),
            environments: Arc::new(AggregateStore::new(log.clone())),
            ids: Arc::new(IdBlocks::new(log.clone(), allocator)),
            log,
        }
    }

    /// The log that the commands write to.
    #[must_use]
    pub fn log(&self) -> &Arc<dyn EventLog> {
        &self.log
    }

    /// Whether a command was done before, and this is its repetition.
    ///
    /// # Errors
    /// The log cannot be read.
    pub async fn is_repeated(&self, context: &CommandContext) -> Result<bool, CommandError> {
        Ok(context.is_repeatable && self.log.find_command(context.metadata.command_id).await?.is_some())
    }

    /// Sends a command to an organisation.
    ///
    /// # Errors
    /// [`CommandError`]; then nothing was recorded, unless it says that this is not known.
    pub async fn organisation(
        &self,
        context: &CommandContext,
        organisation: Uuid,
        command: OrganisationCommand,
    ) -> Result<Appended, CommandError> {
        execute(&self.log, &self.organisations, context, &organisation.to_string(), command).await
    }

    /// Sends a command to a project.
    ///
    /// # Errors
    /// [`CommandError`]; then nothing was recorded, unless it says that this is not known.
    pub async fn project(
        &self,
        context: &CommandContext,
        project: Uuid,
        command: ProjectCommand,
    ) -> Result<Appended, CommandError> {
        execute(&self.log, &self.projects, context, &project.to_string(), command).await
    }

    /// Sends a command to an environment.
    ///
    /// # Errors
    /// [`CommandError`]; then nothing was recorded, unless it says that this is not known.
    pub async fn environment(
        &self,
        context: &CommandContext,
        environment: Uuid,
        command: EnvironmentCommand,
    ) -> Result<Appended, CommandError> {
        execute(&self.log, &self.environments, context, &environment.to_string(), command).await
    }

    /// The organisation as it is now.
    ///
    /// # Errors
    /// The log cannot be read.
    pub async fn load_organisation(&self, organisation: Uuid) -> Result<Snapshot<Organisation>, CommandError> {
        Ok(self.organisations.snapshot(&organisation.to_string()).await?)
    }

    /// The project as it is now.
    ///
    /// # Errors
    /// The log cannot be read.
    pub async fn load_project(&self, project: Uuid) -> Result<Snapshot<Project>, CommandError> {
        Ok(self.projects.snapshot(&project.to_string()).await?)
    }

    /// The environment as it is now.
    ///
    /// # Errors
    /// The log cannot be read.
    pub async fn load_environment(&self, environment: Uuid) -> Result<Snapshot<Environment>, CommandError> {
        Ok(self.environments.snapshot(&environment.to_string()).await?)
    }
}

/// Runs a command to its end, also when nobody waits for it any more: a client that hangs up must not leave a command
/// between its commit and its answer.
pub(super) async fn execute<A>(
    log: &Arc<dyn EventLog>,
    store: &Arc<AggregateStore<A>>,
    context: &CommandContext,
    key: &str,
    command: A::Command,
) -> Result<Appended, CommandError>
where
    A: Cached<Command: NamedCommand + Clone + Send + 'static>,
    Rejection: From<A::Error>,
{
    let (log, store, context, key) = (log.clone(), store.clone(), context.clone(), key.to_owned());
    let name = command.name();
    let span =
        tracing::info_span!("command", command_type = name, stream = %key, command_id = %context.metadata.command_id);
    let run = async move {
        let started = Instant::now();
        let result = run(&log, &store, &context, &key, command).await;
        observe(name, &result, started);
        result
    };
    tokio::spawn(run.instrument(span))
        .await
        .unwrap_or_else(|error| Err(CommandError::Fault(format!("the command broke off: {error}"))))
}

async fn run<A>(
    log: &Arc<dyn EventLog>,
    store: &Arc<AggregateStore<A>>,
    context: &CommandContext,
    key: &str,
    command: A::Command,
) -> Result<Appended, CommandError>
where
    A: Cached<Command: Clone>,
    Rejection: From<A::Error>,
{
    let remember = context.is_repeatable.then_some(context.metadata.command_id);
    if let Some(command_id) = remember
        && let Some(appended) = log.find_command(command_id).await?
    {
        return Ok(appended);
    }
    let metadata = Arc::new(context.to_map());
    for attempts in 0..CONFLICT_RETRIES_MAX {
        let (expected, metadata) = (context.expected_version, metadata.clone());
        // At first on what is in the cache: if that is not what the log has, it shows.
        let must_be_current = attempts > 0;
        let command_store = store.for_command(CommandScope { remember, expected, must_be_current, metadata });
        if let Some(appended) = attempt(command_store, key, command.clone()).await? {
            return Ok(appended);
        }
    }
    Err(CommandError::Unavailable("others kept changing the same thing; try again".to_owned()))
}

/// Decides the command once. `None` if it must be decided anew, because someone was faster.
async fn attempt<A>(store: CommandStore<A>, key: &str, command: A::Command) -> Result<Option<Appended>, CommandError>
where
    A: Cached,
    Rejection: From<A::Error>,
{
    let outcome = store.outcome();
    let framework = CqrsFramework::new(store, Vec::new(), ());
    let error = match framework.execute(key, command).await {
        Ok(()) => {
            let lost = || CommandError::Fault("the command's outcome is unknown".to_owned());
            return outcome.appended().ok_or_else(lost).map(Some);
        }
        Err(AggregateError::AggregateConflict) => return Ok(None),
        Err(error) => command_error(error, &outcome),
    };
    let is_rejected = matches!(error, CommandError::Rejected(_));
    // A rejection that rests on something that was not recorded is none, nor is one that others may have made wrong.
    let is_none = is_rejected && (outcome.may_be_stale() || !outcome.is_well_founded().await);
    if is_none { Ok(None) } else { Err(error) }
}

fn command_error<E>(error: AggregateError<E>, outcome: &Outcome) -> CommandError
where
    E: std::error::Error,
    Rejection: From<E>,
{
    match (error, outcome.error()) {
        (AggregateError::UserError(rejection), _) => CommandError::Rejected(rejection.into()),
        (_, Some(NoEffect::OtherVersion { actual })) => CommandError::Rejected(Rejection::OtherVersion { actual }),
        (_, Some(NoEffect::TooLarge { bytes, max })) => CommandError::Rejected(Rejection::TooLarge { bytes, max }),
        (_, Some(NoEffect::Unavailable(detail))) => CommandError::Unavailable(detail),
        (_, Some(NoEffect::Unknown(detail))) => CommandError::Unknown(detail),
        (_, Some(NoEffect::Damaged(detail))) => CommandError::Fault(detail),
        (error, None) => CommandError::Fault(error.to_string()),
    }
}

fn observe(name: &'static str, result: &Result<Appended, CommandError>, started: Instant) {
    let outcome = match result {
        Ok(_) => "done",
        Err(CommandError::Rejected(_)) => "rejected",
        Err(CommandError::Unavailable(_)) => "unavailable",
        Err(CommandError::Unknown(_)) => "unknown",
        Err(CommandError::Fault(_)) => "fault",
    };
    metrics::counter!("offshoot_commands_total", "type" => name, "outcome" => outcome).increment(1);
    metrics::histogram!("offshoot_command_seconds", "type" => name).record(started.elapsed().as_secs_f64());
}
