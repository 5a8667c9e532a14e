//! Tells on every answer to a read how far the log was when it was true, and how old it may be.

use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::Response;

use super::answer::OFFSHOOT_POSITION;
use super::state::AppState;

/// For at most so many seconds the log may have had more than a read shows.
pub const OFFSHOOT_AGE: HeaderName = HeaderName::from_static("offshoot-age");

/// The middleware around everything that reads from the read models. What is shown is looked up first: an answer may show more
/// than it says, never less.
pub async fn tell_freshness(State(state): State<AppState>, request: Request, next: Next) -> Response {
    if ![Method::GET, Method::HEAD].contains(request.method()) {
        return next.run(request).await;
    }
    let shown = state.read_models.shown(state.commands.log().as_ref());
    let mut response = next.run(request).await;
    if response.status().is_success() {
        let headers = response.headers_mut();
        headers.entry(OFFSHOOT_POSITION).or_insert(HeaderValue::from(shown.position.0));
        let age = shown.age.and_then(|age| HeaderValue::try_from(format!("{:.3}", age.as_secs_f64())).ok());
        if let Some(age) = age {
            headers.insert(OFFSHOOT_AGE, age);
        }
    }
    response
}
