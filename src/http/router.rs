//! Puts the door together: which request goes where, and what every request passes on its way.

use std::any::Any;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, HttpBody};
use axum::extract::{DefaultBodyLimit, OriginalUri, Request};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, options};
use futures_util::{Stream, StreamExt};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::cors::{AllowHeaders, AllowMethods, Any as Anyone, CorsLayer};
use utoipa::openapi::path::PathItem;
use utoipa::openapi::{OpenApi, Paths};
use utoipa_axum::router::OpenApiRouter;

use super::answer::OFFSHOOT_POSITION;
use super::envelope::{AllowedMethods, FLAGSMITH_VERSION, envelope};
use super::freshness::OFFSHOOT_AGE;
use super::idempotency::IDEMPOTENCY_REPLAYED;
use super::lean::{preflight, wrong_method};
use super::openapi;
use super::operational::{self, Operational};
use super::problem::Problem;
use super::request_context::REQUEST_ID;
use crate::limits::{BODY_BYTES_MAX, BODY_DISCARD_BYTES_MAX};

/// What the paths of all resources begin with.
pub const BASE_PATH: &str = "/api/v1";

/// How long a browser may remember that it may ask.
const PREFLIGHT_LIFE: Duration = Duration::from_secs(24 * 60 * 60);

/// The whole door. The resources' paths are relative to [`BASE_PATH`], begin and end with a slash (`/projects/{id}/`), and
/// have their state, and authentication and [`idempotency`](super::idempotency) around them already. The paths of `flags`
/// are whole; nothing is put around them. `pages` are for people: all of the door is around them but authentication.
///
/// Serve it with `into_make_service_with_connect_info::<SocketAddr>()`, so that remote addresses are known.
///
/// # Errors
/// The description of the API cannot be written as JSON.
pub fn assemble(
    resources: OpenApiRouter,
    operational: Operational,
    flags: OpenApiRouter,
    pages: Router,
) -> Result<Router, serde_json::Error> {
    let (routes, mut description) = OpenApiRouter::with_openapi(openapi::description())
        .nest(BASE_PATH, resources)
        .merge(operational::routes(operational))
        .split_for_parts();
    let (flag_routes, flag_description) = flags.split_for_parts();
    let flag_routes = with_preflights(flag_routes, &flag_description.paths);
    description.merge(flag_description);
    openapi::name_operations(&mut description);
    let allowed = allowed_methods(&description);
    let router = with_slashless_paths(routes, &description.paths)
        .merge(openapi::routes(&description)?)
        .merge(pages)
        .route(openapi::PAGE_PATH.trim_end_matches('/'), get(add_slash))
        .fallback(|| async { Problem::no_such_path() })
        .method_not_allowed_fallback(|method: Method| async { Problem::MethodNotAllowed(method) });
    // The last layer is the outermost.
    Ok(router
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(from_fn(refuse_big_bodies))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(cors())
        .layer(from_fn_with_state(allowed, envelope))
        .merge(flag_routes))
}

/// The routes of those who ask for flags, which answer browsers and wrong methods by themselves.
fn with_preflights(router: Router, paths: &Paths) -> Router {
    let with_preflight = |router: Router, path: &String| router.route(path, options(preflight));
    paths.paths.keys().fold(router, with_preflight).method_not_allowed_fallback(wrong_method)
}

/// What `Allow` says of each path, in Flagsmith's order.
fn allowed_methods(description: &OpenApi) -> AllowedMethods {
    let allowed = |item: &PathItem| {
        let methods = [
            (item.get.is_some(), "GET"),
            (item.post.is_some(), "POST"),
            (item.put.is_some(), "PUT"),
            (item.patch.is_some(), "PATCH"),
            (item.delete.is_some(), "DELETE"),
            (item.get.is_some(), "HEAD"),
            (true, "OPTIONS"),
        ];
        let known: Vec<&str> =
            methods.into_iter().filter_map(|(is_known, method)| is_known.then_some(method)).collect();
        HeaderValue::try_from(known.join(", ")).ok()
    };
    let paths = description.paths.paths.iter();
    Arc::new(paths.filter_map(|(path, item)| Some((path.clone(), allowed(item)?))).collect::<BTreeMap<_, _>>())
}

/// Who forgets the slash at the end of a path is sent there if nothing is lost on the way, and told otherwise.
fn with_slashless_paths(router: Router, paths: &Paths) -> Router {
    let slashless = paths.paths.keys().filter_map(|path| path.strip_suffix('/'));
    let missing = slashless.filter(|path| !path.is_empty() && !paths.paths.contains_key(*path));
    missing.fold(router, |router, path| router.route(path, get(add_slash).fallback(slash_is_missing)))
}

async fn add_slash(OriginalUri(uri): OriginalUri) -> Response {
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    // The path is one of ours, so it does not begin with the two slashes that would lead to another host.
    let target = format!("{}/{query}", uri.path());
    (StatusCode::MOVED_PERMANENTLY, [(header::LOCATION, target)]).into_response()
}

async fn slash_is_missing(OriginalUri(uri): OriginalUri) -> Problem {
    Problem::NotFound(format!("Not found. Paths end with a slash: {}/", uri.path()).into())
}

/// Refuses a body that says that it is too big before anything is done with the request. One that does not say it is cut
/// off by [`DefaultBodyLimit`] as it is read.
async fn refuse_big_bodies(request: Request, next: Next) -> Response {
    let size = request.body().size_hint().lower();
    if usize::try_from(size).is_ok_and(|size| size <= BODY_BYTES_MAX) {
        return next.run(request).await;
    }
    discard(request.into_body().into_data_stream()).await;
    Problem::BodyTooLarge { max: BODY_BYTES_MAX }.into_response()
}

/// Reads what is still to come, within reason: a sender that is cut off in the middle never reads the answer.
pub(super) async fn discard<E>(mut body: impl Stream<Item = Result<axum::body::Bytes, E>> + Unpin) {
    let mut read = 0;
    while let Some(Ok(bytes)) = body.next().await {
        read += bytes.len();
        if read > BODY_DISCARD_BYTES_MAX {
            return;
        }
    }
}

#[allow(clippy::needless_pass_by_value, reason = "the layer asks for it")]
fn panicked(panic: Box<dyn Any + Send>) -> Response<Body> {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    Problem::internal(format!("panic: {}", text.unwrap_or("without a text"))).into_response()
}

/// Any web page may ask; what it may do depends on the key it has.
pub(super) fn cors() -> CorsLayer {
    let exposed = [
        header::ETAG,
        header::LOCATION,
        header::RETRY_AFTER,
        OFFSHOOT_POSITION,
        OFFSHOOT_AGE,
        REQUEST_ID,
        IDEMPOTENCY_REPLAYED,
        FLAGSMITH_VERSION.0,
    ];
    CorsLayer::new()
        .allow_origin(Anyone)
        .allow_methods(AllowMethods::list([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE]))
        // Not `*`, which does not cover `Authorization`.
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers(exposed)
        .max_age(PREFLIGHT_LIFE)
        // Every answer says it all the same.
        .vary([])
}
