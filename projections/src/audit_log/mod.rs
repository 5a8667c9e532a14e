//! The read model `audit_log`: what happened, for people. Every event gives at least one line, but for those of the id
//! allocator, which mean nothing to anybody.

mod changes;
mod environment_lines;
mod groups;
mod identity_lines;
mod line;
mod names;
mod organisation_lines;
mod project_lines;
mod queries;
mod server_key_lines;
mod state_lines;

use offshoot_aggregates::environment::BatchOutline;
use offshoot_aggregates::limits::ENVIRONMENTS_MAX;
use offshoot_aggregates::{Event, Position, RecordedEvent};
use rusqlite::{Result, Transaction};

pub use groups::{AuditGroup, entries_of_group, list_groups};
pub use line::{ChangeDetail, ChangeType, RelatedObjectType};
pub use queries::{AuditEntry, AuditFilter, count_entries, entries_of_environment, entry, list_entries};

use crate::Projection;
use crate::columns::to_json;
use line::{Line, Place};

/// The read model `audit_log`.
#[derive(Clone, Copy, Debug, Default)]
pub struct AuditLog;

/// Ids that are set apart for the lines of one event, so that a line has the same id after every rebuild.
const LINES_PER_EVENT_MAX: u64 = 1 << 10;

// The event with the most lines is a new feature's: a line for the project and one for each of its environments.
const _: () = assert!((ENVIRONMENTS_MAX as u64) < LINES_PER_EVENT_MAX);

/// The `known_…` tables hold the names and ids that lines need and events do not carry, also of what is gone.
const SCHEMA: &str = "
    CREATE TABLE entry (
        id INTEGER PRIMARY KEY,
        created_at INTEGER NOT NULL,
        log TEXT NOT NULL,
        actor_kind TEXT,
        actor_id TEXT,
        actor_name TEXT,
        organisation INTEGER,
        project INTEGER,
        environment INTEGER,
        related_object_type TEXT NOT NULL,
        related_object_id INTEGER,
        related_object_uuid BLOB,
        is_system_event INTEGER NOT NULL,
        change_type TEXT NOT NULL,
        change_details TEXT,
        correlation_id BLOB,
        command_id BLOB,
        request_id TEXT
    ) STRICT;
    CREATE INDEX entry_by_organisation ON entry (organisation);
    CREATE INDEX entry_by_project ON entry (project) WHERE project IS NOT NULL;
    CREATE INDEX entry_by_environment ON entry (environment) WHERE environment IS NOT NULL;
    CREATE INDEX entry_by_correlation ON entry (correlation_id) WHERE correlation_id IS NOT NULL;
    CREATE TABLE known_organisation (
        id INTEGER PRIMARY KEY,
        uuid BLOB NOT NULL UNIQUE,
        name TEXT NOT NULL
    ) STRICT;
    CREATE TABLE known_key (
        uuid BLOB PRIMARY KEY,
        id INTEGER NOT NULL,
        name TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE known_project (
        id INTEGER PRIMARY KEY,
        uuid BLOB NOT NULL UNIQUE,
        organisation INTEGER NOT NULL,
        name TEXT NOT NULL
    ) STRICT;
    CREATE TABLE known_environment (
        id INTEGER PRIMARY KEY,
        uuid BLOB NOT NULL UNIQUE,
        project INTEGER,
        ordinal INTEGER,
        name TEXT NOT NULL,
        batches_total INTEGER,
        exists_now INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX known_environment_by_project ON known_environment (project);";

impl Projection for AuditLog {
    fn name(&self) -> &'static str {
        "audit_log"
    }

    fn version(&self) -> u32 {
        4
    }

    fn readable_since(&self) -> u32 {
        1
    }

    fn schema(&self) -> &'static str {
        SCHEMA
    }

    fn counts_batches(&self) -> bool {
        true
    }

    fn apply_outline(&self, tx: &Transaction<'_>, recorded: &RecordedEvent, batch: &BatchOutline) -> Result<()> {
        let (place, line) = environment_lines::batch(tx, recorded.stream.uuid(), batch)?;
        write(tx, recorded, place, &[line])
    }

    fn apply(&self, tx: &Transaction<'_>, recorded: &RecordedEvent, event: &Event) -> Result<()> {
        let (place, lines) = match event {
            Event::Organisation(event) => organisation_lines::lines(tx, recorded, event)?,
            Event::Project(event) => project_lines::lines(tx, recorded.stream.uuid(), event)?,
            Event::Environment(event) => environment_lines::lines(tx, recorded, event)?,
            Event::IdAllocator(_) => return Ok(()),
        };
        write(tx, recorded, place, &lines)
    }
}

/// The id of the first line of the event at this position.
fn first_id(position: Position) -> u64 {
    position.0.saturating_mul(LINES_PER_EVENT_MAX)
}

fn write(tx: &Transaction<'_>, recorded: &RecordedEvent, place: Place, lines: &[Line]) -> Result<()> {
    let metadata = recorded.metadata();
    let actor = metadata.as_ref().map(|metadata| &metadata.actor);
    let mut insert = tx.prepare_cached(
        "INSERT INTO entry (id, created_at, log, actor_kind, actor_id, actor_name, organisation, project, environment,
                related_object_type, related_object_id, related_object_uuid, is_system_event, change_type,
                change_details, correlation_id, command_id, request_id)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)",
    )?;
    let first = first_id(recorded.position);
    for (id, line) in (first..first.saturating_add(LINES_PER_EVENT_MAX)).zip(lines) {
        insert.execute(rusqlite::params![
            id,
            recorded.recorded_at.as_microsecond(),
            line.log,
            actor.map(|actor| actor.kind.as_str()),
            actor.map(|actor| &actor.id),
            actor.map(|actor| &actor.name),
            place.organisation.map(|id| id.0),
            place.project.map(|id| id.0),
            line.environment.or(place.environment).map(|id| id.0),
            line.related.as_str(),
            line.related_id,
            line.related_uuid.as_ref().map(|uuid| uuid.as_bytes()),
            actor.is_some_and(|actor| actor.kind == offshoot_aggregates::ActorKind::System),
            line.change.as_str(),
            if line.details.is_empty() { None } else { Some(to_json(&line.details)?) },
            metadata.as_ref().map(|metadata| metadata.correlation_id.as_bytes()),
            metadata.as_ref().map(|metadata| metadata.command_id.as_bytes()),
            metadata.as_ref().and_then(|metadata| metadata.request_id.as_ref()),
        ])?;
    }
    Ok(())
}
