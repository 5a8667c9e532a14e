//! Who may do what: permissions by Flagsmith's names, and the grants that aggregates keep.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::ids::ApiKeyId;

/// What may be done in a project.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[allow(missing_docs, reason = "Flagsmith's names say it")]
pub enum ProjectPermission {
    ViewProject,
    CreateEnvironment,
    CreateFeature,
    EditFeature,
    DeleteFeature,
    ManageSegments,
    ViewAuditLog,
    ManageTags,
}

/// What may be done in an environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[allow(missing_docs, reason = "Flagsmith's names say it")]
pub enum EnvironmentPermission {
    ViewEnvironment,
    UpdateFeatureState,
    ManageSegmentOverrides,
    ManageIdentities,
    ViewIdentities,
    CreateChangeRequest,
    ApproveChangeRequest,
}

/// Someone who can be granted permissions. The name is for those who read the log: it does not matter for who it is.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Principal {
    /// The holder of an API key.
    ApiKey {
        /// The key's UUID.
        uuid: Uuid,
        /// The key's integer id.
        id: ApiKeyId,
        /// The key's name.
        name: String,
    },
}

impl Principal {
    /// What makes it this one.
    fn identity(&self) -> Uuid {
        let Self::ApiKey { uuid, .. } = self;
        *uuid
    }
}

impl PartialEq for Principal {
    fn eq(&self, other: &Self) -> bool {
        self.identity() == other.identity()
    }
}

impl Eq for Principal {}

impl PartialOrd for Principal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Principal {
    fn cmp(&self, other: &Self) -> Ordering {
        self.identity().cmp(&other.identity())
    }
}

/// What a principal was granted in a project (`P` = [`ProjectPermission`]) or an environment ([`EnvironmentPermission`]).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(bound(serialize = "P: Ord + Serialize", deserialize = "P: Ord + Deserialize<'de>"))]
pub struct Grant<P: Ord> {
    /// Who.
    pub principal: Principal,
    /// Everything, present and future.
    pub admin: bool,
    /// What else; meaningless beside `admin`.
    pub permissions: BTreeSet<P>,
}
