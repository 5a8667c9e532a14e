//! What an environment is compiled from: the parts, as the read models have them.

use jiff::Timestamp;
use offshoot_aggregates::environment::FeatureState;
use offshoot_aggregates::ids::IdentityId;
use offshoot_projections::features::StoredFeature;
use offshoot_projections::flag_engine::SegmentState;

/// A feature with its states in one environment.
pub(super) struct FeatureSource {
    pub(super) stored: StoredFeature,
    pub(super) default: FeatureState,
    pub(super) overrides: Vec<SegmentState>,
}

/// An identity that has overrides.
pub(super) struct IdentitySource {
    pub(super) id: IdentityId,
    pub(super) identifier: String,
    pub(super) created_at: Timestamp,
    pub(super) overrides: Vec<IdentityOverride>,
}

/// The state of a feature for an identity.
pub(super) struct IdentityOverride {
    pub(super) stored: StoredFeature,
    pub(super) state: FeatureState,
}
