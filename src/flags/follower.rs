//! Follows the log and keeps what is in memory up to date.

use std::sync::Arc;

use offshoot_aggregates::{Category, RecordedEvent};
use tokio_util::sync::CancellationToken;

use super::slot::{Contents, Slot};
use super::touched::{Part, Touched, touched};
use super::{Flags, NotServed, Tag};
use crate::event_feed::EventFeed;
use crate::limits::POLL_INTERVAL;
use crate::outage::Outage;
use crate::secrets::{digest_from_hex, digest_key};

/// Follows the log until shutdown.
///
/// Nothing is in memory at the start, and what is loaded later is read from read models that are at least as far as the
/// follower. So it can begin anywhere, and begins where the log ended.
pub async fn follow(flags: Arc<Flags>, feed: Arc<EventFeed>, shutdown: CancellationToken) {
    let (mut position, mut hint) = (flags.position(), feed.hint());
    let mut outage = Outage::default();
    loop {
        let events = tokio::select! {
            () = shutdown.cancelled() => return,
            events = feed.wait_after(position, &mut hint) => events,
        };
        let events = match events {
            Ok(events) => events,
            Err(error) => {
                if outage.notice() {
                    tracing::error!(%error, "served flags are not kept up to date: the log cannot be read");
                }
                let _ = tokio::time::timeout(POLL_INTERVAL, shutdown.cancelled()).await;
                continue;
            }
        };
        if let Some(waited) = outage.end() {
            tracing::info!(?waited, "served flags are kept up to date again");
        }
        let mut changes = Vec::new();
        for event in &events {
            flags.notice(event, &mut changes);
            position = event.position;
        }
        for change in &changes {
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = flags.bring_up_to_date(change) => {}
            }
        }
        flags.followed.send_replace(position);
    }
}

/// A slot that something happened to, and the last of that.
struct Change {
    slot: Arc<Slot>,
    tag: Tag,
}

impl Flags {
    /// Notes what an event makes out of date.
    fn notice(&self, recorded: &RecordedEvent, changes: &mut Vec<Change>) {
        let touched = match touched(recorded) {
            Ok(touched) => touched,
            Err(error) => {
                metrics::counter!("offshoot_unreadable_events_total", "reader" => "flags").increment(1);
                tracing::error!(position = %recorded.position, %error, "served flags pass over an event");
                return;
            }
        };
        let uuid = recorded.stream.uuid();
        let slots = || match recorded.stream.category {
            Category::Project => self.slots.of_project(uuid),
            _ => self.slots.known_environment(uuid).into_iter().collect(),
        };
        match touched {
            Touched::Nothing => {}
            Touched::ClientKey(key) => self.slots.forget_key(&digest_key(&key)),
            Touched::ServerKeyIssued(hash) => {
                if let Some(digest) = digest_from_hex(&hash) {
                    self.slots.forget_key(&digest);
                }
            }
            Touched::ServerKey(id) => self.slots.forget_server_key(id),
            Touched::Gone => self.bury(&slots()),
            Touched::Part(part) => {
                for slot in slots() {
                    note(slot, part, recorded, changes);
                }
            }
        }
    }

    fn bury(&self, slots: &[Arc<Slot>]) {
        self.slots.remove(slots);
        for slot in slots {
            slot.bury();
            self.usage.forget(slot.id);
        }
    }

    /// Loads what is out of date of one slot, again and again until it succeeds.
    async fn bring_up_to_date(&self, change: &Change) {
        let slot = &change.slot;
        loop {
            match self.refresh(slot).await {
                Ok(()) => break,
                Err(NotServed::NotReady(_)) if !self.is_serving() => {
                    // Nobody is served while read models are being built, and everything is loaded anew after that.
                    slot.clear();
                    break;
                }
                Err(NotServed::NotReady(detail)) => tracing::warn!(%detail, "served flags wait for the read models"),
                Err(error) => tracing::error!(%error, "served flags are not kept up to date"),
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
        // Followers of an environment that is not in memory learn of the change all the same.
        if slot.contents().is_none() && slot.has_followers() {
            slot.tell(change.tag);
        }
    }

    async fn refresh(&self, slot: &Arc<Slot>) -> Result<(), NotServed> {
        let _writing = slot.writing.lock().await;
        match slot.contents().as_deref() {
            // It is loaded when someone asks for it.
            None => Ok(()),
            Some(Contents::Creating) => {
                slot.clear();
                Ok(())
            }
            Some(Contents::Served(environment)) => self.write(slot, Some(environment.clone())).await,
        }
    }
}

fn note(slot: Arc<Slot>, part: Part, recorded: &RecordedEvent, changes: &mut Vec<Change>) {
    slot.note(part, recorded.position);
    let tag = Tag { position: recorded.position, updated_at: recorded.recorded_at };
    match changes.iter_mut().find(|change| Arc::ptr_eq(&change.slot, &slot)) {
        Some(change) => change.tag = tag,
        None => changes.push(Change { slot, tag }),
    }
}
