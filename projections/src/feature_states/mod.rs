//! The read model `feature_states`: what every feature is in every environment, by default, for segments and for identities;
//! and when that last changed.

mod bulk;
mod environment_fold;
mod identities;
mod identity_fold;
mod known;
mod links;
mod project_fold;
mod row;
mod served;
mod states;
mod views;
mod write;

use offshoot_aggregates::ids::{FeatureSegmentId, FeatureStateId, IdentityId};
use offshoot_aggregates::{Event, RecordedEvent};
use rusqlite::Transaction;
use uuid::Uuid;

pub use identities::{
    StoredIdentity, count_identities, identity, identity_named, identity_override_counts, list_identities,
};
pub use links::{FeatureSegmentView, count_feature_segments, feature_segment, list_feature_segments};
pub use served::{ServedVersion, served_version};
pub use states::{
    StateFilter, StateScope, count_states, default_states_of, environment_digest, environment_states, feature_state,
    list_states, matching_features, override_counts, override_states_of,
};
pub use views::{EnvironmentStates, FeatureStateView, IdentityRef};

use crate::Projection;

/// The read model `feature_states`.
#[derive(Clone, Copy, Debug, Default)]
pub struct FeatureStates;

/// A row of `feature_state` is a default state (`identity` and `segment` 0), a segment override or an identity override, in
/// the order in which they are listed and in which clones bring them: so a batch is written to the end of one b-tree. Rows have no UUID (it is derived), no
/// version (it is always 1), and no index on their ids where the ids follow from the environment's block: a million rows
/// cost 76 MB instead of 93, and two thirds of the time.
///
/// The other tables are what the fold needs to know. `feature.changed_at` is the position of the last event that changed
/// the feature's options or deleted it: what a batch says of such features may be out of date. `served_at` and
/// `served_since` of a project and of an environment are position and time of the last event in its stream that can change
/// what is served.
const SCHEMA: &str = "
    CREATE TABLE project (
        id INTEGER PRIMARY KEY,
        uuid BLOB NOT NULL UNIQUE,
        live_features INTEGER NOT NULL DEFAULT 0,
        environments_ever INTEGER NOT NULL DEFAULT 0,
        version INTEGER NOT NULL,
        served_at INTEGER NOT NULL,
        served_since INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE environment (
        id INTEGER PRIMARY KEY,
        uuid BLOB NOT NULL UNIQUE,
        project INTEGER NOT NULL,
        ordinal INTEGER NOT NULL,
        known_features INTEGER NOT NULL,
        first_feature_state_id INTEGER NOT NULL,
        names INTEGER NOT NULL DEFAULT 1,
        phase INTEGER NOT NULL DEFAULT 0,
        cut INTEGER NOT NULL DEFAULT 0,
        default_states INTEGER NOT NULL DEFAULT 0,
        enabled_states INTEGER NOT NULL DEFAULT 0,
        overrides INTEGER NOT NULL DEFAULT 0,
        override_states INTEGER NOT NULL DEFAULT 0,
        identity_overrides INTEGER NOT NULL DEFAULT 0,
        version INTEGER NOT NULL DEFAULT 0,
        updated_at INTEGER NOT NULL,
        served_at INTEGER NOT NULL DEFAULT 0,
        served_since INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    CREATE INDEX environment_by_project ON environment (project);
    CREATE INDEX environment_by_block ON environment (first_feature_state_id);
    CREATE TABLE feature (
        project INTEGER NOT NULL,
        id INTEGER NOT NULL,
        ordinal INTEGER NOT NULL,
        first_feature_state_id INTEGER NOT NULL,
        default_enabled INTEGER NOT NULL,
        initial_value TEXT,
        multivariate TEXT,
        changed_at INTEGER,
        is_deleted INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (project, id)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX feature_by_ordinal ON feature (project, ordinal);
    CREATE INDEX changed_feature ON feature (project, id) WHERE changed_at IS NOT NULL;
    CREATE TABLE deleted_segment (
        project INTEGER NOT NULL,
        id INTEGER NOT NULL,
        PRIMARY KEY (project, id)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE identity (
        id INTEGER PRIMARY KEY,
        environment INTEGER NOT NULL,
        identifier TEXT NOT NULL,
        created_at INTEGER NOT NULL
    ) STRICT;
    CREATE UNIQUE INDEX identity_by_identifier ON identity (environment, identifier);
    CREATE INDEX identity_by_environment ON identity (environment);
    CREATE TABLE feature_state (
        environment INTEGER NOT NULL,
        feature INTEGER NOT NULL,
        identity INTEGER NOT NULL,
        segment INTEGER NOT NULL,
        id INTEGER,
        is_outside_block INTEGER NOT NULL,
        enabled INTEGER NOT NULL,
        value_type INTEGER NOT NULL,
        string_value TEXT,
        integer_value INTEGER,
        boolean_value INTEGER,
        multivariate TEXT,
        seed INTEGER NOT NULL,
        feature_segment INTEGER,
        priority INTEGER,
        created_at INTEGER NOT NULL,
        updated_at INTEGER NOT NULL,
        PRIMARY KEY (environment, feature, identity, segment)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX feature_state_outside_block ON feature_state (id) WHERE is_outside_block = 1;
    CREATE INDEX feature_state_by_link ON feature_state (feature_segment) WHERE feature_segment IS NOT NULL;
    CREATE INDEX feature_state_by_segment ON feature_state (environment, segment) WHERE segment > 0;
    CREATE INDEX feature_state_by_identity ON feature_state (environment, identity, feature) WHERE identity > 0;";

impl Projection for FeatureStates {
    fn name(&self) -> &'static str {
        "feature_states"
    }

    fn version(&self) -> u32 {
        4
    }

    fn schema(&self) -> &'static str {
        SCHEMA
    }

    fn apply(&self, tx: &Transaction<'_>, recorded: &RecordedEvent, event: &Event) -> rusqlite::Result<()> {
        match event {
            Event::Project(event) => project_fold::apply(tx, recorded, event),
            Event::Environment(event) => environment_fold::apply(tx, recorded, event),
            Event::Organisation(_) | Event::IdAllocator(_) => Ok(()),
        }
    }
}

/// The UUID of a feature state: the same for ever, and nowhere stored.
#[must_use]
pub fn feature_state_uuid(environment: Uuid, id: FeatureStateId) -> Uuid {
    Uuid::new_v5(&environment, format!("feature state {id}").as_bytes())
}

/// The UUID of a segment override's link: the same for ever, and nowhere stored.
#[must_use]
pub fn feature_segment_uuid(environment: Uuid, id: FeatureSegmentId) -> Uuid {
    Uuid::new_v5(&environment, format!("feature segment {id}").as_bytes())
}

/// The UUID of an identity: the same for ever, and nowhere stored.
#[must_use]
pub fn identity_uuid(environment: Uuid, id: IdentityId) -> Uuid {
    Uuid::new_v5(&environment, format!("identity {id}").as_bytes())
}
