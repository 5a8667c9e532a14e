//! The stream of a page that somebody looks at: its regions, rendered again whenever an event changed what they show.
//!
//! One stream for a page, however many clones it shows: browsers open only a few connections to one server. It tells what
//! the API's streams of clones tell, from the same events, as HTML; `modules/live.js` puts it in place.

use std::collections::HashMap;
use std::convert::Infallible;
use std::time::Duration;

use askama::Template;
use async_trait::async_trait;
use axum::response::sse::{Event as SentEvent, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use offshoot_aggregates::{Position, RecordedEvent};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};
use tokio_stream::wrappers::ReceiverStream;

use super::viewer::Viewer;
use crate::http::problem::Problem;
use crate::limits::{CONSOLE_LIVE_INTERVAL, POLL_INTERVAL, READ_YOUR_WRITES_WAIT, SSE_HEARTBEAT, SSE_QUEUE_MAX};
use crate::outage::Outage;
use crate::read_models::wait_for_serving;

/// A part of a page that changes while somebody looks: one element, with an id and the attribute `data-region`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Region {
    /// The id of its element.
    pub id: String,
    /// Its element.
    pub html: String,
    /// For a region that holds other regions: what of it is its own. It is sent only when that changes.
    pub shape: Option<String>,
}

impl Region {
    /// A region that is what a template makes of it.
    ///
    /// # Errors
    /// The template does not render.
    pub fn new(id: impl Into<String>, element: &impl Template) -> Result<Self, Problem> {
        let html = element.render().map_err(Problem::internal)?;
        Ok(Self { id: id.into(), html, shape: None })
    }

    /// A region that holds others, and those others, each with its id. What is its own besides is in `own`.
    ///
    /// # Errors
    /// A template does not render.
    pub fn list<T: Template>(
        id: &str,
        whole: &impl Template,
        own: &[&str],
        items: impl IntoIterator<Item = (String, T)>,
    ) -> Result<Vec<Self>, Problem> {
        let items = items.into_iter().map(|(id, item)| Self::new(id, &item)).collect::<Result<Vec<_>, _>>()?;
        let ids = items.iter().map(|item| item.id.as_str());
        let shape = own.iter().copied().chain(ids).collect::<Vec<_>>().join(" ");
        let whole = Self { shape: Some(shape), ..Self::new(id, whole)? };
        Ok(std::iter::once(whole).chain(items).collect())
    }
}

/// The regions of one page, for one viewer.
#[async_trait]
pub trait Regions: Send + Sync + 'static {
    /// Whether an event may change what they show.
    fn concerns(&self, event: &RecordedEvent) -> bool;

    /// How often they are rendered again whatever happens: for what changes without an event.
    fn interval(&self) -> Option<Duration> {
        None
    }

    /// All of them, as they are now; those that hold others first.
    ///
    /// # Errors
    /// 404 if what the page shows is gone, or anything else that the page could fail with.
    async fn render(&mut self) -> Result<Vec<Region>, Problem>;
}

/// The answer that streams the regions of a page.
pub fn follow(viewer: Viewer, regions: impl Regions) -> Response {
    let (sender, receiver) = mpsc::channel(SSE_QUEUE_MAX);
    let follower = Follower { viewer, regions, sender, sent: HashMap::new() };
    tokio::spawn(follower.run());
    let keep_alive = KeepAlive::new().interval(SSE_HEARTBEAT).text("heartbeat");
    Sse::new(ReceiverStream::new(receiver)).keep_alive(keep_alive).into_response()
}

/// Ends after an interval, if there is one.
async fn passed(interval: Option<Duration>) {
    match interval {
        Some(interval) => tokio::time::sleep(interval).await,
        None => std::future::pending().await,
    }
}

struct Follower<R> {
    viewer: Viewer,
    regions: R,
    sender: mpsc::Sender<Result<SentEvent, Infallible>>,
    /// What the page has of each region.
    sent: HashMap<String, String>,
}

/// The page is closed, its viewer may not see it any more, or the server stops.
struct End;

impl<R: Regions> Follower<R> {
    async fn run(mut self) {
        let state = self.viewer.session.state.clone();
        let mut hint = state.feed.hint();
        let mut position = *hint.borrow();
        let mut is_shown = false;
        let mut next = Instant::now();
        let mut outage = Outage::default();
        loop {
            if !is_shown {
                match self.show(position).await {
                    Ok(shown) => is_shown = shown,
                    Err(End) => return,
                }
                next = Instant::now() + CONSOLE_LIVE_INTERVAL;
            }
            let interval = self.regions.interval();
            let events = tokio::select! {
                () = state.shutdown.cancelled() => return,
                () = self.sender.closed() => return,
                () = passed(interval) => {
                    is_shown = false;
                    continue;
                }
                events = state.feed.gather_after(position, &mut hint, sleep_until(next)) => events,
            };
            match events {
                Ok(events) => {
                    outage.end();
                    position = events.last().map_or(position, |last| last.position);
                    is_shown &= !events.iter().any(|event| self.regions.concerns(event));
                }
                Err(error) => {
                    if outage.notice() {
                        tracing::error!(%error, "the events for a page cannot be read");
                    }
                    tokio::time::sleep(POLL_INTERVAL).await;
                }
            }
        }
    }

    /// Sends what changed. False if the read models were not that far, so that there is something to send yet.
    async fn show(&mut self, position: Position) -> Result<bool, End> {
        let read_models = self.viewer.session.state.read_models.all();
        let is_reached = wait_for_serving(&read_models, position, READ_YOUR_WRITES_WAIT).await;
        self.viewer.is_still_here().await.map_err(|_| End)?;
        match self.regions.render().await {
            Ok(regions) => self.send_changed(regions).await?,
            Err(Problem::NotFound(_)) => {
                // An event without data would not be dispatched.
                self.send(SentEvent::default().event("gone").data("gone")).await?;
                return Err(End);
            }
            Err(problem) => {
                tracing::warn!(?problem, "the regions of a page cannot be rendered");
                return Err(End);
            }
        }
        Ok(is_reached)
    }

    async fn send_changed(&mut self, regions: Vec<Region>) -> Result<(), End> {
        let mut changed = String::new();
        let mut is_inside = false;
        for Region { id, html, shape } in regions {
            let holds_others = shape.is_some();
            let known = shape.unwrap_or_else(|| html.clone());
            let is_same = self.sent.get(&id) == Some(&known);
            self.sent.insert(id, known);
            // What is in a region that is sent need not be sent again.
            if !is_same && !is_inside {
                changed.push_str(&html);
                is_inside = holds_others;
            }
        }
        if changed.is_empty() {
            return Ok(());
        }
        // A carriage return would end the line that it is in.
        self.send(SentEvent::default().event("regions").data(changed.replace('\r', ""))).await
    }

    async fn send(&self, event: SentEvent) -> Result<(), End> {
        self.sender.send(Ok(event)).await.map_err(|_| End)
    }
}
