//! The forms in which times, UUIDs, people and structures stand in the columns of a read model.

use jiff::Timestamp;
use offshoot_aggregates::{Actor, ActorKind};
use rusqlite::types::Type;
use rusqlite::{Error, Result, Row};
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

/// Reads a time, which stands there as microseconds since the epoch.
pub(crate) fn timestamp(row: &Row<'_>, column: &str) -> Result<Timestamp> {
    from_micros(row.get(column)?)
}

/// Reads a time that may be missing.
pub(crate) fn optional_timestamp(row: &Row<'_>, column: &str) -> Result<Option<Timestamp>> {
    row.get::<_, Option<i64>>(column)?.map(from_micros).transpose()
}

fn from_micros(micros: i64) -> Result<Timestamp> {
    Timestamp::from_microsecond(micros).map_err(|error| Error::FromSqlConversionFailure(0, Type::Integer, error.into()))
}

/// Reads a UUID, which stands there as its 16 bytes.
pub(crate) fn uuid(row: &Row<'_>, column: &str) -> Result<Uuid> {
    row.get(column).map(Uuid::from_bytes)
}

/// Reads a UUID that may be missing.
pub(crate) fn optional_uuid(row: &Row<'_>, column: &str) -> Result<Option<Uuid>> {
    row.get::<_, Option<_>>(column).map(|bytes| bytes.map(Uuid::from_bytes))
}

/// Reads who did something from the columns with the kind, the id and the name; nobody if they are empty.
pub(crate) fn actor(row: &Row<'_>, [kind, id, name]: [&str; 3]) -> Result<Option<Actor>> {
    let kind: Option<String> = row.get(kind)?;
    let Some(kind) = kind.as_deref().and_then(ActorKind::named) else { return Ok(None) };
    Ok(Some(Actor { kind, id: row.get(id)?, name: row.get(name)? }))
}

/// The JSON that stands for a structure.
pub(crate) fn to_json<T: Serialize + ?Sized>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|error| Error::ToSqlConversionFailure(error.into()))
}

/// Reads a structure, which stands there as JSON.
pub(crate) fn from_json<T: DeserializeOwned>(row: &Row<'_>, column: &str) -> Result<T> {
    decode(row.get_ref(column)?.as_str()?)
}

/// Reads a structure that is the default where the column is empty.
pub(crate) fn from_json_or_default<T: DeserializeOwned + Default>(row: &Row<'_>, column: &str) -> Result<T> {
    row.get_ref(column)?.as_str_or_null()?.map_or_else(|| Ok(T::default()), decode)
}

fn decode<T: DeserializeOwned>(json: &str) -> Result<T> {
    serde_json::from_str(json).map_err(|error| Error::FromSqlConversionFailure(0, Type::Text, error.into()))
}
