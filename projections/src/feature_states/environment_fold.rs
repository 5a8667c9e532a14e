//! What the events of an environment change: it comes to be, its states arrive in batches, are set, and go.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use offshoot_aggregates::RecordedEvent;
use offshoot_aggregates::environment::{BatchedState, EnvironmentEvent, FeatureStateContent, Origin, PriorityChange};
use offshoot_aggregates::ids::{FeatureId, FeatureStateId, SegmentId};
use offshoot_aggregates::project::Feature;
use rusqlite::{Result, Transaction};

use super::bulk::BulkInsert;
use super::known::{self, FEATURE, KnownEnvironment, KnownProject, Phase, read_feature};
use super::row::{ResolvedContent, StateRow, Target};
use super::write::{self, Counts, Which, resolved};
use super::{identity_fold, served};

/// Features that are read at a time in order to give an environment their default states.
const FEATURES_PER_READ: usize = 1_000;

/// Applies an event of an environment.
pub(super) fn apply(tx: &Transaction<'_>, recorded: &RecordedEvent, event: &EnvironmentEvent) -> Result<()> {
    use EnvironmentEvent as E;
    let Some(environment) = KnownEnvironment::find(tx, recorded.stream.uuid())? else { return Ok(()) };
    let fold = EnvironmentFold { tx, recorded, environment };
    match event {
        E::EnvironmentCreated { origin, .. } => fold.create(origin)?,
        E::FeatureStatesBatchCopied { states, .. } | E::FeatureStatesImported { states, .. } => {
            fold.take_batch(states)?;
        }
        E::CloneCompleted { .. } | E::ImportCompleted { .. } => fold.complete()?,
        E::FeatureStateChanged { feature, feature_state, after, .. } => {
            fold.set(*feature, Target::Default, Some((*feature_state, after)))?;
        }
        E::SegmentOverrideAdded { feature, link, .. } => fold.set(*feature, Target::Segment(*link), None)?,
        E::SegmentOverrideSet { feature, link, feature_state, after, .. } => {
            fold.set(*feature, Target::Segment(*link), Some((*feature_state, after)))?;
        }
        E::SegmentOverridesReordered { feature, priorities, .. } => fold.reorder(*feature, priorities)?,
        E::SegmentOverrideRemoved { feature, link, .. } => {
            let counts = write::remove(tx, &fold.environment, Which::Override(*feature, link.segment))?;
            counts.add_to(tx, &fold.environment, recorded)?;
        }
        E::IdentityOverridesImported { .. }
        | E::IdentityAdded { .. }
        | E::IdentityRemoved { .. }
        | E::IdentityOverrideSet { .. }
        | E::IdentityOverrideRemoved { .. } => identity_fold::apply(&fold, event)?,
        E::EnvironmentDeleted { .. } => return fold.environment.delete(tx),
        E::CloneFailed { .. }
        | E::CloneRetried { .. }
        | E::CloneCancelled { .. }
        | E::EnvironmentSettingsChanged { .. }
        | E::ServerKeyIssued { .. }
        | E::ServerKeyChanged { .. }
        | E::ServerKeyRevoked { .. }
        | E::EnvironmentPermissionGranted { .. }
        | E::EnvironmentPermissionRevoked { .. }
        | E::PermissionsInherited { .. } => {}
    }
    served::note_environment(tx, fold.environment.id(), recorded, event)
}

/// An event of an environment, about to be applied.
pub(super) struct EnvironmentFold<'t> {
    pub(super) tx: &'t Transaction<'t>,
    pub(super) recorded: &'t RecordedEvent,
    pub(super) environment: KnownEnvironment,
}

impl EnvironmentFold<'_> {
    fn enter(&self, phase: Phase, cut: u64) -> Result<()> {
        let sql = "UPDATE environment SET phase = ?2, cut = ?3 WHERE id = ?1";
        self.tx.prepare_cached(sql)?.execute((self.environment.id(), phase as u8, cut)).map(drop)
    }

    fn create(&self, origin: &Origin) -> Result<()> {
        match origin {
            Origin::New => self.complete(),
            Origin::Clone(origin) => self.enter(Phase::Creating, origin.position.0),
            Origin::Import { .. } => self.enter(Phase::Creating, 0),
        }
    }

    /// Gives the environment the default states that it does not have yet.
    fn complete(&self) -> Result<()> {
        self.enter(Phase::Ready, self.environment.cut)?;
        let Some(project) = KnownProject::get(self.tx, self.environment.project)? else { return Ok(()) };
        if self.environment.default_states == project.live_features {
            return self.touch(Counts::default());
        }
        let mut states = BulkInsert::new(self.tx);
        let mut counts = Counts::default();
        let mut after = i64::MIN;
        loop {
            let features = self.features_without_state(after)?;
            let Some(last) = features.last() else { break };
            after = last.definition.id.0;
            for feature in &features {
                let row = StateRow::implicit(&self.environment, feature, self.recorded);
                counts.add(&row);
                states.push(row)?;
            }
        }
        write::finish(self.tx, &self.environment, states, counts, self.recorded)
    }

    fn features_without_state(&self, after: i64) -> Result<Vec<Feature>> {
        let sql = format!(
            "SELECT {FEATURE} FROM feature f
            WHERE project = ?1 AND id > ?2 AND is_deleted = 0 AND NOT EXISTS
                (SELECT 1 FROM feature_state s WHERE s.environment = ?3 AND s.feature = f.id AND s.identity = 0 AND s.segment = 0)
            ORDER BY id LIMIT {FEATURES_PER_READ}"
        );
        let mut statement = self.tx.prepare_cached(&sql)?;
        let key = (self.environment.project, after, self.environment.id());
        statement.query_map(key, read_feature)?.collect()
    }

    /// Takes states over as they come, but for what happened to features and segments since the cut.
    fn take_batch(&self, states: &[BatchedState]) -> Result<()> {
        let changed = self.changed_features(states)?;
        let deleted_segments = self.deleted_segments(states)?;
        let mut rows = BulkInsert::new(self.tx);
        let mut counts = Counts::default();
        for state in states {
            let segment = state.segment.map(|link| link.segment);
            if segment.is_some_and(|segment| deleted_segments.contains(&segment)) {
                continue;
            }
            let content = match changed.get(&state.feature) {
                None => ResolvedContent::from(Cow::Borrowed(&*state.content)),
                Some(None) => continue,
                Some(Some(feature)) => {
                    resolved(feature, self.environment.reservation.ordinal, segment.is_none(), &state.content)
                }
            };
            let target = Target::from(state.segment);
            let row = StateRow::new(&self.environment, (state.feature, target), Some(state.id), content, self.recorded);
            counts.add(&row);
            rows.push(row)?;
        }
        write::finish(self.tx, &self.environment, rows, counts, self.recorded)
    }

    /// Those of the batch's features whose options changed since the cut, and `None` for those that were deleted.
    fn changed_features(&self, states: &[BatchedState]) -> Result<HashMap<FeatureId, Option<Feature>>> {
        let (Some(first), Some(last)) = (states.first(), states.last()) else { return Ok(HashMap::new()) };
        let sql = format!(
            "SELECT {FEATURE} FROM feature INDEXED BY changed_feature
            WHERE project = ?1 AND id BETWEEN ?2 AND ?3 AND changed_at > ?4"
        );
        let mut statement = self.tx.prepare_cached(&sql)?;
        let range = (self.environment.project, first.feature.0, last.feature.0, self.environment.cut);
        let changed = statement.query_map(range, |row| {
            let is_deleted: bool = row.get("is_deleted")?;
            let feature = read_feature(row)?;
            Ok((feature.definition.id, (!is_deleted).then_some(feature)))
        })?;
        changed.collect()
    }

    /// Those of the batch's segments that were deleted.
    fn deleted_segments(&self, states: &[BatchedState]) -> Result<HashSet<SegmentId>> {
        let segments = states.iter().filter_map(|state| Some(state.segment?.segment));
        let mut range: Option<(SegmentId, SegmentId)> = None;
        for segment in segments {
            range = Some(range.map_or((segment, segment), |(low, high)| (low.min(segment), high.max(segment))));
        }
        let Some((low, high)) = range else { return Ok(HashSet::new()) };
        let sql = "SELECT id FROM deleted_segment WHERE project = ?1 AND id BETWEEN ?2 AND ?3";
        let mut statement = self.tx.prepare_cached(sql)?;
        let deleted =
            statement.query_map((self.environment.project, low.0, high.0), |row| row.get(0).map(SegmentId))?;
        deleted.collect()
    }

    /// Sets a state, or gives a segment override a place without one, unless feature or segment are gone.
    pub(super) fn set(
        &self,
        feature: FeatureId,
        target: Target,
        state: Option<(FeatureStateId, &FeatureStateContent)>,
    ) -> Result<()> {
        let Some(known) = known::feature(self.tx, self.environment.project, feature)? else { return Ok(()) };
        if let Some(link) = target.link()
            && self.is_deleted_segment(link.segment)?
        {
            return Ok(());
        }
        let (id, content) = match state {
            None => {
                let unset = FeatureStateContent::unset(FeatureStateId::default());
                (None, ResolvedContent::from(Cow::Owned(unset)))
            }
            Some((id, content)) => {
                (Some(id), resolved(&known, self.environment.reservation.ordinal, target.is_default(), content))
            }
        };
        let row = StateRow::new(&self.environment, (feature, target), id, content, self.recorded);
        let counts = write::put(self.tx, row)?;
        self.touch(counts)
    }

    fn is_deleted_segment(&self, segment: SegmentId) -> Result<bool> {
        let sql = "SELECT 1 FROM deleted_segment WHERE project = ?1 AND id = ?2";
        let mut statement = self.tx.prepare_cached(sql)?;
        statement.exists((self.environment.project, segment.0))
    }

    fn reorder(&self, feature: FeatureId, priorities: &[PriorityChange]) -> Result<()> {
        let sql = "UPDATE feature_state SET priority = ?4
            WHERE environment = ?1 AND feature = ?2 AND feature_segment = ?3";
        let mut statement = self.tx.prepare_cached(sql)?;
        for change in priorities {
            statement.execute((self.environment.id(), feature.0, change.feature_segment.0, change.after))?;
        }
        self.touch(Counts::default())
    }

    /// Notes how many rows there are now, and that they changed.
    pub(super) fn touch(&self, counts: Counts) -> Result<()> {
        counts.add_to(self.tx, &self.environment, self.recorded)
    }
}
