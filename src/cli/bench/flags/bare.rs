//! The limit that serving is compared with: a handler that answers always the same bytes, on the same libraries.

use std::path::PathBuf;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use clap::Args;
use tokio::net::TcpListener;

use super::super::CliError;

/// What to answer.
#[derive(Debug, Args)]
pub struct BareConfig {
    /// The file with the answer's body.
    body: PathBuf,
}

/// Answers until it is killed. The first line that it prints is its address.
#[allow(clippy::print_stdout, reason = "whoever started it reads the address")]
pub async fn serve_bare(config: BareConfig) -> Result<(), CliError> {
    let body = Bytes::from(std::fs::read(&config.body)?);
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    println!("{}", listener.local_addr()?);
    let router = Router::new().route("/", any(answer)).with_state(body);
    axum::serve(listener, router).await?;
    Ok(())
}

async fn answer(State(body): State<Bytes>) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
}
