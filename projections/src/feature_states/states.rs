//! What readers ask about feature states. Environments that are reserved, unknown or deleted have none.

use std::collections::HashMap;

use offshoot_aggregates::environment::ValueType;
use offshoot_aggregates::ids::{EnvironmentId, FeatureId, FeatureSegmentId, FeatureStateId, IdentityId, SegmentId};
use rusqlite::{Connection, OptionalExtension, Result, Row};
use uuid::Uuid;

use super::row::read_value;
use super::views::{EnvironmentStates, FeatureStateView, STATE};
use crate::digest::digest_rows;
use crate::lists::{Conditions, Page, id_set};

/// Which states of an environment, by whom they are for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StateScope {
    /// Default states only.
    #[default]
    Defaults,
    /// Default states, segment overrides and identity overrides.
    All,
    /// Default states and identity overrides.
    DefaultsAndIdentities,
    /// Identity overrides only.
    Identities,
    /// The overrides of one identity only.
    Identity(IdentityId),
}

/// Which states of an environment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StateFilter {
    /// Whom they are for.
    pub scope: StateScope,
    /// Of this feature only.
    pub feature: Option<FeatureId>,
    /// Of this segment override only; needs [`StateScope::All`].
    pub feature_segment: Option<FeatureSegmentId>,
}

impl StateFilter {
    fn conditions(self, environment: EnvironmentId) -> Conditions {
        let mut conditions = Conditions::default();
        conditions.add("s.environment = ?", environment.0);
        conditions.add_some("s.feature = ?", self.feature.map(|feature| feature.0));
        conditions.add_some("s.feature_segment = ?", self.feature_segment.map(|link| link.0));
        match self.scope {
            StateScope::Defaults => conditions.add("s.segment = 0 AND s.identity = ?", 0),
            StateScope::All => {}
            StateScope::DefaultsAndIdentities => conditions.add("s.segment = ?", 0),
            StateScope::Identities => conditions.add("s.identity > ? AND s.identity > 0", 0),
            StateScope::Identity(identity) => conditions.add("s.identity = ? AND s.identity > 0", identity.0),
        }
        conditions
    }

    /// The order of the states: as they stand in the table, or by identity where it is them that are asked for.
    fn order(self) -> &'static str {
        match self.scope {
            StateScope::Identities | StateScope::Identity(_) if self.feature.is_none() => "s.identity, s.feature",
            _ => "s.feature, s.identity, s.segment",
        }
    }
}

/// What is known of an environment's states as a whole; `None` unless the environment exists.
///
/// # Errors
/// The file cannot be read.
pub fn environment_states(connection: &Connection, environment: EnvironmentId) -> Result<Option<EnvironmentStates>> {
    EnvironmentStates::find(connection, environment)
}

/// The state with this id, in whatever environment.
///
/// # Errors
/// The file cannot be read.
pub fn feature_state(connection: &Connection, id: FeatureStateId) -> Result<Option<FeatureStateView>> {
    // Most ids follow from the block of the environment; see `FeatureStates`. The order of the joins is the cheap one.
    let by_block = "SELECT s.*, NULL AS identifier FROM environment e
        CROSS JOIN feature f ON f.project = e.project AND f.ordinal = ?1 - e.first_feature_state_id
        CROSS JOIN feature_state s
            ON s.environment = e.id AND s.feature = f.id AND s.identity = 0 AND s.segment = 0 AND s.id = ?1
        WHERE e.first_feature_state_id <= ?1 AND e.first_feature_state_id + e.known_features > ?1";
    let outside_block = format!("{STATE} WHERE s.id = ?1 AND s.is_outside_block = 1");
    for sql in [by_block, &outside_block] {
        let read = |row: &Row<'_>| {
            let environment = EnvironmentStates::find(connection, EnvironmentId(row.get("environment")?))?;
            environment.map(|environment| environment.read_state(row)).transpose()
        };
        if let Some(state) = connection.prepare_cached(sql)?.query_row([id.0], read).optional()? {
            return Ok(state);
        }
    }
    Ok(None)
}

/// The states of an environment that pass a filter, in order of their features' ids: the default, then the overrides for
/// segments, then those for identities. Identity overrides by themselves come in order of the identities.
///
/// # Errors
/// The file cannot be read.
pub fn list_states(
    connection: &Connection,
    environment: EnvironmentId,
    filter: StateFilter,
    page: Page,
) -> Result<Vec<FeatureStateView>> {
    let Some(environment) = EnvironmentStates::find(connection, environment)? else { return Ok(Vec::new()) };
    let conditions = filter.conditions(environment.id);
    let (order, conditions_sql) = (filter.order(), conditions.sql());
    let sql = format!("{STATE} WHERE {conditions_sql} AND s.id IS NOT NULL ORDER BY {order} LIMIT ? OFFSET ?");
    let mut statement = connection.prepare_cached(&sql)?;
    let parameters = rusqlite::params_from_iter(conditions.values_and(page));
    statement.query_map(parameters, |row| environment.read_state(row))?.collect()
}

/// How many states of an environment pass a filter.
///
/// # Errors
/// The file cannot be read.
pub fn count_states(connection: &Connection, environment: EnvironmentId, filter: StateFilter) -> Result<u64> {
    let Some(environment) = EnvironmentStates::find(connection, environment)? else { return Ok(0) };
    if let StateFilter { scope, feature: None, feature_segment: None } = filter {
        match scope {
            StateScope::Defaults => return Ok(environment.default_states),
            StateScope::All => return Ok(environment.states()),
            StateScope::DefaultsAndIdentities => return Ok(environment.default_states + environment.identity_overrides),
            StateScope::Identities => return Ok(environment.identity_overrides),
            StateScope::Identity(_) => {}
        }
    }
    let conditions = filter.conditions(environment.id);
    let sql = format!("SELECT count(*) FROM feature_state s WHERE {} AND s.id IS NOT NULL", conditions.sql());
    let parameters = rusqlite::params_from_iter(conditions.values());
    connection.prepare_cached(&sql)?.query_row(parameters, |row| row.get(0))
}

/// The default states of these features in an environment.
///
/// # Errors
/// The file cannot be read.
pub fn default_states_of(
    connection: &Connection,
    environment: EnvironmentId,
    features: &[FeatureId],
) -> Result<HashMap<FeatureId, FeatureStateView>> {
    let Some(environment) = EnvironmentStates::find(connection, environment)? else { return Ok(HashMap::new()) };
    let sql = format!(
        "{STATE} WHERE s.environment = ?1 AND s.feature IN (SELECT value FROM json_each(?2))
            AND s.identity = 0 AND s.segment = 0"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let states = statement.query_map((environment.id.0, id_set(features)), |row| environment.read_state(row))?;
    states.map(|state| state.map(|state| (state.feature, state))).collect()
}

/// How many segment overrides with a state these features have in an environment; features without any are left out.
///
/// # Errors
/// The file cannot be read.
pub fn override_counts(
    connection: &Connection,
    environment: EnvironmentId,
    features: &[FeatureId],
) -> Result<HashMap<FeatureId, u64>> {
    let Some(environment) = EnvironmentStates::find(connection, environment)? else { return Ok(HashMap::new()) };
    let sql = "SELECT feature, count(*) FROM feature_state
        WHERE environment = ?1 AND feature IN (SELECT value FROM json_each(?2)) AND segment > 0 AND id IS NOT NULL
        GROUP BY feature";
    let mut statement = connection.prepare_cached(sql)?;
    let counts =
        statement.query_map((environment.id.0, id_set(features)), |row| Ok((FeatureId(row.get(0)?), row.get(1)?)))?;
    counts.collect()
}

/// The states of a segment's overrides for these features in an environment; features without any are left out.
///
/// # Errors
/// The file cannot be read.
pub fn override_states_of(
    connection: &Connection,
    environment: EnvironmentId,
    segment: SegmentId,
    features: &[FeatureId],
) -> Result<HashMap<FeatureId, FeatureStateView>> {
    let Some(environment) = EnvironmentStates::find(connection, environment)? else { return Ok(HashMap::new()) };
    let sql = format!(
        "{STATE} WHERE s.environment = ?1 AND s.segment = ?2 AND s.segment > 0
            AND s.feature IN (SELECT value FROM json_each(?3)) AND s.id IS NOT NULL"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let values = (environment.id.0, segment.0, id_set(features));
    let states = statement.query_map(values, |row| environment.read_state(row))?;
    states.map(|state| state.map(|state| (state.feature, state))).collect()
}

/// The features whose default state in an environment is on or off as asked, and whose value has `value_search` in it,
/// in whatever case; in order of their ids.
///
/// # Errors
/// The file cannot be read.
pub fn matching_features(
    connection: &Connection,
    environment: EnvironmentId,
    is_enabled: Option<bool>,
    value_search: Option<&str>,
    page: Page,
) -> Result<Vec<FeatureId>> {
    let Some(environment) = EnvironmentStates::find(connection, environment)? else { return Ok(Vec::new()) };
    let sql = "SELECT feature, value_type, string_value, integer_value, boolean_value FROM feature_state
        WHERE environment = ?1 AND identity = 0 AND segment = 0 AND (?2 IS NULL OR enabled = ?2) ORDER BY feature";
    let mut statement = connection.prepare_cached(sql)?;
    let searched = value_search.map(str::to_lowercase);
    // Not in SQL: SQLite knows upper and lower case of ASCII letters only.
    let matches = |row: &Row<'_>| match &searched {
        None => Ok(true),
        Some(searched) => effective_text(row).map(|text| text.to_lowercase().contains(searched)),
    };
    let features = statement.query_map((environment.id.0, is_enabled), |row| {
        let feature = FeatureId(row.get(0)?);
        Ok(matches(row)?.then_some(feature))
    })?;
    let (limit, offset) = page.bounds();
    let bounds = [limit, offset].map(|bound| usize::try_from(bound).unwrap_or(usize::MAX));
    features.filter_map(Result::transpose).skip(bounds[1]).take(bounds[0]).collect()
}

fn effective_text(row: &Row<'_>) -> Result<String> {
    let value = read_value(row)?;
    let text = match value.value_type {
        ValueType::Unicode => value.string_value.map(Into::into),
        ValueType::Int => value.integer_value.map(|integer| integer.to_string()),
        ValueType::Bool => value.boolean_value.map(|boolean| boolean.to_string()),
    };
    Ok(text.unwrap_or_default())
}

/// A digest of what the states of an environment say: features, values, shares, seeds, segments, priorities, but no ids
/// and no times, and without identity overrides, which are not cloned. A clone has the digest that its source had at the cut. Takes time in proportion to the states.
///
/// # Errors
/// The file cannot be read.
pub fn environment_digest(connection: &Connection, environment: EnvironmentId) -> Result<Uuid> {
    let sql = "SELECT feature, segment, enabled, value_type, string_value, integer_value, boolean_value,
            multivariate -> '$[0]', seed,
            priority FROM feature_state
        WHERE environment = ?1 AND identity = 0 AND id IS NOT NULL AND environment IN (SELECT id FROM environment WHERE phase > 0)
        ORDER BY feature, segment";
    let mut statement = connection.prepare_cached(sql)?;
    let columns = statement.column_count();
    digest_rows(Uuid::nil(), columns, statement.query([environment.0])?)
}
