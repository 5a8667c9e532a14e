//! `/ofrep/v1/evaluate/flags`: all flags at once.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use sha2::{Digest, Sha256};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::context::EvaluationRequest;
use super::refusal::Refusal;
use super::shapes::{EvaluationRequestBody, EvaluationsAnswerBody, OfrepProblems};
use super::stream::STREAM_PATH;
use super::{access, with_context};
use crate::clock;
use crate::flags::{Access, Audience};
use crate::http::conditional::{has_etag, not_modified, tag};
use crate::http::lean::{Asked, Endpoint, Lean, Unread, json_bytes};
use crate::http::request_context::base_url;
use crate::secrets::hex_digits;

pub(super) fn routes() -> OpenApiRouter<Arc<Lean>> {
    OpenApiRouter::new().routes(routes!(evaluations))
}

/// Seconds after which a client that nobody looks at may close its stream.
const INACTIVITY_SECONDS: u32 = 120;

/// Evaluate all flags
///
/// `ETag` depends on the environment's state and on the context: with `If-None-Match` the answer is 304 as long as neither
/// changed. It also changes every few minutes, when the address in `eventStreams` does, so that nobody keeps one that has
/// expired.
#[utoipa::path(
    post, path = "/ofrep/v1/evaluate/flags", tag = "OFREP",
    security(("environment_key" = []), ("ofrep_api_key" = []), ("ofrep_bearer" = [])),
    params(
        ("If-None-Match" = Option<String>, Header, description = "The ETag of an answer that the caller has"),
        ("flagConfigEtag" = Option<String>, Query, description = "What an event told; it makes no difference here"),
        ("flagConfigLastModified" = Option<String>, Query, description = "What an event told; it makes no difference here"),
    ),
    request_body = EvaluationRequestBody,
    responses(
        (status = 200, description = "The evaluations", body = EvaluationsAnswerBody),
        (status = 304, description = "The caller has the answer"),
        OfrepProblems,
    )
)]
async fn evaluations(State(lean): State<Arc<Lean>>, request: Request) -> Response {
    lean.answer(Endpoint::Evaluations, request, async |asked, unread| {
        evaluate(&lean, asked, unread).await.unwrap_or_else(|refusal| refusal.into_response(None))
    })
    .await
}

async fn evaluate(lean: &Lean, asked: Asked, unread: Unread) -> Result<Response, Refusal> {
    let access = access(lean, &asked).await?;
    let body = unread.read().await?;
    let request = EvaluationRequest::read(&body)?;
    let environment = &access.environment;
    let token = lean.tokens.issue(environment.head.environment.uuid, clock::now());
    let base_url = base_url(&asked.0.headers, &asked.0.uri);
    let etag = etag(&access, &body, &token, &base_url);
    if has_etag(&asked.0.headers, &etag) {
        return Ok(not_modified(&etag));
    }
    let mut out = b"{\"flags\":".to_vec();
    with_context(&access, &request, |context| environment.write_evaluations(&mut out, access.audience, context));
    out.extend_from_slice(b",\"eventStreams\":[{\"type\":\"sse\",\"url\":");
    // Writing into memory cannot fail.
    let _ = serde_json::to_writer(&mut out, &format!("{base_url}{STREAM_PATH}?token={token}"));
    let position = environment.tag.position;
    out.extend_from_slice(
        format!(",\"inactivityDelaySec\":{INACTIVITY_SECONDS}}}],\"metadata\":{{\"position\":{position}}}}}")
            .as_bytes(),
    );
    let mut response = json_bytes(StatusCode::OK, out.into());
    tag(response.headers_mut(), &etag);
    Ok(response)
}

/// The entity tag of an answer: all that it depends on. The context is compared by its bytes.
fn etag(access: &Access, body: &[u8], token: &str, base_url: &str) -> Bytes {
    let audience = if access.audience == Audience::Server { "server" } else { "client" };
    let mut hash = Sha256::new();
    for part in [audience.as_bytes(), token.as_bytes(), base_url.as_bytes(), body] {
        hash.update(part.len().to_be_bytes());
        hash.update(part);
    }
    let hash = hash.finalize();
    format!("\"{}-{}\"", access.environment.tag.position, hex_digits(&hash[..8])).into()
}
