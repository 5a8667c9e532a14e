//! A lock for each key: who comes with a key that is in use waits until it is free.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

/// The keys that are in use; those that are not take no memory.
#[derive(Debug)]
pub struct KeyedLocks<K>(Mutex<HashMap<K, Arc<AsyncMutex<()>>>>);

impl<K> Default for KeyedLocks<K> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

/// A key in use, until this is dropped.
#[derive(Debug)]
pub struct KeyGuard<K: Eq + Hash> {
    locks: Arc<KeyedLocks<K>>,
    key: K,
    lock: Option<Arc<AsyncMutex<()>>>,
    held: Option<OwnedMutexGuard<()>>,
}

impl<K: Eq + Hash + Clone> KeyedLocks<K> {
    /// Waits until the key is free, and takes it. Those who wait come in turn.
    pub async fn lock(self: &Arc<Self>, key: K) -> KeyGuard<K> {
        let lock = Arc::clone(self.map().entry(key.clone()).or_default());
        // The guard is made before the wait, so that it cleans up also after someone who gave up waiting.
        let mut guard = KeyGuard { locks: Arc::clone(self), key, lock: Some(Arc::clone(&lock)), held: None };
        guard.held = Some(lock.lock_owned().await);
        guard
    }
}

impl<K> KeyedLocks<K> {
    fn map(&self) -> MutexGuard<'_, HashMap<K, Arc<AsyncMutex<()>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Eq + Hash> Drop for KeyGuard<K> {
    fn drop(&mut self) {
        self.held = None;
        let mut map = self.locks.map();
        // Within the map's lock, so that of two who leave, one is the last.
        self.lock = None;
        if map.get(&self.key).is_some_and(|lock| Arc::strong_count(lock) == 1) {
            map.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use futures_util::FutureExt;

    use super::KeyedLocks;

    #[tokio::test]
    async fn a_key_in_use_is_waited_for_and_another_is_not() {
        let locks = Arc::new(KeyedLocks::default());
        let first = locks.lock("a").await;
        let mut second = Box::pin(locks.lock("a"));
        assert!((&mut second).now_or_never().is_none());
        assert!(locks.lock("b").now_or_never().is_some());
        drop(first);
        assert!(second.now_or_never().is_some());
    }

    #[tokio::test]
    async fn keys_that_nobody_uses_take_no_memory() {
        let locks = Arc::new(KeyedLocks::default());
        let first = locks.lock("a").await;
        let mut gives_up = Box::pin(locks.lock("a"));
        assert!((&mut gives_up).now_or_never().is_none());
        drop(first);
        assert_eq!(locks.map().len(), 1);
        drop(gives_up);
        assert!(locks.map().is_empty());
    }
}
