//! The tables of the log: made, and brought up to date, by numbered migrations, however many nodes start at once.

use std::borrow::Cow;

use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{Connection, Executor};

use super::PostgresUrl;
use super::connection::{connect, open_error};
use super::keys;
use crate::event_log::OpenError;

/// The schema that everything is in.
pub(super) const SCHEMA: &str = "offshoot";

/// Every migration, by number. One that was released is never changed. A migration leaves the tables so that nodes of the
/// version before can work with them, as long as nodes are being replaced one by one; if it cannot, it raises
/// `compatibility.schema_version`.
const MIGRATIONS: [(i64, &str, &str); 1] = [(1, "event log", include_str!("migrations/0001_event_log.sql"))];

/// The last of them.
const VERSION: i64 = MIGRATIONS[MIGRATIONS.len() - 1].0;

/// Makes the tables, or brings them up to date.
pub(super) async fn prepare(url: &PostgresUrl, options: &PgConnectOptions) -> Result<(), OpenError> {
    let needed = prepare_with(options).await.map_err(|error| open_error(url, options, &error))?;
    if needed > VERSION {
        return Err(OpenError::NewerServer { url: url.clone(), needed, known: VERSION });
    }
    Ok(())
}

/// Returns the version that a node must know to work with the tables.
async fn prepare_with(options: &PgConnectOptions) -> sqlx::Result<i64> {
    let mut connection = connect(options).await?;
    // A migration takes as long as it takes, and so do those who wait for it.
    connection.execute("SET statement_timeout = 0; SET lock_timeout = 0").await?;
    // The others wait until the first one is done; if it dies, the server lets go for it.
    sqlx::query("SELECT pg_advisory_lock($1)").bind(keys::SCHEMA).execute(&mut connection).await?;
    let needed = migrate(&mut connection).await?;
    // The session ends, and its lock with it, whether the farewell arrives or not.
    let _ = connection.close().await;
    Ok(needed)
}

async fn migrate(connection: &mut PgConnection) -> sqlx::Result<i64> {
    let exists: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1)")
        .bind(SCHEMA)
        .fetch_one(&mut *connection)
        .await?;
    if !exists {
        // Not `IF NOT EXISTS`: that needs the right to create one even where there is one.
        connection.execute(format!("CREATE SCHEMA {SCHEMA}").as_str()).await?;
    }
    let migrations = MIGRATIONS.map(|(version, description, sql)| {
        Migration::new(version, Cow::Borrowed(description), MigrationType::Simple, Cow::Borrowed(sql), false)
    });
    let migrator = Migrator {
        migrations: Cow::Owned(migrations.to_vec()),
        // Those of a later version, which may still be compatible.
        ignore_missing: true,
        ..Migrator::DEFAULT
    };
    migrator.run_direct(connection).await.map_err(|error| match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => error,
        error => error.into(),
    })?;
    sqlx::query_scalar("SELECT max(schema_version) FROM compatibility").fetch_one(connection).await
}
