//! The names that projects have or will have, and those that were forgotten.

use jiff::Timestamp;
use offshoot_aggregates::RecordedEvent;
use offshoot_aggregates::organisation::OrganisationEvent;
use rusqlite::{Connection, Result, Transaction};
use uuid::Uuid;

use crate::columns::uuid;

/// A project's name that is reserved for nobody: the project never came to be, is gone, or has another name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForgottenProjectName {
    /// The UUID of the organisation.
    pub organisation: Uuid,
    /// The UUID of the project that it was reserved for.
    pub project: Uuid,
    /// The name.
    pub name: String,
    /// Which reservation of it was forgotten.
    pub reservation: u64,
}

/// Applies an event of an organisation.
pub(super) fn apply(tx: &Transaction<'_>, recorded: &RecordedEvent, event: &OrganisationEvent) -> Result<()> {
    let organisation = recorded.stream.uuid();
    let key = organisation.as_bytes();
    match event {
        OrganisationEvent::ProjectNameReserved { project, name, reservation, .. } => {
            tx.prepare_cached(
                "INSERT OR REPLACE INTO project_name (organisation_uuid, name, project, reservation, reserved_at)
                    VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute((
                key,
                name,
                project.as_bytes(),
                reservation,
                recorded.recorded_at.as_microsecond(),
            ))?;
        }
        OrganisationEvent::ProjectNameReleased { name, .. } => {
            tx.prepare_cached("DELETE FROM project_name WHERE organisation_uuid = ?1 AND name = ?2")?
                .execute((key, name))?;
        }
        OrganisationEvent::OrganisationCreated { .. }
        | OrganisationEvent::ApiKeyIssued { .. }
        | OrganisationEvent::ApiKeyRevoked { .. } => {}
    }
    Ok(())
}

/// The names of projects that were reserved before a time and are nobody's; at most 100.
///
/// # Errors
/// The file cannot be read.
pub fn forgotten_project_names(connection: &Connection, before: Timestamp) -> Result<Vec<ForgottenProjectName>> {
    connection
        .prepare_cached(
            "SELECT project_name.organisation_uuid, project_name.project, project_name.name, project_name.reservation
                FROM project_name LEFT JOIN project ON project.uuid = project_name.project
                WHERE project_name.reserved_at < ?1
                    AND (project.id IS NULL OR project.is_deleted OR project.settings ->> '$.name' <> project_name.name)
                LIMIT 100",
        )?
        .query_map([before.as_microsecond()], |row| {
            Ok(ForgottenProjectName {
                organisation: uuid(row, "organisation_uuid")?,
                project: uuid(row, "project")?,
                name: row.get("name")?,
                reservation: row.get("reservation")?,
            })
        })?
        .collect()
}
