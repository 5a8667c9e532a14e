//! Queries for environments and clones.

use jiff::Timestamp;
use offshoot_aggregates::Version;
use offshoot_aggregates::environment::EnvironmentSettings;
use offshoot_aggregates::ids::{EnvironmentId, ProjectId};
use rusqlite::{Connection, OptionalExtension, Params, Result, Row};
use uuid::Uuid;

use super::clone::CloneStatus;
use crate::columns::{from_json, timestamp, uuid};
use crate::lists::{Page, id_set};

/// An environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEnvironment {
    /// Its integer id.
    pub id: EnvironmentId,
    /// Its UUID: the key of its stream.
    pub uuid: Uuid,
    /// Its client key.
    pub api_key: String,
    /// The integer id of its project.
    pub project: ProjectId,
    /// The UUID of its project.
    pub project_uuid: Uuid,
    /// Its settings, name among them.
    pub settings: EnvironmentSettings,
    /// Whether its states are not all there: nobody edits them, and nobody is served.
    pub is_creating: bool,
    /// Whether it is gone. Only [`environments_by_ids`] shows such environments.
    pub is_deleted: bool,
    /// The version of its stream.
    pub version: Version,
    /// When it came to be.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

fn read_environment(row: &Row<'_>) -> Result<StoredEnvironment> {
    Ok(StoredEnvironment {
        id: EnvironmentId(row.get("id")?),
        uuid: uuid(row, "uuid")?,
        api_key: row.get("api_key")?,
        project: ProjectId(row.get("project")?),
        project_uuid: uuid(row, "project_uuid")?,
        settings: from_json(row, "settings")?,
        is_creating: row.get("is_creating")?,
        is_deleted: row.get("is_deleted")?,
        version: Version(row.get("version")?),
        created_at: timestamp(row, "created_at")?,
        updated_at: timestamp(row, "updated_at")?,
    })
}

fn find(connection: &Connection, condition: &str, values: impl Params) -> Result<Option<StoredEnvironment>> {
    connection
        .prepare_cached(&format!("SELECT * FROM environment WHERE {condition} AND NOT is_deleted"))?
        .query_row(values, read_environment)
        .optional()
}

/// The environment with this client key.
///
/// # Errors
/// The file cannot be read.
pub fn environment_by_key(connection: &Connection, api_key: &str) -> Result<Option<StoredEnvironment>> {
    find(connection, "api_key = ?1", [api_key])
}

/// The environment with this client key, also if it is gone.
///
/// # Errors
/// The file cannot be read.
pub fn environment_ever_by_key(connection: &Connection, api_key: &str) -> Result<Option<StoredEnvironment>> {
    connection
        .prepare_cached("SELECT * FROM environment WHERE api_key = ?1")?
        .query_row([api_key], read_environment)
        .optional()
}

/// The environment with this UUID.
///
/// # Errors
/// The file cannot be read.
pub fn environment_by_uuid(connection: &Connection, uuid: Uuid) -> Result<Option<StoredEnvironment>> {
    find(connection, "uuid = ?1", [uuid.as_bytes()])
}

/// The environment with this id.
///
/// # Errors
/// The file cannot be read.
pub fn environment(connection: &Connection, id: EnvironmentId) -> Result<Option<StoredEnvironment>> {
    find(connection, "id = ?1", [id.0])
}

/// The environments of a project, a page of them, in order of their ids; with `ids` only those among them.
///
/// # Errors
/// The file cannot be read.
pub fn list_environments(
    connection: &Connection,
    project: ProjectId,
    ids: &[EnvironmentId],
    page: Page,
) -> Result<Vec<StoredEnvironment>> {
    let (limit, offset) = page.bounds();
    connection
        .prepare_cached(
            "SELECT * FROM environment WHERE project = ?1 AND NOT is_deleted
                AND id IN (SELECT value FROM json_each(?2)) ORDER BY id LIMIT ?3 OFFSET ?4",
        )?
        .query_map((project.0, id_set(ids), limit, offset), read_environment)?
        .collect()
}

/// How many environments [`list_environments`] has on all pages.
///
/// # Errors
/// The file cannot be read.
pub fn count_environments(connection: &Connection, project: ProjectId, ids: &[EnvironmentId]) -> Result<u64> {
    connection
        .prepare_cached(
            "SELECT COUNT(*) FROM environment WHERE project = ?1 AND NOT is_deleted
                AND id IN (SELECT value FROM json_each(?2))",
        )?
        .query_row((project.0, id_set(ids)), |row| row.get(0))
}

/// The environments with these ids, deleted ones too, in order of their ids; ids of none are left out.
///
/// # Errors
/// The file cannot be read.
pub fn environments_by_ids(connection: &Connection, ids: &[EnvironmentId]) -> Result<Vec<StoredEnvironment>> {
    connection
        .prepare_cached("SELECT * FROM environment WHERE id IN (SELECT value FROM json_each(?1)) ORDER BY id")?
        .query_map([id_set(ids)], read_environment)?
        .collect()
}

/// The clones whose states are being copied, oldest first.
///
/// # Errors
/// The file cannot be read.
pub fn creating_clones(connection: &Connection) -> Result<Vec<Uuid>> {
    connection
        .prepare_cached(
            "SELECT clone.environment FROM clone JOIN environment ON environment.uuid = clone.environment
                WHERE is_running AND NOT environment.is_deleted
                ORDER BY environment.created_at, environment.id",
        )?
        .query_map([], |row| uuid(row, "environment"))?
        .collect()
}

/// Where a clone stands; also one that was cancelled. `None` if the environment is no clone.
///
/// # Errors
/// The file cannot be read.
pub fn clone_status(connection: &Connection, environment: Uuid) -> Result<Option<CloneStatus>> {
    connection
        .prepare_cached("SELECT state FROM clone WHERE environment = ?1")?
        .query_row([environment.as_bytes()], |row| from_json(row, "state"))
        .optional()
}
