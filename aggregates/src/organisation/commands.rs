//! What an organisation can be asked to do.

use uuid::Uuid;

use super::ApiKey;
use crate::ids::{OrganisationId, ProjectId};
use crate::permissions::Principal;

/// What an organisation can be asked to do.
#[derive(Clone, Debug, PartialEq)]
pub enum OrganisationCommand {
    /// Come to be.
    CreateOrganisation {
        /// Its integer id.
        id: OrganisationId,
        /// Its name.
        name: String,
        /// Who administers it from the start.
        admin: Option<Principal>,
    },
    /// Accept an API key from now on.
    IssueApiKey {
        /// The key, hashed.
        key: ApiKey,
    },
    /// Refuse an API key from now on.
    RevokeApiKey {
        /// The key's UUID.
        uuid: Uuid,
    },
    /// Set a name apart for a project, new or being renamed.
    ReserveProjectName {
        /// The project's UUID.
        project: Uuid,
        /// The project's integer id.
        project_id: ProjectId,
        /// The name.
        name: String,
    },
    /// Free a name; free already, or reserved anew since, is fine.
    ReleaseProjectName {
        /// The project's UUID.
        project: Uuid,
        /// The name.
        name: String,
        /// Which reservation of it is not needed.
        reservation: u64,
    },
}
