//! What each event of an environment changes.

use offshoot_aggregates::RecordedEvent;
use offshoot_aggregates::environment::{BatchOutline, CreationStatus, EnvironmentEvent, EnvironmentSettings, Origin};
use offshoot_aggregates::ids::{EnvironmentId, ProjectId};
use rusqlite::{Params, Result, Transaction};
use uuid::Uuid;

use super::clone::CloneStatus;
use super::queries::clone_status;
use super::reservations::is_deleted_project;
use crate::columns::to_json;

/// Applies an event of an environment.
pub(super) fn apply(tx: &Transaction<'_>, recorded: &RecordedEvent, event: &EnvironmentEvent) -> Result<()> {
    use EnvironmentEvent as E;
    let uuid = recorded.stream.uuid();
    match event {
        E::EnvironmentCreated { id, api_key, project, project_id, settings, origin } => {
            create(tx, recorded, *id, api_key, (*project, *project_id), settings, origin)?;
        }
        E::EnvironmentSettingsChanged { after, .. } => {
            execute(tx, "UPDATE environment SET settings = ?2 WHERE uuid = ?1", (uuid.as_bytes(), to_json(after)?))?;
        }
        E::EnvironmentDeleted { .. } => {
            let sql = "UPDATE environment SET is_deleted = 1, is_creating = 0 WHERE uuid = ?1";
            execute(tx, sql, [uuid.as_bytes()])?;
        }
        E::CloneCompleted { .. } | E::ImportCompleted { .. } => {
            execute(tx, "UPDATE environment SET is_creating = 0 WHERE uuid = ?1", [uuid.as_bytes()])?;
        }
        _ => {}
    }
    if CloneStatus::concerns(event) {
        apply_to_clone(tx, recorded, event)?;
    }
    touch(tx, recorded)
}

/// Applies a batch of an environment's states.
pub(super) fn apply_batch(tx: &Transaction<'_>, recorded: &RecordedEvent, batch: &BatchOutline) -> Result<()> {
    if batch.is_copied
        && let Some(before) = clone_status(tx, recorded.stream.uuid())?
    {
        write_clone(tx, &before.after_batch(recorded, batch))?;
    }
    touch(tx, recorded)
}

fn touch(tx: &Transaction<'_>, recorded: &RecordedEvent) -> Result<()> {
    // Times of the log never decrease, so neither do these.
    let sql = "UPDATE environment SET version = ?2, updated_at = ?3 WHERE uuid = ?1";
    let at = recorded.recorded_at.as_microsecond();
    execute(tx, sql, (recorded.stream.uuid().as_bytes(), recorded.version.0, at))
}

fn create(
    tx: &Transaction<'_>,
    recorded: &RecordedEvent,
    id: EnvironmentId,
    api_key: &str,
    (project_uuid, project): (Uuid, ProjectId),
    settings: &EnvironmentSettings,
    origin: &Origin,
) -> Result<()> {
    let (uuid, now) = (recorded.stream.uuid(), recorded.recorded_at.as_microsecond());
    let (name, is_creating) = match origin {
        Origin::New => ("new", false),
        Origin::Clone(_) => ("clone", true),
        Origin::Import { .. } => ("import", true),
    };
    // Its project may have been deleted after the name was reserved: then it is gone with it.
    let is_deleted = is_deleted_project(tx, project_uuid)?;
    let sql = "INSERT INTO environment (id, uuid, api_key, project, project_uuid, settings, origin, is_creating,
            is_deleted, version, created_at, updated_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?11)";
    let values = (
        id.0,
        uuid.as_bytes(),
        api_key,
        project.0,
        project_uuid.as_bytes(),
        to_json(settings)?,
        name,
        is_creating && !is_deleted,
        is_deleted,
        recorded.version.0,
        now,
    );
    execute(tx, sql, values)
}

/// Writes where the clone stands after an event; changes nothing if the environment is no clone.
fn apply_to_clone(tx: &Transaction<'_>, recorded: &RecordedEvent, event: &EnvironmentEvent) -> Result<()> {
    let before = clone_status(tx, recorded.stream.uuid())?;
    CloneStatus::after(before, recorded, event).map_or(Ok(()), |status| write_clone(tx, &status))
}

fn write_clone(tx: &Transaction<'_>, status: &CloneStatus) -> Result<()> {
    let is_running = status.status == CreationStatus::Creating;
    let sql = "INSERT OR REPLACE INTO clone (environment, is_running, state) VALUES (?1, ?2, ?3)";
    execute(tx, sql, (status.environment.as_bytes(), is_running, to_json(status)?))
}

/// Runs a statement that is kept ready.
pub(super) fn execute(tx: &Transaction<'_>, sql: &str, values: impl Params) -> Result<()> {
    tx.prepare_cached(sql)?.execute(values)?;
    Ok(())
}
