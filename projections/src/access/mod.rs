//! The read model `access`: API keys, server-side keys, and what was granted to whom. Asked on every request, so everything is one look-up.

mod fold;
mod keys;
mod permissions;
mod server_keys;

use offshoot_aggregates::{Event, RecordedEvent};
use rusqlite::Transaction;

pub use keys::{StoredKey, key_by_hash, key_by_id, key_by_prefix, key_ids, keys_of_organisation};
pub use permissions::{
    Membership, Permissions, environment_grants, environment_permissions, organisations_of, owners_of_environment,
    project_grants, project_permissions, visible_environments, visible_projects,
};
pub use server_keys::{StoredServerKey, server_key_by_hash, server_key_by_id, server_keys_of_environment};

use crate::Projection;

/// The read model `access`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Access;

/// A principal is the integer id of its API key. Whoever belongs to an organisation is a member of it: its own keys, and
/// keys of others that were made its administrators. A grant can see what it is for if it is an administrator's or names
/// the permission to view. Nothing is kept of deleted projects and environments,
/// nor of revoked server-side keys.
const SCHEMA: &str = "
    CREATE TABLE organisation (
        id INTEGER PRIMARY KEY,
        uuid BLOB NOT NULL UNIQUE
    ) STRICT;
    CREATE TABLE api_key (
        id INTEGER PRIMARY KEY,
        uuid BLOB NOT NULL UNIQUE,
        hash TEXT NOT NULL,
        name TEXT NOT NULL,
        prefix TEXT NOT NULL,
        is_admin INTEGER NOT NULL,
        organisation INTEGER NOT NULL,
        created_at INTEGER NOT NULL,
        expires_at INTEGER,
        is_revoked INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    CREATE INDEX api_key_by_hash ON api_key (hash);
    CREATE INDEX api_key_by_organisation ON api_key (organisation);
    CREATE TABLE member (
        principal INTEGER NOT NULL,
        organisation INTEGER NOT NULL,
        is_admin INTEGER NOT NULL,
        PRIMARY KEY (principal, organisation)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE project (
        id INTEGER PRIMARY KEY,
        uuid BLOB NOT NULL UNIQUE,
        organisation INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX project_by_organisation ON project (organisation);
    CREATE TABLE project_grant (
        project INTEGER NOT NULL,
        principal INTEGER NOT NULL,
        is_admin INTEGER NOT NULL,
        can_view INTEGER NOT NULL,
        permissions TEXT NOT NULL,
        PRIMARY KEY (project, principal)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX project_grant_by_principal ON project_grant (principal);
    CREATE TABLE environment (
        id INTEGER PRIMARY KEY,
        uuid BLOB NOT NULL UNIQUE,
        project INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX environment_by_project ON environment (project);
    CREATE TABLE environment_grant (
        environment INTEGER NOT NULL,
        principal INTEGER NOT NULL,
        is_admin INTEGER NOT NULL,
        can_view INTEGER NOT NULL,
        permissions TEXT NOT NULL,
        PRIMARY KEY (environment, principal)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE server_key (
        id INTEGER PRIMARY KEY,
        environment INTEGER NOT NULL,
        hash TEXT NOT NULL,
        prefix TEXT NOT NULL,
        name TEXT NOT NULL,
        is_active INTEGER NOT NULL,
        expires_at INTEGER,
        created_at INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX server_key_by_hash ON server_key (hash);
    CREATE INDEX server_key_by_environment ON server_key (environment);";

impl Projection for Access {
    fn name(&self) -> &'static str {
        "access"
    }

    fn version(&self) -> u32 {
        2
    }

    fn schema(&self) -> &'static str {
        SCHEMA
    }

    fn concerns(&self, event_type: &str) -> bool {
        // What features there are and what they say does not matter here, be it much or little.
        !matches!(event_type, "FeaturesImported" | "FeatureStatesImported" | "FeatureStatesBatchCopied")
    }

    fn apply(&self, tx: &Transaction<'_>, recorded: &RecordedEvent, event: &Event) -> rusqlite::Result<()> {
        match event {
            Event::Organisation(event) => fold::apply_organisation(tx, recorded, event),
            Event::Project(event) => fold::apply_project(tx, recorded.stream.uuid(), event),
            Event::Environment(event) => fold::apply_environment(tx, recorded, event),
            Event::IdAllocator(_) => Ok(()),
        }
    }
}
