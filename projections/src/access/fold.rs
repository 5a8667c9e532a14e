//! What each event changes in the read model `access`.

use offshoot_aggregates::RecordedEvent;
use offshoot_aggregates::environment::EnvironmentEvent;
use offshoot_aggregates::organisation::{ApiKey, ApiKeyRole, OrganisationEvent};
use offshoot_aggregates::permissions::{EnvironmentPermission, Grant, Principal, ProjectPermission};
use offshoot_aggregates::project::ProjectEvent;
use rusqlite::{OptionalExtension, Result, Transaction};
use serde::Serialize;
use uuid::Uuid;

use super::permissions::principal_id;
use super::server_keys;
use crate::columns::to_json;

/// Applies an event of an organisation.
pub(super) fn apply_organisation(
    tx: &Transaction<'_>,
    recorded: &RecordedEvent,
    event: &OrganisationEvent,
) -> Result<()> {
    use OrganisationEvent as E;
    match event {
        E::OrganisationCreated { id, admin, .. } => {
            tx.prepare_cached("INSERT INTO organisation (id, uuid) VALUES (?1, ?2)")?
                .execute((id.0, recorded.stream.uuid().as_bytes()))?;
            admin.as_ref().map_or(Ok(()), |admin| add_member(tx, principal_id(admin), id.0, true))
        }
        E::ApiKeyIssued { key } => add_key(tx, recorded, key),
        E::ApiKeyRevoked { uuid, .. } => {
            tx.prepare_cached("UPDATE api_key SET is_revoked = 1 WHERE uuid = ?1")?.execute([uuid.as_bytes()])?;
            Ok(())
        }
        E::ProjectNameReserved { .. } | E::ProjectNameReleased { .. } => Ok(()),
    }
}

fn add_key(tx: &Transaction<'_>, recorded: &RecordedEvent, key: &ApiKey) -> Result<()> {
    let organisation: Option<i64> = tx
        .prepare_cached("SELECT id FROM organisation WHERE uuid = ?1")?
        .query_row([recorded.stream.uuid().as_bytes()], |row| row.get(0))
        .optional()?;
    let Some(organisation) = organisation else { return Ok(()) };
    let is_admin = key.role == ApiKeyRole::OrganisationAdmin;
    tx.prepare_cached(
        "INSERT INTO api_key (id, uuid, hash, name, prefix, is_admin, organisation, created_at, expires_at)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?
    .execute((
        key.id.0,
        key.uuid.as_bytes(),
        &key.hash,
        &key.name,
        &key.prefix,
        is_admin,
        organisation,
        recorded.recorded_at.as_microsecond(),
        key.expires_at.map(|time| time.as_microsecond()),
    ))?;
    add_member(tx, key.id.0, organisation, is_admin)
}

/// Who is an administrator already stays one.
fn add_member(tx: &Transaction<'_>, principal: i64, organisation: i64, is_admin: bool) -> Result<()> {
    tx.prepare_cached(
        "INSERT INTO member (principal, organisation, is_admin) VALUES (?1, ?2, ?3)
            ON CONFLICT DO UPDATE SET is_admin = is_admin OR excluded.is_admin",
    )?
    .execute((principal, organisation, is_admin))?;
    Ok(())
}

/// Applies an event of the project with this UUID.
pub(super) fn apply_project(tx: &Transaction<'_>, uuid: Uuid, event: &ProjectEvent) -> Result<()> {
    use ProjectEvent as E;
    match event {
        E::ProjectCreated { id, organisation_id, .. } => {
            tx.prepare_cached("INSERT INTO project (id, uuid, organisation) VALUES (?1, ?2, ?3)")?.execute((
                id.0,
                uuid.as_bytes(),
                organisation_id.0,
            ))?;
            Ok(())
        }
        E::ProjectDeleted { .. } => {
            let Some(project) = PROJECT.find(tx, uuid)? else { return Ok(()) };
            tx.prepare_cached(
                "DELETE FROM environment_grant
                    WHERE environment IN (SELECT id FROM environment WHERE project = ?1)",
            )?
            .execute([project])?;
            tx.prepare_cached(
                "DELETE FROM server_key WHERE environment IN (SELECT id FROM environment WHERE project = ?1)",
            )?
            .execute([project])?;
            tx.prepare_cached("DELETE FROM environment WHERE project = ?1")?.execute([project])?;
            PROJECT.delete(tx, project)
        }
        E::ProjectPermissionGranted { after, .. } => PROJECT.grant(tx, uuid, [after], ProjectPermission::ViewProject),
        E::ProjectPermissionRevoked { before } => PROJECT.revoke(tx, uuid, &before.principal),
        // The features of a project do not matter here, be they many or few.
        _ => Ok(()),
    }
}

/// Applies an event of an environment. Events of environments of deleted projects change nothing.
pub(super) fn apply_environment(
    tx: &Transaction<'_>,
    recorded: &RecordedEvent,
    event: &EnvironmentEvent,
) -> Result<()> {
    use EnvironmentEvent as E;
    let uuid = recorded.stream.uuid();
    const VIEW: EnvironmentPermission = EnvironmentPermission::ViewEnvironment;
    match event {
        E::EnvironmentCreated { id, project, .. } => {
            let Some(project) = PROJECT.find(tx, *project)? else { return Ok(()) };
            tx.prepare_cached("INSERT INTO environment (id, uuid, project) VALUES (?1, ?2, ?3)")?.execute((
                id.0,
                uuid.as_bytes(),
                project,
            ))?;
            Ok(())
        }
        E::EnvironmentDeleted { .. } => match ENVIRONMENT.find(tx, uuid)? {
            Some(environment) => {
                tx.prepare_cached("DELETE FROM server_key WHERE environment = ?1")?.execute([environment])?;
                ENVIRONMENT.delete(tx, environment)
            }
            None => Ok(()),
        },
        E::ServerKeyIssued { key } => match ENVIRONMENT.find(tx, uuid)? {
            Some(environment) => server_keys::add(tx, environment, key, recorded.recorded_at),
            None => Ok(()),
        },
        E::ServerKeyChanged { key, after, .. } => server_keys::change(tx, *key, after),
        E::ServerKeyRevoked { key, .. } => server_keys::remove(tx, *key),
        E::EnvironmentPermissionGranted { after, .. } => ENVIRONMENT.grant(tx, uuid, [after], VIEW),
        E::PermissionsInherited { grants, .. } => ENVIRONMENT.grant(tx, uuid, grants, VIEW),
        E::EnvironmentPermissionRevoked { before } => ENVIRONMENT.revoke(tx, uuid, &before.principal),
        // The states of an environment do not matter here, be they many or few.
        _ => Ok(()),
    }
}

/// The statements for what permissions are granted in.
struct Scope {
    find: &'static str,
    delete: &'static str,
    delete_grants: &'static str,
    grant: &'static str,
    revoke: &'static str,
}

const PROJECT: Scope = Scope {
    find: "SELECT id FROM project WHERE uuid = ?1",
    delete: "DELETE FROM project WHERE id = ?1",
    delete_grants: "DELETE FROM project_grant WHERE project = ?1",
    grant: "INSERT OR REPLACE INTO project_grant (project, principal, is_admin, can_view, permissions)
        VALUES (?1, ?2, ?3, ?4, ?5)",
    revoke: "DELETE FROM project_grant WHERE project = ?1 AND principal = ?2",
};

const ENVIRONMENT: Scope = Scope {
    find: "SELECT id FROM environment WHERE uuid = ?1",
    delete: "DELETE FROM environment WHERE id = ?1",
    delete_grants: "DELETE FROM environment_grant WHERE environment = ?1",
    grant: "INSERT OR REPLACE INTO environment_grant (environment, principal, is_admin, can_view, permissions)
        VALUES (?1, ?2, ?3, ?4, ?5)",
    revoke: "DELETE FROM environment_grant WHERE environment = ?1 AND principal = ?2",
};

impl Scope {
    fn find(&self, tx: &Transaction<'_>, uuid: Uuid) -> Result<Option<i64>> {
        tx.prepare_cached(self.find)?.query_row([uuid.as_bytes()], |row| row.get(0)).optional()
    }

    fn delete(&self, tx: &Transaction<'_>, id: i64) -> Result<()> {
        tx.prepare_cached(self.delete_grants)?.execute([id])?;
        tx.prepare_cached(self.delete)?.execute([id])?;
        Ok(())
    }

    fn grant<'g, P: Ord + Serialize + 'g>(
        &self,
        tx: &Transaction<'_>,
        uuid: Uuid,
        grants: impl IntoIterator<Item = &'g Grant<P>>,
        view: P,
    ) -> Result<()> {
        let Some(id) = self.find(tx, uuid)? else { return Ok(()) };
        let mut insert = tx.prepare_cached(self.grant)?;
        for grant in grants {
            insert.execute((
                id,
                principal_id(&grant.principal),
                grant.admin,
                grant.admin || grant.permissions.contains(&view),
                to_json(&grant.permissions)?,
            ))?;
        }
        Ok(())
    }

    fn revoke(&self, tx: &Transaction<'_>, uuid: Uuid, principal: &Principal) -> Result<()> {
        let Some(id) = self.find(tx, uuid)? else { return Ok(()) };
        tx.prepare_cached(self.revoke)?.execute((id, principal_id(principal)))?;
        Ok(())
    }
}
