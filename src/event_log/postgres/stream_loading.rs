//! Loading a stream by `postgres-es`.
//!
//! Its repository reads a stream to the end, without a bound, and knows neither positions nor times. So it is pointed at one
//! bounded page of a view that has both among the metadata (`event_envelope` in `migrations/`).

use cqrs_es::Aggregate;
use cqrs_es::persist::{PersistedEventRepository, PersistenceError, SerializedEvent};
use offshoot_aggregates::environment::Environment;
use offshoot_aggregates::id_allocator::IdAllocator;
use offshoot_aggregates::organisation::Organisation;
use offshoot_aggregates::project::Project;
use offshoot_aggregates::{Category, Position, RecordedEvent, StreamId, Version};
use postgres_es::PostgresEventRepository;
use serde::Deserialize;
use serde_json::Value;
use std::sync::OnceLock;

use super::reader::{Reader, in_time, integer, timestamp};
use crate::event_log::ReadError;
use crate::limits::{PAGE_BYTES_MAX, STORE_READ_WAIT};

/// What the view has put beside an event.
#[derive(Deserialize)]
struct Envelope {
    position: u64,
    recorded_at: i64,
    metadata: Box<str>,
}

/// The events of a stream above a version, at most `limit`, and at most about [`PAGE_BYTES_MAX`], but one if there is any.
pub(super) async fn load(
    reader: &Reader,
    stream: &StreamId,
    after: Version,
    limit: usize,
) -> Result<Vec<RecordedEvent>, ReadError> {
    let Some(end) = page_end(reader, stream, after, limit).await? else { return Ok(Vec::new()) };
    let page = format!("(SELECT * FROM event_envelope WHERE sequence <= {end}) AS page");
    let repository = PostgresEventRepository::new(reader.pool().clone()).with_tables(&page, "no_snapshots");
    let (key, category) = (stream.key.clone(), stream.category);
    let after = usize::try_from(after.0).unwrap_or(usize::MAX);
    // In a task of its own, as it panics at what it cannot read.
    let loading = tokio::spawn(async move {
        match category {
            Category::Organisation => last_events::<Organisation>(&repository, &key, after).await,
            Category::Project => last_events::<Project>(&repository, &key, after).await,
            Category::Environment => last_events::<Environment>(&repository, &key, after).await,
            Category::IdAllocator => last_events::<IdAllocator>(&repository, &key, after).await,
        }
    });
    let unavailable = |detail: String| ReadError::Unavailable(detail);
    let loaded = tokio::time::timeout(STORE_READ_WAIT, loading).await;
    let loaded = loaded.map_err(|_| unavailable("PostgreSQL does not answer".to_owned()))?;
    let loaded = loaded.map_err(|error| unavailable(format!("events cannot be loaded: {error}")))?;
    let events = loaded.map_err(|error| unavailable(error.to_string()))?;
    let mut recorded = Vec::with_capacity(events.len());
    for event in events {
        match to_recorded(stream, event) {
            Ok(event) => recorded.push(event),
            // Whoever reads on from the good events before it is told then.
            Err(_) if !recorded.is_empty() => break,
            Err(error) => return Err(error),
        }
    }
    Ok(recorded)
}

/// The version that the page after `after` ends with; `None` if there are no events.
async fn page_end(reader: &Reader, stream: &StreamId, after: Version, limit: usize) -> Result<Option<i64>, ReadError> {
    let end = sqlx::query_scalar(
        "SELECT max(version) FROM (
            SELECT version, row_number() OVER page AS number, sum(octet_length(payload)) OVER page AS bytes
            FROM (
                SELECT version, payload FROM event
                WHERE category = $1 AND key = $2 AND version > $3 ORDER BY version LIMIT $4
            ) page
            WINDOW page AS (ORDER BY version)
        ) page
        WHERE number = 1 OR bytes <= $5",
    )
    .bind(stream.category.as_str())
    .bind(&stream.key)
    .bind(integer(after.0))
    .bind(integer(limit as u64))
    .bind(integer(PAGE_BYTES_MAX as u64))
    .fetch_one(reader.pool());
    in_time(end).await
}

async fn last_events<A: Aggregate>(
    repository: &PostgresEventRepository,
    key: &str,
    after: usize,
) -> Result<Vec<SerializedEvent>, PersistenceError> {
    repository.get_last_events::<A>(key, after).await
}

fn to_recorded(stream: &StreamId, event: SerializedEvent) -> Result<RecordedEvent, ReadError> {
    let strange = |detail: String| ReadError::Unavailable(detail);
    let envelope: Envelope = serde_json::from_value(event.metadata).map_err(|error| strange(error.to_string()))?;
    let position = Position(envelope.position);
    let Value::String(payload) = event.payload else {
        return Err(strange(format!("the payload at position {position} is not a text")));
    };
    Ok(RecordedEvent {
        position,
        stream: stream.clone(),
        version: Version(event.sequence as u64),
        event_type: event.event_type,
        event_version: event.event_version,
        recorded_at: timestamp(position, envelope.recorded_at)?,
        payload: payload.into(),
        metadata: envelope.metadata,
        decoded: OnceLock::new(),
    })
}
