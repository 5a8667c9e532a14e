//! The read model `environment_status`: which environments there are, how clones get on, and which names are reserved.

mod clones;
mod environments;
mod fold;
mod reservations;

use offshoot_aggregates::{Event, RecordedEvent};
use rusqlite::Transaction;

pub use clones::{CloneError, CloneStatus, clone_status, running_clones};
pub use environments::{
    Deleted, EnvironmentView, OriginKind, count_environments, environment, environment_by_api_key, environment_by_uuid,
    environments_by_ids, list_environments,
};
pub use reservations::{Reservation, dangling_reservations, half_done_renames};

use crate::Projection;

/// The read model `environment_status`.
#[derive(Clone, Copy, Debug, Default)]
pub struct EnvironmentStatus;

/// Deleted environments keep their rows, and cancelled clones theirs, because the audit log and whoever watched the clone
/// still ask for them. A batch of a clone changes one row here and one there, however many states it has.
const SCHEMA: &str = "
    CREATE TABLE deleted_project (uuid BLOB PRIMARY KEY) STRICT, WITHOUT ROWID;
    CREATE TABLE environment (
        id INTEGER PRIMARY KEY,
        uuid BLOB NOT NULL UNIQUE,
        name TEXT NOT NULL,
        api_key TEXT NOT NULL,
        project INTEGER NOT NULL,
        project_uuid BLOB NOT NULL,
        settings TEXT NOT NULL,
        origin TEXT NOT NULL,
        is_creating INTEGER NOT NULL,
        is_deleted INTEGER NOT NULL,
        version INTEGER NOT NULL,
        position INTEGER NOT NULL,
        named_at INTEGER NOT NULL,
        created_at INTEGER NOT NULL,
        updated_at INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX environment_by_api_key ON environment (api_key);
    CREATE INDEX environment_by_project ON environment (project, id) WHERE is_deleted = 0;
    CREATE TABLE clone (
        environment BLOB PRIMARY KEY,
        status TEXT NOT NULL,
        origin TEXT NOT NULL,
        feature_states_copied INTEGER NOT NULL DEFAULT 0,
        batches_copied INTEGER NOT NULL DEFAULT 0,
        attempts INTEGER NOT NULL DEFAULT 1,
        requested_at INTEGER NOT NULL,
        started_at INTEGER,
        updated_at INTEGER NOT NULL,
        completed_at INTEGER,
        error TEXT,
        position INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX running_clone ON clone (environment) WHERE status = 'creating';
    CREATE TABLE reservation (
        project BLOB NOT NULL,
        name TEXT NOT NULL,
        environment BLOB NOT NULL,
        environment_id INTEGER NOT NULL,
        reserved_at INTEGER NOT NULL,
        position INTEGER NOT NULL,
        PRIMARY KEY (project, name)
    ) STRICT, WITHOUT ROWID;";

impl Projection for EnvironmentStatus {
    fn name(&self) -> &'static str {
        "environment_status"
    }

    fn version(&self) -> u32 {
        1
    }

    fn schema(&self) -> &'static str {
        SCHEMA
    }

    fn apply(&self, tx: &Transaction<'_>, recorded: &RecordedEvent, event: &Event) -> rusqlite::Result<()> {
        match event {
            Event::Project(event) => fold::apply_project(tx, recorded, event),
            Event::Environment(event) => fold::apply_environment(tx, recorded, event),
            Event::Organisation(_) | Event::IdAllocator(_) => Ok(()),
        }
    }
}
