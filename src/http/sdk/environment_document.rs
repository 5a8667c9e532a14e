//! `/environment-document/`: all that a server needs which evaluates flags by itself.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::shapes::SdkProblems;
use super::{access, add_updated_at, answered, etag, key_missing};
use crate::clock;
use crate::flags::{Audience, http_date};
use crate::http::conditional::{has_etag, has_version_of, last_modified, not_modified, tag};
use crate::http::lean::{Asked, Endpoint, Lean, json_bytes};
use crate::http::problem::Problem;

pub(super) fn routes() -> OpenApiRouter<Arc<Lean>> {
    OpenApiRouter::new().routes(routes!(environment_document))
}

/// See the document of an environment
///
/// Features, segments, overrides: what Flagsmith's SDKs evaluate by themselves. Only for server keys. It comes as one page,
/// however big it is.
#[utoipa::path(
    get, path = "/api/v1/environment-document/", tag = "flags", security(("environment_key" = [])),
    params(
        ("X-Environment-Key" = String, Header, description = "A server key of the environment"),
        ("If-None-Match" = Option<String>, Header, description = "The ETag of an answer that the caller has"),
        ("If-Modified-Since" = Option<String>, Header, description = "The Last-Modified of an answer that the caller has"),
    ),
    responses(
        (status = 200, description = "The document", body = serde_json::Value),
        (status = 304, description = "The caller has the answer"),
        SdkProblems,
    )
)]
async fn environment_document(State(lean): State<Arc<Lean>>, request: Request) -> Response {
    lean.answer(Endpoint::Document, request, async |asked, _| answered(show(&lean, &asked).await)).await
}

async fn show(lean: &Lean, asked: &Asked) -> Result<Response, Problem> {
    let access = access(lean, asked).await?;
    if access.audience != Audience::Server {
        return Err(key_missing());
    }
    let (environment, etag) = (&access.environment, etag(&access));
    let updated_at = environment.tag.updated_at;
    if has_etag(&asked.0.headers, etag) || has_version_of(&asked.0.headers, updated_at) {
        return Ok(not_modified(etag));
    }
    let mut response = json_bytes(StatusCode::OK, environment.document());
    add_updated_at(&mut response, environment);
    tag(response.headers_mut(), etag);
    if let Ok(time) = HeaderValue::try_from(http_date(last_modified(updated_at, clock::now()))) {
        response.headers_mut().insert(header::LAST_MODIFIED, time);
    }
    Ok(response)
}
