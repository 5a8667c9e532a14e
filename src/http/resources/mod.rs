//! The resources of the API, one file each: what it is called, what its fields are, and which command or query is behind it.

mod api_key_permissions;
mod api_keys;
mod clone_events;
mod clones;
mod environment_settings;
mod environments;
mod feature_list;
mod features;
mod multivariate_options;
mod organisations;
mod permissions;
mod projections;
mod projects;
mod segments;
mod shapes;

use utoipa_axum::router::OpenApiRouter;

use super::state::AppState;

/// The routes of all resources.
pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .merge(api_keys::routes())
        .merge(clone_events::routes())
        .merge(clones::routes())
        .merge(environments::routes())
        .merge(features::routes())
        .merge(multivariate_options::routes())
        .merge(organisations::routes())
        .merge(permissions::routes())
        .merge(projections::routes())
        .merge(projects::routes())
        .merge(segments::routes())
}
