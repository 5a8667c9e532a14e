//! The web console: pages for people, rendered on the server, made live by small modules, and embedded in the binary.
//!
//! It is a door beside `http` and decides nothing. Pages are read from the read models, as the API's answers are; whatever
//! a page changes, it changes through the API under `/api/v1/`, with the same rules, in the name of the key that its user
//! signed in with (see [`cookie_session`](crate::http::cookie_session)). What somebody may not do is not offered.
//!
//! A page is a file here, a template in `templates/`, its texts in `texts/`, and a line in [`routes`]. What changes while
//! somebody looks is a *region* of the page: a template of its own, which `live` renders again and sends.

mod assets;
mod audit;
mod audit_lines;
mod audit_query;
mod clone_charts;
mod clone_metrics;
mod environment;
mod environments;
mod feature;
mod feature_query;
mod features;
mod gone;
mod layout;
mod live;
mod overview;
mod problem_page;
mod project;
mod shown;
mod sign_in;
mod states;
mod system;
mod texts;
mod viewer;

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderValue, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::Response;
use axum::routing::get;

use crate::http::AppState;

/// Nothing but what this server serves runs, is shown, or is asked; nothing is written into pages.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
     form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
);

/// The console. Its paths are whole and do not end with a slash.
pub fn routes(state: AppState) -> Router {
    // The last layer is the outermost.
    let pages = Router::new()
        .route("/", get(overview::show))
        .route("/live/overview", get(overview::live))
        .route("/projects/{id}", get(project::show))
        .route("/live/projects/{id}", get(project::live))
        .route("/environments/{key}", get(environment::show))
        .route("/live/environments/{key}", get(environment::live))
        .route("/environments/{key}/features", get(features::show))
        .route("/live/environments/{key}/features", get(features::live))
        .route("/environments/{key}/features/{id}", get(feature::show))
        .route("/live/environments/{key}/features/{id}", get(feature::live))
        .route("/audit", get(audit::show))
        .route("/live/audit", get(audit::live))
        .route("/audit/groups/{correlation}", get(audit::group))
        .route("/system", get(system::show))
        .route("/live/system", get(system::live))
        .route("/{*path}", get(problem_page::no_such_page))
        .layer(from_fn_with_state(state.clone(), problem_page::show_problems))
        .layer(from_fn_with_state(state.clone(), viewer::require_session));
    Router::new()
        .merge(pages)
        .merge(sign_in::routes())
        .merge(assets::routes())
        .layer(from_fn(add_headers))
        .with_state(state)
}

async fn add_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, POLICY);
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert("cross-origin-opener-policy", HeaderValue::from_static("same-origin"));
    response
}
