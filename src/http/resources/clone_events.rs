//! `/environments/{key}/clone/events/`: where a clone stands, again at every batch, as server-sent events.

use std::convert::Infallible;

use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::{Event as SentEvent, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use offshoot_aggregates::{Event, Position, RecordedEvent, StreamId, Version};
use offshoot_projections::environment_status::CloneStatus;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio_stream::wrappers::ReceiverStream;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::clones::{CloneStatusBody, find_clone};
use crate::http::body::Path;
use crate::http::change_stream::place;
use crate::http::openapi::CommonProblems;
use crate::http::problem::Problem;
use crate::http::session::Session;
use crate::http::state::AppState;
use crate::limits::{PAGE_EVENTS_MAX, POLL_INTERVAL, READ_YOUR_WRITES_WAIT, SSE_HEARTBEAT, SSE_QUEUE_MAX};
use crate::read_models::wait_for_serving;

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(events))
}

/// Follow a clone
///
/// Server-sent events: the body of the clone's status at once and at every batch, with the log position as `id`. With
/// `Last-Event-ID` it goes on after that position. A comment comes every 15 s. The stream ends once the clone is completed,
/// failed or cancelled; whoever comes back after that gets 204.
#[utoipa::path(
    get, path = "/environments/{key}/clone/events/", tag = "clones",
    params(
        ("key" = String, Path, description = "The client key of the clone"),
        ("Last-Event-ID" = Option<u64>, Header, description = "The log position up to which the caller knows"),
    ),
    responses(
        (status = 200, description = "The stream", content_type = "text/event-stream", body = CloneStatusBody),
        (status = 204, description = "There is nothing more to tell"),
        CommonProblems,
    )
)]
async fn events(session: Session, Path(key): Path<String>, headers: HeaderMap) -> Result<Response, Problem> {
    let (_, status) = find_clone(&session, &key).await?;
    let known = last_event_id(&headers)?;
    if known.is_some_and(|known| known >= status.position) && status.is_at_rest() {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let place = place(&session.state.clone_streams)?;
    let (sender, receiver) = mpsc::channel(SSE_QUEUE_MAX);
    let follower = Follower { state: session.state.clone(), sender, _place: place };
    tokio::spawn(follower.run(status, known));
    let keep_alive = KeepAlive::new().interval(SSE_HEARTBEAT).text("heartbeat");
    Ok(Sse::new(ReceiverStream::new(receiver)).keep_alive(keep_alive).into_response())
}

fn last_event_id(headers: &HeaderMap) -> Result<Option<Position>, Problem> {
    let Some(value) = headers.get("last-event-id") else { return Ok(None) };
    let position = value.to_str().ok().and_then(|digits| digits.trim().parse().ok()).map(Position);
    position.map(Some).ok_or_else(|| Problem::bad_request("Last-Event-ID is not a log position."))
}

/// Tells one reader of one clone.
struct Follower {
    state: AppState,
    sender: mpsc::Sender<Result<SentEvent, Infallible>>,
    _place: OwnedSemaphorePermit,
}

/// The reader is gone, the clone is at rest, or the server stops.
struct End;

impl Follower {
    async fn run(self, now: CloneStatus, known: Option<Position>) {
        let followed = match known {
            None => self.follow_from(now).await,
            Some(known) => match self.catch_up(&now, known).await {
                Ok(status) => self.follow(status).await,
                Err(End) => return,
            },
        };
        let Err(End) = followed;
    }

    async fn follow_from(&self, now: CloneStatus) -> Result<Infallible, End> {
        self.send(&now).await?;
        self.follow(now).await
    }

    /// Tells what happened after `known` up to `now`, as the log has it.
    async fn catch_up(&self, now: &CloneStatus, known: Position) -> Result<CloneStatus, End> {
        let stream = StreamId::environment(now.environment);
        let (mut status, mut version) = (None, Version::NONE);
        loop {
            let page = self.state.commands.log().read_stream(&stream, version, PAGE_EVENTS_MAX).await;
            let page =
                page.map_err(|error| tracing::error!(%error, "a clone's events cannot be read")).map_err(|()| End)?;
            let Some(last) = page.last() else { return status.ok_or(End) };
            version = last.version;
            for recorded in &page {
                status = self.tell(status, recorded, known).await?;
            }
        }
    }

    /// Tells what happens from now on.
    async fn follow(&self, mut status: CloneStatus) -> Result<Infallible, End> {
        let stream = StreamId::environment(status.environment);
        let (mut position, mut hint) = (status.position, self.state.feed.hint());
        while !status.is_at_rest() {
            let events = tokio::select! {
                () = self.state.shutdown.cancelled() => return Err(End),
                () = self.sender.closed() => return Err(End),
                events = self.state.feed.wait_after(position, &mut hint) => events,
            };
            let events = match events {
                Ok(events) => events,
                Err(error) => {
                    tracing::error!(%error, "a clone's events cannot be read");
                    tokio::time::sleep(POLL_INTERVAL).await;
                    continue;
                }
            };
            for recorded in events {
                position = recorded.position;
                if recorded.stream == stream {
                    let known = status.position;
                    status = self.tell(Some(status), &recorded, known).await?.ok_or(End)?;
                }
            }
        }
        Err(End)
    }

    /// Folds an event in, and tells the reader where the clone stands if the reader does not know yet.
    async fn tell(
        &self,
        before: Option<CloneStatus>,
        recorded: &RecordedEvent,
        known: Position,
    ) -> Result<Option<CloneStatus>, End> {
        let Ok(Event::Environment(event)) = recorded.event() else { return Ok(before) };
        let status = CloneStatus::after(before, recorded, event);
        if let Some(status) = &status
            && CloneStatus::concerns(event)
            && recorded.position > known
        {
            if status.is_at_rest() {
                // Whoever hears that it is over looks at once, and shall see it.
                let read_models = self.state.read_models.all();
                wait_for_serving(&read_models, recorded.position, READ_YOUR_WRITES_WAIT).await;
            }
            self.send(status).await?;
        }
        Ok(status)
    }

    async fn send(&self, status: &CloneStatus) -> Result<(), End> {
        let body = serde_json::to_string(&CloneStatusBody::from(status)).map_err(|_| End)?;
        let event = SentEvent::default().id(status.position.to_string()).data(body);
        self.sender.send(Ok(event)).await.map_err(|_| End)
    }
}
