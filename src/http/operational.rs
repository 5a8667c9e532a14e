//! What operators and orchestrators ask: is it alive, is it ready, which version is it, and its metrics.

use std::sync::Arc;

use async_trait::async_trait;
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use metrics_exporter_prometheus::PrometheusHandle;
use serde_json::{Map, Value, json};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body::Query;
use super::kinds;

/// Finds out whether what the server stands on works.
#[async_trait]
pub trait HealthCheck: Send + Sync + 'static {
    /// The state of each part, by a name that never changes. Answers within seconds, whatever happens.
    async fn check(&self) -> Vec<PartHealth>;
}

/// Whether one part works.
#[derive(Clone, Debug)]
pub struct PartHealth {
    /// Its name, as Flagsmith names such parts: `DatabaseBackend`, `MigrationsHealthCheck`.
    pub name: &'static str,
    /// Why it does not work, if it does not; for operators.
    pub state: Result<(), String>,
}

/// What these pages show.
#[derive(Clone)]
pub struct Operational {
    /// Finds out what works.
    pub health: Arc<dyn HealthCheck>,
    /// The recorded metrics.
    pub metrics: PrometheusHandle,
}

/// The routes; nobody has to say who they are.
pub(super) fn routes(operational: Operational) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(health))
        .routes(routes!(health_with_slash))
        .routes(routes!(readiness))
        .routes(routes!(liveness))
        .routes(routes!(version))
        .routes(routes!(metrics_page))
        .with_state(operational)
}

/// Whether the server can do its work
///
/// An HTML page, or JSON with `Accept: application/json` or `?format=json`.
#[utoipa::path(
    get, path = "/health", tag = "operational", security(()), params(("format" = Option<String>, Query)),
    responses((status = 200, description = "Everything works"), (status = 500, description = "Something does not"))
)]
async fn health(state: State<Operational>, headers: HeaderMap, query: Query) -> Response {
    readiness(state, headers, query).await
}

/// Whether the server can do its work
#[utoipa::path(
    get, path = "/health/", tag = "operational", security(()), params(("format" = Option<String>, Query)),
    responses((status = 200, description = "Everything works"), (status = 500, description = "Something does not"))
)]
async fn health_with_slash(state: State<Operational>, headers: HeaderMap, query: Query) -> Response {
    readiness(state, headers, query).await
}

/// Whether the server can do its work
#[utoipa::path(
    get, path = "/health/readiness/", tag = "operational", security(()), params(("format" = Option<String>, Query)),
    responses((status = 200, description = "Everything works"), (status = 500, description = "Something does not"))
)]
async fn readiness(State(operational): State<Operational>, headers: HeaderMap, Query(mut query): Query) -> Response {
    let parts = operational.health.check().await;
    let works = parts.iter().all(|part| part.state.is_ok());
    let status = if works { StatusCode::OK } else { StatusCode::INTERNAL_SERVER_ERROR };
    let accepts_json = headers
        .get(header::ACCEPT)
        .is_some_and(|accept| accept.to_str().is_ok_and(|accept| accept.contains("application/json")));
    let is_json = accepts_json || query.optional("format", kinds::text(16)).as_deref() == Some("json");
    let states = parts.iter().map(|part| (part.name, state_text(part)));
    if is_json {
        let states: Map<String, Value> = states.map(|(name, state)| (name.to_owned(), state.into())).collect();
        (status, Json(states)).into_response()
    } else {
        (status, Html(table(states))).into_response()
    }
}

fn state_text(part: &PartHealth) -> String {
    part.state.as_ref().map_or_else(|detail| format!("unavailable: {detail}"), |()| "working".to_owned())
}

fn table(states: impl Iterator<Item = (&'static str, String)>) -> String {
    let rows: String =
        states.map(|(name, state)| format!("<tr><td>{name}</td><td>{}</td></tr>\n", escape(&state))).collect();
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Offshoot: health</title></head>\n\
         <body><table>\n<tr><th>Service</th><th>Status</th></tr>\n{rows}</table></body></html>\n"
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Whether the server runs
#[utoipa::path(
    get, path = "/health/liveness/", tag = "operational", security(()),
    responses((status = 200, description = "It runs"))
)]
pub(super) async fn liveness() -> Response {
    Json(json!({ "status": "ok" })).into_response()
}

/// Which version this is
#[utoipa::path(
    get, path = "/version/", tag = "operational", security(()),
    responses((status = 200, description = "The version, with Flagsmith's members"))
)]
pub(super) async fn version() -> Response {
    let version = env!("CARGO_PKG_VERSION");
    let body = json!({
        "ci_commit_sha": option_env!("OFFSHOOT_COMMIT").unwrap_or("unknown"),
        "image_tag": version,
        "has_email_provider": false,
        "is_enterprise": false,
        "is_saas": false,
        "self_hosted_data": { "has_users": true, "has_logins": false },
        "package_versions": { ".": version },
    });
    Json(body).into_response()
}

/// Metrics for Prometheus
#[utoipa::path(
    get, path = "/metrics", tag = "operational", security(()),
    responses((status = 200, description = "Metrics in Prometheus' text format", content_type = "text/plain"))
)]
async fn metrics_page(State(operational): State<Operational>) -> Response {
    const TEXT_FORMAT: (HeaderName, HeaderValue) =
        (header::CONTENT_TYPE, HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8"));
    ([TEXT_FORMAT], operational.metrics.render()).into_response()
}
