//! `offshoot migrate-store`: copies the event log from one store to another.

use clap::Args;

use super::CliError;
use crate::config::Store;
use crate::event_log::{CopySide, copy_log};

/// From where to where.
#[derive(Debug, Args)]
pub struct MigrateStoreConfig {
    /// The store to copy from, as for `--store`. No node may be working with it.
    #[arg(long)]
    from: Store,

    /// The store to copy to: a file that does not exist yet, or an empty PostgreSQL database.
    #[arg(long)]
    to: Store,
}

/// Copies and compares.
#[allow(clippy::print_stdout, reason = "what was copied is what the command is run for")]
pub async fn run(config: MigrateStoreConfig) -> Result<(), CliError> {
    if let Store::Sqlite(path) = &config.from
        && !path.is_file()
    {
        // An empty log would be made of it.
        return Err(format!("there is no file {}", path.display()).into());
    }
    let (mut from, mut to) = (open_side(&config.from).await?, open_side(&config.to).await?);
    let copied = copy_log(&mut from, &mut to).await;
    from.close().await;
    to.close().await;
    let copied = copied?;
    println!(
        "Copied and compared: {} events up to position {}, {} commands that are remembered.",
        copied.events, copied.head, copied.commands
    );
    Ok(())
}

/// One side of a copy.
pub(super) async fn open_side(store: &Store) -> Result<CopySide, CliError> {
    Ok(match store {
        Store::Sqlite(path) => CopySide::sqlite(path)?,
        Store::Postgres(url) => CopySide::postgres(url).await?,
        Store::Kurrent(url) => CopySide::kurrentdb(url).await?,
    })
}
