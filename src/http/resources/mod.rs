//! The resources of the API, one file each: what it is called, what its fields are, and which command or query is behind it.

mod api_key_permissions;
mod api_keys;
mod audit;
mod clone_events;
mod clones;
mod environment_feature_states;
mod environment_settings;
mod environments;
mod feature_list;
mod feature_segments;
mod feature_states;
mod features;
mod identities;
mod identity_feature_states;
mod multivariate_options;
mod organisations;
mod permissions;
mod projections;
mod projects;
mod segment_overrides;
mod segments;
mod served_flags;
mod server_keys;
mod shapes;
mod state_changes;

use utoipa_axum::router::OpenApiRouter;

use super::state::AppState;

/// The routes of all resources.
pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .merge(api_keys::routes())
        .merge(audit::routes())
        .merge(clone_events::routes())
        .merge(clones::routes())
        .merge(environment_feature_states::routes())
        .merge(environments::routes())
        .merge(feature_segments::routes())
        .merge(feature_states::routes())
        .merge(features::routes())
        .merge(identities::routes())
        .merge(identity_feature_states::routes())
        .merge(multivariate_options::routes())
        .merge(organisations::routes())
        .merge(permissions::routes())
        .merge(projections::routes())
        .merge(projects::routes())
        .merge(segment_overrides::routes())
        .merge(segments::routes())
        .merge(served_flags::routes())
        .merge(server_keys::routes())
}
