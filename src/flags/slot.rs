//! The place of one environment in memory: what is served of it, and what of that is out of date.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwapOption;
use offshoot_aggregates::Position;
use offshoot_aggregates::ids::EnvironmentId;
use tokio::sync::watch;
use uuid::Uuid;

use super::served::ServedEnvironment;
use super::tag::Tag;
use super::touched::{Dirt, Part};

/// What is in memory of an environment.
#[derive(Clone)]
pub(super) enum Contents {
    /// Its states are still on their way: nobody is served.
    Creating,
    /// It is served.
    Served(Arc<ServedEnvironment>),
}

/// What followers of an environment learn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News {
    /// It is served as of here; nothing is known yet if there is no tag.
    Served(Option<Tag>),
    /// It is gone.
    Gone,
}

/// The place of one environment in memory.
pub(super) struct Slot {
    pub(super) id: EnvironmentId,
    pub(super) uuid: Uuid,
    pub(super) project: Uuid,
    pub(super) api_key: Box<str>,
    /// Nothing if it was never asked for, or had to make room.
    contents: ArcSwapOption<Contents>,
    dirt: Mutex<Dirt>,
    /// Held by whoever puts something into it.
    pub(super) writing: tokio::sync::Mutex<()>,
    /// When it was last used, on the clock of [`Slots`](super::slots::Slots).
    used: AtomicU64,
    news: watch::Sender<News>,
}

impl Slot {
    pub(super) fn new(id: EnvironmentId, uuid: Uuid, project: Uuid, api_key: &str) -> Self {
        Self {
            id,
            uuid,
            project,
            api_key: api_key.into(),
            contents: ArcSwapOption::empty(),
            dirt: Mutex::default(),
            writing: tokio::sync::Mutex::default(),
            used: AtomicU64::new(0),
            news: watch::Sender::new(News::Served(None)),
        }
    }

    /// What is in memory.
    pub(super) fn contents(&self) -> Option<Arc<Contents>> {
        self.contents.load_full()
    }

    /// Notes that it is used, for whoever looks for something to throw out.
    pub(super) fn note_use(&self, now: u64) {
        // Most requests come between two ticks of the clock and only read.
        if self.used.load(Ordering::Relaxed) != now {
            self.used.store(now, Ordering::Relaxed);
        }
    }

    pub(super) fn last_used(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }

    /// Notes that a part is out of date.
    pub(super) fn note(&self, part: Part, position: Position) {
        self.with_dirt(|dirt| dirt.add(part, position));
    }

    /// What is out of date, to be loaded by the caller, who puts it back if that fails.
    pub(super) fn take_dirt(&self) -> Dirt {
        self.with_dirt(std::mem::take)
    }

    pub(super) fn put_back(&self, dirt: Dirt) {
        self.with_dirt(|own| own.merge(dirt));
    }

    /// Lets this be served, unless something of it is out of date already: then nothing happens, and it is false.
    pub(super) fn publish(&self, contents: Contents) -> bool {
        let published = self.with_dirt(|dirt| {
            let is_current = dirt.is_empty();
            if is_current {
                self.contents.store(Some(Arc::new(contents.clone())));
            }
            is_current
        });
        if published && let Contents::Served(environment) = &contents {
            self.tell(environment.tag);
        }
        published
    }

    /// Tells followers that the environment is served as of here.
    pub(super) fn tell(&self, tag: Tag) {
        self.news.send_if_modified(|news| {
            let is_new = matches!(news, News::Served(before) if before.is_none_or(|before| before < tag));
            if is_new {
                *news = News::Served(Some(tag));
            }
            is_new
        });
    }

    /// Takes it out of memory.
    pub(super) fn clear(&self) {
        self.contents.store(None);
    }

    /// Takes it out of memory for good.
    pub(super) fn bury(&self) {
        self.clear();
        self.news.send_replace(News::Gone);
    }

    /// Learns of every change from now on.
    pub(super) fn follow(&self) -> watch::Receiver<News> {
        self.news.subscribe()
    }

    pub(super) fn has_followers(&self) -> bool {
        self.news.receiver_count() > 0
    }

    fn with_dirt<T>(&self, f: impl FnOnce(&mut Dirt) -> T) -> T {
        f(&mut self.dirt.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
