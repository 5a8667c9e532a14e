//! `/ofrep/v1/evaluate/flags/{key}`: one flag.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::context::EvaluationRequest;
use super::refusal::Refusal;
use super::shapes::{EvaluationBody, EvaluationRequestBody, OfrepProblems};
use super::{access, with_context};
use crate::http::body::Path;
use crate::http::lean::{Asked, Endpoint, Lean, Unread, json_bytes};

pub(super) fn routes() -> OpenApiRouter<Arc<Lean>> {
    OpenApiRouter::new().routes(routes!(evaluation))
}

/// Evaluate a flag
///
/// `targetingKey` is the identity, all other members of the context are its traits. A flag without a value of its own is a
/// switch: its value is whether it is on. While a flag with a value is off, the value is missing: the client's own default
/// counts. A text that is JSON of an object, a list or a fraction is answered as that.
#[utoipa::path(
    post, path = "/ofrep/v1/evaluate/flags/{key}", tag = "OFREP",
    security(("environment_key" = []), ("ofrep_api_key" = []), ("ofrep_bearer" = [])),
    params(("key" = String, Path, description = "The feature's name")),
    request_body = EvaluationRequestBody,
    responses((status = 200, description = "The evaluation", body = EvaluationBody), OfrepProblems)
)]
async fn evaluation(State(lean): State<Arc<Lean>>, Path(key): Path<String>, request: Request) -> Response {
    lean.answer(Endpoint::Evaluation, request, async |asked, unread| {
        evaluate(&lean, asked, unread, &key).await.unwrap_or_else(|refusal| refusal.into_response(Some(&key)))
    })
    .await
}

async fn evaluate(lean: &Lean, asked: Asked, unread: Unread, key: &str) -> Result<Response, Refusal> {
    let access = access(lean, &asked).await?;
    let body = unread.read().await?;
    let request = EvaluationRequest::read(&body)?;
    let evaluation =
        with_context(&access, &request, |context| access.environment.evaluation(access.audience, context, key));
    let evaluation = evaluation.ok_or_else(|| Refusal::flag_not_found(key))?;
    Ok(json_bytes(StatusCode::OK, evaluation))
}
