//! Which feature has a name, in whatever case.

use std::hash::{DefaultHasher, Hasher};

use imbl::OrdSet;
use serde::{Deserialize, Serialize};

use crate::ids::FeatureId;

/// The names of a project's features. It keeps a hash of each, because the features hold the names already and there may
/// be a million.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct FeatureNames(OrdSet<(u64, FeatureId)>);

impl FeatureNames {
    pub(super) fn insert(&mut self, name: &str, feature: FeatureId) {
        self.0.insert((hash(name), feature));
    }

    pub(super) fn remove(&mut self, name: &str, feature: FeatureId) {
        self.0.remove(&(hash(name), feature));
    }

    /// The features that may have the name: all that do, and hardly ever another.
    pub(super) fn candidates(&self, name: &str) -> impl Iterator<Item = FeatureId> {
        let hash = hash(name);
        self.0.range((hash, FeatureId(i64::MIN))..=(hash, FeatureId(i64::MAX))).map(|(_, feature)| *feature)
    }
}

fn hash(name: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(name.to_lowercase().as_bytes());
    hasher.finish()
}
