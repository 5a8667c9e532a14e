//! `offshoot serve`: runs the server until it is told to stop.

use tokio::signal::unix::{SignalKind, signal};

use super::CliError;
use crate::config::ServerConfig;
use crate::server::Server;

/// Serves until SIGTERM or SIGINT, then finishes what is in hand.
#[allow(clippy::print_stdout, reason = "the new key is shown here and nowhere else, not even in the log")]
pub async fn run(config: ServerConfig) -> Result<(), CliError> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let (server, new_key) = Server::start(&config).await?;
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
