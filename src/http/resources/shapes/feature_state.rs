//! Feature states: the full form with either form of the value, the form of the list under an environment, and the form
//! of a segment override that was made in one call.

use offshoot_aggregates::environment::{Allocation, FeatureValue, SegmentLink};
use offshoot_projections::feature_states::{FeatureStateView, IdentityRef, feature_segment_uuid};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::feature_value::{PlainValue, ValueObject};
use super::timestamp::iso;

/// The share of one multivariate option in a feature state.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct MultivariateShare {
    /// The same as `multivariate_feature_option`: a state has one share for each option, so this is unique in the state.
    pub id: i64,
    /// The integer id of the option.
    pub multivariate_feature_option: i64,
    /// Percent, 0 to 100.
    pub percentage_allocation: f64,
}

impl From<&Allocation> for MultivariateShare {
    fn from(allocation: &Allocation) -> Self {
        let option = allocation.option.0;
        Self { id: option, multivariate_feature_option: option, percentage_allocation: allocation.percentage }
    }
}

/// A feature state. `V` is the form of its value.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct FullFeatureState<V> {
    /// Its integer id.
    pub id: i64,
    /// Its value; for a multivariate feature the control value.
    pub feature_state_value: V,
    /// The shares of the options. A default state has one for each option of the feature, an override those that were set.
    pub multivariate_feature_state_values: Vec<MultivariateShare>,
    /// Always null: what is deleted is not found.
    pub deleted_at: Option<String>,
    /// Its UUID.
    pub uuid: Uuid,
    /// Whether the feature is on.
    pub enabled: bool,
    /// Since when it is in its environment.
    pub created_at: String,
    /// When it last changed.
    pub updated_at: String,
    /// The same as `created_at`.
    pub live_from: String,
    /// Always 1.
    pub version: Option<i32>,
    /// The integer id of the feature.
    pub feature: i64,
    /// The integer id of the environment.
    pub environment: i64,
    /// The integer id of the identity, if it is an identity override.
    pub identity: Option<i64>,
    /// The integer id of the feature segment, if it is a segment override.
    pub feature_segment: Option<i64>,
    /// Always null.
    pub change_request: Option<i64>,
    /// Always null.
    pub environment_feature_version: Option<Uuid>,
}

/// A feature state with its plain value.
pub type PlainFeatureState = FullFeatureState<PlainValue>;

/// A feature state with its value as an object.
pub type FeatureStateWithObject = FullFeatureState<ValueObject>;

impl<V: From<FeatureValue>> From<FeatureStateView> for FullFeatureState<V> {
    fn from(view: FeatureStateView) -> Self {
        let created_at = iso(view.created_at);
        Self {
            id: view.id.0,
            uuid: view.uuid(),
            multivariate_feature_state_values: shares(&view),
            feature_state_value: view.content.value.into(),
            deleted_at: None,
            enabled: view.content.enabled,
            live_from: created_at.clone(),
            created_at,
            updated_at: iso(view.updated_at),
            version: Some(1),
            feature: view.feature.0,
            environment: view.environment.0,
            identity: view.identity.map(|identity| identity.id.0),
            feature_segment: view.segment.map(|link| link.feature_segment.0),
            change_request: None,
            environment_feature_version: None,
        }
    }
}

fn shares(view: &FeatureStateView) -> Vec<MultivariateShare> {
    view.content.multivariate.iter().map(MultivariateShare::from).collect()
}

/// The identity that a feature state is for.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct IdentityReference {
    /// Its integer id.
    pub id: i64,
    /// Its identifier.
    pub identifier: String,
}

impl From<IdentityRef> for IdentityReference {
    fn from(identity: IdentityRef) -> Self {
        Self { id: identity.id.0, identifier: identity.identifier }
    }
}

/// A feature state in the list under its environment: as the full form with a plain value, but for the place and the form
/// of the identity.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ListedFeatureState {
    /// Its integer id.
    pub id: i64,
    /// Its value; for a multivariate feature the control value.
    pub feature_state_value: PlainValue,
    /// The shares of the options. A default state has one for each option of the feature, an override those that were set.
    pub multivariate_feature_state_values: Vec<MultivariateShare>,
    /// The identity, if it is an identity override.
    pub identity: Option<IdentityReference>,
    /// Always null: what is deleted is not found.
    pub deleted_at: Option<String>,
    /// Its UUID.
    pub uuid: Uuid,
    /// Whether the feature is on.
    pub enabled: bool,
    /// Since when it is in its environment.
    pub created_at: String,
    /// When it last changed.
    pub updated_at: String,
    /// The same as `created_at`.
    pub live_from: String,
    /// Always 1.
    pub version: Option<i32>,
    /// The integer id of the feature.
    pub feature: i64,
    /// The integer id of the environment.
    pub environment: i64,
    /// Always null.
    pub feature_segment: Option<i64>,
    /// Always null.
    pub change_request: Option<i64>,
    /// Always null.
    pub environment_feature_version: Option<Uuid>,
}

impl From<FeatureStateView> for ListedFeatureState {
    fn from(view: FeatureStateView) -> Self {
        let identity = view.identity.clone().map(IdentityReference::from);
        let full = PlainFeatureState::from(view);
        Self {
            id: full.id,
            feature_state_value: full.feature_state_value,
            multivariate_feature_state_values: full.multivariate_feature_state_values,
            identity,
            deleted_at: full.deleted_at,
            uuid: full.uuid,
            enabled: full.enabled,
            created_at: full.created_at,
            updated_at: full.updated_at,
            live_from: full.live_from,
            version: full.version,
            feature: full.feature,
            environment: full.environment,
            feature_segment: full.feature_segment,
            change_request: full.change_request,
            environment_feature_version: full.environment_feature_version,
        }
    }
}

/// A feature segment in the segment override that it belongs to.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct FeatureSegmentReference {
    /// Its integer id.
    pub id: i64,
    /// The integer id of the segment.
    pub segment: i64,
    /// 0 is the highest.
    pub priority: u32,
    /// Its UUID.
    pub uuid: Uuid,
}

/// A segment override that was made in one call: its state and its feature segment.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CreatedSegmentOverride {
    /// The integer id of the state.
    pub id: i64,
    /// The integer id of the feature.
    pub feature: i64,
    /// Whether the feature is on for the segment.
    pub enabled: bool,
    /// The value for the segment.
    pub feature_state_value: ValueObject,
    /// The feature segment.
    pub feature_segment: Option<FeatureSegmentReference>,
    /// Always null.
    pub deleted_at: Option<String>,
    /// The UUID of the state.
    pub uuid: Uuid,
    /// When it was made.
    pub created_at: String,
    /// When it last changed.
    pub updated_at: String,
    /// The same as `created_at`.
    pub live_from: String,
    /// The integer id of the environment.
    pub environment: i64,
    /// Always null.
    pub identity: Option<i64>,
    /// Always null.
    pub change_request: Option<i64>,
    /// The shares of options that were set.
    pub multivariate_feature_state_values: Vec<MultivariateShare>,
}

impl From<FeatureStateView> for CreatedSegmentOverride {
    fn from(view: FeatureStateView) -> Self {
        let reference = |SegmentLink { feature_segment, segment, priority }| FeatureSegmentReference {
            id: feature_segment.0,
            segment: segment.0,
            priority,
            uuid: feature_segment_uuid(view.environment_uuid, feature_segment),
        };
        let feature_segment = view.segment.map(reference);
        let full = FeatureStateWithObject::from(view);
        Self {
            id: full.id,
            feature: full.feature,
            enabled: full.enabled,
            feature_state_value: full.feature_state_value,
            feature_segment,
            deleted_at: full.deleted_at,
            uuid: full.uuid,
            created_at: full.created_at,
            updated_at: full.updated_at,
            live_from: full.live_from,
            environment: full.environment,
            identity: full.identity,
            change_request: full.change_request,
            multivariate_feature_state_values: full.multivariate_feature_state_values,
        }
    }
}
