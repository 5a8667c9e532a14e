//! `/ofrep/v1/changes`: tells of changes of an environment, so that clients ask for their flags again.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::sse::Event;
use axum::response::{IntoResponse, Response};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::shapes::OfrepProblems;
use super::stream_tokens::InvalidToken;
use crate::clock;
use crate::flags::Tag;
use crate::http::change_stream::{last_event_id, open, place};
use crate::http::lean::{Asked, Endpoint, Lean};
use crate::http::problem::Problem;

/// Where the stream is.
pub(super) const STREAM_PATH: &str = "/ofrep/v1/changes";

pub(super) fn routes() -> OpenApiRouter<Arc<Lean>> {
    OpenApiRouter::new().routes(routes!(changes))
}

/// Follow an environment
///
/// The address is in `eventStreams` of each answer with all flags; its token opens this stream and nothing else, and for
/// some minutes only. Server-sent events `refetchEvaluation`: at once, and whenever what the environment serves has changed.
/// With `Last-Event-ID` only what that reader does not know. A comment comes every 15 s.
#[utoipa::path(
    get, path = "/ofrep/v1/changes", tag = "OFREP", security(()),
    params(
        ("token" = String, Query, description = "The token of the address"),
        ("Last-Event-ID" = Option<u64>, Header, description = "The id of the last event that the caller had"),
    ),
    responses((status = 200, description = "The stream", content_type = "text/event-stream"), OfrepProblems)
)]
async fn changes(State(lean): State<Arc<Lean>>, request: Request) -> Response {
    lean.answer(Endpoint::Stream, request, async |asked, _| {
        follow(&lean, &asked).await.unwrap_or_else(IntoResponse::into_response)
    })
    .await
}

async fn follow(lean: &Lean, asked: &Asked) -> Result<Response, Problem> {
    let token = asked.parameter("token").unwrap_or_default();
    let environment = match lean.tokens.verify(&token, clock::now()) {
        Ok(environment) => environment,
        Err(InvalidToken) => {
            return Err(Problem::Forbidden("The token of this address has expired, or is none.".into()));
        }
    };
    let permit = place(&lean.streams)?;
    let subscription = lean.flags.subscribe_to(environment).await?;
    Ok(open(lean, permit, subscription, last_event_id(&asked.0.headers), refetch_evaluation))
}

fn refetch_evaluation(tag: Tag) -> Event {
    let data = format!(
        "{{\"type\":\"refetchEvaluation\",\"etag\":\"\\\"{}\\\"\",\"lastModified\":{}}}",
        tag.position,
        tag.updated_at.as_second()
    );
    Event::default().id(tag.position.to_string()).data(data)
}
