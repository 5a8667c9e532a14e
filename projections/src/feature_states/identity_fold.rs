//! What the events of identities change: they come and go, and with them what features are for them.

use std::borrow::Cow;
use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use offshoot_aggregates::environment::{BatchedIdentityOverride, EnvironmentEvent};
use offshoot_aggregates::ids::{FeatureId, IdentityId};
use rusqlite::Result;

use super::bulk::BulkInsert;
use super::environment_fold::EnvironmentFold;
use super::known;
use super::row::{ResolvedContent, StateRow, Target};
use super::write::{self, Counts, Which, resolved};

/// Applies an event of an identity, and no other.
pub(super) fn apply(fold: &EnvironmentFold<'_>, event: &EnvironmentEvent) -> Result<()> {
    use EnvironmentEvent as E;
    match event {
        E::IdentityAdded { identity, identifier } => {
            fold.add_identity(*identity, identifier)?;
            fold.touch(Counts::default())
        }
        E::IdentityRemoved { identity, .. } => {
            fold.tx.prepare_cached("DELETE FROM identity WHERE id = ?1")?.execute([identity.0])?;
            fold.remove(Which::OfIdentity(*identity))
        }
        E::IdentityOverridesImported { overrides, .. } => fold.take_overrides(overrides),
        E::IdentityOverrideSet { feature, identity, feature_state, after, .. } => {
            fold.set(*feature, Target::Identity(*identity), Some((*feature_state, after)))
        }
        E::IdentityOverrideRemoved { feature, identity, .. } => {
            fold.remove(Which::IdentityOverride(*feature, *identity))
        }
        _ => Ok(()),
    }
}

impl EnvironmentFold<'_> {
    fn add_identity(&self, identity: IdentityId, identifier: &str) -> Result<()> {
        let sql = "INSERT OR IGNORE INTO identity (id, environment, identifier, created_at) VALUES (?1, ?2, ?3, ?4)";
        let at = self.recorded.recorded_at.as_microsecond();
        self.tx.prepare_cached(sql)?.execute((identity.0, self.environment.id(), identifier, at)).map(drop)
    }

    fn remove(&self, which: Which) -> Result<()> {
        self.touch(write::remove(self.tx, &self.environment, which)?)
    }

    /// Takes overrides over as they come, but for those of features that were deleted in the meantime.
    fn take_overrides(&self, overrides: &[BatchedIdentityOverride]) -> Result<()> {
        let mut seen = HashSet::new();
        let mut features = HashMap::<FeatureId, _>::new();
        let mut rows = BulkInsert::new(self.tx);
        let mut counts = Counts::default();
        for item in overrides {
            if seen.insert(item.identity) {
                self.add_identity(item.identity, &item.identifier)?;
            }
            let feature = match features.entry(item.feature) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(unknown) => {
                    unknown.insert(known::feature(self.tx, self.environment.project, item.feature)?)
                }
            };
            let Some(feature) = feature else { continue };
            let target = Target::Identity(item.identity);
            let content = resolved(feature, self.environment.reservation.ordinal, false, &item.content);
            let content = ResolvedContent { content: Cow::Owned(content.content.into_owned()), unset: content.unset };
            let row = StateRow::new(&self.environment, (item.feature, target), Some(item.id), content, self.recorded);
            counts.add(&row);
            rows.push(row)?;
        }
        write::finish(self.tx, &self.environment, rows, counts, self.recorded)
    }
}
