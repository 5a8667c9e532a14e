//! What `postgres-es` as it comes makes of the same load: its repository's `persist`, one event at a time, into its own table on the
//! server that has the log. Nothing is decided, nobody follows, and there is no order over all streams.

use std::time::{Duration, Instant};

use cqrs_es::persist::{PersistedEventRepository, PersistenceError, SerializedEvent};
use offshoot_aggregates::environment::Environment;
use postgres_es::PostgresEventRepository;
use serde_json::json;
use sqlx::Executor;
use sqlx::postgres::PgPool;
use uuid::Uuid;

use super::super::CliError;
use crate::config::Store;

/// As `postgres-es` wants it.
const TABLE: &str = "
    CREATE TABLE bench_stock_events (
        aggregate_type text NOT NULL,
        aggregate_id text NOT NULL,
        sequence bigint CHECK (sequence >= 0) NOT NULL,
        event_type text NOT NULL,
        event_version text NOT NULL,
        payload json NOT NULL,
        metadata json NOT NULL,
        PRIMARY KEY (aggregate_type, aggregate_id, sequence)
    )";

/// The stock repository, and its table.
pub struct StockPersist {
    pool: PgPool,
}

impl StockPersist {
    /// Makes the table; `None` if the store is not PostgreSQL.
    pub async fn prepare(store: Option<Store>, clients: u32) -> Result<Option<Self>, CliError> {
        let Some(Store::Postgres(url)) = store else { return Ok(None) };
        let pool = url.pool(clients)?;
        pool.execute(TABLE).await?;
        Ok(Some(Self { pool }))
    }

    /// Events per second of so many clients, each with a stream of its own.
    pub async fn run(&self, clients: u32, time: Duration) -> Result<f64, CliError> {
        let started = Instant::now();
        let client = |_| {
            let repository = PostgresEventRepository::new(self.pool.clone()).with_tables("bench_stock_events", "none");
            tokio::spawn(async move {
                let (aggregate_id, mut sequence) = (Uuid::new_v4().to_string(), 0);
                while started.elapsed() < time {
                    sequence += 1;
                    repository.persist::<Environment>(&[event(&aggregate_id, sequence)], None).await?;
                }
                Ok::<_, PersistenceError>(sequence)
            })
        };
        let running: Vec<_> = (0..clients).map(client).collect();
        let mut events = 0.0;
        for client in running {
            events += f64::from(u32::try_from(client.await??)?);
        }
        Ok(events / started.elapsed().as_secs_f64())
    }

    /// Drops the table.
    pub async fn finish(self) -> Result<(), CliError> {
        self.pool.execute("DROP TABLE bench_stock_events").await?;
        self.pool.close().await;
        Ok(())
    }
}

/// An event of about the size of a changed flag's, with metadata like a command's.
fn event(aggregate_id: &str, sequence: usize) -> SerializedEvent {
    let state =
        |value: usize| json!({ "enabled": true, "value": { "type": "unicode", "string_value": value.to_string() } });
    let payload = json!({
        "feature": 1, "feature_name": "flag", "feature_state": 1, "before": state(sequence - 1), "after": state(sequence),
    });
    let metadata = json!({
        "actor_kind": "operator", "actor_id": "bench", "actor_name": "bench",
        "command_id": Uuid::new_v4(), "correlation_id": Uuid::new_v4(),
    });
    let (aggregate_type, event_type) = ("environment".to_owned(), "FeatureStateChanged".to_owned());
    SerializedEvent::new(
        aggregate_id.to_owned(),
        sequence,
        aggregate_type,
        event_type,
        "1".to_owned(),
        payload,
        metadata,
    )
}
