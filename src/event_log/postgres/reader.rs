//! Reading the log: pages of it, and look-ups.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use offshoot_aggregates::{Position, RecordedEvent, StreamId, Version};
use sqlx::Row;
use sqlx::postgres::{PgPool, PgRow};
use uuid::Uuid;

use super::connection::describe;
use crate::event_log::{Appended, ReadError};
use crate::limits::{PAGE_BYTES_MAX, STORE_IN_FLIGHT_WAIT, STORE_READ_WAIT};

/// How often to look whether appends that are being recorded have been.
const IN_FLIGHT_POLL: Duration = Duration::from_millis(1);

/// Reads the log.
pub(super) struct Reader {
    pool: PgPool,
    /// Nothing can appear up to here any more.
    settled: AtomicU64,
}

/// Where the log ends, at one moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct End {
    /// The last event that readers may see.
    last: i64,
    /// Nothing can appear up to here any more.
    settled: i64,
    /// The last position that was given out.
    drawn: i64,
}

impl Reader {
    pub(super) fn new(pool: PgPool) -> Self {
        Self { pool, settled: AtomicU64::new(0) }
    }

    pub(super) fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// Nothing can appear up to this position any more.
    pub(super) fn settled(&self) -> Position {
        Position(self.settled.load(Ordering::Acquire))
    }

    /// Notes that nothing can appear up to a position any more.
    pub(super) fn settle(&self, position: Position) {
        self.settled.fetch_max(position.0, Ordering::AcqRel);
    }

    /// A page of the whole log.
    ///
    /// Positions that follow one another without a hole are complete. At a hole it is found out whether something can still
    /// appear there, and what came meanwhile is read again.
    pub(super) async fn all(&self, after: Position, limit: usize) -> Result<Vec<RecordedEvent>, ReadError> {
        // Known before the page is read: what was settled later may have come after the page was.
        let settled = self.settled();
        let mut page = self.page(after, Position(u64::MAX), limit).await?;
        let mut complete = after.max(settled);
        let holes_at = page.iter().position(|event| {
            let follows = event.position <= complete || event.position.0 == complete.0 + 1;
            complete = complete.max(event.position);
            !follows
        });
        let Some(hole) = holes_at else {
            // Of what is between the two nothing is known.
            if let Some(last) = page.last().filter(|_| after <= settled) {
                self.settle(last.position);
            }
            return Ok(page);
        };
        if hole > 0 {
            page.truncate(hole);
            return Ok(page);
        }
        self.end().await?;
        self.page(after, self.settled(), limit).await
    }

    async fn page(&self, after: Position, until: Position, limit: usize) -> Result<Vec<RecordedEvent>, ReadError> {
        let rows = sqlx::query(
            "SELECT position, category, key, version, event_type, event_version, recorded_at, metadata, payload
            FROM (
                SELECT *, row_number() OVER page AS number, sum(octet_length(payload)) OVER page AS bytes
                FROM (SELECT * FROM event WHERE position > $1 AND position <= $2 ORDER BY position LIMIT $3) page
                WINDOW page AS (ORDER BY position)
            ) page
            WHERE number = 1 OR bytes <= $4
            ORDER BY position",
        )
        .bind(integer(after.0))
        .bind(integer(until.0))
        .bind(integer(limit as u64))
        .bind(integer(PAGE_BYTES_MAX as u64))
        .fetch_all(&self.pool);
        let mut events = Vec::new();
        for row in in_time(rows).await? {
            match event(&row) {
                Ok(event) => events.push(event),
                // Whoever reads on from the good events before it is told then.
                Err(_) if !events.is_empty() => break,
                Err(error) => return Err(error),
            }
        }
        Ok(events)
    }

    /// Where the log ends now.
    pub(super) async fn end(&self) -> Result<End, ReadError> {
        let end = sqlx::query_as::<_, (i64, i64, i64)>("SELECT last, settled, drawn FROM last_settled_event()")
            .fetch_one(&self.pool);
        let (last, settled, drawn) = in_time(end).await?;
        self.settle(Position(settled.unsigned_abs()));
        Ok(End { last, settled, drawn })
    }

    /// The last event that readers may see, once everything shows that was recorded before the call: appends that are being
    /// recorded at lower positions are waited for.
    pub(super) async fn head(&self) -> Result<Position, ReadError> {
        let begun = tokio::time::Instant::now();
        let mut end = self.end().await?;
        let goal = end.drawn;
        while end.settled < goal {
            if begun.elapsed() > STORE_IN_FLIGHT_WAIT {
                return Err(ReadError::Unavailable("an append takes too long".to_owned()));
            }
            tokio::time::sleep(IN_FLIGHT_POLL).await;
            end = self.end().await?;
        }
        Ok(end.last())
    }

    /// Whether there are events above a position, visible or not.
    pub(super) async fn has_events_above(&self, position: Position) -> Result<bool, ReadError> {
        // Not `EXISTS`: PostgreSQL expects a third of all events to be above a position that it does not know, and would look for
        // the first of them by reading all events.
        let last: i64 =
            in_time(sqlx::query_scalar("SELECT coalesce(max(position), 0) FROM event").fetch_one(&self.pool)).await?;
        Ok(last > integer(position.0))
    }

    pub(super) async fn version_at(&self, stream: &StreamId, position: Position) -> Result<Version, ReadError> {
        let version: Option<i64> = in_time(
            sqlx::query_scalar(
                "SELECT version FROM event WHERE category = $1 AND key = $2 AND position <= $3 ORDER BY version DESC LIMIT 1",
            )
            .bind(stream.category.as_str())
            .bind(&stream.key)
            .bind(integer(position.0))
            .fetch_optional(&self.pool),
        )
        .await?;
        Ok(version.map_or(Version::NONE, |version| Version(version.unsigned_abs())))
    }

    pub(super) async fn position_at(&self, time: Timestamp) -> Result<Position, ReadError> {
        let head = self.head().await?;
        let position: i64 = in_time(
            sqlx::query_scalar("SELECT position_at($1, $2)")
                .bind(time.as_microsecond())
                .bind(integer(head.0))
                .fetch_one(&self.pool),
        )
        .await?;
        Ok(Position(position.unsigned_abs()))
    }

    pub(super) async fn time_at(&self, position: Position) -> Result<Option<Timestamp>, ReadError> {
        let last: Option<(i64, i64)> = in_time(
            sqlx::query_as(
                "SELECT position, recorded_at FROM event WHERE position <= $1 ORDER BY position DESC LIMIT 1",
            )
            .bind(integer(position.0))
            .fetch_optional(&self.pool),
        )
        .await?;
        last.map(|(position, recorded_at)| timestamp(Position(position.unsigned_abs()), recorded_at)).transpose()
    }

    pub(super) async fn find_command(&self, command: Uuid) -> Result<Option<Appended>, ReadError> {
        let found: Option<(i64, i64)> = in_time(
            sqlx::query_as("SELECT position, version FROM command WHERE id = $1")
                .bind(command)
                .fetch_optional(&self.pool),
        )
        .await?;
        Ok(found.map(|(position, version)| Appended {
            position: Position(position.unsigned_abs()),
            version: Version(version.unsigned_abs()),
        }))
    }
}

impl End {
    /// The last event that readers may see.
    pub(super) fn last(&self) -> Position {
        Position(self.last.unsigned_abs())
    }
}

/// No answer within [`STORE_READ_WAIT`] is an answer too: a server that is gone without a farewell says nothing.
pub(super) async fn in_time<T>(query: impl Future<Output = sqlx::Result<T>>) -> Result<T, ReadError> {
    match tokio::time::timeout(STORE_READ_WAIT, query).await {
        Ok(answer) => answer.map_err(|error| unavailable(&error)),
        Err(_) => Err(ReadError::Unavailable("PostgreSQL does not answer".to_owned())),
    }
}

pub(super) fn unavailable(error: &sqlx::Error) -> ReadError {
    ReadError::Unavailable(describe(error))
}

fn event(row: &PgRow) -> Result<RecordedEvent, ReadError> {
    let position: i64 = row.try_get("position").map_err(|error| unavailable(&error))?;
    let position = Position(position.unsigned_abs());
    let damaged = |detail: String| ReadError::Damaged { position, detail };
    let stream: &str = &format!("{}-{}", text(row, "category")?, text(row, "key")?);
    let integer = |column| row.try_get::<i64, _>(column).map_err(|error| damaged(error.to_string()));
    Ok(RecordedEvent {
        position,
        stream: stream.parse::<StreamId>().map_err(|error| damaged(error.to_string()))?,
        version: Version(integer("version")?.unsigned_abs()),
        event_type: text(row, "event_type")?.to_owned(),
        event_version: text(row, "event_version")?.to_owned(),
        recorded_at: timestamp(position, integer("recorded_at")?)?,
        payload: text(row, "payload")?.into(),
        metadata: text(row, "metadata")?.into(),
        decoded: OnceLock::new(),
    })
}

fn text<'r>(row: &'r PgRow, column: &str) -> Result<&'r str, ReadError> {
    row.try_get(column).map_err(|error| unavailable(&error))
}

/// When an event was recorded.
pub(super) fn timestamp(position: Position, microseconds: i64) -> Result<Timestamp, ReadError> {
    Timestamp::from_microsecond(microseconds)
        .map_err(|error| ReadError::Damaged { position, detail: error.to_string() })
}

/// PostgreSQL's integers are signed: nothing is beyond the greatest one.
pub(super) fn integer(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
