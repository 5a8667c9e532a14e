//! The names that environments have or will have, and those that were forgotten.

use jiff::Timestamp;
use offshoot_aggregates::RecordedEvent;
use offshoot_aggregates::project::ProjectEvent;
use rusqlite::{Connection, Result, Transaction};
use uuid::Uuid;

use super::fold::execute;
use crate::columns::uuid;

/// A name that is reserved for nobody: its environment never came to be, is gone, or has another name or
/// project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForgottenName {
    /// The UUID of the project.
    pub project: Uuid,
    /// The UUID of the environment that it was reserved for.
    pub environment: Uuid,
    /// The name.
    pub name: String,
    /// Which reservation of it was forgotten.
    pub reservation: u64,
}

/// Applies an event of a project.
pub(super) fn apply(tx: &Transaction<'_>, recorded: &RecordedEvent, event: &ProjectEvent) -> Result<()> {
    let project = recorded.stream.uuid();
    let key = project.as_bytes();
    match event {
        ProjectEvent::ProjectDeleted { .. } => {
            execute(tx, "INSERT OR IGNORE INTO deleted_project (uuid) VALUES (?1)", [key])?;
            execute(tx, "DELETE FROM name WHERE project_uuid = ?1", [key])?;
            execute(tx, "UPDATE environment SET is_deleted = 1, is_creating = 0 WHERE project_uuid = ?1", [key])
        }
        ProjectEvent::EnvironmentNameReserved { environment, name, reservation, .. } => {
            let sql = "INSERT OR REPLACE INTO name (project_uuid, name, environment, reservation, reserved_at)
                VALUES (?1, ?2, ?3, ?4, ?5)";
            execute(tx, sql, (key, name, environment.as_bytes(), reservation, recorded.recorded_at.as_microsecond()))
        }
        ProjectEvent::EnvironmentNameReleased { name, .. } => {
            execute(tx, "DELETE FROM name WHERE project_uuid = ?1 AND name = ?2", (key, name))
        }
        _ => Ok(()),
    }
}

/// Whether a project was deleted.
pub(super) fn is_deleted_project(tx: &Transaction<'_>, project: Uuid) -> Result<bool> {
    tx.prepare_cached("SELECT EXISTS (SELECT 1 FROM deleted_project WHERE uuid = ?1)")?
        .query_row([project.as_bytes()], |row| row.get(0))
}

/// The names that were reserved before a time and are nobody's.
///
/// # Errors
/// The file cannot be read.
pub fn forgotten_names(connection: &Connection, before: Timestamp) -> Result<Vec<ForgottenName>> {
    connection
        .prepare_cached(
            "SELECT name.project_uuid, name.environment, name.name, name.reservation FROM name
                LEFT JOIN environment ON environment.uuid = name.environment
                WHERE name.reserved_at < ?1 AND (environment.id IS NULL OR environment.is_deleted
                    OR environment.project_uuid <> name.project_uuid OR environment.settings ->> '$.name' <> name.name)
                LIMIT 100",
        )?
        .query_map([before.as_microsecond()], |row| {
            Ok(ForgottenName {
                project: uuid(row, "project_uuid")?,
                environment: uuid(row, "environment")?,
                name: row.get("name")?,
                reservation: row.get("reservation")?,
            })
        })?
        .collect()
}
