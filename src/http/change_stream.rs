//! Streams of server-sent events: places for them, and those that tell of changes of an environment's flags, in whichever form.

use std::convert::Infallible;
use std::sync::Arc;

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use offshoot_aggregates::Position;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use super::lean::Lean;
use super::problem::Problem;
use crate::flags::{News, Subscription, Tag};
use crate::limits::SSE_HEARTBEAT;

/// Tells proxies not to hold events back.
const NO_BUFFERING: (HeaderName, HeaderValue) =
    (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));

struct Follower {
    subscription: Subscription,
    render: fn(Tag) -> Event,
    /// What the reader knows.
    known: Option<Position>,
    shutdown: CancellationToken,
    _permit: OwnedSemaphorePermit,
}

/// A place for one more stream.
///
/// # Errors
/// 503: there are too many.
pub fn place(places: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, Problem> {
    places.clone().try_acquire_owned().map_err(|_| {
        Problem::unavailable("There are too many streams on this node. Try again soon.", "all streams are taken")
    })
}

/// The position that the reader knows, from `Last-Event-ID`; one that is no position counts as none.
#[must_use]
pub fn last_event_id(headers: &HeaderMap) -> Option<Position> {
    let value = headers.get("last-event-id")?.to_str().ok()?;
    value.trim().parse().ok().map(Position)
}

/// Opens a stream. The state of the environment is told at once, unless the reader knows it, and again whenever it changes;
/// several changes that come at once are told as one. It ends when the environment is gone, or the server stops.
#[must_use]
pub fn open(
    lean: &Lean,
    permit: OwnedSemaphorePermit,
    subscription: Subscription,
    known: Option<Position>,
    render: fn(Tag) -> Event,
) -> Response {
    let follower = Follower { subscription, render, known, shutdown: lean.shutdown.clone(), _permit: permit };
    let events = stream::unfold(follower, |mut follower| async move {
        let event = follower.next().await?;
        Some((Ok::<_, Infallible>(event), follower))
    });
    let keep_alive = KeepAlive::new().interval(SSE_HEARTBEAT).text("heartbeat");
    let mut response = Sse::new(events).keep_alive(keep_alive).into_response();
    let (name, value) = NO_BUFFERING;
    response.headers_mut().insert(name, value);
    response
}

impl Follower {
    /// The next event; none at the end.
    async fn next(&mut self) -> Option<Event> {
        loop {
            let news = *self.subscription.news.borrow_and_update();
            match news {
                News::Gone => return None,
                News::Served(Some(tag)) if self.known.is_none_or(|known| known < tag.position) => {
                    self.known = Some(tag.position);
                    return Some((self.render)(tag));
                }
                News::Served(_) => {}
            }
            tokio::select! {
                () = self.shutdown.cancelled() => return None,
                changed = self.subscription.news.changed() => changed.ok()?,
            }
        }
    }
}
