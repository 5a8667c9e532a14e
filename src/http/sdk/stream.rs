//! `/sse/environments/{key}/stream`: tells of changes of an environment as they happen, as Flagsmith's real-time service does.

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::response::Response;
use axum::response::sse::Event;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answered;
use super::shapes::SdkProblems;
use crate::flags::Tag;
use crate::http::change_stream::{last_event_id, open, place};
use crate::http::lean::{Endpoint, Lean};

pub(super) fn routes() -> OpenApiRouter<Arc<Lean>> {
    OpenApiRouter::new().routes(routes!(stream))
}

/// Follow an environment
///
/// Server-sent events `environment_updated` with `{"updated_at": seconds since 1970}`: at once, and whenever what the
/// environment serves has changed. With `Last-Event-ID` only what that reader does not know. A comment comes every 15 s.
#[utoipa::path(
    get, path = "/sse/environments/{key}/stream", tag = "flags", security(()),
    params(
        ("key" = String, Path, description = "The client key of the environment"),
        ("Last-Event-ID" = Option<u64>, Header, description = "The id of the last event that the caller had"),
    ),
    responses((status = 200, description = "The stream", content_type = "text/event-stream"), SdkProblems)
)]
async fn stream(State(lean): State<Arc<Lean>>, Path(key): Path<String>, request: Request) -> Response {
    lean.answer(Endpoint::Stream, request, async |asked, _| {
        let opened = async {
            let permit = place(&lean.streams)?;
            let subscription = lean.flags.subscribe(&key).await?;
            Ok(open(&lean, permit, subscription, last_event_id(&asked.0.headers), environment_updated))
        };
        answered(opened.await)
    })
    .await
}

fn environment_updated(tag: Tag) -> Event {
    let data = format!("{{\"updated_at\":{}}}", tag.seconds());
    Event::default().event("environment_updated").id(tag.position.to_string()).data(data)
}
