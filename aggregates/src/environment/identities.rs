//! The identities of an environment, and what features are for them alone.
//!
//! Only identities that people named here are known: applications may ask for any other, and leave no trace. Traits are
//! never kept.

use std::sync::Arc;

use imbl::OrdMap;
use serde::{Deserialize, Serialize};

use super::states::{FeatureState, FeatureStateContent};
use crate::ids::{FeatureId, FeatureStateId, IdentityId};

/// The identities of an environment and their overrides. Copies share their parts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Identities {
    identifiers: OrdMap<IdentityId, Arc<str>>,
    ids: OrdMap<Arc<str>, IdentityId>,
    overrides: OrdMap<(IdentityId, FeatureId), FeatureState>,
}

/// The state of a feature for one identity.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct IdentityOverride<'a> {
    /// The identity.
    pub identity: IdentityId,
    /// The feature.
    pub feature: FeatureId,
    /// The state.
    pub state: &'a FeatureState,
}

/// One identity override as a batch of a document carries it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BatchedIdentityOverride {
    /// The identity.
    pub identity: IdentityId,
    /// What applications call it.
    pub identifier: Arc<str>,
    /// The feature.
    pub feature: FeatureId,
    /// The state's id.
    pub id: FeatureStateId,
    /// What it says.
    pub content: Arc<FeatureStateContent>,
}

impl BatchedIdentityOverride {
    /// Where the override stands in the order of overrides: by identity, then by feature.
    #[must_use]
    pub fn key(&self) -> (IdentityId, FeatureId) {
        (self.identity, self.feature)
    }
}

impl Identities {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.identifiers.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.identifiers.is_empty()
    }

    /// What applications call an identity; `None` if it is not known.
    #[must_use]
    pub fn identifier(&self, identity: IdentityId) -> Option<&Arc<str>> {
        self.identifiers.get(&identity)
    }

    /// The identity that applications call by this name, to the letter.
    #[must_use]
    pub fn named(&self, identifier: &str) -> Option<IdentityId> {
        self.ids.get(identifier).copied()
    }

    /// The state of a feature for an identity.
    #[must_use]
    pub fn override_of(&self, identity: IdentityId, feature: FeatureId) -> Option<&FeatureState> {
        self.overrides.get(&(identity, feature))
    }

    /// How many overrides there are, those of deleted features counted.
    #[must_use]
    pub fn overrides_len(&self) -> usize {
        self.overrides.len()
    }

    /// All overrides, in order of identities and features; those of deleted features among them.
    pub fn overrides(&self) -> impl Iterator<Item = IdentityOverride<'_>> {
        let item = |(key, state): (&(IdentityId, FeatureId), _)| (key.0, key.1, state);
        self.overrides.iter().map(item).map(|(identity, feature, state)| IdentityOverride { identity, feature, state })
    }

    /// The key of the last override, in order of identities and features.
    pub(super) fn last_override(&self) -> Option<(IdentityId, FeatureId)> {
        self.overrides.get_max().map(|(key, _)| *key)
    }

    pub(super) fn add(&mut self, identity: IdentityId, identifier: &Arc<str>) {
        self.identifiers.insert(identity, identifier.clone());
        self.ids.insert(identifier.clone(), identity);
    }

    pub(super) fn remove(&mut self, identity: IdentityId) {
        if let Some(identifier) = self.identifiers.remove(&identity) {
            self.ids.remove(&identifier);
        }
        let range = (identity, FeatureId(i64::MIN))..=(identity, FeatureId(i64::MAX));
        let keys: Vec<_> = self.overrides.range(range).map(|(key, _)| *key).collect();
        for key in keys {
            self.overrides.remove(&key);
        }
    }

    pub(super) fn set_override(&mut self, key: (IdentityId, FeatureId), state: FeatureState) {
        self.overrides.insert(key, state);
    }

    pub(super) fn remove_override(&mut self, key: (IdentityId, FeatureId)) {
        self.overrides.remove(&key);
    }

    pub(super) fn take(&mut self, batch: &[BatchedIdentityOverride]) {
        for item in batch {
            if !self.identifiers.contains_key(&item.identity) {
                self.add(item.identity, &item.identifier);
            }
            self.set_override(item.key(), FeatureState::new(item.id, item.content.clone()));
        }
    }
}
