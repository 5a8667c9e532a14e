//! What readers ask about clones: how far they are, and which of them there is work for.

use jiff::Timestamp;
use offshoot_aggregates::Position;
use offshoot_aggregates::environment::{CloneOrigin, CreationStatus};
use offshoot_aggregates::ids::EnvironmentId;
use rusqlite::{Connection, OptionalExtension, Result, Row};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::columns;
use crate::lists::Page;

/// Why a clone stopped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CloneError {
    /// For programs.
    pub code: String,
    /// For people.
    pub detail: String,
    /// The batch that could not be copied.
    pub batch: u32,
}

/// How a clone gets on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloneStatus {
    /// The new environment's UUID.
    pub environment: Uuid,
    /// The new environment's integer id.
    pub environment_id: EnvironmentId,
    /// The new environment's client key.
    pub api_key: String,
    /// Where it stands. A clone whose project is deleted before it is complete counts as cancelled.
    pub status: CreationStatus,
    /// What is copied, as of when, how, in how many batches of how many states.
    pub origin: CloneOrigin,
    /// How many states are there.
    pub feature_states_copied: u64,
    /// How many batches are there.
    pub batches_copied: u32,
    /// How often the copying was begun: 1, and one more for each retry.
    pub attempts: u32,
    /// When it was asked for.
    pub requested_at: Timestamp,
    /// When the first batch of the first attempt arrived, or the present attempt was asked for.
    pub started_at: Option<Timestamp>,
    /// When its status or its progress last changed. Never goes back.
    pub updated_at: Timestamp,
    /// When it was complete.
    pub completed_at: Option<Timestamp>,
    /// Why the last attempt stopped; none once it is tried again.
    pub error: Option<CloneError>,
    /// The position of the event that last changed status or progress.
    pub position: Position,
}

const STATUSES: [CreationStatus; 4] =
    [CreationStatus::Creating, CreationStatus::Completed, CreationStatus::Failed, CreationStatus::Cancelled];

/// The name of a status in the file, as in the API.
pub(super) const fn status_name(status: CreationStatus) -> &'static str {
    match status {
        CreationStatus::Creating => "creating",
        CreationStatus::Completed => "completed",
        CreationStatus::Failed => "failed",
        CreationStatus::Cancelled => "cancelled",
    }
}

const SELECT: &str = "SELECT c.*, e.id AS environment_id, e.api_key
    FROM clone c JOIN environment e ON e.uuid = c.environment WHERE ";

fn read(row: &Row<'_>) -> Result<CloneStatus> {
    let status: String = row.get("status")?;
    let error: Option<Option<CloneError>> = columns::from_json_or_default(row, "error")?;
    Ok(CloneStatus {
        environment: columns::uuid(row, "environment")?,
        environment_id: EnvironmentId(row.get("environment_id")?),
        api_key: row.get("api_key")?,
        status: STATUSES.into_iter().find(|one| status_name(*one) == status).unwrap_or(CreationStatus::Creating),
        origin: columns::from_json(row, "origin")?,
        feature_states_copied: row.get("feature_states_copied")?,
        batches_copied: row.get("batches_copied")?,
        attempts: row.get("attempts")?,
        requested_at: columns::timestamp(row, "requested_at")?,
        started_at: columns::optional_timestamp(row, "started_at")?,
        updated_at: columns::timestamp(row, "updated_at")?,
        completed_at: columns::optional_timestamp(row, "completed_at")?,
        error: error.flatten(),
        position: Position(row.get("position")?),
    })
}

/// How the clone with this UUID gets on, also if it was deleted since; `None` if it is not a clone.
///
/// # Errors
/// The file cannot be read.
pub fn clone_status(connection: &Connection, environment: Uuid) -> Result<Option<CloneStatus>> {
    let sql = format!("{SELECT} c.environment = ?1");
    connection.prepare_cached(&sql)?.query_row([environment.as_bytes()], read).optional()
}

/// The clones that wait for batches, the oldest first.
///
/// # Errors
/// The file cannot be read.
pub fn running_clones(connection: &Connection, page: Page) -> Result<Vec<CloneStatus>> {
    let sql = format!(
        "{SELECT} c.status = 'creating' AND e.is_deleted = 0
        ORDER BY c.requested_at, e.id LIMIT ?1 OFFSET ?2"
    );
    connection.prepare_cached(&sql)?.query_map(page.bounds(), read)?.collect()
}
