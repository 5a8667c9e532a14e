//! Serves the door on a socket until it is told to stop.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use axum::extract::Request;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::serve::ListenerExt as _;
use axum::{Router, ServiceExt};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::detached::detached;
use super::freshness::tell_freshness;
use super::gate::Gate;
use super::health::StoreHealth;
use super::idempotency::{StoredAnswers, replay};
use super::lean::Lean;
use super::ofrep::{self, StreamTokens};
use super::operational::Operational;
use super::resources;
use super::router::assemble;
use super::sdk;
use super::session::authenticate;
use super::state::AppState;
use crate::limits::SHUTDOWN_WAIT;
use crate::telemetry::{TelemetryError, keep_metrics, metrics_handle};

/// Why the door cannot be put together.
#[derive(Debug, thiserror::Error)]
pub enum DoorError {
    /// The stored answers cannot be opened.
    #[error("the stored answers cannot be opened: {0}")]
    Answers(#[from] rusqlite::Error),
    /// The metrics cannot be recorded.
    #[error(transparent)]
    Telemetry(#[from] TelemetryError),
    /// The description of the API cannot be written.
    #[error("the description of the API cannot be written: {0}")]
    Description(#[from] serde_json::Error),
}

/// The whole door over a node's commands and read models, with pages for people beside the API. Answers to repeatable
/// requests are kept in the directory.
///
/// # Errors
/// [`DoorError`].
pub fn door(state: AppState, tokens: StreamTokens, data_dir: &Path, pages: Router) -> Result<Router, DoorError> {
    let answers = StoredAnswers::open(&data_dir.join("answers.sqlite"))?;
    let metrics = metrics_handle()?;
    tokio::spawn(keep_metrics(metrics.clone()));
    let lean = Lean::new(state.flags.clone(), tokens, state.shutdown.clone());
    let health = Arc::new(StoreHealth::new(state.clone()));
    // The last layer is the outermost.
    let resources = resources::routes()
        .layer(from_fn_with_state(answers, replay))
        .layer(from_fn(detached))
        .layer(from_fn_with_state(state.clone(), tell_freshness))
        .layer(from_fn_with_state(state.clone(), authenticate))
        .with_state(state);
    let flags = sdk::routes().merge(ofrep::routes()).with_state(lean);
    Ok(assemble(resources, Operational { health, metrics }, flags, pages)?)
}

/// Serves what is behind a gate. After `shutdown` no connection is accepted any more; requests in hand are finished.
pub async fn serve(listener: TcpListener, gate: Gate, shutdown: CancellationToken) {
    let service = ServiceExt::<Request>::into_make_service_with_connect_info::<SocketAddr>(gate);
    let stopping = shutdown.clone();
    // An answer that fills several packets does not wait for the first to be acknowledged.
    let listener = listener.tap_io(|stream| {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection keeps packets back");
        }
    });
    let serving = axum::serve(listener, service).with_graceful_shutdown(async move { stopping.cancelled().await });
    let serving = tokio::spawn(serving.into_future());
    shutdown.cancelled().await;
    match tokio::time::timeout(SHUTDOWN_WAIT, serving).await {
        Ok(Ok(Ok(()))) => {}
        Ok(Ok(Err(error))) => tracing::error!(%error, "the HTTP door broke off"),
        Ok(Err(error)) => tracing::error!(%error, "the HTTP door broke off"),
        Err(_) => tracing::warn!("requests that did not end in time are given up"),
    }
}
