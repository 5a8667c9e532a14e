//! Queries for API keys.

use std::collections::BTreeSet;

use jiff::Timestamp;
use offshoot_aggregates::ids::{ApiKeyId, OrganisationId};
use offshoot_aggregates::organisation::ApiKeyRole;
use offshoot_aggregates::permissions::Principal;
use rusqlite::{Connection, OptionalExtension, Params, Result, Row};
use uuid::Uuid;

use crate::columns::{optional_timestamp, timestamp, uuid};

/// An API key, without the key itself and without its hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredKey {
    /// Its integer id.
    pub id: ApiKeyId,
    /// Its UUID: who acts, in every event's metadata.
    pub uuid: Uuid,
    /// The name people gave it.
    pub name: String,
    /// The first characters of the key, to recognise it by.
    pub prefix: String,
    /// What it may do before anything is granted to it.
    pub role: ApiKeyRole,
    /// The integer id of the organisation that issued it.
    pub organisation: OrganisationId,
    /// The UUID of the organisation that issued it.
    pub organisation_uuid: Uuid,
    /// When it was issued.
    pub created_at: Timestamp,
    /// From when on it is refused; `None` if it never expires.
    pub expires_at: Option<Timestamp>,
    /// Whether it is refused because it was revoked.
    pub is_revoked: bool,
}

impl StoredKey {
    /// Whether the key opens anything at this time.
    #[must_use]
    pub fn is_valid_at(&self, now: Timestamp) -> bool {
        !self.is_revoked && self.expires_at.is_none_or(|end| now < end)
    }

    /// The holder, as permissions are granted to it.
    #[must_use]
    pub fn principal(&self) -> Principal {
        Principal::ApiKey { uuid: self.uuid, id: self.id, name: self.name.clone() }
    }
}

const SELECT: &str = "SELECT api_key.*, organisation.uuid AS organisation_uuid FROM api_key
    JOIN organisation ON organisation.id = api_key.organisation";

fn read_key(row: &Row<'_>) -> Result<StoredKey> {
    let is_admin: bool = row.get("is_admin")?;
    Ok(StoredKey {
        id: ApiKeyId(row.get("id")?),
        uuid: uuid(row, "uuid")?,
        name: row.get("name")?,
        prefix: row.get("prefix")?,
        role: if is_admin { ApiKeyRole::OrganisationAdmin } else { ApiKeyRole::Member },
        organisation: OrganisationId(row.get("organisation")?),
        organisation_uuid: uuid(row, "organisation_uuid")?,
        created_at: timestamp(row, "created_at")?,
        expires_at: optional_timestamp(row, "expires_at")?,
        is_revoked: row.get("is_revoked")?,
    })
}

fn find(connection: &Connection, condition: &str, values: impl Params) -> Result<Option<StoredKey>> {
    connection.prepare_cached(&format!("{SELECT} WHERE {condition}"))?.query_row(values, read_key).optional()
}

/// The key with this SHA-256 in hexadecimal digits, as it was issued; revoked and expired keys too. Should the same key
/// have been issued twice, the first that is not revoked.
///
/// # Errors
/// The file cannot be read.
pub fn key_by_hash(connection: &Connection, hash: &str) -> Result<Option<StoredKey>> {
    find(connection, "api_key.hash = ?1 ORDER BY is_revoked, api_key.id LIMIT 1", [hash])
}

/// The key with this id; revoked and expired keys too.
///
/// # Errors
/// The file cannot be read.
pub fn key_by_id(connection: &Connection, id: ApiKeyId) -> Result<Option<StoredKey>> {
    find(connection, "api_key.id = ?1", [id.0])
}

/// The ids of the keys with these UUIDs; UUIDs of none are left out.
///
/// # Errors
/// The file cannot be read.
pub fn key_ids(connection: &Connection, uuids: &BTreeSet<Uuid>) -> Result<Vec<(Uuid, ApiKeyId)>> {
    let mut find = connection.prepare_cached("SELECT id FROM api_key WHERE uuid = ?1")?;
    let ids = uuids.iter().map(|uuid| {
        let id = find.query_row([uuid.as_bytes()], |row| row.get(0).map(ApiKeyId)).optional()?;
        Ok(id.map(|id| (*uuid, id)))
    });
    ids.filter_map(Result::transpose).collect()
}

/// The newest key of the organisation with this prefix; revoked and expired keys too.
///
/// # Errors
/// The file cannot be read.
pub fn key_by_prefix(connection: &Connection, organisation: OrganisationId, prefix: &str) -> Result<Option<StoredKey>> {
    let condition = "api_key.organisation = ?1 AND prefix = ?2 ORDER BY api_key.id DESC LIMIT 1";
    find(connection, condition, (organisation.0, prefix))
}

/// The keys that the organisation issued, revoked and expired ones too, in order of their ids.
///
/// # Errors
/// The file cannot be read.
pub fn keys_of_organisation(connection: &Connection, organisation: OrganisationId) -> Result<Vec<StoredKey>> {
    connection
        .prepare_cached(&format!("{SELECT} WHERE api_key.organisation = ?1 ORDER BY api_key.id"))?
        .query_map([organisation.0], read_key)?
        .collect()
}
