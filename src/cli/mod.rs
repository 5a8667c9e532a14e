//! The command line: reads what is asked for and hands it to the file of that name.

mod api_client;
mod backup;
mod bench;
mod demo;
mod import;
mod migrate_store;
mod projections;
mod sample_project;
mod serve;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::telemetry::{LogFormat, start_logging};

/// Event-sourced feature flags, with environment clones that nobody has to wait for.
#[derive(Debug, Parser)]
#[command(name = "offshoot", version)]
pub struct Cli {
    /// How log lines are written. What is logged is set by `OFFSHOOT_LOG`, as in `info,offshoot=debug`.
    #[arg(long, env = "OFFSHOOT_LOG_FORMAT", value_enum, default_value_t, global = true)]
    log_format: LogFormat,

    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server.
    Serve(crate::config::ServerConfig),
    /// Bring in a project from elsewhere. The server must not be running on the same data.
    #[command(subcommand)]
    Import(import::ImportCommand),
    /// Show the whole story in a fresh directory: a big project, an asynchronous clone, its progress, its audit lines.
    Demo(demo::DemoConfig),
    /// Measure.
    #[command(subcommand)]
    Bench(bench::BenchCommand),
    /// Copy the event log to another store, as it is. No node may be working with it.
    MigrateStore(migrate_store::MigrateStoreConfig),
    /// Write the event log to a file, as it is now, while nodes work with it.
    Backup(backup::BackupConfig),
    /// Bring the event log back from such a file, into an empty store. Read models are built from it at the next start.
    Restore(backup::RestoreConfig),
    /// Look at the read models, or build them anew.
    Projections(projections::ProjectionsConfig),
}

/// Why a command of the command line failed: said in one line.
pub type CliError = Box<dyn std::error::Error + Send + Sync>;

/// Runs what the command line asks for.
#[must_use]
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    // What other commands print is for people; a log between the lines would only be in the way.
    let level = if matches!(cli.command, Command::Serve(_)) { "info" } else { "error" };
    // What the clients of KurrentDB and PostgreSQL say of their troubles is said, once, by the log that uses them.
    if let Err(error) = start_logging(cli.log_format, &format!("{level},eventstore=off,sqlx=off")) {
        return fail(&error);
    }
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error),
    };
    let result = runtime.block_on(async {
        match cli.command {
            Command::Serve(config) => serve::run(config).await,
            Command::Import(command) => import::run(command).await,
            Command::Demo(config) => demo::run(config).await,
            Command::Bench(command) => bench::run(command).await,
            Command::MigrateStore(config) => migrate_store::run(config).await,
            Command::Backup(config) => backup::run_backup(config).await,
            Command::Restore(config) => backup::run_restore(config).await,
            Command::Projections(config) => projections::run(config).await,
        }
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(error.as_ref()),
    }
}

#[allow(clippy::print_stderr, reason = "the one place where a command says why it failed")]
fn fail(error: &dyn std::error::Error) -> ExitCode {
    eprintln!("offshoot: {error}");
    ExitCode::FAILURE
}
