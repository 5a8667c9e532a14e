//! What readers get: a feature state, and what is known of an environment's states as a whole.

use jiff::Timestamp;
use offshoot_aggregates::Version;
use offshoot_aggregates::environment::{FeatureStateContent, SegmentLink};
use offshoot_aggregates::ids::{EnvironmentId, FeatureId, FeatureStateId, ProjectId};
use rusqlite::{Connection, OptionalExtension, Result, Row};
use uuid::Uuid;

use super::feature_state_uuid;
use super::row::{read_content, read_link};
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
    /// How many overrides have a state.
    pub override_states: u64,
    /// How many overrides there are, with or without a state.
    pub overrides: u64,
    /// The version of the environment's stream that is known here.
    pub version: Version,
    /// When a state last changed, came or went. Never goes back.
    pub updated_at: Timestamp,
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
    /// The segment that it is an override for; none if it is the default.
    pub segment: Option<SegmentLink>,
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
}

impl EnvironmentStates {
    /// How many states there are, default ones and overrides.
    #[must_use]
    pub fn states(&self) -> u64 {
        self.default_states + self.override_states
    }

    /// An environment that came to be.
    pub(super) fn find(connection: &Connection, id: EnvironmentId) -> Result<Option<Self>> {
        let sql =
            "SELECT id, uuid, project, phase = 1 AS is_creating, default_states, override_states, overrides, version,
            updated_at FROM environment WHERE id = ?1 AND phase > 0";
        connection.prepare_cached(sql)?.query_row([id.0], Self::read).optional()
    }

    fn read(row: &Row<'_>) -> Result<Self> {
        Ok(Self {
            id: EnvironmentId(row.get("id")?),
            uuid: columns::uuid(row, "uuid")?,
            project: ProjectId(row.get("project")?),
            is_creating: row.get("is_creating")?,
            default_states: row.get("default_states")?,
            override_states: row.get("override_states")?,
            overrides: row.get("overrides")?,
            version: Version(row.get("version")?),
            updated_at: columns::timestamp(row, "updated_at")?,
        })
    }

    /// Reads one of its states.
    pub(super) fn read_state(&self, row: &Row<'_>) -> Result<FeatureStateView> {
        Ok(FeatureStateView {
            id: FeatureStateId(row.get("id")?),
            environment: self.id,
            environment_uuid: self.uuid,
            feature: FeatureId(row.get("feature")?),
            segment: read_link(row)?,
            content: read_content(row)?,
            created_at: columns::timestamp(row, "created_at")?,
            updated_at: columns::timestamp(row, "updated_at")?,
        })
    }
}
