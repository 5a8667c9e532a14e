//! Feature states: what one feature is in one environment, by default or for a segment.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::value::FeatureValue;
use crate::ids::{FeatureId, FeatureSegmentId, FeatureStateId, MultivariateOptionId, SegmentId};

/// How much of the traffic a multivariate option gets.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Allocation {
    /// The option.
    pub option: MultivariateOptionId,
    /// Percent, 0 to 100.
    pub percentage: f64,
}

/// What a feature state says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FeatureStateContent {
    /// Whether the feature is on.
    pub enabled: bool,
    /// Its value; for a multivariate feature the control value.
    pub value: FeatureValue,
    /// The shares of the multivariate options, in order of their ids.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub multivariate: Vec<Allocation>,
    /// What identities are hashed with: the id of the first state of the lineage. It survives cloning, so that the same
    /// user stays in the same variant.
    pub seed: FeatureStateId,
}

impl FeatureStateContent {
    /// What an override says that nobody has set: off, no value.
    #[must_use]
    pub fn unset(seed: FeatureStateId) -> Self {
        Self { enabled: false, value: FeatureValue::default(), multivariate: Vec::new(), seed }
    }

    /// The same content with these shares; shared if it has them already.
    pub(super) fn with_multivariate(content: &Arc<Self>, multivariate: Vec<Allocation>) -> Arc<Self> {
        if content.multivariate == multivariate {
            return content.clone();
        }
        Arc::new(Self { enabled: content.enabled, value: content.value.clone(), multivariate, seed: content.seed })
    }
}

/// The default shares, each replaced by the one that was set for its option.
pub(crate) fn resolve(set: &[Allocation], defaults: impl IntoIterator<Item = Allocation>) -> Vec<Allocation> {
    let own = |default: Allocation| set.iter().find(|own| own.option == default.option).copied().unwrap_or(default);
    defaults.into_iter().map(own).collect()
}

/// A feature state in an environment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FeatureState {
    /// Its id.
    pub id: FeatureStateId,
    /// What it says; shared with the clone's, because clones seldom change it.
    pub content: Arc<FeatureStateContent>,
}

impl FeatureState {
    /// A state with this id and content.
    #[must_use]
    pub fn new(id: FeatureStateId, content: Arc<FeatureStateContent>) -> Self {
        Self { id, content }
    }
}

/// Which segment a state overrides its feature for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SegmentLink {
    /// The id of this link.
    pub feature_segment: FeatureSegmentId,
    /// The segment.
    pub segment: SegmentId,
    /// 0 is the highest.
    pub priority: u32,
}

/// A segment override in an environment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SegmentOverride {
    /// The segment and the priority.
    pub link: SegmentLink,
    /// The state; `None` until it is set for the first time.
    pub state: Option<FeatureState>,
}

/// One state as a batch carries it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BatchedState {
    /// The feature.
    pub feature: FeatureId,
    /// The segment, if it is an override.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub segment: Option<SegmentLink>,
    /// The state's id in its new environment.
    pub id: FeatureStateId,
    /// What it says.
    pub content: Arc<FeatureStateContent>,
}

/// The order of states: by feature, its default first, then its overrides by segment.
pub type StateKey = (FeatureId, Option<SegmentId>);

impl BatchedState {
    /// Where the state stands in the order of states.
    #[must_use]
    pub fn key(&self) -> StateKey {
        (self.feature, self.segment.map(|link| link.segment))
    }
}
