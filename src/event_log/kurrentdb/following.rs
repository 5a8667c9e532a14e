//! Follows the log, so that readers wake as soon as there is something to read: told by the server, to which a task of its own
//! subscribes, and, as a subscription may fall silent, by looking.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use eventstore::{StreamPosition, SubscribeToAllOptions, Subscription, SubscriptionEvent};
use tokio::task::JoinHandle;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::instrument::WithSubscriber;

use super::client::addressed;
use super::endless_loop::Tripwire;
use super::reader::{Reader, passed};
use crate::event_log::backoff::backoff;
use crate::limits::{POLL_INTERVAL, STORE_BACKOFF, STORE_POLL, STORE_READ_WAIT};

/// How far subscriptions have told.
#[derive(Default)]
struct Heard {
    commit: AtomicU64,
}

/// Follows the log until told to stop.
pub(super) async fn follow(reader: Arc<Reader>, stop: CancellationToken) {
    let mut pauses = backoff();
    while !stop.is_cancelled() {
        let heard = Arc::new(Heard::default());
        let mut subscription = Task(tokio::spawn(listen(reader.clone(), heard.clone()).with_subscriber(Tripwire)));
        tokio::select! {
            () = stop.cancelled() => return,
            _ = &mut subscription.0 => {}
            () = fall_silent(&reader, &heard) => tracing::warn!("a subscription to KurrentDB fell silent"),
        }
        if heard.commit.load(Ordering::Relaxed) > 0 {
            pauses = backoff();
        }
        drop(subscription);
        look_until(&reader, &stop, pauses.next().unwrap_or(STORE_BACKOFF.1)).await;
    }
}

/// Stopped when it is dropped.
struct Task(JoinHandle<()>);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Hears of events, one after the other, as long as the subscription lasts.
async fn listen(reader: Arc<Reader>, heard: Arc<Heard>) {
    let Some(mut subscription) = subscribe(&reader).await else { return };
    // It cannot be told to stop between two events without losing one: so nothing else is waited for here.
    while let Ok(event) = subscription.next_subscription_event().await {
        let (scanned, events) = match event {
            SubscriptionEvent::EventAppeared(event) => {
                let Some(event) = event.event else { continue };
                (event.position, vec![passed(&event)])
            }
            SubscriptionEvent::Checkpoint(position) => (position, Vec::new()),
            _ => continue,
        };
        heard.commit.fetch_max(scanned.commit, Ordering::Relaxed);
        reader.horizon.pass(scanned, &events);
    }
}

async fn subscribe(reader: &Reader) -> Option<Subscription> {
    let from = reader.horizon.seen().scanned.map_or(StreamPosition::Start, StreamPosition::Position);
    let options = SubscribeToAllOptions::default().position(from).filter(reader.client().names().log_filter());
    let options = addressed!(reader.client(), options);
    let subscribe = |client: eventstore::Client| async move { Ok(client.subscribe_to_all(&options).await) };
    reader.client().ask(STORE_READ_WAIT, subscribe).await.ok()
}

/// Returns once there was something to tell for a while that the subscription did not tell.
async fn fall_silent(reader: &Reader, heard: &Heard) {
    let mut untold = None;
    loop {
        sleep(POLL_INTERVAL).await;
        if untold.is_some_and(|position| heard.commit.load(Ordering::Relaxed) < position) {
            return;
        }
        let before = reader.horizon.seen().head;
        // A store that is away is missed by the subscription as well.
        untold = reader.look().await.ok().map(|seen| seen.head.0).filter(|head| *head > before.0);
    }
}

/// Looks, more often than with a subscription, for as long as there is none.
async fn look_until(reader: &Reader, stop: &CancellationToken, pause: Duration) {
    let look = async {
        loop {
            // Whoever reads is told why it cannot be read.
            let _ = reader.look().await;
            sleep(STORE_POLL.1).await;
        }
    };
    tokio::select! {
        () = stop.cancelled() => {}
        () = sleep(pause) => {}
        () = look => {}
    }
}
