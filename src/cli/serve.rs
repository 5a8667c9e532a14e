//! `offshoot serve`: runs the server until it is told to stop.

use tokio::signal::unix::{SignalKind, signal};

use super::CliError;
use crate::config::ServerConfig;
use crate::server::Server;
use crate::starting::Starting;

/// Serves until SIGTERM or SIGINT, then finishes what is in hand.
#[allow(clippy::print_stdout, reason = "the new key is shown here and nowhere else, not even in the log")]
pub async fn run(config: ServerConfig) -> Result<(), CliError> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let starting = Starting::begin(&config).await?;
    let opened = tokio::select! {
        opened = starting.open_log() => opened?,
        _ = terminate.recv() => return given_up("told to terminate"),
        _ = interrupt.recv() => return given_up("interrupted"),
    };
    let (server, new_key) = Server::serve(starting, opened).await?;
    if let Some(key) = new_key.filter(|_| config.admin_key.is_none()) {
        println!("The store was empty. Its organisation admin has this API key, shown only now: {key}");
    }
    tracing::info!(address = %server.address(), data = %config.data.data_dir.display(), "serving");
    tokio::select! {
        _ = terminate.recv() => tracing::info!("told to terminate"),
        _ = interrupt.recv() => tracing::info!("interrupted"),
    }
    server.stop().await;
    tracing::info!("stopped");
    Ok(())
}

/// The start is given up while it waits for the store: nothing has begun that could be finished.
#[allow(clippy::unnecessary_wraps, reason = "what the command returns")]
fn given_up(why: &'static str) -> Result<(), CliError> {
    tracing::info!("{why}");
    tracing::info!("stopped");
    Ok(())
}
