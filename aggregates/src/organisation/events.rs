//! What happened to an organisation.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::event::domain_event;
use crate::ids::{ApiKeyId, OrganisationId, ProjectId};
use crate::permissions::Principal;

/// What an API key may do before anything is granted to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApiKeyRole {
    /// Everything in the organisation.
    OrganisationAdmin,
    /// Only what projects and environments grant it.
    Member,
}

/// An API key, without the key itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiKey {
    /// The key's UUID: who acts, in every event's metadata.
    pub uuid: Uuid,
    /// Its integer id.
    pub id: ApiKeyId,
    /// The name people gave it.
    pub name: String,
    /// The first characters of the key, to recognise it by.
    pub prefix: String,
    /// SHA-256 of the whole key, in hexadecimal digits.
    pub hash: String,
    /// What it may do.
    pub role: ApiKeyRole,
    /// From when on it is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

/// What happened to an organisation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum OrganisationEvent {
    /// It came to be.
    OrganisationCreated {
        /// Its integer id.
        id: OrganisationId,
        /// Its name.
        name: String,
        /// Who administers it from the start; nobody if its first API key is still to come.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        admin: Option<Principal>,
    },
    /// An API key is valid from now on.
    ApiKeyIssued {
        /// The key, hashed.
        key: ApiKey,
    },
    /// An API key is refused from now on.
    ApiKeyRevoked {
        /// The key's UUID.
        uuid: Uuid,
        /// Its name.
        name: String,
    },
    /// A project has a name that no other project of the organisation can take; or has it still, and whoever was about to
    /// release it as unused leaves it alone.
    ProjectNameReserved {
        /// The project's UUID.
        project: Uuid,
        /// The project's integer id.
        project_id: ProjectId,
        /// The name.
        name: String,
        /// Which reservation of the organisation this is: 1, 2, 3, …
        reservation: u64,
        /// Whether the project had the name already.
        is_renewal: bool,
    },
    /// A name of a project is free again.
    ProjectNameReleased {
        /// The project's UUID.
        project: Uuid,
        /// The name.
        name: String,
    },
}

domain_event!(OrganisationEvent {
    OrganisationCreated,
    ApiKeyIssued,
    ApiKeyRevoked,
    ProjectNameReserved,
    ProjectNameReleased,
});
