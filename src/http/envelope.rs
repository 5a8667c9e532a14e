//! What surrounds every request: its id, its span and line in the log, its metrics, and the headers of its answer.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tracing::Instrument;

use super::problem::{Inside, internal_error_body};
use super::request_context::{REQUEST_ID, RequestContext, request_id};

/// The version of Flagsmith whose API this is.
pub const FLAGSMITH_VERSION: (HeaderName, HeaderValue) =
    (HeaderName::from_static("flagsmith-version"), HeaderValue::from_static("2.265.0"));

const NO_CACHE: HeaderValue = HeaderValue::from_static("max-age=0, no-cache, no-store, must-revalidate, private");

/// The methods that each path knows, as in `Allow`.
pub type AllowedMethods = Arc<BTreeMap<String, HeaderValue>>;

/// The middleware around everything else.
pub async fn envelope(State(allowed): State<AllowedMethods>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let request_id = request_id(request.headers());
    let method = request.method().clone();
    let matched = request.extensions().get::<MatchedPath>().cloned();
    // The path as it came is told by the ids in it: it would be a new series of metrics each.
    let path = matched.as_ref().map_or("unmatched", MatchedPath::as_str).to_owned();
    let span = tracing::info_span!("http_request", %method, path, request_id);
    let answered = async {
        match RequestContext::read(request_id.clone(), &request) {
            Ok(context) => {
                request.extensions_mut().insert(context);
                next.run(request).await
            }
            Err(problem) => problem.into_response(),
        }
    };
    let response = answered.instrument(span.clone()).await;
    let _entered = span.enter();
    let mut response = tell_inside(response, &request_id);
    record(&method, path.clone(), response.status(), started);
    add_headers(response.headers_mut(), &request_id, allowed.get(&path));
    response
}

/// Writes to the log what the outside is not told, once, and tells the outside how to find it there.
fn tell_inside(mut response: Response, request_id: &str) -> Response {
    let Some(Inside(inside)) = response.extensions_mut().remove::<Inside>() else { return response };
    if response.status() != StatusCode::INTERNAL_SERVER_ERROR {
        tracing::warn!(status = response.status().as_u16(), "{inside}");
        return response;
    }
    tracing::error!("{inside}");
    let (mut parts, _) = response.into_parts();
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, internal_error_body(request_id).into_body())
}

fn record(method: &Method, path: String, status: StatusCode, started: Instant) {
    let latency = started.elapsed();
    // A method is any word: only the known ones become a series of metrics.
    let known = [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS];
    let method = known.iter().find(|known| *known == method).map_or("other", Method::as_str).to_owned();
    let labels = [("method", method), ("path", path), ("status", status.as_str().to_owned())];
    metrics::histogram!("offshoot_http_request_seconds", &labels).record(latency.as_secs_f64());
    let latency_ms = latency.as_secs_f64() * 1e3;
    tracing::info!(status = status.as_u16(), latency_ms, "answered");
}

fn add_headers(headers: &mut HeaderMap, request_id: &str, allow: Option<&HeaderValue>) {
    let (name, version) = FLAGSMITH_VERSION;
    headers.insert(name, version);
    headers.insert(header::VARY, HeaderValue::from_static("Accept, Origin"));
    headers.entry(header::CACHE_CONTROL).or_insert(NO_CACHE);
    if let Ok(request_id) = HeaderValue::from_str(request_id) {
        headers.insert(REQUEST_ID, request_id);
    }
    if let Some(allow) = allow {
        headers.insert(header::ALLOW, allow.clone());
    }
}
