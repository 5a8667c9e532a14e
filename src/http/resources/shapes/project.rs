//! Projects as the API shows them: the form of lists, and the form with totals.

use offshoot_projections::features::StoredProject;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::NO_LIMIT;

/// A project in lists, as it is after it was created or changed, and in the audit log.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[allow(clippy::struct_excessive_bools, reason = "Flagsmith's switches, one by one")]
pub struct ListedProject {
    /// Its integer id.
    pub id: i64,
    /// Its UUID.
    pub uuid: Uuid,
    /// Its name, unique in the organisation.
    pub name: String,
    /// The integer id of its organisation.
    pub organisation: i64,
    /// Whether disabled flags are left out of answers, where the environment does not say.
    pub hide_disabled_flags: bool,
    /// Always false.
    pub enable_dynamo_db: bool,
    /// Always `NOT_APPLICABLE`.
    pub migration_status: &'static str,
    /// Always false.
    pub use_edge_identities: bool,
    /// Whether clients are told not to use defaults of their own.
    pub prevent_flag_defaults: bool,
    /// Whether clients are told of changes as they happen.
    pub enable_realtime_updates: bool,
    /// Whether people are asked for lower case in the names of new features.
    pub only_allow_lower_case_feature_names: bool,
    /// What new features' names must match, from end to end.
    pub feature_name_regex: Option<String>,
    /// Whether identity overrides of a feature are shown.
    pub show_edge_identity_overrides_for_feature: bool,
    /// Days without a change after which a flag counts as stale.
    pub stale_flags_limit_days: i32,
    /// Always `NOT_STARTED`.
    pub edge_v2_migration_status: &'static str,
    /// Approvals that a change to the project needs.
    pub minimum_change_request_approvals: Option<i32>,
    /// Whether a feature needs an owner.
    pub enforce_feature_owners: bool,
}

impl From<StoredProject> for ListedProject {
    fn from(stored: StoredProject) -> Self {
        let settings = stored.settings;
        Self {
            id: stored.id.0,
            uuid: stored.uuid,
            name: settings.name,
            organisation: stored.organisation.0,
            hide_disabled_flags: settings.hide_disabled_flags,
            enable_dynamo_db: false,
            migration_status: "NOT_APPLICABLE",
            use_edge_identities: false,
            prevent_flag_defaults: settings.prevent_flag_defaults,
            enable_realtime_updates: settings.enable_realtime_updates,
            only_allow_lower_case_feature_names: settings.only_allow_lower_case_feature_names,
            feature_name_regex: settings.feature_name_regex,
            show_edge_identity_overrides_for_feature: settings.show_edge_identity_overrides_for_feature,
            stale_flags_limit_days: settings.stale_flags_limit_days,
            edge_v2_migration_status: "NOT_STARTED",
            minimum_change_request_approvals: settings.minimum_change_request_approvals,
            enforce_feature_owners: settings.enforce_feature_owners,
        }
    }
}

/// One project, asked for by its id.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RetrievedProject {
    /// What every form of it says.
    #[serde(flatten)]
    pub project: ListedProject,
    /// Segments that the project may have: as good as no limit.
    pub max_segments_allowed: i32,
    /// Features that the project may have: as good as no limit.
    pub max_features_allowed: i32,
    /// Segment overrides that an environment may have: as good as no limit.
    pub max_segment_overrides_allowed: i32,
    /// How many features the project has.
    pub total_features: u64,
    /// How many segments the project has.
    pub total_segments: u64,
}

impl From<StoredProject> for RetrievedProject {
    fn from(stored: StoredProject) -> Self {
        let (total_features, total_segments) = (stored.total_features, stored.total_segments);
        Self {
            project: stored.into(),
            max_segments_allowed: NO_LIMIT,
            max_features_allowed: NO_LIMIT,
            max_segment_overrides_allowed: NO_LIMIT,
            total_features,
            total_segments,
        }
    }
}
