//! Frees names that were reserved for an environment that never appeared, or that an environment no longer has: what a
//! crash between two steps of a command leaves behind.

use std::sync::Arc;
use std::time::Duration;

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

/// Looks for forgotten names until shutdown.
pub async fn sweep_names(commands: Commands, environment_status: Arc<ReadModel>, shutdown: CancellationToken) {
    loop {
        match forgotten(&environment_status).await {
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

async fn forgotten(environment_status: &ReadModel) -> Result<Vec<ForgottenName>, QueryError> {
    let before = clock::now() - AGE_MIN;
    environment_status.query(move |connection| environment_status::forgotten_names(connection, before)).await
}

async fn free(commands: &Commands, forgotten: ForgottenName) {
    let ForgottenName { project, environment, name } = forgotten;
    let context = CommandContext::new(Actor::system("name_sweeper"));
    match commands.release_environment_name(&context, project, environment, name.clone()).await {
        Ok(_) => tracing::info!(%environment, %name, "a forgotten name is free again"),
        Err(error) => tracing::warn!(%environment, %name, %error, "a forgotten name cannot be freed yet"),
    }
}
