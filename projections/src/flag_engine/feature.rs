//! A feature of an environment, ready to be evaluated.

use std::sync::Arc;

use offshoot_aggregates::environment::{FeatureState, SegmentLink};
use offshoot_aggregates::ids::FeatureId;
use offshoot_aggregates::project::{FeatureType, MultivariateOption};

/// What a feature is in one environment.
#[derive(Clone, Debug)]
pub struct FeatureDefinition {
    /// Its integer id.
    pub id: FeatureId,
    /// Its name.
    pub name: Arc<str>,
    /// Whether it has variants.
    pub feature_type: FeatureType,
    /// Its options; may be shared by all environments of a project.
    pub options: Arc<[MultivariateOption]>,
    /// The environment's default state. Of the allocations of this and all other states those count whose option the
    /// feature has; an option without one has no share.
    pub default: FeatureState,
    /// Its segment overrides, in any order.
    pub overrides: Vec<SegmentState>,
}

impl FeatureDefinition {
    /// Keeps in common with the same feature of another environment what is the same there: the name and the options.
    pub fn share<A>(&mut self, other: &CompiledFeature<A>) {
        if self.name == other.definition.name {
            self.name = other.definition.name.clone();
        }
        if self.options == other.definition.options {
            self.options = other.definition.options.clone();
        }
    }
}

/// A segment override: the segment and its priority, and the state.
#[derive(Clone, Debug)]
pub struct SegmentState {
    /// The segment and the priority.
    pub link: SegmentLink,
    /// What the feature is for those in the segment.
    pub state: FeatureState,
}

/// A feature of an environment, ready to be evaluated, with whatever the caller wants to find beside it.
#[derive(Debug)]
pub struct CompiledFeature<A = ()> {
    definition: FeatureDefinition,
    /// The caller's.
    pub attachment: A,
}

impl<A> CompiledFeature<A> {
    /// Compiles a feature.
    #[must_use]
    pub fn new(mut definition: FeatureDefinition, attachment: A) -> Self {
        definition.overrides.sort_by_key(|over| (over.link.priority, over.link.segment));
        if !definition.options.is_sorted_by_key(|option| option.id) {
            let mut options = definition.options.to_vec();
            options.sort_by_key(|option| option.id);
            definition.options = options.into();
        }
        Self { definition, attachment }
    }

    /// Its integer id.
    #[must_use]
    pub fn id(&self) -> FeatureId {
        self.definition.id
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &Arc<str> {
        &self.definition.name
    }

    /// Whether it has variants.
    #[must_use]
    pub fn feature_type(&self) -> FeatureType {
        self.definition.feature_type
    }

    /// Its options, in order of their ids.
    #[must_use]
    pub fn options(&self) -> &Arc<[MultivariateOption]> {
        &self.definition.options
    }

    /// The environment's default state.
    #[must_use]
    pub fn default_state(&self) -> &FeatureState {
        &self.definition.default
    }

    /// Its segment overrides, the one that wins over the others first.
    #[must_use]
    pub fn overrides(&self) -> &[SegmentState] {
        &self.definition.overrides
    }
}
