//! What a feature is for one identity, as the dashboard lists it.

use std::collections::HashMap;

use offshoot_aggregates::ids::SegmentId;
use offshoot_aggregates::project::FeatureType;
use serde::Serialize;
use utoipa::ToSchema;

use super::feature_value::PlainValue;
use crate::flags::{EvaluatedFeature, OverriddenBy};

/// What a feature is for an identity.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct FeatureOfIdentity {
    /// The feature.
    feature: FeatureSummary,
    /// Whether it is on.
    enabled: bool,
    /// Its value; for a multivariate feature that of the variant the identity is in.
    feature_state_value: PlainValue,
    /// `IDENTITY` or `SEGMENT` if an override decided, else null.
    overridden_by: Option<&'static str>,
    /// The segment, if its override decided.
    segment: Option<SegmentSummary>,
    /// The shares of the options.
    multivariate_feature_state_values: Vec<ShareOfOption>,
}

/// A feature in few words.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct FeatureSummary {
    /// Its integer id.
    id: i64,
    /// Its name.
    name: String,
    /// `STANDARD`, or `MULTIVARIATE` if it has options.
    #[serde(rename = "type")]
    #[schema(value_type = String)]
    feature_type: FeatureType,
}

/// A segment in few words.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SegmentSummary {
    /// Its integer id.
    id: i64,
    /// Its name.
    name: String,
}

/// The share of an option.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ShareOfOption {
    /// The option.
    multivariate_feature_option: OptionSummary,
    /// Percent, 0 to 100.
    percentage_allocation: f64,
}

/// An option in one word.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OptionSummary {
    /// Its value.
    value: PlainValue,
}

impl FeatureOfIdentity {
    /// What was evaluated, with the names of the segments.
    #[must_use]
    pub fn new(evaluated: EvaluatedFeature, segment_names: &HashMap<SegmentId, String>) -> Self {
        let EvaluatedFeature { feature, name, feature_type, enabled, value, overridden_by, shares } = evaluated;
        let share = |(value, percentage_allocation): (_, f64)| ShareOfOption {
            multivariate_feature_option: OptionSummary { value: PlainValue::from(value) },
            percentage_allocation,
        };
        let (overridden_by, segment) = match overridden_by {
            None => (None, None),
            Some(OverriddenBy::Identity) => (Some("IDENTITY"), None),
            Some(OverriddenBy::Segment(id)) => {
                let name = segment_names.get(&id).cloned().unwrap_or_default();
                (Some("SEGMENT"), Some(SegmentSummary { id: id.0, name }))
            }
        };
        Self {
            feature: FeatureSummary { id: feature.0, name, feature_type },
            enabled,
            feature_state_value: value.into(),
            overridden_by,
            segment,
            multivariate_feature_state_values: shares.into_iter().map(share).collect(),
        }
    }
}
