//! Those who act, where Flagsmith shows its users: owners of features, authors of audit lines, holders of permissions.

use std::collections::{BTreeSet, HashMap};

use offshoot_aggregates::{Actor, ActorKind};
use offshoot_projections::access;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::read_models::{QueryError, ReadModels};

/// Someone who acts, in the form of one of Flagsmith's users. It has no users: an API key stands in their place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Author {
    /// The integer id of the API key; 0 for someone who ran `offshoot` on the machine itself.
    pub id: i64,
    /// Always empty.
    pub email: &'static str,
    /// The name of the API key.
    pub first_name: String,
    /// Always empty.
    pub last_name: &'static str,
    /// Always null.
    pub last_login: Option<String>,
    /// The UUID of the API key; the nil UUID for someone who ran `offshoot` on the machine itself.
    pub uuid: Uuid,
}

impl Author {
    /// An API key.
    #[must_use]
    pub fn api_key(id: i64, uuid: Uuid, name: String) -> Self {
        Self { id, email: "", first_name: name, last_name: "", last_login: None, uuid }
    }
}

/// The integer ids of API keys that acted, looked up together.
#[derive(Debug, Default)]
pub struct Authors(HashMap<Uuid, i64>);

impl Authors {
    /// Looks up those among `actors` that are API keys.
    ///
    /// # Errors
    /// The read model cannot be asked.
    pub async fn look_up<'a>(
        read_models: &ReadModels,
        actors: impl IntoIterator<Item = &'a Actor>,
    ) -> Result<Self, QueryError> {
        let uuids: BTreeSet<_> = actors.into_iter().filter_map(key_uuid).collect();
        if uuids.is_empty() {
            return Ok(Self::default());
        }
        let query = move |file: &_| access::key_ids(file, &uuids);
        let ids = read_models.access.query(query).await?;
        Ok(Self(ids.into_iter().map(|(uuid, id)| (uuid, id.0)).collect()))
    }

    /// One of the actors that were looked up; `None` for Offshoot itself, and for an API key that nobody issued.
    #[must_use]
    pub fn author(&self, actor: &Actor) -> Option<Author> {
        match actor.kind {
            ActorKind::ApiKey => {
                let uuid = key_uuid(actor)?;
                Some(Author::api_key(*self.0.get(&uuid)?, uuid, actor.name.clone()))
            }
            ActorKind::Operator => Some(Author::api_key(0, Uuid::nil(), actor.name.clone())),
            ActorKind::System => None,
        }
    }
}

fn key_uuid(actor: &Actor) -> Option<Uuid> {
    if actor.kind == ActorKind::ApiKey { Uuid::parse_str(&actor.id).ok() } else { None }
}
