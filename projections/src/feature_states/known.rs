//! What the fold keeps in order to know what an event means for the states: projects, environments and features, slim.

use offshoot_aggregates::ids::{EnvironmentId, FeatureId, FeatureStateId, MultivariateOptionId};
use offshoot_aggregates::project::{EnvironmentReservation, Feature, FeatureDefinition, MultivariateOption};
use offshoot_aggregates::{Position, RecordedEvent};
use rusqlite::{OptionalExtension, Result, Row, Transaction};
use uuid::Uuid;

use super::bulk::{BulkRow, Values};
use crate::columns::{from_json, to_json};

/// A project that is not deleted.
pub(super) struct KnownProject {
    pub(super) id: i64,
    pub(super) live_features: u64,
    pub(super) environments_ever: u64,
}

impl KnownProject {
    /// The project with this UUID.
    pub(super) fn find(tx: &Transaction<'_>, uuid: Uuid) -> Result<Option<Self>> {
        let sql = "SELECT id, live_features, environments_ever FROM project WHERE uuid = ?1";
        tx.prepare_cached(sql)?.query_row([uuid.as_bytes()], Self::read).optional()
    }

    /// The project with this id.
    pub(super) fn get(tx: &Transaction<'_>, id: i64) -> Result<Option<Self>> {
        let sql = "SELECT id, live_features, environments_ever FROM project WHERE id = ?1";
        tx.prepare_cached(sql)?.query_row([id], Self::read).optional()
    }

    fn read(row: &Row<'_>) -> Result<Self> {
        Ok(Self { id: row.get(0)?, live_features: row.get(1)?, environments_ever: row.get(2)? })
    }

    /// It has so many features more than before.
    pub(super) fn count_features(&self, tx: &Transaction<'_>, more: i64) -> Result<()> {
        let sql = "UPDATE project SET live_features = live_features + ?2 WHERE id = ?1";
        tx.prepare_cached(sql)?.execute((self.id, more)).map(drop)
    }
}

/// How far an environment is. 0 stands for one whose name is reserved: nobody sees it yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Its states are on their way.
    Creating = 1,
    /// It has all its states.
    Ready = 2,
}

/// An environment that is not deleted.
pub(super) struct KnownEnvironment {
    pub(super) project: i64,
    pub(super) reservation: EnvironmentReservation,
    pub(super) default_states: u64,
    /// Batches say what was true at this position.
    pub(super) cut: u64,
}

impl KnownEnvironment {
    const COLUMNS: &'static str = "id, project, ordinal, known_features, first_feature_state_id, default_states, cut";

    /// The environment with this UUID.
    pub(super) fn find(tx: &Transaction<'_>, uuid: Uuid) -> Result<Option<Self>> {
        let sql = format!("SELECT {} FROM environment WHERE uuid = ?1", Self::COLUMNS);
        tx.prepare_cached(&sql)?.query_row([uuid.as_bytes()], Self::read).optional()
    }

    /// The environments of a project, also those that are still to come, at most as many as a project can have.
    pub(super) fn of_project(tx: &Transaction<'_>, project: i64) -> Result<Vec<Self>> {
        let sql = format!("SELECT {} FROM environment WHERE project = ?1 ORDER BY id", Self::COLUMNS);
        tx.prepare_cached(&sql)?.query_map([project], Self::read)?.collect()
    }

    fn read(row: &Row<'_>) -> Result<Self> {
        Ok(Self {
            project: row.get(1)?,
            reservation: EnvironmentReservation {
                id: EnvironmentId(row.get(0)?),
                ordinal: row.get(2)?,
                known_features: row.get(3)?,
                first_feature_state_id: FeatureStateId(row.get(4)?),
            },
            default_states: row.get(5)?,
            cut: row.get(6)?,
        })
    }

    pub(super) fn id(&self) -> i64 {
        self.reservation.id.0
    }

    /// Whether a state's id is not one of those that were set apart for the features there were before the environment.
    pub(super) fn is_outside_block(&self, id: FeatureStateId) -> bool {
        let first = self.reservation.first_feature_state_id;
        id < first || id >= first.plus(self.reservation.known_features)
    }

    /// Deletes it, with all its states and identities.
    pub(super) fn delete(&self, tx: &Transaction<'_>) -> Result<()> {
        tx.prepare_cached("DELETE FROM identity WHERE environment = ?1")?.execute([self.id()])?;
        tx.prepare_cached("DELETE FROM feature_state WHERE environment = ?1")?.execute([self.id()])?;
        tx.prepare_cached("DELETE FROM environment WHERE id = ?1")?.execute([self.id()]).map(drop)
    }
}

/// A feature as a row of its table.
pub(super) struct FeatureRow {
    pub(super) project: i64,
    pub(super) feature: Feature,
    /// The position of the event that says it.
    pub(super) at: Position,
}

impl BulkRow for FeatureRow {
    const TABLE: &'static str = "feature";
    const COLUMNS: &'static [&'static str] = &[
        "project",
        "id",
        "ordinal",
        "first_feature_state_id",
        "default_enabled",
        "initial_value",
        "multivariate",
        "changed_at",
    ];

    fn bind(&self, values: &mut Values<'_, '_>) -> Result<()> {
        let Feature { definition, ordinal, first_feature_state_id, .. } = &self.feature;
        let is_multivariate = !definition.options.is_empty();
        values.put(self.project)?;
        values.put(definition.id.0)?;
        values.put(ordinal)?;
        values.put(first_feature_state_id.0)?;
        values.put(definition.default_enabled)?;
        values.put(definition.initial_value.as_deref())?;
        values.put(is_multivariate.then(|| to_json(&self.feature)).transpose()?)?;
        values.put(is_multivariate.then_some(self.at.0))
    }
}

/// What decides the default state of a feature, and nothing else of it.
pub(super) fn slim(definition: &FeatureDefinition) -> FeatureDefinition {
    let slim_option = |option: &MultivariateOption| option_share(option.id, option.default_percentage_allocation);
    FeatureDefinition {
        id: definition.id,
        uuid: Uuid::nil(),
        name: String::new(),
        feature_type: definition.feature_type,
        default_enabled: definition.default_enabled,
        initial_value: definition.initial_value.clone(),
        description: None,
        is_archived: false,
        is_server_key_only: false,
        options: definition.options.iter().map(slim_option).collect(),
    }
}

/// What decides an option's default share, and nothing else of it.
pub(super) fn option_share(id: MultivariateOptionId, default_percentage_allocation: f64) -> MultivariateOption {
    MultivariateOption { id, uuid: Uuid::nil(), value: Default::default(), default_percentage_allocation, key: None }
}

/// A feature that is not deleted.
pub(super) fn feature(tx: &Transaction<'_>, project: i64, id: FeatureId) -> Result<Option<Feature>> {
    let sql = format!("SELECT {FEATURE} FROM feature WHERE project = ?1 AND id = ?2 AND is_deleted = 0");
    tx.prepare_cached(&sql)?.query_row((project, id.0), read_feature).optional()
}

/// The columns that [`read_feature`] reads.
pub(super) const FEATURE: &str =
    "id, ordinal, first_feature_state_id, default_enabled, initial_value, multivariate, is_deleted";

/// Reads a feature.
pub(super) fn read_feature(row: &Row<'_>) -> Result<Feature> {
    if !matches!(row.get_ref("multivariate")?, rusqlite::types::ValueRef::Null) {
        return from_json(row, "multivariate");
    }
    let definition = FeatureDefinition {
        id: FeatureId(row.get(0)?),
        uuid: Uuid::nil(),
        name: String::new(),
        feature_type: Default::default(),
        default_enabled: row.get(3)?,
        initial_value: row.get::<_, Option<String>>(4)?.map(Into::into),
        description: None,
        is_archived: false,
        is_server_key_only: false,
        options: Vec::new(),
    };
    Ok(Feature::new(definition, row.get(1)?, FeatureStateId(row.get(2)?)))
}

/// Keeps a feature whose options changed.
pub(super) fn store_options(
    tx: &Transaction<'_>,
    project: i64,
    feature: &Feature,
    recorded: &RecordedEvent,
) -> Result<()> {
    let sql = "UPDATE feature SET multivariate = ?3, changed_at = ?4 WHERE project = ?1 AND id = ?2";
    let json = to_json(feature)?;
    tx.prepare_cached(sql)?.execute((project, feature.definition.id.0, json, recorded.position.0)).map(drop)
}
