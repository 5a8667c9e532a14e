//! Permissions granted in a project: listed, granted, changed, taken away; and the caller's own.

use offshoot_aggregates::ids::{OrganisationId, ProjectId};
use offshoot_aggregates::permissions::{Grant, ProjectPermission};
use offshoot_aggregates::project::ProjectCommand;
use offshoot_projections::access::{self, Permissions};
use offshoot_projections::features::StoredProject;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Change, GrantBody, GrantedPermissions, HeldPermissions, OwnPermissions, Place};
use crate::commands::CommandError;
use crate::event_log::Appended;
use crate::http::answer::Answer;
use crate::http::body::Path;
use crate::http::fields::Fields;
use crate::http::openapi::CommonProblems;
use crate::http::problem::Problem;
use crate::http::session::Session;
use crate::http::state::AppState;

/// The routes.
pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list, grant)).routes(routes!(replace, revoke)).routes(routes!(own))
}

impl Place for StoredProject {
    type Permission = ProjectPermission;

    const GRANT: &'static str = "UserProjectPermission";

    async fn organisation(&self, _: &Session) -> Result<OrganisationId, Problem> {
        Ok(self.organisation)
    }

    async fn holders(&self, session: &Session) -> Result<Vec<Grant<ProjectPermission>>, Problem> {
        let id = self.id;
        Ok(session.state.read_models.access.query(move |file| access::project_grants(file, id)).await?)
    }

    async fn own(&self, session: &Session) -> Result<Permissions<ProjectPermission>, Problem> {
        let (principal, id) = (session.principal(), self.id);
        let query = move |file: &_| access::project_permissions(file, &principal, id);
        Ok(session.state.read_models.access.query(query).await?)
    }

    async fn send(&self, session: &Session, change: Change<ProjectPermission>) -> Result<Appended, CommandError> {
        let command = match change {
            Change::Grant(grant) => ProjectCommand::GrantProjectPermission { grant },
            Change::Revoke(principal) => ProjectCommand::RevokeProjectPermission { principal },
        };
        session.state.commands.project(&session.command(), self.uuid, command).await
    }
}

/// Who was granted what in a project
#[utoipa::path(
    get, path = "/projects/{id}/user-permissions/", tag = "projects", params(("id" = i64, Path)),
    responses((status = 200, body = Vec<HeldPermissions>), CommonProblems)
)]
async fn list(session: Session, Path(id): Path<i64>) -> Result<Answer, Problem> {
    let project = session.project(ProjectId(id), None).await?;
    super::answer_held(&session, &project).await
}

/// Grants permissions in a project
///
/// They take the place of what the API key was granted there before.
#[utoipa::path(
    post, path = "/projects/{id}/user-permissions/", tag = "projects", params(("id" = i64, Path)),
    request_body = GrantBody, responses((status = 201, body = GrantedPermissions), CommonProblems)
)]
async fn grant(session: Session, Path(id): Path<i64>, fields: Fields) -> Result<Answer, Problem> {
    let project = session.project(ProjectId(id), None).await?;
    super::grant(&session, &project, fields).await
}

/// Changes what an API key was granted in a project
#[utoipa::path(
    put, path = "/projects/{id}/user-permissions/{user}/", tag = "projects",
    params(("id" = i64, Path), ("user" = i64, Path, description = "The API key's integer id")),
    request_body = GrantBody, responses((status = 200, body = GrantedPermissions), CommonProblems)
)]
async fn replace(session: Session, Path((id, user)): Path<(i64, i64)>, fields: Fields) -> Result<Answer, Problem> {
    let project = session.project(ProjectId(id), None).await?;
    super::replace(&session, &project, user, fields).await
}

/// Takes away what an API key was granted in a project
#[utoipa::path(
    delete, path = "/projects/{id}/user-permissions/{user}/", tag = "projects",
    params(("id" = i64, Path), ("user" = i64, Path, description = "The API key's integer id")),
    responses((status = 204), CommonProblems)
)]
async fn revoke(session: Session, Path((id, user)): Path<(i64, i64)>) -> Result<Answer, Problem> {
    let project = session.project(ProjectId(id), None).await?;
    super::revoke(&session, &project, user).await
}

/// What the caller may do in a project
#[utoipa::path(
    get, path = "/projects/{id}/my-permissions/", tag = "projects", params(("id" = i64, Path)),
    responses((status = 200, body = OwnPermissions), CommonProblems)
)]
async fn own(session: Session, Path(id): Path<i64>) -> Result<Answer, Problem> {
    let project = session.find_project(ProjectId(id)).await?;
    super::answer_own(&session, &project).await
}
