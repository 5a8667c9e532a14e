//! What events change in the read model `environment_status`.

use offshoot_aggregates::RecordedEvent;
use offshoot_aggregates::environment::{CloneOrigin, CreationStatus, EnvironmentEvent, EnvironmentSettings, Origin};
use offshoot_aggregates::project::ProjectEvent;
use rusqlite::{Result, Transaction};

use super::clones::{CloneError, status_name};
use super::environments::OriginKind;
use crate::columns::to_json;

/// Applies an event of a project: names are reserved and released, and when it goes, its environments go.
pub(super) fn apply_project(tx: &Transaction<'_>, recorded: &RecordedEvent, event: &ProjectEvent) -> Result<()> {
    let project = recorded.stream.uuid();
    let at = recorded.recorded_at.as_microsecond();
    match event {
        ProjectEvent::EnvironmentNameReserved { environment, environment_id, name, .. } => {
            let sql = "INSERT OR REPLACE INTO reservation
                (project, name, environment, environment_id, reserved_at, position) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
            let (project, environment) = (project.as_bytes(), environment.as_bytes());
            let row = (project, name, environment, environment_id.0, at, recorded.position.0);
            tx.prepare_cached(sql)?.execute(row).map(drop)
        }
        ProjectEvent::EnvironmentNameReleased { environment, name } => {
            let sql = "DELETE FROM reservation WHERE project = ?1 AND name = ?2 AND environment = ?3";
            tx.prepare_cached(sql)?.execute((project.as_bytes(), name, environment.as_bytes())).map(drop)
        }
        ProjectEvent::ProjectDeleted { .. } => {
            let uuid = project.as_bytes();
            tx.execute("INSERT OR IGNORE INTO deleted_project (uuid) VALUES (?1)", [uuid])?;
            tx.execute("DELETE FROM reservation WHERE project = ?1", [uuid])?;
            // Nobody will ever say what became of the clones: without their project they cannot go on.
            let sql = "UPDATE clone SET status = 'cancelled', updated_at = max(updated_at, ?2), position = ?3
                WHERE status IN ('creating', 'failed')
                    AND environment IN (SELECT uuid FROM environment WHERE project_uuid = ?1)";
            tx.execute(sql, (uuid, at, recorded.position.0))?;
            let sql = "UPDATE environment SET is_deleted = 1, updated_at = max(updated_at, ?2)
                WHERE project_uuid = ?1 AND is_deleted = 0";
            tx.execute(sql, (uuid, at)).map(drop)
        }
        _ => Ok(()),
    }
}

/// Applies an event of an environment.
pub(super) fn apply_environment(
    tx: &Transaction<'_>,
    recorded: &RecordedEvent,
    event: &EnvironmentEvent,
) -> Result<()> {
    use EnvironmentEvent as E;
    let fold = EnvironmentFold { tx, recorded };
    match event {
        E::EnvironmentCreated { origin, .. } => {
            fold.create(event)?;
            if let Origin::Clone(origin) = origin {
                fold.request_clone(origin)?;
            }
            return Ok(());
        }
        E::FeatureStatesBatchCopied { batch, states } => fold.copied(*batch, states.len() as u64)?,
        E::CloneCompleted { .. } => {
            fold.clone_is(CreationStatus::Completed, None)?;
            fold.is_complete()?;
        }
        E::CloneFailed { batch, code, detail } => {
            let error = CloneError { code: code.clone(), detail: detail.clone(), batch: *batch };
            fold.clone_is(CreationStatus::Failed, Some(&error))?;
        }
        E::CloneRetried { attempt, .. } => fold.retried(*attempt)?,
        E::CloneCancelled { .. } => fold.clone_is(CreationStatus::Cancelled, None)?,
        E::ImportCompleted { .. } => fold.is_complete()?,
        E::EnvironmentSettingsChanged { before, after } => fold.change_settings(before, after)?,
        E::EnvironmentDeleted { .. } => {
            let sql = "UPDATE environment SET is_deleted = 1 WHERE uuid = ?1";
            tx.prepare_cached(sql)?.execute([recorded.stream.uuid().as_bytes()])?;
        }
        _ => {}
    }
    fold.seen()
}

struct EnvironmentFold<'t> {
    tx: &'t Transaction<'t>,
    recorded: &'t RecordedEvent,
}

impl EnvironmentFold<'_> {
    fn at(&self) -> i64 {
        self.recorded.recorded_at.as_microsecond()
    }

    /// Notes the event as the last one of the environment.
    fn seen(&self) -> Result<()> {
        let sql =
            "UPDATE environment SET version = ?2, position = ?3, updated_at = max(updated_at, ?4) WHERE uuid = ?1";
        let RecordedEvent { stream, version, position, .. } = self.recorded;
        let row = (stream.uuid().into_bytes(), version.0, position.0, self.at());
        self.tx.prepare_cached(sql)?.execute(row).map(drop)
    }

    fn create(&self, event: &EnvironmentEvent) -> Result<()> {
        let EnvironmentEvent::EnvironmentCreated { id, api_key, project, project_id, settings, origin } = event else {
            return Ok(());
        };
        let sql =
            "INSERT OR REPLACE INTO environment (id, uuid, name, api_key, project, project_uuid, settings, origin,
                is_creating, is_deleted, version, position, named_at, created_at, updated_at)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, EXISTS (SELECT 1 FROM deleted_project WHERE uuid = ?6),
                ?10, ?11, ?12, ?12, ?12)";
        let RecordedEvent { stream, version, position, .. } = self.recorded;
        let kind = OriginKind::of(origin);
        self.tx.prepare_cached(sql)?.execute((
            id.0,
            stream.uuid().into_bytes(),
            &settings.name,
            api_key,
            project_id.0,
            project.into_bytes(),
            to_json(settings)?,
            kind.as_str(),
            kind != OriginKind::New,
            version.0,
            position.0,
            self.at(),
        ))?;
        Ok(())
    }

    fn request_clone(&self, origin: &CloneOrigin) -> Result<()> {
        let sql = "INSERT OR REPLACE INTO clone (environment, status, origin, requested_at, updated_at, position)
            VALUES (?1, 'creating', ?2, ?3, ?3, ?4)";
        let environment = self.recorded.stream.uuid().into_bytes();
        let row = (environment, to_json(origin)?, self.at(), self.recorded.position.0);
        self.tx.prepare_cached(sql)?.execute(row).map(drop)
    }

    fn copied(&self, batch: u32, states: u64) -> Result<()> {
        let sql = "UPDATE clone SET feature_states_copied = feature_states_copied + ?2, batches_copied = ?3,
                started_at = coalesce(started_at, ?4), updated_at = max(updated_at, ?4), position = ?5
            WHERE environment = ?1";
        let environment = self.recorded.stream.uuid().into_bytes();
        let row = (environment, states, batch, self.at(), self.recorded.position.0);
        self.tx.prepare_cached(sql)?.execute(row).map(drop)
    }

    /// A clone has another status, unless its project was deleted meanwhile.
    fn clone_is(&self, status: CreationStatus, error: Option<&CloneError>) -> Result<()> {
        let sql = "UPDATE clone SET status = ?2, error = coalesce(?3, error), updated_at = max(updated_at, ?4),
                completed_at = CASE WHEN ?2 = 'completed' THEN ?4 END, position = ?5
            WHERE environment = ?1 AND status <> 'cancelled'";
        let environment = self.recorded.stream.uuid().into_bytes();
        let error = error.map(to_json).transpose()?;
        let row = (environment, status_name(status), error, self.at(), self.recorded.position.0);
        self.tx.prepare_cached(sql)?.execute(row).map(drop)
    }

    fn retried(&self, attempt: u32) -> Result<()> {
        let sql = "UPDATE clone SET status = 'creating', error = NULL, attempts = ?2, started_at = ?3,
                updated_at = max(updated_at, ?3), position = ?4
            WHERE environment = ?1 AND status <> 'cancelled'";
        let environment = self.recorded.stream.uuid().into_bytes();
        let row = (environment, attempt, self.at(), self.recorded.position.0);
        self.tx.prepare_cached(sql)?.execute(row).map(drop)
    }

    fn is_complete(&self) -> Result<()> {
        let sql = "UPDATE environment SET is_creating = 0 WHERE uuid = ?1";
        self.tx.prepare_cached(sql)?.execute([self.recorded.stream.uuid().as_bytes()]).map(drop)
    }

    fn change_settings(&self, before: &EnvironmentSettings, after: &EnvironmentSettings) -> Result<()> {
        let sql = "UPDATE environment SET name = ?2, settings = ?3, named_at = coalesce(?4, named_at) WHERE uuid = ?1";
        let environment = self.recorded.stream.uuid().into_bytes();
        let named_at = (before.name != after.name).then(|| self.at());
        self.tx.prepare_cached(sql)?.execute((environment, &after.name, to_json(after)?, named_at)).map(drop)
    }
}
