//! What readers ask about the links between features, segments and priorities, with or without a state.

use offshoot_aggregates::environment::SegmentLink;
use offshoot_aggregates::ids::{EnvironmentId, FeatureId, FeatureSegmentId, FeatureStateId};
use rusqlite::{Connection, OptionalExtension, Result, Row};
use uuid::Uuid;

use super::feature_segment_uuid;
use super::row::read_link;
use crate::columns;
use crate::lists::Page;

/// A segment's place among the overrides of a feature in an environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeatureSegmentView {
    /// The environment's integer id.
    pub environment: EnvironmentId,
    /// The environment's UUID.
    pub environment_uuid: Uuid,
    /// The feature.
    pub feature: FeatureId,
    /// The segment and the priority.
    pub link: SegmentLink,
    /// The override's state, if it was ever set.
    pub feature_state: Option<FeatureStateId>,
}

impl FeatureSegmentView {
    /// Its UUID, the same for ever.
    #[must_use]
    pub fn uuid(&self) -> Uuid {
        feature_segment_uuid(self.environment_uuid, self.link.feature_segment)
    }
}

const SELECT: &str = "SELECT s.*, e.uuid AS environment_uuid
    FROM feature_state s JOIN environment e ON e.id = s.environment AND e.phase > 0
    WHERE s.feature_segment IS NOT NULL AND ";

fn read(row: &Row<'_>) -> Result<FeatureSegmentView> {
    Ok(FeatureSegmentView {
        environment: EnvironmentId(row.get("environment")?),
        environment_uuid: columns::uuid(row, "environment_uuid")?,
        feature: FeatureId(row.get("feature")?),
        link: read_link(row)?.ok_or(rusqlite::Error::QueryReturnedNoRows)?,
        feature_state: row.get::<_, Option<i64>>("id")?.map(FeatureStateId),
    })
}

/// The link with this id, in whatever environment.
///
/// # Errors
/// The file cannot be read.
pub fn feature_segment(connection: &Connection, id: FeatureSegmentId) -> Result<Option<FeatureSegmentView>> {
    connection.prepare_cached(&format!("{SELECT} s.feature_segment = ?1"))?.query_row([id.0], read).optional()
}

/// The links of a feature in an environment, the highest priority first.
///
/// # Errors
/// The file cannot be read.
pub fn list_feature_segments(
    connection: &Connection,
    environment: EnvironmentId,
    feature: FeatureId,
    page: Page,
) -> Result<Vec<FeatureSegmentView>> {
    let sql = format!(
        "{SELECT} s.environment = ?1 AND s.feature = ?2 ORDER BY s.priority, s.feature_segment LIMIT ?3 OFFSET ?4"
    );
    let (limit, offset) = page.bounds();
    connection.prepare_cached(&sql)?.query_map((environment.0, feature.0, limit, offset), read)?.collect()
}

/// How many links a feature has in an environment.
///
/// # Errors
/// The file cannot be read.
pub fn count_feature_segments(connection: &Connection, environment: EnvironmentId, feature: FeatureId) -> Result<u64> {
    let sql = format!("SELECT count(*) FROM ({SELECT} s.environment = ?1 AND s.feature = ?2)");
    connection.prepare_cached(&sql)?.query_row((environment.0, feature.0), |row| row.get(0))
}
