//! Environments as the API shows them: the light form in the lists of others, the full form, and the form with totals.

use offshoot_projections::environment_status::StoredEnvironment;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

/// An environment in the list of a project's environments and in the audit log.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[allow(clippy::struct_excessive_bools, reason = "Flagsmith's switches, one by one")]
pub struct LightEnvironment {
    /// Its integer id.
    pub id: i64,
    /// Its UUID.
    pub uuid: Uuid,
    /// Its name, unique in the project.
    pub name: String,
    /// Its client key, by which paths name it.
    pub api_key: String,
    /// What it is for.
    pub description: Option<String>,
    /// The integer id of its project.
    pub project: i64,
    /// Approvals that a change request needs.
    pub minimum_change_request_approvals: Option<i32>,
    /// Whether clients with a client key may send traits.
    pub allow_client_traits: bool,
    /// A text shown above the environment.
    pub banner_text: Option<String>,
    /// The banner's colour, `#rrggbb`.
    pub banner_colour: Option<String>,
    /// Whether disabled flags are left out of answers; null means as the project says.
    pub hide_disabled_flags: Option<bool>,
    /// The same as `use_identity_composite_key_for_hashing`.
    pub use_mv_v2_evaluation: bool,
    /// Whether identities are hashed by environment key and identifier.
    pub use_identity_composite_key_for_hashing: bool,
    /// Whether ids and defaults are left out of answers.
    pub hide_sensitive_data: bool,
    /// Always false.
    pub use_v2_feature_versioning: bool,
    /// Whether identity overrides are sent to clients that evaluate by themselves.
    pub use_identity_overrides_in_local_eval: bool,
    /// Whether its feature states are still being copied.
    pub is_creating: bool,
}

impl From<StoredEnvironment> for LightEnvironment {
    fn from(stored: StoredEnvironment) -> Self {
        let settings = stored.settings;
        Self {
            id: stored.id.0,
            uuid: stored.uuid,
            name: settings.name,
            api_key: stored.api_key,
            description: settings.description,
            project: stored.project.0,
            minimum_change_request_approvals: settings.minimum_change_request_approvals,
            allow_client_traits: settings.allow_client_traits,
            banner_text: settings.banner_text,
            banner_colour: settings.banner_colour,
            hide_disabled_flags: settings.hide_disabled_flags,
            use_mv_v2_evaluation: settings.use_identity_composite_key_for_hashing,
            use_identity_composite_key_for_hashing: settings.use_identity_composite_key_for_hashing,
            hide_sensitive_data: settings.hide_sensitive_data,
            use_v2_feature_versioning: false,
            use_identity_overrides_in_local_eval: settings.use_identity_overrides_in_local_eval,
            is_creating: stored.is_creating,
        }
    }
}

/// An environment in lists, and as it is after it was created or changed.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct FullEnvironment {
    /// What every form of it says.
    #[serde(flatten)]
    pub environment: LightEnvironment,
    /// Always empty.
    pub metadata: Vec<Value>,
}

impl From<StoredEnvironment> for FullEnvironment {
    fn from(stored: StoredEnvironment) -> Self {
        Self { environment: stored.into(), metadata: Vec::new() }
    }
}

/// One environment, asked for by its key or its UUID.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RetrievedEnvironment {
    /// What every form of it says.
    #[serde(flatten)]
    pub environment: FullEnvironment,
    /// How many segment overrides it has.
    pub total_segment_overrides: u64,
}
