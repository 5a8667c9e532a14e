//! What PostgreSQL itself needs for the same rows: a plain `INSERT … SELECT` into an indexed table on the server that has the log.

use std::time::Instant;

use offshoot_aggregates::ids::EnvironmentId;
use sqlx::Executor;
use sqlx::postgres::PgPool;

use super::super::CliError;
use super::setup::Setup;
use crate::config::Store;

/// One row for each feature state, with an id of its own and found by what it is of.
const TABLE: &str = "
    SET statement_timeout = 0;
    CREATE TABLE bench_feature_state (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        environment bigint NOT NULL,
        feature bigint NOT NULL,
        identity bigint NOT NULL,
        segment bigint NOT NULL,
        enabled bigint NOT NULL,
        value_type bigint NOT NULL,
        string_value text,
        integer_value bigint,
        boolean_value bigint,
        multivariate text,
        seed bigint NOT NULL,
        priority bigint,
        created_at bigint NOT NULL,
        updated_at bigint NOT NULL,
        UNIQUE (environment, feature, identity, segment)
    )";

/// All but the id and the environment.
const COLUMNS: &str = "feature, identity, segment, enabled, value_type, string_value, integer_value, boolean_value, \
    multivariate, seed, priority, created_at, updated_at";

/// A table with the rows of one environment, which are copied within it.
pub struct InsertSelect {
    /// Of one connection.
    pool: PgPool,
    source: i64,
    copies: i64,
}

impl InsertSelect {
    /// Fills a table with what the read model says of an environment; `None` if the store is not PostgreSQL.
    pub async fn prepare(
        setup: &Setup,
        store: Option<Store>,
        environment: EnvironmentId,
    ) -> Result<Option<Self>, CliError> {
        let Some(Store::Postgres(url)) = store else { return Ok(None) };
        let pool = url.pool(1)?;
        pool.execute(TABLE).await?;
        let fields: Vec<_> = COLUMNS.split(", ").map(|column| format!("'{column}', {column}")).collect();
        let rows = format!(
            "SELECT json_group_array(json_object({})) FROM feature_state WHERE environment = ?1",
            fields.join(", ")
        );
        let query = move |file: &rusqlite::Connection| file.query_row(&rows, [environment.0], |row| row.get(0));
        let rows: String = setup.server.node().read_models.feature_states.query(query).await?;
        let fill = format!(
            "INSERT INTO bench_feature_state (environment, {COLUMNS})
            SELECT 0, {COLUMNS} FROM json_populate_recordset(NULL::bench_feature_state, $1::json)"
        );
        sqlx::query(&fill).bind(rows).execute(&pool).await?;
        pool.execute("ANALYZE bench_feature_state").await?;
        let mut plain = Self { pool, source: 0, copies: 0 };
        // Once without counting, as with clones.
        plain.run().await?;
        Ok(Some(plain))
    }

    /// Copies the rows once. The seconds until they are on disk.
    pub async fn run(&mut self) -> Result<f64, CliError> {
        self.copies += 1;
        let copy = format!(
            "INSERT INTO bench_feature_state (environment, {COLUMNS})
            SELECT $1, {COLUMNS} FROM bench_feature_state WHERE environment = $2 ORDER BY feature, identity, segment"
        );
        let started = Instant::now();
        sqlx::query(&copy).bind(self.copies).bind(self.source).execute(&self.pool).await?;
        Ok(started.elapsed().as_secs_f64())
    }

    /// Drops the table.
    pub async fn finish(self) -> Result<(), CliError> {
        self.pool.execute("DROP TABLE bench_feature_state").await?;
        self.pool.close().await;
        Ok(())
    }
}
