//! `offshoot backup` and `offshoot restore`: the log of any store in one file, and back into any store.

use std::path::PathBuf;

use clap::Args;

use super::CliError;
use super::migrate_store::open_side;
use crate::config::{DataConfig, Store};
use crate::event_log::{Copied, back_up, back_up_file, restore};

/// What to back up, and where to.
#[derive(Debug, Args)]
pub struct BackupConfig {
    /// Where the log is. Nodes may be working with it.
    #[command(flatten)]
    data: DataConfig,

    /// The file to write; there must be none of this name.
    #[arg(long)]
    to: PathBuf,
}

/// What to bring back, and where to.
#[derive(Debug, Args)]
pub struct RestoreConfig {
    /// The backup.
    #[arg(long)]
    from: PathBuf,

    /// Where the log is to be: a store with nothing in it, with which no node is working.
    #[command(flatten)]
    data: DataConfig,
}

/// Writes a backup.
pub async fn run_backup(config: BackupConfig) -> Result<(), CliError> {
    let copied = match config.data.store() {
        Store::Sqlite(path) => back_up_file(&path, &config.to).await?,
        store => {
            let mut from = open_side(&store).await?;
            let copied = back_up(&mut from, &config.to).await;
            from.close().await;
            copied?
        }
    };
    say("Backed up", copied);
    Ok(())
}

/// Brings a backup back.
pub async fn run_restore(config: RestoreConfig) -> Result<(), CliError> {
    let store = config.data.store();
    if config.data.store.is_none() {
        std::fs::create_dir_all(&config.data.data_dir)?;
    }
    let mut to = open_side(&store).await?;
    let copied = restore(&config.from, &mut to).await;
    to.close().await;
    say("Brought back and compared", copied?);
    Ok(())
}

#[allow(clippy::print_stdout, reason = "what was copied is what the command is run for")]
fn say(done: &str, copied: Copied) {
    let Copied { events, commands, head } = copied;
    println!("{done}: {events} events up to position {head}, {commands} commands that are remembered.");
}
