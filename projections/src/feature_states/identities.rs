//! What readers ask about identities. Environments that are reserved, unknown or deleted have none.

use std::collections::HashMap;

use jiff::Timestamp;
use offshoot_aggregates::ids::{EnvironmentId, FeatureId, IdentityId};
use rusqlite::{Connection, OptionalExtension, Result, Row, params_from_iter};

use crate::columns::timestamp;
use crate::lists::{Conditions, Page, id_set, like_containing};

/// An identity in an environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredIdentity {
    /// Its integer id.
    pub id: IdentityId,
    /// The environment's integer id.
    pub environment: EnvironmentId,
    /// What applications call it.
    pub identifier: String,
    /// Since when it is known.
    pub created_at: Timestamp,
}

fn read_identity(row: &Row<'_>) -> Result<StoredIdentity> {
    Ok(StoredIdentity {
        id: IdentityId(row.get("id")?),
        environment: EnvironmentId(row.get("environment")?),
        identifier: row.get("identifier")?,
        created_at: timestamp(row, "created_at")?,
    })
}

/// The identity with this id, in whatever environment.
///
/// # Errors
/// The file cannot be read.
pub fn identity(connection: &Connection, id: IdentityId) -> Result<Option<StoredIdentity>> {
    let sql = "SELECT * FROM identity WHERE id = ?1";
    connection.prepare_cached(sql)?.query_row([id.0], read_identity).optional()
}

/// The identity of an environment that applications call by exactly this name.
///
/// # Errors
/// The file cannot be read.
pub fn identity_named(
    connection: &Connection,
    environment: EnvironmentId,
    identifier: &str,
) -> Result<Option<StoredIdentity>> {
    let sql = "SELECT * FROM identity WHERE environment = ?1 AND identifier = ?2";
    connection.prepare_cached(sql)?.query_row((environment.0, identifier), read_identity).optional()
}

fn conditions(environment: EnvironmentId, search: Option<&str>) -> Conditions {
    let mut conditions = Conditions::default();
    conditions.add("environment = ?", environment.0);
    conditions.add_some("identifier LIKE ? ESCAPE '\\'", search.map(like_containing));
    conditions
}

/// The identities of an environment, a page of them, in order of their ids; with `search` those with it in their
/// identifiers, without regard to the case of ASCII letters.
///
/// # Errors
/// The file cannot be read.
pub fn list_identities(
    connection: &Connection,
    environment: EnvironmentId,
    search: Option<&str>,
    page: Page,
) -> Result<Vec<StoredIdentity>> {
    let conditions = conditions(environment, search);
    let sql = format!("SELECT * FROM identity WHERE {} ORDER BY id LIMIT ? OFFSET ?", conditions.sql());
    let mut statement = connection.prepare_cached(&sql)?;
    statement.query_map(params_from_iter(conditions.values_and(page)), read_identity)?.collect()
}

/// How many identities [`list_identities`] has on all pages.
///
/// # Errors
/// The file cannot be read.
pub fn count_identities(connection: &Connection, environment: EnvironmentId, search: Option<&str>) -> Result<u64> {
    let conditions = conditions(environment, search);
    let sql = format!("SELECT count(*) FROM identity WHERE {}", conditions.sql());
    connection.prepare_cached(&sql)?.query_row(params_from_iter(conditions.values()), |row| row.get(0))
}

/// How many identity overrides these features have in an environment; features without any are left out.
///
/// # Errors
/// The file cannot be read.
pub fn identity_override_counts(
    connection: &Connection,
    environment: EnvironmentId,
    features: &[FeatureId],
) -> Result<HashMap<FeatureId, u64>> {
    let sql = "SELECT feature, count(*) FROM feature_state
        WHERE environment = ?1 AND feature IN (SELECT value FROM json_each(?2)) AND identity > 0 GROUP BY feature";
    let mut statement = connection.prepare_cached(sql)?;
    let counts =
        statement.query_map((environment.0, id_set(features)), |row| Ok((FeatureId(row.get(0)?), row.get(1)?)))?;
    counts.collect()
}
