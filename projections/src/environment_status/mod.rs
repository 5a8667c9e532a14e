//! The read model `environment_status`: what every environment is set to, how it came to be, and where its clone stands.

mod clone;
mod fold;
mod queries;
mod reservations;

use offshoot_aggregates::environment::BatchOutline;
use offshoot_aggregates::{Event, RecordedEvent};
use rusqlite::Transaction;

pub use clone::{CloneError, CloneStatus};
pub use queries::{
    StoredEnvironment, clone_status, count_environments, creating_clones, environment, environment_by_key,
    environment_by_uuid, environment_ever_by_key, environments_by_ids, list_environments,
};
pub use reservations::{ForgottenName, forgotten_names};

use crate::Projection;

/// The read model `environment_status`.
#[derive(Clone, Copy, Debug, Default)]
pub struct EnvironmentStatus;

/// Deleted environments are kept, because the audit log still shows them. A `name` is one that an environment has, or that
/// is reserved for one that is still to come.
const SCHEMA: &str = "
    CREATE TABLE deleted_project (
        uuid BLOB PRIMARY KEY
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE environment (
        id INTEGER PRIMARY KEY,
        uuid BLOB NOT NULL UNIQUE,
        api_key TEXT NOT NULL UNIQUE,
        project INTEGER NOT NULL,
        project_uuid BLOB NOT NULL,
        settings TEXT NOT NULL,
        origin TEXT NOT NULL,
        is_creating INTEGER NOT NULL,
        is_deleted INTEGER NOT NULL DEFAULT 0,
        version INTEGER NOT NULL,
        created_at INTEGER NOT NULL,
        updated_at INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX environment_by_project ON environment (project, id);
    CREATE TABLE clone (
        environment BLOB PRIMARY KEY,
        is_running INTEGER NOT NULL,
        state TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX running_clone ON clone (environment) WHERE is_running;
    CREATE TABLE name (
        project_uuid BLOB NOT NULL,
        name TEXT NOT NULL,
        environment BLOB NOT NULL,
        reservation INTEGER NOT NULL,
        reserved_at INTEGER NOT NULL,
        PRIMARY KEY (project_uuid, name)
    ) STRICT, WITHOUT ROWID;";

impl Projection for EnvironmentStatus {
    fn name(&self) -> &'static str {
        "environment_status"
    }

    fn version(&self) -> u32 {
        3
    }

    fn readable_since(&self) -> u32 {
        2
    }

    fn schema(&self) -> &'static str {
        SCHEMA
    }

    fn concerns(&self, event_type: &str) -> bool {
        // The rest of a project's events are many, and none of this read model's business.
        event_type != "FeaturesImported"
    }

    fn counts_batches(&self) -> bool {
        true
    }

    fn apply_outline(
        &self,
        tx: &Transaction<'_>,
        recorded: &RecordedEvent,
        batch: &BatchOutline,
    ) -> rusqlite::Result<()> {
        fold::apply_batch(tx, recorded, batch)
    }

    fn apply(&self, tx: &Transaction<'_>, recorded: &RecordedEvent, event: &Event) -> rusqlite::Result<()> {
        match event {
            Event::Project(event) => reservations::apply(tx, recorded, event),
            Event::Environment(event) => fold::apply(tx, recorded, event),
            Event::Organisation(_) | Event::IdAllocator(_) => Ok(()),
        }
    }
}
