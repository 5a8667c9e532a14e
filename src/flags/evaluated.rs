//! What features are for an identity, one by one, for those inside who ask: no JSON.

use offshoot_aggregates::environment::FeatureValue;
use offshoot_aggregates::ids::{FeatureId, SegmentId};
use offshoot_aggregates::project::FeatureType;
use offshoot_projections::flag_engine::{Context, Evaluation, StateSource};

use super::fragments::FeatureFragments;
use super::served::ServedEnvironment;

/// Which kind of override a feature's state is, if it is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OverriddenBy {
    /// That for a segment.
    Segment(SegmentId),
    /// That for the identity.
    Identity,
}

/// What a feature is for an identity.
#[derive(Clone, Debug, PartialEq)]
pub struct EvaluatedFeature {
    /// The feature.
    pub feature: FeatureId,
    /// Its name.
    pub name: String,
    /// Its type.
    pub feature_type: FeatureType,
    /// Whether it is on.
    pub enabled: bool,
    /// Its value; for a multivariate feature that of the variant the identity is in.
    pub value: FeatureValue,
    /// Whether an override decided.
    pub overridden_by: Option<OverriddenBy>,
    /// The values of the options that have a share, and the shares in percent.
    pub shares: Vec<(FeatureValue, f64)>,
}

impl ServedEnvironment {
    /// What all features are for an identity, in order of their ids, whoever may see them.
    #[must_use]
    pub fn evaluated(&self, context: Context<'_>) -> Vec<EvaluatedFeature> {
        self.compiled.evaluator(context).flags().map(|evaluation| read(&evaluation)).collect()
    }

    /// Whether the feature with exactly this name is on for an identity; `None` if there is none.
    #[must_use]
    pub fn is_enabled(&self, context: Context<'_>, name: &str) -> Option<bool> {
        self.compiled.evaluator(context).flag_named(name).map(|evaluation| evaluation.enabled())
    }
}

fn read(evaluation: &Evaluation<'_, FeatureFragments>) -> EvaluatedFeature {
    let options = evaluation.feature.options();
    let shares = evaluation.state.content.multivariate.iter().filter_map(|share| {
        let option = options.iter().find(|option| option.id == share.option)?;
        Some((option.value.clone(), share.percentage))
    });
    EvaluatedFeature {
        feature: evaluation.feature.id(),
        name: evaluation.feature.name().to_string(),
        feature_type: evaluation.feature.feature_type(),
        enabled: evaluation.enabled(),
        value: evaluation.feature_value().clone(),
        overridden_by: match evaluation.source {
            StateSource::Default => None,
            StateSource::SegmentOverride { link, .. } => Some(OverriddenBy::Segment(link.segment)),
            StateSource::IdentityOverride => Some(OverriddenBy::Identity),
        },
        shares: shares.collect(),
    }
}
