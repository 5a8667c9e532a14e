//! What readers get: a feature state, and what is known of an environment's states as a whole.

use jiff::Timestamp;
use offshoot_aggregates::Version;
use offshoot_aggregates::environment::{FeatureStateContent, SegmentLink};
use offshoot_aggregates::ids::{EnvironmentId, FeatureId, FeatureStateId, IdentityId, ProjectId};
use rusqlite::{Connection, OptionalExtension, Result, Row};
use uuid::Uuid;

use super::row::{read_content, read_link};
use super::{feature_state_uuid, identity_uuid};
use crate::columns;

/// The states of an environment as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvironmentStates {
    /// The environment's integer id.
    pub id: EnvironmentId,
    /// The environment's UUID.
    pub uuid: Uuid,
    /// Its project.
    pub project: ProjectId,
    /// Whether states are still on their way: what is there may not be served.
    pub is_creating: bool,
    /// How many default states there are.
    pub default_states: u64,
    /// How many of them say that the feature is on.
    pub enabled_states: u64,
    /// How many segment overrides have a state.
    pub override_states: u64,
    /// How many segment overrides there are, with or without a state.
    pub overrides: u64,
    /// How many identity overrides there are.
    pub identity_overrides: u64,
    /// The version of the environment's stream that is known here.
    pub version: Version,
    /// When a state last changed, came or went. Never goes back.
    pub updated_at: Timestamp,
}

/// An identity as its overrides speak of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityRef {
    /// Its integer id.
    pub id: IdentityId,
    /// What applications call it.
    pub identifier: String,
}

/// A feature state.
#[derive(Clone, Debug, PartialEq)]
pub struct FeatureStateView {
    /// Its id.
    pub id: FeatureStateId,
    /// The environment's integer id.
    pub environment: EnvironmentId,
    /// The environment's UUID.
    pub environment_uuid: Uuid,
    /// The feature.
    pub feature: FeatureId,
    /// The segment that it is an override for, if it is for one.
    pub segment: Option<SegmentLink>,
    /// The identity that it is an override for, if it is for one.
    pub identity: Option<IdentityRef>,
    /// What it says. Default states have a share for each option of the feature.
    pub content: FeatureStateContent,
    /// Since when it is in the environment.
    pub created_at: Timestamp,
    /// When it last changed. Never goes back.
    pub updated_at: Timestamp,
}

impl FeatureStateView {
    /// Its UUID, the same for ever.
    #[must_use]
    pub fn uuid(&self) -> Uuid {
        feature_state_uuid(self.environment_uuid, self.id)
    }

    /// Whether it is for a segment or an identity.
    #[must_use]
    pub fn is_override(&self) -> bool {
        self.segment.is_some() || self.identity.is_some()
    }
}

/// What states are read from, each as `s` with the identifier of its identity.
pub(super) const STATE: &str =
    "SELECT s.*, i.identifier FROM feature_state s LEFT JOIN identity i ON i.id = s.identity AND s.identity > 0";

impl EnvironmentStates {
    /// How many states there are, default ones and overrides of both kinds.
    #[must_use]
    pub fn states(&self) -> u64 {
        self.default_states + self.override_states + self.identity_overrides
    }

    /// The UUID of one of its identities, the same for ever.
    #[must_use]
    pub fn identity_uuid(&self, identity: IdentityId) -> Uuid {
        identity_uuid(self.uuid, identity)
    }

    /// An environment that came to be.
    pub(super) fn find(connection: &Connection, id: EnvironmentId) -> Result<Option<Self>> {
        let sql = "SELECT id, uuid, project, phase = 1 AS is_creating, default_states, enabled_states,
            override_states, overrides, identity_overrides, version, updated_at FROM environment WHERE id = ?1 AND phase > 0";
        connection.prepare_cached(sql)?.query_row([id.0], Self::read).optional()
    }

    fn read(row: &Row<'_>) -> Result<Self> {
        Ok(Self {
            id: EnvironmentId(row.get("id")?),
            uuid: columns::uuid(row, "uuid")?,
            project: ProjectId(row.get("project")?),
            is_creating: row.get("is_creating")?,
            default_states: row.get("default_states")?,
            enabled_states: row.get("enabled_states")?,
            override_states: row.get("override_states")?,
            overrides: row.get("overrides")?,
            identity_overrides: row.get("identity_overrides")?,
            version: Version(row.get("version")?),
            updated_at: columns::timestamp(row, "updated_at")?,
        })
    }

    /// Reads one of its states from what [`STATE`] selects.
    pub(super) fn read_state(&self, row: &Row<'_>) -> Result<FeatureStateView> {
        Ok(FeatureStateView {
            id: FeatureStateId(row.get("id")?),
            environment: self.id,
            environment_uuid: self.uuid,
            feature: FeatureId(row.get("feature")?),
            segment: read_link(row)?,
            identity: read_identity(row)?,
            content: read_content(row)?,
            created_at: columns::timestamp(row, "created_at")?,
            updated_at: columns::timestamp(row, "updated_at")?,
        })
    }
}

/// Reads the identity that a state is for.
fn read_identity(row: &Row<'_>) -> Result<Option<IdentityRef>> {
    let id: i64 = row.get("identity")?;
    if id == 0 {
        return Ok(None);
    }
    // An override does not come without its identity, nor does it stay.
    let identifier: Option<String> = row.get("identifier")?;
    Ok(Some(IdentityRef { id: IdentityId(id), identifier: identifier.unwrap_or_default() }))
}
