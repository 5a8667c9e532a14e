//! Queries for the lines of the audit log.

use jiff::Timestamp;
use offshoot_aggregates::ids::{EnvironmentId, OrganisationId, ProjectId};
use offshoot_aggregates::{Actor, Position};
use rusqlite::types::{Type, Value};
use rusqlite::{Connection, Error, OptionalExtension, Result, Row, params_from_iter};
use uuid::Uuid;

use super::LINES_PER_EVENT_MAX;
use super::line::{ChangeDetail, ChangeType, RelatedObjectType};
use crate::columns::{actor, from_json_or_default, optional_uuid, timestamp};
use crate::lists::{Conditions, Page, id_set, like_containing};

/// A line of the audit log.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditEntry {
    /// Its id: the same after every rebuild. Later lines have higher ids.
    pub id: u64,
    /// The position of the event that it tells of.
    pub position: Position,
    /// When the event was recorded.
    pub created_at: Timestamp,
    /// What happened.
    pub log: String,
    /// Who did it; none if the event does not say so.
    pub actor: Option<Actor>,
    /// The organisation that it happened in.
    pub organisation: Option<OrganisationId>,
    /// The project that it happened in; none for the organisation's own affairs.
    pub project: Option<ProjectId>,
    /// The environment that it happened in; none for the project's own affairs.
    pub environment: Option<EnvironmentId>,
    /// What kind of object it is about.
    pub related_object_type: RelatedObjectType,
    /// The object's integer id; none if it is not known.
    pub related_object_id: Option<i64>,
    /// The object's UUID, for the kinds of objects that Flagsmith has no lines about.
    pub related_object_uuid: Option<Uuid>,
    /// Whether Offshoot did it by itself.
    pub is_system_event: bool,
    /// What happened to the object.
    pub change_type: ChangeType,
    /// What changed.
    pub change_details: Vec<ChangeDetail>,
    /// Everything that follows from one request shares it.
    pub correlation_id: Option<Uuid>,
    /// The command that led to it.
    pub command_id: Option<Uuid>,
    /// The HTTP request that led to it.
    pub request_id: Option<String>,
}

/// Which lines are listed: those that fulfil everything that is not `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Those of one of these organisations.
    pub organisations: Option<Vec<OrganisationId>>,
    /// Those of one of these projects, such as the caller may look into.
    pub projects: Option<Vec<ProjectId>>,
    /// Those of this project.
    pub project: Option<ProjectId>,
    /// Those of one of these environments.
    pub environments: Option<Vec<EnvironmentId>>,
    /// Those with this in their text, without regard to the case of ASCII letters.
    pub search: Option<String>,
    /// Those of actors with this in their names, without regard to the case of ASCII letters.
    pub actor: Option<String>,
    /// Those of Offshoot itself, or those of everyone else.
    pub is_system_event: Option<bool>,
}

impl AuditFilter {
    pub(super) fn conditions(&self) -> Conditions {
        let mut conditions = Conditions::default();
        add_set(
            &mut conditions,
            ["organisation = ?", "organisation IN (SELECT value FROM json_each(?))"],
            self.organisations.as_ref().map(|ids| ids.iter().map(|id| id.0)),
        );
        add_set(
            &mut conditions,
            ["project = ?", "project IN (SELECT value FROM json_each(?))"],
            self.projects.as_ref().map(|ids| ids.iter().map(|id| id.0)),
        );
        conditions.add_some("project = ?", self.project.map(|id| id.0));
        add_set(
            &mut conditions,
            ["environment = ?", "environment IN (SELECT value FROM json_each(?))"],
            self.environments.as_ref().map(|ids| ids.iter().map(|id| id.0)),
        );
        conditions.add_some("log LIKE ? ESCAPE '\\'", self.search.as_deref().map(like_containing));
        conditions.add_some("actor_name LIKE ? ESCAPE '\\'", self.actor.as_deref().map(like_containing));
        conditions.add_some("is_system_event = ?", self.is_system_event);
        conditions
    }
}

/// With a single id SQLite takes the lines from the index in order; with several it has to sort them.
fn add_set(
    conditions: &mut Conditions,
    [one, several]: [&'static str; 2],
    ids: Option<impl ExactSizeIterator<Item = i64>>,
) {
    match ids {
        None => {}
        Some(mut ids) if ids.len() == 1 => conditions.add_some(one, ids.next()),
        Some(ids) => conditions.add(several, id_set(ids)),
    }
}

pub(super) fn read_entry(row: &Row<'_>) -> Result<AuditEntry> {
    let id: u64 = row.get("id")?;
    Ok(AuditEntry {
        id,
        position: Position(id / LINES_PER_EVENT_MAX),
        created_at: timestamp(row, "created_at")?,
        log: row.get("log")?,
        actor: actor(row, ["actor_kind", "actor_id", "actor_name"])?,
        organisation: row.get::<_, Option<_>>("organisation")?.map(OrganisationId),
        project: row.get::<_, Option<_>>("project")?.map(ProjectId),
        environment: row.get::<_, Option<_>>("environment")?.map(EnvironmentId),
        related_object_type: read_named(row, "related_object_type", RelatedObjectType::named)?,
        related_object_id: row.get("related_object_id")?,
        related_object_uuid: optional_uuid(row, "related_object_uuid")?,
        is_system_event: row.get("is_system_event")?,
        change_type: read_named(row, "change_type", ChangeType::named)?,
        change_details: from_json_or_default(row, "change_details")?,
        correlation_id: optional_uuid(row, "correlation_id")?,
        command_id: optional_uuid(row, "command_id")?,
        request_id: row.get("request_id")?,
    })
}

fn read_named<T>(row: &Row<'_>, column: &str, named: fn(&str) -> Option<T>) -> Result<T> {
    let name: String = row.get(column)?;
    named(&name)
        .ok_or_else(|| Error::FromSqlConversionFailure(0, Type::Text, format!("`{name}` is not a {column}").into()))
}

/// The lines that pass the filter, a page of them, newest first.
///
/// # Errors
/// The file cannot be read.
pub fn list_entries(connection: &Connection, filter: &AuditFilter, page: Page) -> Result<Vec<AuditEntry>> {
    let conditions = filter.conditions();
    let sql = format!("SELECT * FROM entry WHERE {} ORDER BY id DESC LIMIT ? OFFSET ?", conditions.sql());
    connection.prepare_cached(&sql)?.query_map(params_from_iter(conditions.values_and(page)), read_entry)?.collect()
}

/// How many lines pass the filter.
///
/// # Errors
/// The file cannot be read.
pub fn count_entries(connection: &Connection, filter: &AuditFilter) -> Result<u64> {
    let conditions = filter.conditions();
    connection
        .prepare_cached(&format!("SELECT COUNT(*) FROM entry WHERE {}", conditions.sql()))?
        .query_row(params_from_iter(conditions.values()), |row| row.get(0))
}

/// The line with this id.
///
/// # Errors
/// The file cannot be read.
pub fn entry(connection: &Connection, id: u64) -> Result<Option<AuditEntry>> {
    connection
        .prepare_cached("SELECT * FROM entry WHERE id = ?1")?
        .query_row([Value::from(i64::try_from(id).unwrap_or(i64::MAX))], read_entry)
        .optional()
}

/// The first lines of an environment, oldest first, at most `limit`: how it came to be and what became of it.
///
/// # Errors
/// The file cannot be read.
pub fn entries_of_environment(
    connection: &Connection,
    environment: EnvironmentId,
    limit: u64,
) -> Result<Vec<AuditEntry>> {
    let (limit, _) = Page { limit, offset: 0 }.bounds();
    connection
        .prepare_cached("SELECT * FROM entry WHERE environment = ?1 ORDER BY id LIMIT ?2")?
        .query_map((environment.0, limit), read_entry)?
        .collect()
}
