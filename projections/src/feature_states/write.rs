//! What happens to the rows of an environment's states, and how many it has of each kind.

use std::borrow::Cow;

use offshoot_aggregates::RecordedEvent;
use offshoot_aggregates::environment::{Allocation, FeatureStateContent};
use offshoot_aggregates::ids::{FeatureId, IdentityId, SegmentId};
use offshoot_aggregates::project::Feature;
use rusqlite::{OptionalExtension, Result, Row, ToSql, Transaction};

use super::bulk::{BulkInsert, put_row};
use super::known::KnownEnvironment;
use super::row::{ResolvedContent, StateRow, Target, encode_shares, read_shares, unset_options};

/// How many rows of each kind came, or went if negative.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    default_states: i64,
    enabled_states: i64,
    overrides: i64,
    override_states: i64,
    identity_overrides: i64,
}

impl Counts {
    /// Counts a row that comes.
    pub(super) fn add(&mut self, row: &StateRow<'_>) {
        match row.target {
            Target::Default => self.count_default(row.content.enabled, 1),
            Target::Segment(_) => self.count_override(row.id.is_some(), 1),
            Target::Identity(_) => self.identity_overrides += 1,
        }
    }

    fn count_default(&mut self, is_enabled: bool, rows: i64) {
        self.default_states += rows;
        self.enabled_states += if is_enabled { rows } else { 0 };
    }

    fn count_override(&mut self, has_state: bool, rows: i64) {
        self.overrides += rows;
        self.override_states += if has_state { rows } else { 0 };
    }

    /// Notes in the environment how many rows it has now, and when they changed.
    pub(super) fn add_to(
        self,
        tx: &Transaction<'_>,
        environment: &KnownEnvironment,
        recorded: &RecordedEvent,
    ) -> Result<()> {
        let sql = "UPDATE environment SET default_states = default_states + ?2, enabled_states = enabled_states + ?3,
            overrides = overrides + ?4, override_states = override_states + ?5,
            identity_overrides = identity_overrides + ?6, updated_at = max(updated_at, ?7) WHERE id = ?1";
        let at = recorded.recorded_at.as_microsecond();
        let Self { default_states, enabled_states, overrides, override_states, identity_overrides } = self;
        let counts =
            (environment.id(), default_states, enabled_states, overrides, override_states, identity_overrides, at);
        tx.prepare_cached(sql)?.execute(counts).map(drop)
    }
}

/// Writes what is left of the rows, and notes how many there are now.
pub(super) fn finish(
    tx: &Transaction<'_>,
    environment: &KnownEnvironment,
    rows: BulkInsert<'_, StateRow<'_>>,
    counts: Counts,
    recorded: &RecordedEvent,
) -> Result<()> {
    if rows.finish()? {
        // Some rows were there before: how many of which kind is not known.
        let sql = "UPDATE environment
            SET (default_states, enabled_states, overrides, override_states, identity_overrides) = (
                SELECT count(*) FILTER (WHERE segment = 0 AND identity = 0),
                    count(*) FILTER (WHERE segment = 0 AND identity = 0 AND enabled),
                    count(*) FILTER (WHERE segment > 0), count(*) FILTER (WHERE segment > 0 AND id IS NOT NULL),
                    count(*) FILTER (WHERE identity > 0)
                FROM feature_state WHERE environment = ?1)
            WHERE id = ?1";
        tx.prepare_cached(sql)?.execute([environment.id()])?;
        return Counts::default().add_to(tx, environment, recorded);
    }
    counts.add_to(tx, environment, recorded)
}

/// Writes one state, which may be there already.
pub(super) fn put(tx: &Transaction<'_>, row: StateRow<'_>) -> Result<Counts> {
    let sql = "SELECT id IS NOT NULL, enabled FROM feature_state
        WHERE environment = ?1 AND feature = ?2 AND identity = ?3 AND segment = ?4";
    let key = (row.environment, row.feature.0, row.target.identity(), row.target.segment());
    let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
    let before: Option<(bool, bool)> = tx.prepare_cached(sql)?.query_row(key, read).optional()?;
    let mut counts = Counts::default();
    match (before, row.target) {
        (None, _) => counts.add(&row),
        (Some((_, was_enabled)), Target::Default) => {
            counts.enabled_states = i64::from(row.content.enabled) - i64::from(was_enabled);
        }
        (Some((false, _)), Target::Segment(_)) if row.id.is_some() => counts.override_states = 1,
        (Some(_), _) => {}
    }
    put_row(tx, &row, ON_CONFLICT)?;
    Ok(counts)
}

/// The first state that an override gets counts as new.
const ON_CONFLICT: &str = "ON CONFLICT (environment, feature, identity, segment) DO UPDATE SET id = excluded.id,
    is_outside_block = excluded.is_outside_block, enabled = excluded.enabled, value_type = excluded.value_type,
    string_value = excluded.string_value, integer_value = excluded.integer_value,
    boolean_value = excluded.boolean_value, multivariate = excluded.multivariate, seed = excluded.seed,
    feature_segment = excluded.feature_segment, priority = excluded.priority,
    created_at = CASE WHEN id IS NULL THEN excluded.created_at ELSE created_at END,
    updated_at = max(updated_at, excluded.updated_at)
    WHERE excluded.id IS NOT NULL";

/// Which rows of an environment.
#[derive(Clone, Copy, Debug)]
pub(super) enum Which {
    /// All of a feature.
    OfFeature(FeatureId),
    /// All overrides for a segment.
    OfSegment(SegmentId),
    /// The override of a feature for a segment.
    Override(FeatureId, SegmentId),
    /// All overrides for an identity.
    OfIdentity(IdentityId),
    /// The override of a feature for an identity.
    IdentityOverride(FeatureId, IdentityId),
}

/// Deletes rows.
pub(super) fn remove(tx: &Transaction<'_>, environment: &KnownEnvironment, which: Which) -> Result<Counts> {
    let id = environment.id();
    let (condition, key): (_, &[&dyn ToSql]) = match &which {
        Which::OfFeature(feature) => ("feature = ?2", &[&id, &feature.0]),
        Which::OfSegment(segment) => ("segment = ?2 AND segment > 0", &[&id, &segment.0]),
        Which::Override(feature, segment) => {
            ("feature = ?2 AND identity = 0 AND segment = ?3 AND segment > 0", &[&id, &feature.0, &segment.0])
        }
        Which::OfIdentity(identity) => ("identity = ?2 AND identity > 0", &[&id, &identity.0]),
        Which::IdentityOverride(feature, identity) => {
            ("feature = ?2 AND identity = ?3 AND identity > 0", &[&id, &feature.0, &identity.0])
        }
    };
    let sql = format!(
        "DELETE FROM feature_state WHERE environment = ?1 AND {condition}
            RETURNING identity > 0, segment > 0, id IS NOT NULL, enabled"
    );
    let mut counts = Counts::default();
    let mut statement = tx.prepare_cached(&sql)?;
    let mut deleted = statement.query(key)?;
    while let Some(row) = deleted.next()? {
        match (row.get(0)?, row.get(1)?) {
            (true, _) => counts.identity_overrides -= 1,
            (false, true) => counts.count_override(row.get(2)?, -1),
            (false, false) => counts.count_default(row.get(3)?, -1),
        }
    }
    Ok(counts)
}

/// The shares of the options that the feature has now: a default state has one for each, an override those that were set.
fn shares_now(feature: &Feature, environment: u64, is_default: bool, shares: &[Allocation]) -> Vec<Allocation> {
    if is_default { feature.resolved_allocations(shares, environment) } else { feature.kept_allocations(shares) }
}

/// What a state says, with the shares of the options that the feature has now.
pub(super) fn resolved<'a>(
    feature: &Feature,
    environment_ordinal: u64,
    is_default: bool,
    content: &'a FeatureStateContent,
) -> ResolvedContent<'a> {
    let multivariate = shares_now(feature, environment_ordinal, is_default, &content.multivariate);
    if multivariate == content.multivariate {
        return Cow::Borrowed(content).into();
    }
    let unset = unset_options(&content.multivariate, &multivariate);
    ResolvedContent { content: Cow::Owned(FeatureStateContent { multivariate, ..content.clone() }), unset }
}

/// Gives the states of a feature, whose options changed, shares for the options that it has now.
pub(super) fn resolve_shares(
    tx: &Transaction<'_>,
    environment: &KnownEnvironment,
    feature: &Feature,
    recorded: &RecordedEvent,
) -> Result<()> {
    let key = (environment.id(), feature.definition.id.0);
    let sql = "SELECT identity, segment, multivariate FROM feature_state
        WHERE environment = ?1 AND feature = ?2 AND id IS NOT NULL";
    let mut statement = tx.prepare_cached(sql)?;
    let read = |row: &Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, read_shares(row, "multivariate")?));
    let rows: Vec<_> = statement.query_map(key, read)?.collect::<Result<_>>()?;
    let mut is_changed = false;
    for (identity, segment, stored) in rows {
        let (set, is_default) = (stored.set(), (identity, segment) == (0, 0));
        let now = shares_now(feature, environment.reservation.ordinal, is_default, &set);
        if now != stored.shares {
            let sql = "UPDATE feature_state SET multivariate = ?5, updated_at = max(updated_at, ?6)
                WHERE environment = ?1 AND feature = ?2 AND identity = ?3 AND segment = ?4";
            let at = recorded.recorded_at.as_microsecond();
            let shares = encode_shares(&now, &unset_options(&set, &now))?;
            tx.prepare_cached(sql)?.execute((key.0, key.1, identity, segment, shares, at))?;
            is_changed = true;
        }
    }
    if is_changed { Counts::default().add_to(tx, environment, recorded) } else { Ok(()) }
}
