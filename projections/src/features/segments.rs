//! Queries for segments.

use jiff::Timestamp;
use offshoot_aggregates::ids::{ProjectId, SegmentId};
use offshoot_aggregates::project::Segment;
use rusqlite::{Connection, OptionalExtension, Result, Row, params_from_iter};

use crate::columns::{from_json, timestamp};
use crate::lists::{Conditions, Page, id_set, like_containing};

/// A segment of a project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredSegment {
    /// The project.
    pub project: ProjectId,
    /// What people defined.
    pub segment: Segment,
    /// When it came to be.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// Which segments of a project are listed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SegmentFilter {
    /// Those with this in their names, without regard to the case of ASCII letters; `None` for all.
    pub search: Option<String>,
    /// Whether those that are for one feature alone are listed too.
    pub include_feature_specific: bool,
}

impl SegmentFilter {
    fn conditions(&self, project: ProjectId) -> Conditions {
        let mut conditions = Conditions::default();
        conditions.add("project = ?", project.0);
        conditions.add_some("name LIKE ? ESCAPE '\\'", self.search.as_deref().map(like_containing));
        conditions.add("(feature IS NULL OR ?)", self.include_feature_specific);
        conditions
    }
}

fn read_segment(row: &Row<'_>) -> Result<StoredSegment> {
    Ok(StoredSegment {
        project: ProjectId(row.get("project")?),
        segment: from_json(row, "definition")?,
        created_at: timestamp(row, "created_at")?,
        updated_at: timestamp(row, "updated_at")?,
    })
}

/// All segments of a project, those for one feature alone among them, in order of their ids.
///
/// # Errors
/// The file cannot be read.
pub fn all_segments(connection: &Connection, project: ProjectId) -> Result<Vec<StoredSegment>> {
    let filter = SegmentFilter { search: None, include_feature_specific: true };
    list_segments(connection, project, &filter, Page::ALL)
}

/// The segments of a project that pass the filter, a page of them, in order of their ids.
///
/// # Errors
/// The file cannot be read.
pub fn list_segments(
    connection: &Connection,
    project: ProjectId,
    filter: &SegmentFilter,
    page: Page,
) -> Result<Vec<StoredSegment>> {
    let conditions = filter.conditions(project);
    let sql = format!("SELECT * FROM segment WHERE {} ORDER BY id LIMIT ? OFFSET ?", conditions.sql());
    connection.prepare_cached(&sql)?.query_map(params_from_iter(conditions.values_and(page)), read_segment)?.collect()
}

/// How many segments of a project pass the filter.
///
/// # Errors
/// The file cannot be read.
pub fn count_segments(connection: &Connection, project: ProjectId, filter: &SegmentFilter) -> Result<u64> {
    let conditions = filter.conditions(project);
    connection
        .prepare_cached(&format!("SELECT COUNT(*) FROM segment WHERE {}", conditions.sql()))?
        .query_row(params_from_iter(conditions.values()), |row| row.get(0))
}

/// The segment of the project with this id.
///
/// # Errors
/// The file cannot be read.
pub fn segment(connection: &Connection, project: ProjectId, id: SegmentId) -> Result<Option<StoredSegment>> {
    connection
        .prepare_cached("SELECT * FROM segment WHERE id = ?1 AND project = ?2")?
        .query_row([id.0, project.0], read_segment)
        .optional()
}

/// The segments with these ids, of whichever project, in order of their ids; ids of none are left out.
///
/// # Errors
/// The file cannot be read.
pub fn segments_by_ids(connection: &Connection, ids: &[SegmentId]) -> Result<Vec<StoredSegment>> {
    connection
        .prepare_cached("SELECT * FROM segment WHERE id IN (SELECT value FROM json_each(?1)) ORDER BY id")?
        .query_map([id_set(ids)], read_segment)?
        .collect()
}
