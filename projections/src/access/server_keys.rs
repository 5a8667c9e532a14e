//! Server-side keys of environments: their rows, and queries for them.

use jiff::Timestamp;
use offshoot_aggregates::environment::{ServerKey, ServerKeySettings};
use offshoot_aggregates::ids::{EnvironmentId, ServerKeyId};
use rusqlite::{Connection, OptionalExtension, Result, Row, Transaction};
use uuid::Uuid;

use crate::columns::{optional_timestamp, timestamp, uuid};

/// A server-side key that was not revoked, without the key itself and without its hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredServerKey {
    /// Its integer id.
    pub id: ServerKeyId,
    /// The integer id of its environment.
    pub environment: EnvironmentId,
    /// The UUID of its environment.
    pub environment_uuid: Uuid,
    /// The first characters of the key, to recognise it by.
    pub prefix: String,
    /// What is set on it.
    pub settings: ServerKeySettings,
    /// When it was issued.
    pub created_at: Timestamp,
}

impl StoredServerKey {
    /// Whether whoever has the key is served at this time.
    #[must_use]
    pub fn is_valid_at(&self, now: Timestamp) -> bool {
        self.settings.is_active && self.settings.expires_at.is_none_or(|end| now < end)
    }
}

const SELECT: &str = "SELECT server_key.*, environment.uuid AS environment_uuid FROM server_key
    JOIN environment ON environment.id = server_key.environment";

fn read(row: &Row<'_>) -> Result<StoredServerKey> {
    Ok(StoredServerKey {
        id: ServerKeyId(row.get("id")?),
        environment: EnvironmentId(row.get("environment")?),
        environment_uuid: uuid(row, "environment_uuid")?,
        prefix: row.get("prefix")?,
        settings: ServerKeySettings {
            name: row.get("name")?,
            is_active: row.get("is_active")?,
            expires_at: optional_timestamp(row, "expires_at")?,
        },
        created_at: timestamp(row, "created_at")?,
    })
}

/// The server-side key with this SHA-256 in hexadecimal digits; also one that is not active or has expired.
///
/// # Errors
/// The file cannot be read.
pub fn server_key_by_hash(connection: &Connection, hash: &str) -> Result<Option<StoredServerKey>> {
    let sql = format!("{SELECT} WHERE server_key.hash = ?1 ORDER BY server_key.id LIMIT 1");
    connection.prepare_cached(&sql)?.query_row([hash], read).optional()
}

/// The server-side key with this id; also one that is not active or has expired.
///
/// # Errors
/// The file cannot be read.
pub fn server_key_by_id(connection: &Connection, id: ServerKeyId) -> Result<Option<StoredServerKey>> {
    let sql = format!("{SELECT} WHERE server_key.id = ?1");
    connection.prepare_cached(&sql)?.query_row([id.0], read).optional()
}

/// The server-side keys of an environment, in order of their ids.
///
/// # Errors
/// The file cannot be read.
pub fn server_keys_of_environment(connection: &Connection, environment: EnvironmentId) -> Result<Vec<StoredServerKey>> {
    let sql = format!("{SELECT} WHERE server_key.environment = ?1 ORDER BY server_key.id");
    connection.prepare_cached(&sql)?.query_map([environment.0], read)?.collect()
}

pub(super) fn add(tx: &Transaction<'_>, environment: i64, key: &ServerKey, at: Timestamp) -> Result<()> {
    let sql =
        "INSERT OR IGNORE INTO server_key (id, environment, hash, prefix, name, is_active, expires_at, created_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    let ServerKeySettings { name, is_active, expires_at } = &key.settings;
    let expires_at = expires_at.map(|end| end.as_microsecond());
    let row = (key.id.0, environment, &key.hash, &key.prefix, name, is_active, expires_at, at.as_microsecond());
    tx.prepare_cached(sql)?.execute(row).map(drop)
}

pub(super) fn change(tx: &Transaction<'_>, key: ServerKeyId, after: &ServerKeySettings) -> Result<()> {
    let sql = "UPDATE server_key SET name = ?2, is_active = ?3, expires_at = ?4 WHERE id = ?1";
    let expires_at = after.expires_at.map(|end| end.as_microsecond());
    tx.prepare_cached(sql)?.execute((key.0, &after.name, after.is_active, expires_at)).map(drop)
}

pub(super) fn remove(tx: &Transaction<'_>, key: ServerKeyId) -> Result<()> {
    tx.prepare_cached("DELETE FROM server_key WHERE id = ?1")?.execute([key.0]).map(drop)
}
