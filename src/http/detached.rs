//! Lets requests that change something run to their end, also when their sender hangs up: a command that takes several
//! steps must not stop between two of them.

use axum::extract::Request;
use axum::http::Method;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tracing::Instrument;

use super::problem::Problem;

/// Runs the request in a task of its own, unless it only reads.
pub async fn detached(request: Request, next: Next) -> Response {
    if [Method::GET, Method::HEAD, Method::OPTIONS].contains(request.method()) {
        return next.run(request).await;
    }
    let running = tokio::spawn(next.run(request).in_current_span());
    running.await.unwrap_or_else(|error| Problem::internal(error).into_response())
}
