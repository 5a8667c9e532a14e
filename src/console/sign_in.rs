//! Signing in with an API key, and signing out.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use offshoot_projections::access::StoredKey;
use tokio::task::spawn_blocking;

use super::assets;
use super::layout::{Theme, page_with};
use super::texts;
use super::viewer::safe_path;
use crate::clock;
use crate::http::AppState;
use crate::http::body::Query;
use crate::http::cookie_session::{ended, has_cookie, is_from_here};
use crate::http::fields::Fields;
use crate::http::kinds;
use crate::http::problem::Problem;
use crate::http::request_context::RequestContext;
use crate::http::session::{Credentials, admit};
use crate::limits::READ_YOUR_WRITES_WAIT;
use crate::read_models::wait_for_serving;
use crate::secrets::hash_api_key;

/// Characters that are read of a key; the longest that can be chosen has 200.
const KEY_CHARACTERS_MAX: usize = 255;

/// Characters that are read of a path to go on to.
const PATH_CHARACTERS_MAX: usize = 2_000;

pub(super) fn routes() -> Router<AppState> {
    Router::new().route("/sign-in", get(show).post(sign_in)).route("/sign-out", post(sign_out))
}

#[derive(Template)]
#[template(config = "src/console/askama.toml", path = "sign_in.html")]
struct SignInPage {
    theme: Theme,
    next: String,
    note: Option<&'static str>,
    error: Option<&'static str>,
}

async fn show(State(state): State<AppState>, headers: HeaderMap, Query(mut query): Query) -> Result<Response, Problem> {
    let next = read_next(&mut query);
    if let Some(session) = state.sessions.find(&headers, clock::now())
        && admit(&state, &Credentials::Session(session), None).await.is_ok()
    {
        return Ok(Redirect::to(&next).into_response());
    }
    let is_ended = has_cookie(&headers) || query.optional("ended", kinds::boolean()).unwrap_or(false);
    let note = is_ended.then_some(texts::sign_in::EXPIRED);
    page_with(StatusCode::OK, &SignInPage { theme: Theme::chosen(&headers), next, note, error: None })
}

fn read_next(fields: &mut Fields) -> String {
    let next = fields.optional("next", kinds::text(PATH_CHARACTERS_MAX)).unwrap_or_default();
    safe_path(&next).to_owned()
}

async fn sign_in(
    State(state): State<AppState>,
    context: RequestContext,
    headers: HeaderMap,
    mut fields: Fields,
) -> Result<Response, Problem> {
    if !is_from_here(&headers) {
        // Whoever is signed in by another site works in the name of somebody else.
        return Err(Problem::forbidden());
    }
    let next = read_next(&mut fields);
    let key = fields.optional("key", kinds::text(KEY_CHARACTERS_MAX)).unwrap_or_default();
    match admit_latest(&state, Credentials::Key(hash_api_key(key.trim()))).await {
        Ok(key) => go_with_cookie(&next, &state.sessions.begin(key.id, clock::now(), context.is_https())),
        Err(Problem::NotAuthenticated(_)) => {
            let error = Some(texts::sign_in::WRONG_KEY);
            let shown = SignInPage { theme: Theme::chosen(&headers), next, note: None, error };
            page_with(StatusCode::FORBIDDEN, &shown)
        }
        Err(problem) => Err(problem),
    }
}

/// The key that credentials stand for. One that is not known may only be younger than what the read model shows: issued a moment
/// ago, or on another node. So whoever would be refused waits for what the log has by now.
async fn admit_latest(state: &AppState, credentials: Credentials) -> Result<StoredKey, Problem> {
    let admitted = admit(state, &credentials, None).await;
    if !matches!(admitted, Err(Problem::NotAuthenticated(_))) {
        return admitted;
    }
    // While the store is away, what is known counts.
    let Ok(head) = state.commands.log().head().await else { return admitted };
    wait_for_serving(&[&state.read_models.access], head, READ_YOUR_WRITES_WAIT).await;
    admit(state, &credentials, None).await
}

async fn sign_out(
    State(state): State<AppState>,
    context: RequestContext,
    headers: HeaderMap,
    mut fields: Fields,
) -> Result<Response, Problem> {
    let token = fields.optional("csrf_token", kinds::text(KEY_CHARACTERS_MAX)).unwrap_or_default();
    if let Some(session) = state.sessions.find(&headers, clock::now()) {
        if !session.has_csrf_token(token.as_bytes()) {
            return Err(Problem::csrf_token_missing());
        }
        let ended = spawn_blocking(move || state.sessions.end(&session, clock::now())).await;
        ended.map_err(Problem::internal)?.map_err(Problem::internal)?;
    }
    go_with_cookie("/sign-in", &ended(context.is_https()))
}

fn go_with_cookie(path: &str, cookie: &str) -> Result<Response, Problem> {
    let cookie = HeaderValue::try_from(cookie).map_err(Problem::internal)?;
    let mut response = Redirect::to(path).into_response();
    response.headers_mut().insert(header::SET_COOKIE, cookie);
    Ok(response)
}
