//! The integer ids that Flagsmith's API shows, one type a kind, so that a feature's id is never taken for a segment's.
//!
//! They are given out in blocks by the [`id_allocator`](crate::id_allocator); nothing here makes one up.

use serde::{Deserialize, Serialize};

macro_rules! integer_ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl $name {
            /// The id `offset` places after this one in a reserved block.
            #[must_use]
            pub const fn plus(self, offset: u64) -> Self {
                Self(self.0.saturating_add_unsigned(offset))
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    )+};
}

integer_ids! {
    /// An organisation.
    OrganisationId,
    /// A project.
    ProjectId,
    /// An environment.
    EnvironmentId,
    /// A feature of a project.
    FeatureId,
    /// The state of one feature in one environment, or of one segment or identity override there.
    FeatureStateId,
    /// The link between a segment override's feature, segment and priority.
    FeatureSegmentId,
    /// A segment of a project.
    SegmentId,
    /// A rule or a nested rule of a segment.
    SegmentRuleId,
    /// A condition of a segment's rule.
    SegmentConditionId,
    /// An option of a multivariate feature.
    MultivariateOptionId,
    /// An API key; also the id of the permissions granted to it.
    ApiKeyId,
    /// A server-side key of an environment.
    ServerKeyId,
    /// An identity in an environment.
    IdentityId,
}
