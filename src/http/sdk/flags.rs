//! `/flags/`: all flags of an environment as they are for nobody in particular, or one of them.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::shapes::{FlagBody, SdkProblems};
use super::{access, add_updated_at, answered, etag};
use crate::http::conditional::{has_etag, not_modified, tag};
use crate::http::lean::{Asked, Endpoint, Lean, json_bytes};
use crate::http::problem::Problem;

pub(super) fn routes() -> OpenApiRouter<Arc<Lean>> {
    OpenApiRouter::new().routes(routes!(flags))
}

/// See the flags of an environment
///
/// As they are for nobody in particular: the defaults, and of multivariate features the control value. With `feature` only
/// the flag of that feature, not in a list. `ETag` is the environment's position in the event log: with `If-None-Match` the
/// answer is 304 as long as nothing changed.
#[utoipa::path(
    get, path = "/api/v1/flags/", tag = "flags", security(("environment_key" = [])),
    params(
        ("X-Environment-Key" = String, Header, description = "The client key or a server key of the environment"),
        ("feature" = Option<String>, Query, description = "A feature's name, in whatever case"),
        ("If-None-Match" = Option<String>, Header, description = "The ETag of an answer that the caller has"),
    ),
    responses(
        (status = 200, description = "The flags", body = Vec<FlagBody>),
        (status = 304, description = "The caller has the answer"),
        SdkProblems,
    )
)]
async fn flags(State(lean): State<Arc<Lean>>, request: Request) -> Response {
    lean.answer(Endpoint::Flags, request, async |asked, _| answered(show(&lean, &asked).await)).await
}

async fn show(lean: &Lean, asked: &Asked) -> Result<Response, Problem> {
    let access = access(lean, asked).await?;
    let environment = &access.environment;
    if let Some(name) = asked.parameter("feature") {
        let flag = environment.flag(access.audience, &name).ok_or_else(feature_not_found)?;
        return Ok(json_bytes(StatusCode::OK, flag));
    }
    let etag = etag(&access);
    if has_etag(&asked.0.headers, etag) {
        return Ok(not_modified(etag));
    }
    let mut response = json_bytes(StatusCode::OK, environment.flags(access.audience));
    add_updated_at(&mut response, environment);
    tag(response.headers_mut(), etag);
    Ok(response)
}

/// 404: no feature that the caller may see has this name.
pub(super) fn feature_not_found() -> Problem {
    Problem::NotFound("Given feature not found".into())
}
