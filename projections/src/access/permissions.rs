//! Queries for who may do what.

use std::collections::BTreeSet;

use offshoot_aggregates::ids::{ApiKeyId, EnvironmentId, OrganisationId, ProjectId};
use offshoot_aggregates::permissions::{EnvironmentPermission, Grant, Principal, ProjectPermission};
use rusqlite::{Connection, OptionalExtension, Params, Result, Row};
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::columns::{from_json, from_json_or_default, uuid};

/// A principal's place in an organisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Membership {
    /// The integer id of the organisation.
    pub organisation: OrganisationId,
    /// The UUID of the organisation.
    pub organisation_uuid: Uuid,
    /// Whether the principal may do everything in it.
    pub is_admin: bool,
}

/// What a principal may do in a project (`P` = [`ProjectPermission`]) or an environment ([`EnvironmentPermission`]).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permissions<P: Ord> {
    /// Everything: granted here, or because the principal administers what this lies in.
    pub admin: bool,
    /// What was granted by name.
    pub permissions: BTreeSet<P>,
}

impl<P: Ord> Permissions<P> {
    /// Whether the principal may do this.
    #[must_use]
    pub fn allow(&self, permission: &P) -> bool {
        self.admin || self.permissions.contains(permission)
    }
}

impl<P: Ord> Default for Permissions<P> {
    fn default() -> Self {
        Self { admin: false, permissions: BTreeSet::new() }
    }
}

/// The number that a principal has in this file.
pub(super) fn principal_id(principal: &Principal) -> i64 {
    match principal {
        Principal::ApiKey { id, .. } => id.0,
    }
}

/// The organisations that the principal belongs to, in order of their ids.
///
/// # Errors
/// The file cannot be read.
pub fn organisations_of(connection: &Connection, principal: &Principal) -> Result<Vec<Membership>> {
    connection
        .prepare_cached(
            "SELECT organisation.id, organisation.uuid, member.is_admin FROM member
                JOIN organisation ON organisation.id = member.organisation
                WHERE member.principal = ?1 ORDER BY organisation.id",
        )?
        .query_map([principal_id(principal)], |row| {
            Ok(Membership {
                organisation: OrganisationId(row.get("id")?),
                organisation_uuid: uuid(row, "uuid")?,
                is_admin: row.get("is_admin")?,
            })
        })?
        .collect()
}

/// The project and the organisation that the environment belongs to; none if there is no such environment.
///
/// # Errors
/// The file cannot be read.
pub fn owners_of_environment(
    connection: &Connection,
    environment: EnvironmentId,
) -> Result<Option<(ProjectId, OrganisationId)>> {
    connection
        .prepare_cached(
            "SELECT project.id, project.organisation FROM environment
                JOIN project ON project.id = environment.project WHERE environment.id = ?1",
        )?
        .query_row([environment.0], |row| Ok((ProjectId(row.get(0)?), OrganisationId(row.get(1)?))))
        .optional()
}

/// What the principal may do in the project; nothing if there is no such project.
///
/// # Errors
/// The file cannot be read.
pub fn project_permissions(
    connection: &Connection,
    principal: &Principal,
    project: ProjectId,
) -> Result<Permissions<ProjectPermission>> {
    let sql = "SELECT coalesce(member.is_admin, 0) OR coalesce(own.is_admin, 0) AS is_admin, own.permissions
        FROM project
        LEFT JOIN member ON member.principal = ?1 AND member.organisation = project.organisation
        LEFT JOIN project_grant AS own ON own.project = project.id AND own.principal = ?1
        WHERE project.id = ?2";
    permissions(connection, sql, (principal_id(principal), project.0))
}

/// What the principal may do in the environment; nothing if there is no such environment.
///
/// # Errors
/// The file cannot be read.
pub fn environment_permissions(
    connection: &Connection,
    principal: &Principal,
    environment: EnvironmentId,
) -> Result<Permissions<EnvironmentPermission>> {
    let sql = "SELECT coalesce(member.is_admin, 0) OR coalesce(above.is_admin, 0) OR coalesce(own.is_admin, 0)
            AS is_admin, own.permissions
        FROM environment
        JOIN project ON project.id = environment.project
        LEFT JOIN member ON member.principal = ?1 AND member.organisation = project.organisation
        LEFT JOIN project_grant AS above ON above.project = project.id AND above.principal = ?1
        LEFT JOIN environment_grant AS own ON own.environment = environment.id AND own.principal = ?1
        WHERE environment.id = ?2";
    permissions(connection, sql, (principal_id(principal), environment.0))
}

fn permissions<P: Ord + DeserializeOwned>(
    connection: &Connection,
    sql: &str,
    values: impl Params,
) -> Result<Permissions<P>> {
    let read = |row: &Row<'_>| {
        Ok(Permissions { admin: row.get("is_admin")?, permissions: from_json_or_default(row, "permissions")? })
    };
    Ok(connection.prepare_cached(sql)?.query_row(values, read).optional()?.unwrap_or_default())
}

/// The grants in the project, in order of their principals' ids. Those of revoked keys are left out.
///
/// # Errors
/// The file cannot be read.
pub fn project_grants(connection: &Connection, project: ProjectId) -> Result<Vec<Grant<ProjectPermission>>> {
    let sql = "SELECT api_key.id, api_key.uuid, api_key.name, own.is_admin, own.permissions
        FROM project_grant AS own JOIN api_key ON api_key.id = own.principal AND NOT api_key.is_revoked
        WHERE own.project = ?1 ORDER BY own.principal";
    grants(connection, sql, project.0)
}

/// The grants in the environment, in order of their principals' ids. Those of revoked keys are left out.
///
/// # Errors
/// The file cannot be read.
pub fn environment_grants(
    connection: &Connection,
    environment: EnvironmentId,
) -> Result<Vec<Grant<EnvironmentPermission>>> {
    let sql = "SELECT api_key.id, api_key.uuid, api_key.name, own.is_admin, own.permissions
        FROM environment_grant AS own JOIN api_key ON api_key.id = own.principal AND NOT api_key.is_revoked
        WHERE own.environment = ?1 ORDER BY own.principal";
    grants(connection, sql, environment.0)
}

fn grants<P: Ord + DeserializeOwned>(connection: &Connection, sql: &str, scope: i64) -> Result<Vec<Grant<P>>> {
    let read = |row: &Row<'_>| {
        let (uuid, id) = (uuid(row, "uuid")?, ApiKeyId(row.get("id")?));
        let principal = Principal::ApiKey { uuid, id, name: row.get("name")? };
        Ok(Grant { principal, admin: row.get("is_admin")?, permissions: from_json(row, "permissions")? })
    };
    connection.prepare_cached(sql)?.query_map([scope], read)?.collect()
}

/// The projects that the principal may view, in order of their ids: all of the organisations it administers, and those
/// that it was granted to view.
///
/// # Errors
/// The file cannot be read.
pub fn visible_projects(connection: &Connection, principal: &Principal) -> Result<Vec<ProjectId>> {
    connection
        .prepare_cached(
            "SELECT project.id FROM member JOIN project ON project.organisation = member.organisation
                    WHERE member.principal = ?1 AND member.is_admin
                UNION SELECT project FROM project_grant WHERE principal = ?1 AND can_view
                ORDER BY 1",
        )?
        .query_map([principal_id(principal)], |row| row.get(0).map(ProjectId))?
        .collect()
}

/// The environments of the project that the principal may view, in order of their ids: all if it administers the project
/// or its organisation, else those that it was granted to view.
///
/// # Errors
/// The file cannot be read.
pub fn visible_environments(
    connection: &Connection,
    principal: &Principal,
    project: ProjectId,
) -> Result<Vec<EnvironmentId>> {
    let sees_all = project_permissions(connection, principal, project)?.admin;
    connection
        .prepare_cached(
            "SELECT environment.id FROM environment
                LEFT JOIN environment_grant AS own ON own.environment = environment.id AND own.principal = ?1
                WHERE environment.project = ?2 AND (?3 OR own.can_view) ORDER BY environment.id",
        )?
        .query_map((principal_id(principal), project.0, sees_all), |row| row.get(0).map(EnvironmentId))?
        .collect()
}
