//! Which event last changed what an environment serves: the tag of its answers, the same on every node and after every
//! rebuild.

use jiff::Timestamp;
use offshoot_aggregates::environment::EnvironmentEvent;
use offshoot_aggregates::ids::{EnvironmentId, ProjectId};
use offshoot_aggregates::project::ProjectEvent;
use offshoot_aggregates::{Position, RecordedEvent, Version};
use rusqlite::{Connection, OptionalExtension, Result, Transaction};
use uuid::Uuid;

use crate::columns;

/// What an environment serves, as of when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServedVersion {
    /// The environment's integer id.
    pub environment: EnvironmentId,
    /// The environment's UUID.
    pub environment_uuid: Uuid,
    /// Its project.
    pub project: ProjectId,
    /// The position of the last event that can change what the environment serves: in its own stream one that changes its
    /// states, identities, settings or creation, in its project's one that changes features, options, segments or settings.
    pub position: Position,
    /// When that event was recorded. Never goes back.
    pub updated_at: Timestamp,
    /// Whether states are still on their way: nothing may be served yet.
    pub is_creating: bool,
    /// The version of the environment's stream that is known here.
    pub environment_version: Version,
    /// The version of the project's stream that is known here. Read models follow the log each by itself: only if all that
    /// are asked know the same versions, their answers fit together.
    pub project_version: Version,
}

/// What an environment serves, as of when; `None` unless the environment exists.
///
/// # Errors
/// The file cannot be read.
pub fn served_version(connection: &Connection, environment: EnvironmentId) -> Result<Option<ServedVersion>> {
    let sql = "SELECT e.id, e.uuid, e.project, e.phase = 1 AS is_creating, e.version AS environment_version,
            p.version AS project_version, max(e.served_at, p.served_at) AS position,
            max(e.served_since, p.served_since) AS updated_at
        FROM environment e JOIN project p ON p.id = e.project WHERE e.id = ?1 AND e.phase > 0";
    let read = |row: &rusqlite::Row<'_>| {
        Ok(ServedVersion {
            environment: EnvironmentId(row.get("id")?),
            environment_uuid: columns::uuid(row, "uuid")?,
            project: ProjectId(row.get("project")?),
            position: Position(row.get("position")?),
            updated_at: columns::timestamp(row, "updated_at")?,
            is_creating: row.get("is_creating")?,
            environment_version: Version(row.get("environment_version")?),
            project_version: Version(row.get("project_version")?),
        })
    };
    connection.prepare_cached(sql)?.query_row([environment.0], read).optional()
}

/// Notes that an event of an environment was applied.
pub(super) fn note_environment(
    tx: &Transaction<'_>,
    environment: i64,
    recorded: &RecordedEvent,
    event: &EnvironmentEvent,
) -> Result<()> {
    use EnvironmentEvent as E;
    let is_served = !matches!(
        event,
        E::ServerKeyIssued { .. }
            | E::ServerKeyChanged { .. }
            | E::ServerKeyRevoked { .. }
            | E::EnvironmentPermissionGranted { .. }
            | E::EnvironmentPermissionRevoked { .. }
            | E::PermissionsInherited { .. }
    );
    note(tx, ("environment", environment), recorded, is_served)
}

/// Notes that an event of a project is applied.
pub(super) fn note_project(
    tx: &Transaction<'_>,
    project: i64,
    recorded: &RecordedEvent,
    event: &ProjectEvent,
) -> Result<()> {
    use ProjectEvent as P;
    let is_served = !matches!(
        event,
        P::EnvironmentNameReserved { .. }
            | P::EnvironmentNameReleased { .. }
            | P::ProjectPermissionGranted { .. }
            | P::ProjectPermissionRevoked { .. }
    );
    note(tx, ("project", project), recorded, is_served)
}

fn note(tx: &Transaction<'_>, (table, id): (&str, i64), recorded: &RecordedEvent, is_served: bool) -> Result<()> {
    let version = recorded.version.0;
    if !is_served {
        let sql = format!("UPDATE {table} SET version = ?2 WHERE id = ?1");
        return tx.prepare_cached(&sql)?.execute((id, version)).map(drop);
    }
    let sql = format!("UPDATE {table} SET version = ?2, served_at = ?3, served_since = ?4 WHERE id = ?1");
    let (position, since) = (recorded.position.0, recorded.recorded_at.as_microsecond());
    tx.prepare_cached(&sql)?.execute((id, version, position, since)).map(drop)
}
