//! Reading and writing a log's tables past the log, for copying it as it is.

use async_trait::async_trait;
use offshoot_aggregates::RecordedEvent;
use sqlx::{Connection, PgConnection};
use uuid::Uuid;

use super::PostgresUrl;
use super::connection::{connect, describe, open_error};
use super::reader::{in_time, integer};
use crate::event_log::copying::{PastTheLog, RecordedCommand, recorded_command};
use crate::event_log::{OpenError, ReadError};

/// A connection past the log.
pub(in crate::event_log) struct PostgresCopy {
    connection: PgConnection,
}

impl PostgresCopy {
    /// Opens the database of a log.
    pub(in crate::event_log) async fn open(url: &PostgresUrl) -> Result<Self, OpenError> {
        let failed = |detail: String| OpenError::Server { url: url.to_string(), detail };
        let options = url.options().map_err(failed)?;
        let connection = connect(&options).await.map_err(|error| open_error(url, &options, &error))?;
        Ok(Self { connection })
    }

    async fn try_write(&mut self, events: &[RecordedEvent], commands: &[RecordedCommand]) -> sqlx::Result<()> {
        let mut transaction = self.connection.begin().await?;
        sqlx::query(
            "INSERT INTO event
                (position, category, key, version, recorded_at, append_id, event_type, event_version, metadata, payload)
            SELECT e.position, e.category, e.key, e.version, e.recorded_at, gen_random_uuid(), e.event_type,
                e.event_version, e.metadata, e.payload
            FROM unnest($1::bigint[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::text[], $7::text[],
                $8::text[], $9::text[])
                AS e (position, category, key, version, recorded_at, event_type, event_version, metadata, payload)",
        )
        .bind(events.iter().map(|event| integer(event.position.0)).collect::<Vec<_>>())
        .bind(events.iter().map(|event| event.stream.category.as_str()).collect::<Vec<_>>())
        .bind(events.iter().map(|event| event.stream.key.as_str()).collect::<Vec<_>>())
        .bind(events.iter().map(|event| integer(event.version.0)).collect::<Vec<_>>())
        .bind(events.iter().map(|event| event.recorded_at.as_microsecond()).collect::<Vec<_>>())
        .bind(events.iter().map(|event| event.event_type.as_str()).collect::<Vec<_>>())
        .bind(events.iter().map(|event| event.event_version.as_str()).collect::<Vec<_>>())
        .bind(events.iter().map(|event| &*event.metadata).collect::<Vec<_>>())
        .bind(events.iter().map(|event| &*event.payload).collect::<Vec<_>>())
        .execute(&mut *transaction)
        .await?;
        sqlx::query(
            "INSERT INTO command (id, append_id, position, version)
            SELECT c.id, e.append_id, c.position, c.version
            FROM unnest($1::uuid[], $2::bigint[], $3::bigint[]) AS c (id, position, version)
            JOIN event e ON e.position = c.position",
        )
        .bind(commands.iter().map(|command| command.id).collect::<Vec<_>>())
        .bind(commands.iter().map(|command| integer(command.last.position.0)).collect::<Vec<_>>())
        .bind(commands.iter().map(|command| integer(command.last.version.0)).collect::<Vec<_>>())
        .execute(&mut *transaction)
        .await?;
        if let Some(last) = events.last() {
            sqlx::query("SELECT setval('event_position', $1), setval('event_time', $2)")
                .bind(integer(last.position.0))
                .bind(last.recorded_at.as_microsecond())
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await
    }
}

#[async_trait]
impl PastTheLog for PostgresCopy {
    async fn commands(&mut self, after: Option<Uuid>, limit: usize) -> Result<Vec<RecordedCommand>, ReadError> {
        let rows = sqlx::query_as::<_, (Uuid, String, i64, i64)>(
            "SELECT c.id, e.category || '-' || e.key, c.position, c.version
            FROM command c JOIN event e ON e.position = c.position
            WHERE $1::uuid IS NULL OR c.id > $1 ORDER BY c.id LIMIT $2",
        )
        .bind(after)
        .bind(integer(limit as u64))
        .fetch_all(&mut self.connection);
        let rows = in_time(rows).await?;
        rows.iter().map(|(id, stream, position, version)| recorded_command(*id, stream, *position, *version)).collect()
    }

    async fn write(&mut self, events: &[RecordedEvent], commands: &[RecordedCommand]) -> Result<(), String> {
        self.try_write(events, commands).await.map_err(|error| describe(&error))
    }
}
