//! What readers ask about environments.

use jiff::Timestamp;
use offshoot_aggregates::environment::{EnvironmentSettings, Origin};
use offshoot_aggregates::ids::{EnvironmentId, ProjectId};
use offshoot_aggregates::{Position, Version};
use rusqlite::{Connection, OptionalExtension, Params, Result, Row};
use uuid::Uuid;

use crate::columns;
use crate::lists::{Page, id_set};

/// How an environment came to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OriginKind {
    /// With every feature in its default state.
    New,
    /// As a copy of another.
    Clone,
    /// From a document.
    Import,
}

impl OriginKind {
    const ALL: [Self; 3] = [Self::New, Self::Clone, Self::Import];

    pub(super) const fn of(origin: &Origin) -> Self {
        match origin {
            Origin::New => Self::New,
            Origin::Clone(_) => Self::Clone,
            Origin::Import { .. } => Self::Import,
        }
    }

    /// Its name in the file.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Clone => "clone",
            Self::Import => "import",
        }
    }
}

/// Whether deleted environments count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deleted {
    /// They are not found.
    Hidden,
    /// They are found, too.
    Shown,
}

/// An environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvironmentView {
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
    /// How it came to be.
    pub origin: OriginKind,
    /// Whether its states are not all there: they may neither be served nor edited.
    pub is_creating: bool,
    /// Whether it, or its project, was deleted.
    pub is_deleted: bool,
    /// The version of its stream: its `ETag`.
    pub version: Version,
    /// The position of its last event.
    pub position: Position,
    /// Since when it is there.
    pub created_at: Timestamp,
    /// When its last event was recorded. Never goes back.
    pub updated_at: Timestamp,
}

fn read(row: &Row<'_>) -> Result<EnvironmentView> {
    let origin: String = row.get("origin")?;
    Ok(EnvironmentView {
        id: EnvironmentId(row.get("id")?),
        uuid: columns::uuid(row, "uuid")?,
        api_key: row.get("api_key")?,
        project: ProjectId(row.get("project")?),
        project_uuid: columns::uuid(row, "project_uuid")?,
        settings: columns::from_json(row, "settings")?,
        origin: OriginKind::ALL.into_iter().find(|kind| kind.as_str() == origin).unwrap_or(OriginKind::New),
        is_creating: row.get("is_creating")?,
        is_deleted: row.get("is_deleted")?,
        version: Version(row.get("version")?),
        position: Position(row.get("position")?),
        created_at: columns::timestamp(row, "created_at")?,
        updated_at: columns::timestamp(row, "updated_at")?,
    })
}

/// The environment for which `key` holds; if there is more than one, the oldest that is not deleted.
fn find(connection: &Connection, key: &str, value: impl Params, deleted: Deleted) -> Result<Option<EnvironmentView>> {
    let hide = if deleted == Deleted::Hidden { "AND is_deleted = 0" } else { "" };
    let sql = format!("SELECT * FROM environment WHERE {key} = ?1 {hide} ORDER BY is_deleted, id LIMIT 1");
    connection.prepare_cached(&sql)?.query_row(value, read).optional()
}

/// The environment with this client key.
///
/// # Errors
/// The file cannot be read.
pub fn environment_by_api_key(
    connection: &Connection,
    api_key: &str,
    deleted: Deleted,
) -> Result<Option<EnvironmentView>> {
    find(connection, "api_key", [api_key], deleted)
}

/// The environment with this UUID.
///
/// # Errors
/// The file cannot be read.
pub fn environment_by_uuid(connection: &Connection, uuid: Uuid, deleted: Deleted) -> Result<Option<EnvironmentView>> {
    find(connection, "uuid", [uuid.as_bytes()], deleted)
}

/// The environment with this integer id.
///
/// # Errors
/// The file cannot be read.
pub fn environment(connection: &Connection, id: EnvironmentId, deleted: Deleted) -> Result<Option<EnvironmentView>> {
    find(connection, "id", [id.0], deleted)
}

/// The environments with these ids, in order of their ids; ids that nobody has are left out.
///
/// # Errors
/// The file cannot be read.
pub fn environments_by_ids(
    connection: &Connection,
    ids: &[EnvironmentId],
    deleted: Deleted,
) -> Result<Vec<EnvironmentView>> {
    let sql =
        "SELECT * FROM environment WHERE id IN (SELECT value FROM json_each(?1)) AND is_deleted <= ?2 ORDER BY id";
    let mut statement = connection.prepare_cached(sql)?;
    statement.query_map((id_set(ids), deleted == Deleted::Shown), read)?.collect()
}

/// The environments of a project that are not deleted, in order of their ids.
///
/// # Errors
/// The file cannot be read.
pub fn list_environments(connection: &Connection, project: ProjectId, page: Page) -> Result<Vec<EnvironmentView>> {
    let sql = "SELECT * FROM environment WHERE project = ?1 AND is_deleted = 0 ORDER BY id LIMIT ?2 OFFSET ?3";
    let (limit, offset) = page.bounds();
    connection.prepare_cached(sql)?.query_map((project.0, limit, offset), read)?.collect()
}

/// How many environments of a project are not deleted.
///
/// # Errors
/// The file cannot be read.
pub fn count_environments(connection: &Connection, project: ProjectId) -> Result<u64> {
    let sql = "SELECT count(*) FROM environment WHERE project = ?1 AND is_deleted = 0";
    connection.prepare_cached(sql)?.query_row([project.0], |row| row.get(0))
}
