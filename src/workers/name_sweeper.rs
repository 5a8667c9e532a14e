//! Frees names that were reserved for an environment that never appeared, or that an environment no longer has: what a
//! crash between two steps of a command leaves behind.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use offshoot_aggregates::Actor;
use offshoot_projections::environment_status::{self, ForgottenName};
use tokio_util::sync::CancellationToken;

use crate::clock;
use crate::commands::{CommandContext, Commands};
use crate::read_models::{QueryError, ReadModel};

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
    environment_status: Arc<ReadModel>,
    alone_since: Option<Timestamp>,
    age_min: Option<Duration>,
    shutdown: CancellationToken,
) {
    let head = *commands.log().watch().borrow();
    let age_min = age_min.unwrap_or(if commands.log().is_shared() { AGE_MIN_SHARED } else { AGE_MIN });
    // Until then the read model may know a name without the environment that has it.
    tokio::select! {
        () = environment_status.reached(head) => {}
        () = shutdown.cancelled() => return,
    }
    loop {
        match forgotten(&environment_status, age_min, alone_since).await {
            Ok(names) => {
                for name in names {
                    free(&commands, name).await;
                }
            }
            Err(QueryError::Building { .. }) => {}
            Err(error) => tracing::error!(%error, "forgotten names cannot be looked for"),
        }
        if tokio::time::timeout(INTERVAL, shutdown.cancelled()).await.is_ok() {
            return;
        }
    }
}

async fn forgotten(
    environment_status: &ReadModel,
    age_min: Duration,
    alone_since: Option<Timestamp>,
) -> Result<Vec<ForgottenName>, QueryError> {
    let old = clock::now() - age_min;
    let before = alone_since.map_or(old, |since| since.max(old));
    environment_status.query(move |connection| environment_status::forgotten_names(connection, before)).await
}

/// Frees a name, unless its environment has it after all: a read model that cannot be written lags behind the log. A name
/// that its environment is about to take back was reserved anew, under another number.
async fn free(commands: &Commands, forgotten: ForgottenName) {
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
