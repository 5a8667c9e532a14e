//! Queries for organisations and projects.

use jiff::Timestamp;
use offshoot_aggregates::Version;
use offshoot_aggregates::ids::{OrganisationId, ProjectId};
use offshoot_aggregates::project::ProjectSettings;
use rusqlite::{Connection, OptionalExtension, Result, Row};
use uuid::Uuid;

use crate::columns::{from_json, timestamp, uuid};
use crate::lists::id_set;

/// An organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredOrganisation {
    /// Its integer id.
    pub id: OrganisationId,
    /// Its UUID: the key of its stream.
    pub uuid: Uuid,
    /// Its name.
    pub name: String,
    /// When it came to be.
    pub created_at: Timestamp,
}

/// A project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredProject {
    /// Its integer id.
    pub id: ProjectId,
    /// Its UUID: the key of its stream.
    pub uuid: Uuid,
    /// The integer id of its organisation.
    pub organisation: OrganisationId,
    /// The UUID of its organisation.
    pub organisation_uuid: Uuid,
    /// Its settings, name among them.
    pub settings: ProjectSettings,
    /// When it came to be.
    pub created_at: Timestamp,
    /// Whether it is gone. Only [`projects_by_ids`] shows such projects.
    pub is_deleted: bool,
    /// How many features it has.
    pub total_features: u64,
    /// How many segments it has.
    pub total_segments: u64,
    /// The version of its stream that is known here.
    pub version: Version,
}

fn read_organisation(row: &Row<'_>) -> Result<StoredOrganisation> {
    Ok(StoredOrganisation {
        id: OrganisationId(row.get("id")?),
        uuid: uuid(row, "uuid")?,
        name: row.get("name")?,
        created_at: timestamp(row, "created_at")?,
    })
}

fn read_project(row: &Row<'_>) -> Result<StoredProject> {
    Ok(StoredProject {
        id: ProjectId(row.get("id")?),
        uuid: uuid(row, "uuid")?,
        organisation: OrganisationId(row.get("organisation")?),
        organisation_uuid: uuid(row, "organisation_uuid")?,
        settings: from_json(row, "settings")?,
        created_at: timestamp(row, "created_at")?,
        is_deleted: row.get("is_deleted")?,
        total_features: row.get("total_features")?,
        total_segments: row.get("total_segments")?,
        version: Version(row.get("version")?),
    })
}

/// The organisation with this id.
///
/// # Errors
/// The file cannot be read.
pub fn organisation(connection: &Connection, id: OrganisationId) -> Result<Option<StoredOrganisation>> {
    connection
        .prepare_cached("SELECT * FROM organisation WHERE id = ?1")?
        .query_row([id.0], read_organisation)
        .optional()
}

/// The organisations with these ids, in order of their ids; ids of none are left out.
///
/// # Errors
/// The file cannot be read.
pub fn organisations_by_ids(connection: &Connection, ids: &[OrganisationId]) -> Result<Vec<StoredOrganisation>> {
    connection
        .prepare_cached("SELECT * FROM organisation WHERE id IN (SELECT value FROM json_each(?1)) ORDER BY id")?
        .query_map([id_set(ids)], read_organisation)?
        .collect()
}

/// The project with this id, unless it is deleted.
///
/// # Errors
/// The file cannot be read.
pub fn project(connection: &Connection, id: ProjectId) -> Result<Option<StoredProject>> {
    connection
        .prepare_cached("SELECT * FROM project WHERE id = ?1 AND NOT is_deleted")?
        .query_row([id.0], read_project)
        .optional()
}

/// The project with this UUID, unless it is deleted.
///
/// # Errors
/// The file cannot be read.
pub fn project_by_uuid(connection: &Connection, uuid: Uuid) -> Result<Option<StoredProject>> {
    connection
        .prepare_cached("SELECT * FROM project WHERE uuid = ?1 AND NOT is_deleted")?
        .query_row([uuid.as_bytes()], read_project)
        .optional()
}

/// The projects of an organisation that are not deleted, in order of their ids.
///
/// # Errors
/// The file cannot be read.
pub fn projects_of_organisation(connection: &Connection, organisation: OrganisationId) -> Result<Vec<StoredProject>> {
    connection
        .prepare_cached("SELECT * FROM project WHERE organisation = ?1 AND NOT is_deleted ORDER BY id")?
        .query_map([organisation.0], read_project)?
        .collect()
}

/// The projects with these ids, deleted ones too, in order of their ids; ids of none are left out.
///
/// # Errors
/// The file cannot be read.
pub fn projects_by_ids(connection: &Connection, ids: &[ProjectId]) -> Result<Vec<StoredProject>> {
    connection
        .prepare_cached("SELECT * FROM project WHERE id IN (SELECT value FROM json_each(?1)) ORDER BY id")?
        .query_map([id_set(ids)], read_project)?
        .collect()
}
