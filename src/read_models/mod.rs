//! The read models of this process: which file serves each, how far it is, and how it is asked.

mod files;
mod lag;
mod read_model;
mod shown;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use offshoot_aggregates::Position;
use offshoot_projections::{
    Projection, access::Access, audit_log::AuditLog, environment_status::EnvironmentStatus,
    feature_states::FeatureStates, features::Features,
};

use self::shown::LogEnds;
use crate::event_log::EventLog;
use crate::fault_points;

pub use files::{Generation, ReadModelFiles};
pub use lag::{Lag, lag};
pub use read_model::{BuildProgress, QueryError, ReadModel, ReadModelState, ReadModelStatus};
pub use shown::Shown;

/// All read models.
#[derive(Clone)]
pub struct ReadModels {
    /// Where environments and clones stand.
    pub environment_status: Arc<ReadModel>,
    /// What every feature is in every environment.
    pub feature_states: Arc<ReadModel>,
    /// Organisations, projects, features and segments.
    pub features: Arc<ReadModel>,
    /// Who may do what.
    pub access: Arc<ReadModel>,
    /// What happened.
    pub audit_log: Arc<ReadModel>,
    log_ends: Arc<LogEnds>,
}

impl ReadModels {
    /// The read models in a directory, none of them opened yet.
    #[must_use]
    pub fn new(directory: &Path) -> Self {
        let read_model = |projection: Arc<dyn Projection>| {
            Arc::new(ReadModel::new(directory, fault_points::raise_version(projection)))
        };
        Self {
            environment_status: read_model(Arc::new(EnvironmentStatus)),
            feature_states: read_model(Arc::new(FeatureStates)),
            features: read_model(Arc::new(Features)),
            access: read_model(Arc::new(Access)),
            audit_log: read_model(Arc::new(AuditLog)),
            log_ends: Arc::default(),
        }
    }

    /// All of them.
    #[must_use]
    pub fn all(&self) -> [&Arc<ReadModel>; 5] {
        [&self.environment_status, &self.feature_states, &self.features, &self.access, &self.audit_log]
    }

    /// The one with this name.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&Arc<ReadModel>> {
        self.all().into_iter().find(|read_model| read_model.name() == name)
    }

    /// What those of them show that serve, and how old that may be.
    #[must_use]
    pub fn shown(&self, log: &dyn EventLog) -> Shown {
        let serving = self.all().into_iter().filter(|read_model| read_model.is_serving());
        let position = serving.map(|read_model| read_model.position()).min().unwrap_or(Position::START);
        // In this order: of what the log has told since, nothing is claimed.
        let told_all_at = log.told_all_at();
        let end = *log.watch().borrow();
        self.log_ends.note(end, told_all_at, position);
        Shown { position, age: self.log_ends.age(position) }
    }

    /// Waits until all of them have reached a position. False if `at_most` was not enough.
    pub async fn wait_for(&self, position: Position, at_most: Duration) -> bool {
        wait(&self.all(), position, at_most).await
    }
}

/// Waits until those of some read models that serve have reached a position: one that is being built from the whole log has
/// nobody wait for it. False if `at_most` was not enough.
pub async fn wait_for_serving(read_models: &[&Arc<ReadModel>], position: Position, at_most: Duration) -> bool {
    let serving: Vec<_> = read_models.iter().copied().filter(|read_model| read_model.is_serving()).collect();
    wait(&serving, position, at_most).await
}

async fn wait(read_models: &[&Arc<ReadModel>], position: Position, at_most: Duration) -> bool {
    let all = async {
        for read_model in read_models {
            read_model.reached(position).await;
        }
    };
    tokio::time::timeout(at_most, all).await.is_ok()
}
