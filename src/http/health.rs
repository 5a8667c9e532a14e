//! Finds out whether the server can do its work: whether the log can be read, and whether every read model serves.

use std::time::Duration;

use async_trait::async_trait;

use super::operational::{HealthCheck, PartHealth};
use super::state::AppState;
use crate::read_models::ReadModelState;

/// How long a part may take to say that it works.
const PATIENCE: Duration = Duration::from_secs(3);

/// The health of the log and of the read models.
pub struct StoreHealth {
    state: AppState,
}

impl StoreHealth {
    /// The health of what the handlers work with.
    #[must_use]
    pub fn new(state: AppState) -> Self {
        Self { state }
    }

    async fn log(&self) -> Result<(), String> {
        match tokio::time::timeout(PATIENCE, self.state.commands.log().head()).await {
            Ok(head) => head.map(drop).map_err(|error| error.to_string()),
            Err(_) => Err("the event log does not answer".to_owned()),
        }
    }

    async fn read_models(&self) -> Result<(), String> {
        for read_model in self.state.read_models.all() {
            let status = read_model.status().await.map_err(|error| error.to_string())?;
            if matches!(status.state, ReadModelState::Building | ReadModelState::Stopped) {
                return Err(format!("the read model {} does not serve", status.name));
            }
        }
        Ok(())
    }
}

#[async_trait]
impl HealthCheck for StoreHealth {
    async fn check(&self) -> Vec<PartHealth> {
        vec![
            PartHealth { name: "DatabaseBackend", state: self.log().await },
            PartHealth { name: "MigrationsHealthCheck", state: self.read_models().await },
        ]
    }
}
