//! `offshoot bench`: measures, and prints figures as minimum, median and maximum. Nothing here judges.

mod append;
mod child;
mod clone;
mod clone_over_http;
mod figures;
mod flags;
mod insert_select;
mod nodes;
mod process;
mod rebuild;
mod setup;
mod stock_persist;

use clap::Subcommand;

use super::CliError;

/// What to measure.
#[derive(Debug, Subcommand)]
pub enum BenchCommand {
    /// Clones: how long the call takes, and how long it is until the clone is complete and every read model shows it.
    Clone(clone::CloneBench),
    /// Commands of one event each, acknowledged on disk, per second.
    Append(append::AppendBench),
    /// Several nodes on one store: commands and reads per second, and how far the others are behind the one that writes.
    Nodes(nodes::NodesBench),
    /// Building all read models anew from the log.
    Rebuild(rebuild::RebuildBench),
    /// Starting on data that is there: until the server answers.
    Start(rebuild::StartBench),
    /// Serving flags, beside a bare handler that answers the same bytes from memory.
    Flags(flags::FlagsBench),
    /// The bare handler, for `flags`.
    #[command(hide = true)]
    BareHandler(flags::BareConfig),
}

/// Measures it.
pub async fn run(command: BenchCommand) -> Result<(), CliError> {
    match command {
        BenchCommand::Clone(config) => clone::run(config).await,
        BenchCommand::Append(config) => append::run(config).await,
        BenchCommand::Nodes(config) => nodes::run(config).await,
        BenchCommand::Rebuild(config) => rebuild::run(config).await,
        BenchCommand::Start(config) => rebuild::run_start(config).await,
        BenchCommand::Flags(config) => flags::run_flags(config).await,
        BenchCommand::BareHandler(config) => flags::serve_bare(config).await,
    }
}
