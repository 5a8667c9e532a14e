//! Feature states: what one feature is in one environment, by default or for a segment.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::value::FeatureValue;
use crate::ids::{FeatureId, FeatureSegmentId, FeatureStateId, MultivariateOptionId, SegmentId};
use crate::limits::PERCENTAGES_MAX;

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

/// A share for each option: the one that was set, else the default, or what is left of 100 if that is less. What is left goes
/// to the options in their order.
pub(crate) fn resolve(set: &[Allocation], mut shares: Vec<Allocation>) -> Vec<Allocation> {
    let own = |share: &Allocation| set.iter().find(|own| own.option == share.option).map(|own| own.percentage);
    let mut left = rounded(PERCENTAGES_MAX - shares.iter().filter_map(own).sum::<f64>());
    for share in &mut shares {
        share.percentage = own(share).unwrap_or_else(|| {
            let percentage = share.percentage.min(left.max(0.0));
            left = rounded(left - percentage);
            percentage
        });
    }
    shares
}

/// To a billionth of a percent, so that 100 less 80.1 is 19.9.
fn rounded(percentage: f64) -> f64 {
    (percentage * 1e9).round() / 1e9
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
