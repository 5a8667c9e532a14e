//! Frees names that were reserved for an environment or a project that never appeared, or that it no longer has: what a crash
//! between two steps of a command leaves behind.

use std::time::Duration;

use jiff::Timestamp;
use offshoot_aggregates::Actor;
use offshoot_projections::environment_status::{self, ForgottenName};
use offshoot_projections::features::{self, ForgottenProjectName};
use tokio_util::sync::CancellationToken;

use crate::clock;
use crate::commands::{CommandContext, Commands};
use crate::read_models::{QueryError, ReadModels};

/// How often to look.
const INTERVAL: Duration = Duration::from_secs(30);

/// How old a reservation must be before it counts as forgotten: a command that is still running needs it.
const AGE_MIN: Duration = Duration::from_secs(60);

/// The same where other nodes run commands too: their clocks may differ, and a store that comes and goes holds commands up.
const AGE_MIN_SHARED: Duration = Duration::from_secs(10 * 60);

/// Looks for forgotten names until shutdown. If the node has been alone with its store since some time, no command needs a
/// reservation from before that any more, however young it is. Otherwise `age_min` says how old it must be.
pub async fn sweep_names(
    commands: Commands,
    read_models: ReadModels,
    alone_since: Option<Timestamp>,
    age_min: Option<Duration>,
    shutdown: CancellationToken,
) {
    let head = *commands.log().watch().borrow();
    let age_min = age_min.unwrap_or(if commands.log().is_shared() { AGE_MIN_SHARED } else { AGE_MIN });
    let reached = async {
        read_models.environment_status.reached(head).await;
        read_models.features.reached(head).await;
    };
    // Until then the read models may know a name without the one that has it.
    tokio::select! {
        () = reached => {}
        () = shutdown.cancelled() => return,
    }
    loop {
        let old = clock::now() - age_min;
        match sweep(&commands, &read_models, alone_since.map_or(old, |since| since.max(old))).await {
            Ok(()) | Err(QueryError::Building { .. }) => {}
            Err(error) => tracing::error!(%error, "forgotten names cannot be looked for"),
        }
        if tokio::time::timeout(INTERVAL, shutdown.cancelled()).await.is_ok() {
            return;
        }
    }
}

/// Frees the names that were reserved before a time and are nobody's.
async fn sweep(commands: &Commands, read_models: &ReadModels, before: Timestamp) -> Result<(), QueryError> {
    let query = move |file: &_| environment_status::forgotten_names(file, before);
    for name in read_models.environment_status.query(query).await? {
        free_name_of_environment(commands, name).await;
    }
    let query = move |file: &_| features::forgotten_project_names(file, before);
    for name in read_models.features.query(query).await? {
        free_name_of_project(commands, name).await;
    }
    Ok(())
}

/// Frees a name, unless its environment has it after all: a read model that cannot be written lags behind the log. A name
/// that its environment is about to take back was reserved anew, under another number.
async fn free_name_of_environment(commands: &Commands, forgotten: ForgottenName) {
    let ForgottenName { project, environment, name, reservation } = forgotten;
    let current = match commands.load_environment(environment).await {
        Ok(snapshot) => snapshot.aggregate,
        Err(error) => return tracing::warn!(%environment, %name, %error, "a forgotten name cannot be freed yet"),
    };
    let is_in_project = current.project().is_some_and(|(uuid, _)| uuid == project);
    if current.exists() && is_in_project && current.settings().is_some_and(|settings| settings.name == name) {
        return;
    }
    let context = CommandContext::new(Actor::system("name_sweeper"));
    match commands.release_environment_name(&context, project, environment, name.clone(), reservation).await {
        Ok(_) => tracing::info!(%environment, %name, "a forgotten name is free again"),
        Err(error) => tracing::warn!(%environment, %name, %error, "a forgotten name cannot be freed yet"),
    }
}

/// Frees a name of a project in the same way.
async fn free_name_of_project(commands: &Commands, forgotten: ForgottenProjectName) {
    let ForgottenProjectName { organisation, project, name, reservation } = forgotten;
    let current = match commands.load_project(project).await {
        Ok(snapshot) => snapshot.aggregate,
        Err(error) => return tracing::warn!(%project, %name, %error, "a forgotten name cannot be freed yet"),
    };
    if current.exists() && current.settings().is_some_and(|settings| settings.name == name) {
        return;
    }
    let context = CommandContext::new(Actor::system("name_sweeper"));
    match commands.release_project_name(&context, organisation, project, name.clone(), reservation).await {
        Ok(_) => tracing::info!(%project, %name, "a forgotten name is free again"),
        Err(error) => tracing::warn!(%project, %name, %error, "a forgotten name cannot be freed yet"),
    }
}
