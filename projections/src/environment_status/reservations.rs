//! Names that were reserved and are of no use: whoever reserved them stopped before the end.

use jiff::Timestamp;
use offshoot_aggregates::ids::EnvironmentId;
use rusqlite::{Connection, Result, Row};
use uuid::Uuid;

use crate::columns;

/// A name that an environment has, or is to have, in its project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reservation {
    /// The UUID of the project.
    pub project: Uuid,
    /// The name.
    pub name: String,
    /// The UUID of the environment.
    pub environment: Uuid,
    /// The integer id of the environment.
    pub environment_id: EnvironmentId,
    /// Since when.
    pub reserved_at: Timestamp,
}

fn read(row: &Row<'_>) -> Result<Reservation> {
    Ok(Reservation {
        project: columns::uuid(row, "project")?,
        name: row.get("name")?,
        environment: columns::uuid(row, "environment")?,
        environment_id: EnvironmentId(row.get("environment_id")?),
        reserved_at: columns::timestamp(row, "reserved_at")?,
    })
}

/// Names of environments that never came to be, or are gone, and have been so since `before`: the oldest, at most `limit`.
///
/// # Errors
/// The file cannot be read.
pub fn dangling_reservations(connection: &Connection, before: Timestamp, limit: u64) -> Result<Vec<Reservation>> {
    // An environment of another project is not the one that the name was reserved for.
    let sql = "SELECT r.* FROM reservation r
            LEFT JOIN environment e ON e.uuid = r.environment AND e.project_uuid = r.project
        WHERE r.reserved_at < ?1 AND (e.id IS NULL OR (e.is_deleted AND e.updated_at < ?1))
        ORDER BY r.position LIMIT ?2";
    connection.prepare_cached(sql)?.query_map((before.as_microsecond(), limit), read)?.collect()
}

/// Names that environments hold beside the one they go by, and have held so since `before`: the oldest, at most `limit`.
/// Either the environment was not renamed after the name was reserved, or the old name was not released.
///
/// # Errors
/// The file cannot be read.
pub fn half_done_renames(connection: &Connection, before: Timestamp, limit: u64) -> Result<Vec<Reservation>> {
    let sql = "SELECT r.* FROM reservation r
            JOIN environment e ON e.uuid = r.environment AND e.project_uuid = r.project
        WHERE r.name <> e.name AND e.is_deleted = 0 AND r.reserved_at < ?1 AND e.named_at < ?1
        ORDER BY r.position LIMIT ?2";
    connection.prepare_cached(sql)?.query_map((before.as_microsecond(), limit), read)?.collect()
}
