//! Which key leads to which environment in memory: read on every request without a lock, changed by replacing the map.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use jiff::Timestamp;
use offshoot_aggregates::ids::ServerKeyId;
use quick_cache::sync::Cache;
use uuid::Uuid;

use super::served::ServedEnvironment;
use super::slot::{Contents, Slot};
use crate::limits::UNKNOWN_KEYS_MAX;
use crate::secrets::KeyDigest;

/// Where a server key leads.
#[derive(Clone)]
pub(super) struct ServerKeyEntry {
    pub(super) id: ServerKeyId,
    pub(super) slot: Arc<Slot>,
    pub(super) is_active: bool,
    pub(super) expires_at: Option<Timestamp>,
}

#[derive(Clone, Default)]
struct KeyMap {
    clients: imbl::HashMap<Box<str>, Arc<Slot>>,
    servers: imbl::HashMap<KeyDigest, ServerKeyEntry>,
}

/// All environments that were asked for, and the keys by which they were.
pub(super) struct Slots {
    keys: ArcSwap<KeyMap>,
    by_environment: Mutex<HashMap<Uuid, Arc<Slot>>>,
    /// Keys that lead nowhere, so that whoever tries them again makes no work.
    unknown: Cache<KeyDigest, ()>,
    /// Grows whenever a key may lead somewhere else than before.
    generation: AtomicU64,
    /// Ticks whenever an environment is loaded.
    clock: AtomicU64,
}

impl Default for Slots {
    fn default() -> Self {
        Self {
            keys: ArcSwap::default(),
            by_environment: Mutex::default(),
            unknown: Cache::new(UNKNOWN_KEYS_MAX),
            generation: AtomicU64::new(0),
            clock: AtomicU64::new(1),
        }
    }
}

impl Slots {
    /// Where a client key leads, if that is known.
    pub(super) fn of_client_key(&self, key: &str) -> Option<Arc<Slot>> {
        self.keys.load().clients.get(key).cloned()
    }

    /// Where a server key leads, if that is known.
    pub(super) fn of_server_key(&self, digest: &KeyDigest) -> Option<ServerKeyEntry> {
        self.keys.load().servers.get(digest).cloned()
    }

    /// Whether it is known that a key leads nowhere.
    pub(super) fn is_unknown(&self, digest: &KeyDigest) -> bool {
        self.unknown.get(digest).is_some()
    }

    /// What [`Slots::is_still`] compares: taken before a key is looked up.
    pub(super) fn generation(&self) -> u64 {
        self.generation.load(Ordering::SeqCst)
    }

    /// Whether no key was changed since then, so that what was read in the meantime may be kept.
    pub(super) fn is_still(&self, generation: u64) -> bool {
        self.generation() == generation
    }

    /// Keeps where a client key leads.
    pub(super) fn insert_client_key(&self, slot: &Arc<Slot>) {
        self.change(|keys| drop(keys.clients.insert(slot.api_key.clone(), slot.clone())));
    }

    /// Keeps where a server key leads.
    pub(super) fn insert_server_key(&self, digest: KeyDigest, entry: &ServerKeyEntry) {
        self.change(|keys| drop(keys.servers.insert(digest, entry.clone())));
    }

    /// Keeps that a key leads nowhere.
    pub(super) fn insert_unknown(&self, digest: KeyDigest) {
        self.unknown.insert(digest, ());
    }

    /// Forgets what is known of a key, because that may have changed.
    pub(super) fn forget_key(&self, digest: &KeyDigest) {
        self.generation.fetch_add(1, Ordering::SeqCst);
        self.unknown.remove(digest);
        if self.keys.load().servers.contains_key(digest) {
            self.change(|keys| drop(keys.servers.remove(digest)));
        }
    }

    /// Forgets where the server key with this id leads.
    pub(super) fn forget_server_key(&self, id: ServerKeyId) {
        self.generation.fetch_add(1, Ordering::SeqCst);
        self.change(|keys| keys.servers.retain(|_, entry| entry.id != id));
    }

    /// The slot of an environment; `make` makes it if there is none.
    pub(super) fn of_environment(&self, uuid: Uuid, make: impl FnOnce() -> Slot) -> Arc<Slot> {
        self.with_slots(|slots| slots.entry(uuid).or_insert_with(|| Arc::new(make())).clone())
    }

    /// The slot of an environment that was asked for.
    pub(super) fn known_environment(&self, uuid: Uuid) -> Option<Arc<Slot>> {
        self.with_slots(|slots| slots.get(&uuid).cloned())
    }

    /// The slots of a project's environments that were asked for.
    pub(super) fn of_project(&self, project: Uuid) -> Vec<Arc<Slot>> {
        self.with_slots(|slots| slots.values().filter(|slot| slot.project == project).cloned().collect())
    }

    /// What is served of another environment of the same project, if one is in memory.
    pub(super) fn sibling(&self, of: &Slot) -> Option<Arc<ServedEnvironment>> {
        let served = |slot: &Arc<Slot>| match slot.contents().as_deref() {
            Some(Contents::Served(environment)) => Some(environment.clone()),
            _ => None,
        };
        let is_sibling = |slot: &&Arc<Slot>| slot.project == of.project && slot.uuid != of.uuid;
        self.with_slots(|slots| slots.values().filter(is_sibling).find_map(served))
    }

    /// All slots.
    pub(super) fn all(&self) -> Vec<Arc<Slot>> {
        self.with_slots(|slots| slots.values().cloned().collect())
    }

    /// Forgets slots, and the keys that lead to them.
    pub(super) fn remove(&self, gone: &[Arc<Slot>]) {
        self.generation.fetch_add(1, Ordering::SeqCst);
        self.with_slots(|slots| gone.iter().for_each(|slot| drop(slots.remove(&slot.uuid))));
        let is_gone = |slot: &Arc<Slot>| gone.iter().any(|gone| Arc::ptr_eq(gone, slot));
        self.change(|keys| {
            gone.iter().for_each(|slot| drop(keys.clients.remove(&slot.api_key)));
            keys.servers.retain(|_, entry| !is_gone(&entry.slot));
        });
    }

    /// Now, on the clock by which slots are said to be used.
    pub(super) fn now(&self) -> u64 {
        self.clock.load(Ordering::Relaxed)
    }

    /// Lets the clock tick.
    pub(super) fn tick(&self) {
        self.clock.fetch_add(1, Ordering::Relaxed);
    }

    fn change(&self, change: impl Fn(&mut KeyMap)) {
        self.keys.rcu(|keys| {
            let mut keys = KeyMap::clone(keys);
            change(&mut keys);
            keys
        });
    }

    fn with_slots<T>(&self, f: impl FnOnce(&mut HashMap<Uuid, Arc<Slot>>) -> T) -> T {
        f(&mut self.by_environment.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
