//! Who and what caused an event: written beside every event, never inside it.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::environment::CloneModeReason;

/// What kind of someone acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActorKind {
    /// Someone with an API key.
    ApiKey,
    /// Someone at the command line of the machine itself.
    Operator,
    /// Offshoot itself: a worker.
    System,
}

impl ActorKind {
    /// The name used in the log.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ApiKey => "api_key",
            Self::Operator => "operator",
            Self::System => "system",
        }
    }

    /// The kind that the log calls by this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::ApiKey, Self::Operator, Self::System].into_iter().find(|kind| kind.as_str() == name)
    }
}

/// Who acts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// The kind of someone.
    pub kind: ActorKind,
    /// The API key's UUID, or the worker's name.
    pub id: String,
    /// The name people gave it.
    pub name: String,
}

impl Actor {
    /// A worker of Offshoot.
    #[must_use]
    pub fn system(worker: &str) -> Self {
        Self { kind: ActorKind::System, id: worker.to_owned(), name: worker.to_owned() }
    }

    /// Someone who runs `offshoot` on the machine.
    #[must_use]
    pub fn operator(command: &str) -> Self {
        Self { kind: ActorKind::Operator, id: command.to_owned(), name: format!("offshoot {command}") }
    }
}

/// What stands beside every event. All events of one command share it.
///
/// In the log it is one flat JSON object of texts, because that is what `cqrs_es` hands on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// Who sent the command.
    pub actor: Actor,
    /// The command; derived from the `Idempotency-Key` where there is one.
    pub command_id: Uuid,
    /// Everything that follows from one request shares it.
    pub correlation_id: Uuid,
    /// The command or event that this command follows from, if it follows from one.
    pub causation_id: Option<String>,
    /// The HTTP request, as in the answer's `x-request-id`.
    pub request_id: Option<String>,
    /// Where the request came from.
    pub remote_address: Option<String>,
    /// Why a clone that was asked for asynchronously is copied as it is.
    pub clone_mode_reason: Option<CloneModeReason>,
}

impl Metadata {
    /// As the flat map of texts that goes into the log.
    #[must_use]
    pub fn to_map(&self) -> HashMap<String, String> {
        let mut map = HashMap::from([
            ("actor_kind".to_owned(), self.actor.kind.as_str().to_owned()),
            ("actor_id".to_owned(), self.actor.id.clone()),
            ("actor_name".to_owned(), self.actor.name.clone()),
            ("command_id".to_owned(), self.command_id.to_string()),
            ("correlation_id".to_owned(), self.correlation_id.to_string()),
        ]);
        let optional = [
            ("causation_id", &self.causation_id),
            ("request_id", &self.request_id),
            ("remote_address", &self.remote_address),
        ];
        for (key, value) in optional {
            if let Some(value) = value {
                map.insert(key.to_owned(), value.clone());
            }
        }
        if let Some(reason) = self.clone_mode_reason {
            map.insert("clone_mode_reason".to_owned(), reason.as_str().to_owned());
        }
        map
    }

    /// From the flat map in the log; `None` if a member that every event has is missing or unreadable.
    #[must_use]
    pub fn from_map(map: &HashMap<String, String>) -> Option<Self> {
        let kind = ActorKind::named(map.get("actor_kind")?)?;
        let uuid = |key: &str| map.get(key).and_then(|text| Uuid::parse_str(text).ok());
        Some(Self {
            actor: Actor { kind, id: map.get("actor_id")?.clone(), name: map.get("actor_name")?.clone() },
            command_id: uuid("command_id")?,
            correlation_id: uuid("correlation_id")?,
            causation_id: map.get("causation_id").cloned(),
            request_id: map.get("request_id").cloned(),
            remote_address: map.get("remote_address").cloned(),
            clone_mode_reason: map.get("clone_mode_reason").and_then(|name| CloneModeReason::named(name)),
        })
    }
}
