//! The resources of the API, one file each: what it is called, what its fields are, and which command or query is behind it.

mod clone_events;
mod clones;
mod feature_list;
mod features;
mod multivariate_options;
mod segments;
mod shapes;

use utoipa_axum::router::OpenApiRouter;

use super::state::AppState;

/// The routes of all resources.
pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .merge(clone_events::routes())
        .merge(clones::routes())
        .merge(features::routes())
        .merge(multivariate_options::routes())
        .merge(segments::routes())
}
