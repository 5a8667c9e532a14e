//! From a key to the environment that is served: at once if it is in memory, else from the read models.

use std::sync::Arc;

use offshoot_aggregates::Position;
use offshoot_aggregates::ids::EnvironmentId;
use offshoot_projections::access::{self, StoredServerKey};
use offshoot_projections::environment_status::{self, StoredEnvironment};
use tokio::sync::watch;
use uuid::Uuid;

use super::loading::{Loaded, whole};
use super::parts::parts;
use super::slot::{Contents, News, Slot};
use super::slots::ServerKeyEntry;
use super::touched::Dirt;
use super::{Audience, Flags, ServedEnvironment};
use crate::clock;
use crate::limits::{ENVIRONMENT_KEY_BYTES_MAX, READ_YOUR_WRITES_WAIT, RELOADS_MAX};
use crate::read_models::QueryError;
use crate::secrets::{KeyDigest, SERVER_KEY_MARK, digest_key, hex_digits};

/// What a key opens.
#[derive(Clone)]
pub struct Access {
    /// The environment.
    pub environment: Arc<ServedEnvironment>,
    /// What of it is shown.
    pub audience: Audience,
}

/// A follower of an environment.
pub struct Subscription {
    /// Learns of every change.
    pub news: watch::Receiver<News>,
    /// Keeps the environment's place, so that it is told of changes.
    _slot: Arc<Slot>,
}

/// Why nothing is served.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotServed {
    /// The key leads nowhere, or is refused.
    #[error("the key leads to no environment")]
    UnknownKey,
    /// The environment's states are still on their way.
    #[error("the environment is being created")]
    Creating,
    /// The read models are being built, or have not got as far as the follower.
    #[error("the read models are not there yet: {0}")]
    NotReady(String),
    /// A read model cannot be read.
    #[error("{0}")]
    Failed(String),
}

impl From<QueryError> for NotServed {
    fn from(error: QueryError) -> Self {
        match error {
            QueryError::Building { .. } => Self::NotReady(error.to_string()),
            QueryError::Failed { .. } => Self::Failed(error.to_string()),
        }
    }
}

/// Where a key leads.
struct Door {
    slot: Arc<Slot>,
    audience: Audience,
}

impl Flags {
    /// What a client key or a server key opens.
    ///
    /// # Errors
    /// [`NotServed`].
    pub async fn access(&self, key: &str) -> Result<Access, NotServed> {
        let door = match self.known_door(key)? {
            Some(door) => door,
            None => self.look_up(key).await?,
        };
        let environment = self.served(&door.slot).await?;
        Ok(Access { environment, audience: door.audience })
    }

    /// Follows the environment that a client key or a server key opens.
    ///
    /// # Errors
    /// [`NotServed`].
    pub async fn subscribe(&self, key: &str) -> Result<Subscription, NotServed> {
        let door = match self.known_door(key)? {
            Some(door) => door,
            None => self.look_up(key).await?,
        };
        self.subscribe_to_slot(door.slot).await
    }

    /// What is served of an environment, whoever asks.
    ///
    /// # Errors
    /// [`NotServed`].
    pub async fn environment(&self, stored: &StoredEnvironment) -> Result<Arc<ServedEnvironment>, NotServed> {
        let slot = self.slot(stored);
        self.served(&slot).await
    }

    /// Follows an environment, whoever asks.
    ///
    /// # Errors
    /// [`NotServed`].
    pub async fn subscribe_to(&self, environment: Uuid) -> Result<Subscription, NotServed> {
        self.wait_for_follower().await?;
        let query = move |file: &_| environment_status::environment_by_uuid(file, environment);
        let stored = self.read_models.environment_status.query(query).await?.ok_or(NotServed::UnknownKey)?;
        self.subscribe_to_slot(self.slot(&stored)).await
    }

    async fn subscribe_to_slot(&self, slot: Arc<Slot>) -> Result<Subscription, NotServed> {
        // Subscribed first, so that nothing is missed between.
        let news = slot.follow();
        let environment = self.served(&slot).await?;
        slot.tell(environment.tag);
        Ok(Subscription { news, _slot: slot })
    }

    fn slot(&self, stored: &StoredEnvironment) -> Arc<Slot> {
        let make = || Slot::new(stored.id, stored.uuid, stored.project_uuid, &stored.api_key);
        self.slots.of_environment(stored.uuid, make)
    }

    /// Where a key leads, as far as that is in memory.
    fn known_door(&self, key: &str) -> Result<Option<Door>, NotServed> {
        if !key.starts_with(SERVER_KEY_MARK) {
            return Ok(self.slots.of_client_key(key).map(|slot| Door { slot, audience: Audience::Client }));
        }
        let Some(entry) = self.slots.of_server_key(&digest_key(key)) else { return Ok(None) };
        let is_valid = entry.is_active && entry.expires_at.is_none_or(|end| clock::now() < end);
        if is_valid {
            Ok(Some(Door { slot: entry.slot, audience: Audience::Server }))
        } else {
            Err(NotServed::UnknownKey)
        }
    }

    /// Looks up where a key leads, and keeps it in mind.
    async fn look_up(&self, key: &str) -> Result<Door, NotServed> {
        let digest = digest_key(key);
        if key.is_empty() || key.len() > ENVIRONMENT_KEY_BYTES_MAX || self.slots.is_unknown(&digest) {
            return Err(NotServed::UnknownKey);
        }
        let _permit = self.lookups.acquire().await.map_err(|error| NotServed::Failed(error.to_string()))?;
        for _ in 0..RELOADS_MAX {
            // Someone else who waited for the same permit may have found it meanwhile.
            if let Some(door) = self.known_door(key)? {
                return Ok(door);
            }
            let generation = self.slots.generation();
            self.wait_for_follower().await?;
            let is_known = if key.starts_with(SERVER_KEY_MARK) {
                self.find_server_key(digest).await?
            } else {
                self.find_client_key(key).await?
            };
            if !is_known {
                self.slots.insert_unknown(digest);
            }
            if self.slots.is_still(generation) {
                return self.known_door(key)?.ok_or(NotServed::UnknownKey);
            }
            // A key was changed while this one was looked up: perhaps this one.
            self.slots.forget_key(&digest);
        }
        Err(NotServed::NotReady("keys change faster than they are looked up".to_owned()))
    }

    /// Keeps in mind where a client key leads. False if there is no such key.
    async fn find_client_key(&self, key: &str) -> Result<bool, NotServed> {
        let owned = key.to_owned();
        let query = move |file: &_| environment_status::environment_by_key(file, &owned);
        let Some(stored) = self.read_models.environment_status.query(query).await? else { return Ok(false) };
        self.slots.insert_client_key(&self.slot(&stored));
        Ok(true)
    }

    /// Keeps in mind where a server key leads, be it accepted or not. False if there is no such key.
    async fn find_server_key(&self, digest: KeyDigest) -> Result<bool, NotServed> {
        let hash = hex_digits(&digest);
        let query = move |file: &_| access::server_key_by_hash(file, &hash);
        let Some(key) = self.read_models.access.query(query).await? else { return Ok(false) };
        let Some(stored) = self.stored_environment(key.environment).await? else { return Ok(false) };
        let StoredServerKey { id, settings, .. } = key;
        let (slot, is_active, expires_at) = (self.slot(&stored), settings.is_active, settings.expires_at);
        self.slots.insert_server_key(digest, &ServerKeyEntry { id, slot, is_active, expires_at });
        Ok(true)
    }

    async fn stored_environment(&self, id: EnvironmentId) -> Result<Option<StoredEnvironment>, NotServed> {
        let query = move |file: &_| environment_status::environment(file, id);
        Ok(self.read_models.environment_status.query(query).await?)
    }

    /// Waits until the read models are as far as the follower: what is read from them then lacks nothing that the follower
    /// does not tell of afterwards.
    async fn wait_for_follower(&self) -> Result<(), NotServed> {
        let position = self.position();
        if self.sources_reached(position, READ_YOUR_WRITES_WAIT).await? {
            return Ok(());
        }
        Err(NotServed::NotReady(format!("they have not reached position {position}")))
    }

    /// What is served of an environment; loads it if it is not in memory.
    async fn served(&self, slot: &Arc<Slot>) -> Result<Arc<ServedEnvironment>, NotServed> {
        slot.note_use(self.slots.now());
        match slot.contents().as_deref() {
            Some(Contents::Served(environment)) => Ok(environment.clone()),
            Some(Contents::Creating) => Err(NotServed::Creating),
            None => self.load(slot).await,
        }
    }

    async fn load(&self, slot: &Arc<Slot>) -> Result<Arc<ServedEnvironment>, NotServed> {
        let _writing = slot.writing.lock().await;
        if slot.contents().is_none() {
            let _permit = self.loads.acquire().await.map_err(|error| NotServed::Failed(error.to_string()))?;
            self.write(slot, None).await?;
            self.slots.tick();
            slot.note_use(self.slots.now());
            self.make_room(slot);
        }
        match slot.contents().as_deref() {
            Some(Contents::Served(environment)) => Ok(environment.clone()),
            Some(Contents::Creating) => Err(NotServed::Creating),
            None => Err(NotServed::UnknownKey),
        }
    }

    /// Puts into a slot what is served from now on: the whole, or what was there before with all that was out of date
    /// loaded anew. Nothing if the environment is gone. The caller holds [`Slot::writing`].
    pub(super) async fn write(
        &self,
        slot: &Arc<Slot>,
        before: Option<Arc<ServedEnvironment>>,
    ) -> Result<(), NotServed> {
        let mut before = before;
        for _ in 0..RELOADS_MAX {
            let dirt = slot.take_dirt();
            if before.is_some() && dirt.is_empty() {
                return Ok(());
            }
            let position = self.position().max(dirt.position);
            let loaded = self.load_once(slot, before.as_deref(), &dirt, position).await;
            let contents = match loaded {
                Ok(Loaded::Contents(contents)) => contents,
                Ok(Loaded::Gone) => {
                    self.slots.remove(std::slice::from_ref(slot));
                    slot.bury();
                    return Ok(());
                }
                Err(error) => {
                    slot.put_back(dirt);
                    return Err(error);
                }
            };
            if slot.publish(contents.clone()) {
                return Ok(());
            }
            // Something happened while it was loaded: only that is loaded now.
            before = match contents {
                Contents::Served(environment) => Some(environment),
                Contents::Creating => None,
            };
        }
        Err(NotServed::NotReady("the environment changes faster than it is loaded".to_owned()))
    }

    async fn load_once(
        &self,
        slot: &Slot,
        before: Option<&ServedEnvironment>,
        dirt: &Dirt,
        position: Position,
    ) -> Result<Loaded, NotServed> {
        if !self.sources_reached(position, READ_YOUR_WRITES_WAIT).await? {
            return Err(NotServed::NotReady(format!("they have not reached position {position}")));
        }
        let sibling = self.slots.sibling(slot);
        Ok(match before {
            Some(environment) if !dirt.everything => parts(&self.read_models, environment, dirt, sibling).await?,
            _ => whole(&self.read_models, slot.id, sibling).await?,
        })
    }
}
