//! The page of an environment that was deleted, for whoever comes back to its address.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use offshoot_aggregates::permissions::ProjectPermission;
use offshoot_projections::environment_status;

use super::assets;
use super::layout::{Section, Shell, page_with};
use super::problem_page::PageProblem;
use super::texts;
use super::viewer::Viewer;
use crate::http::problem::Problem;

#[derive(Template)]
#[template(config = "src/console/askama.toml", path = "environment_gone.html")]
struct EnvironmentGone {
    shell: Shell,
    /// The integer id of the project that it was in.
    id: i64,
    project: String,
}

/// What is shown in place of a page of the environment with this key that cannot be shown: that it was deleted, with 410, if
/// that is why and the viewer may see its project.
///
/// # Errors
/// The problem, if there is another reason; or a read model cannot be asked.
pub async fn in_place_of(problem: Problem, viewer: &Viewer, key: &str) -> Result<Response, PageProblem> {
    if !matches!(problem, Problem::NotFound(_)) {
        return Err(problem.into());
    }
    let key = key.to_owned();
    let query = move |file: &_| environment_status::environment_ever_by_key(file, &key);
    let found = viewer.session.state.read_models.environment_status.query(query).await?;
    let Some(deleted) = found.filter(|environment| environment.is_deleted) else { return Err(problem.into()) };
    match viewer.session.project(deleted.project, Some(ProjectPermission::ViewProject)).await {
        Ok(project) => {
            let shell = viewer.shell(Section::Projects, texts::gone::ENVIRONMENT);
            let shown = EnvironmentGone { shell, id: project.id.0, project: project.settings.name };
            Ok(page_with(StatusCode::GONE, &shown)?)
        }
        // What the viewer may not see, or went with its project, is as if it had never been.
        Err(Problem::NotFound(_) | Problem::Forbidden(_)) => Err(problem.into()),
        Err(fault) => Err(fault.into()),
    }
}
