//! Features, as the API shows them: as they were made, as they are listed, as they were changed.

use offshoot_aggregates::project::FeatureType;
use offshoot_projections::feature_states::FeatureStateView;
use offshoot_projections::features::StoredFeature;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::author::{Author, Authors};
use super::feature_value::PlainValue;
use super::multivariate_option::NestedOption;
use super::timestamp::iso;

/// A feature.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[allow(clippy::struct_excessive_bools, reason = "Flagsmith's switches, one by one")]
pub struct FeatureBody {
    /// Its integer id.
    pub id: i64,
    /// Its name, unique in the project without regard to case.
    pub name: String,
    /// `STANDARD`, or `MULTIVARIATE` if it has options.
    #[serde(rename = "type")]
    #[schema(value_type = String)]
    pub feature_type: FeatureType,
    /// Whether it is on where nobody has set it.
    pub default_enabled: bool,
    /// Its value where nobody has set it.
    pub initial_value: Option<String>,
    /// When it came to be.
    pub created_date: String,
    /// What it is for.
    pub description: Option<String>,
    /// Always empty.
    pub tags: Vec<Value>,
    /// Its options, in order of their ids.
    pub multivariate_options: Vec<NestedOption>,
    /// Whether it is out of use.
    pub is_archived: bool,
    /// Who made it; empty if Offshoot itself did.
    pub owners: Vec<Author>,
    /// Always empty.
    pub group_owners: Vec<Value>,
    /// Its UUID.
    pub uuid: Uuid,
    /// The integer id of its project.
    pub project: i64,
    /// Its default state in the environment that the list was asked for.
    pub environment_feature_state: Option<SmallFeatureState>,
    /// Its state in that environment for the segment that the list was asked for.
    pub segment_feature_state: Option<SmallFeatureState>,
    /// How many segment overrides it has in that environment.
    pub num_segment_overrides: u64,
    /// How many identity overrides it has in that environment; null if none.
    pub num_identity_overrides: Option<u64>,
    /// Always true; missing after a change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_num_identity_overrides_complete: Option<bool>,
    /// Whether only clients with a server key see it.
    pub is_server_key_only: bool,
    /// Always null.
    pub last_modified_in_any_environment: Option<String>,
    /// Always null.
    pub last_modified_in_current_environment: Option<String>,
    /// Always empty.
    pub metadata: Vec<Value>,
    /// Always empty; missing when it was just made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code_references_counts: Option<Vec<Value>>,
}

/// In which answer a feature stands: each has its own members.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FeatureForm {
    /// To the request that made it.
    Created,
    /// To a request for it, alone or in a list.
    Shown,
    /// To the request that changed it.
    Changed,
}

impl FeatureBody {
    /// A feature, in no environment.
    #[must_use]
    pub fn new(stored: StoredFeature, authors: &Authors, form: FeatureForm) -> Self {
        let definition = stored.definition;
        Self {
            id: definition.id.0,
            name: definition.name,
            feature_type: definition.feature_type,
            default_enabled: definition.default_enabled,
            initial_value: definition.initial_value.map(Into::into),
            created_date: iso(stored.created_at),
            description: definition.description,
            tags: Vec::new(),
            multivariate_options: definition.options.into_iter().map(NestedOption::from).collect(),
            is_archived: definition.is_archived,
            owners: stored.creator.iter().filter_map(|creator| authors.author(creator)).collect(),
            group_owners: Vec::new(),
            uuid: definition.uuid,
            project: stored.project.0,
            environment_feature_state: None,
            segment_feature_state: None,
            num_segment_overrides: 0,
            num_identity_overrides: None,
            is_num_identity_overrides_complete: (form != FeatureForm::Changed).then_some(true),
            is_server_key_only: definition.is_server_key_only,
            last_modified_in_any_environment: None,
            last_modified_in_current_environment: None,
            metadata: Vec::new(),
            code_references_counts: (form != FeatureForm::Created).then(Vec::new),
        }
    }
}

/// A state of a feature, shown in it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SmallFeatureState {
    /// Its integer id.
    pub id: i64,
    /// Its value.
    pub feature_state_value: PlainValue,
    /// The integer id of its environment.
    pub environment: i64,
    /// Always null: only default states and those of segments are shown here.
    pub identity: Option<i64>,
    /// The id of the link to the segment that it overrides its feature for.
    pub feature_segment: Option<i64>,
    /// Whether the feature is on.
    pub enabled: bool,
}

impl From<FeatureStateView> for SmallFeatureState {
    fn from(state: FeatureStateView) -> Self {
        Self {
            id: state.id.0,
            feature_state_value: state.content.value.into(),
            environment: state.environment.0,
            identity: None,
            feature_segment: state.segment.map(|link| link.feature_segment.0),
            enabled: state.content.enabled,
        }
    }
}
