//! Permissions granted in a project: listed, granted, changed, taken away; and the caller's own.

use offshoot_aggregates::Position;
use offshoot_aggregates::ids::ProjectId;
use offshoot_aggregates::permissions::{Grant, ProjectPermission};
use offshoot_aggregates::project::ProjectCommand;
use offshoot_projections::access::{self, GrantHolder};
use offshoot_projections::features::StoredProject;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Asked, GrantBody, GrantedPermissions, HeldPermissions, OwnPermissions, find_key, holder, require_member};
use crate::http::answer::Answer;
use crate::http::body::Path;
use crate::http::fields::Fields;
use crate::http::kinds;
use crate::http::openapi::CommonProblems;
use crate::http::problem::Problem;
use crate::http::session::Session;
use crate::http::state::AppState;

/// The routes.
pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list, grant)).routes(routes!(replace, revoke)).routes(routes!(own))
}

/// Who was granted what in a project
#[utoipa::path(
    get, path = "/projects/{id}/user-permissions/", tag = "projects", params(("id" = i64, Path)),
    responses((status = 200, body = Vec<HeldPermissions>), CommonProblems)
)]
async fn list(session: Session, Path(id): Path<i64>) -> Result<Answer, Problem> {
    let project = session.project(ProjectId(id), None).await?;
    let held = find_holders(&session, project.id).await?;
    let held: Vec<_> = held.into_iter().map(HeldPermissions::new).collect();
    Ok(Answer::ok(&held))
}

async fn find_holders(session: &Session, project: ProjectId) -> Result<Vec<GrantHolder<ProjectPermission>>, Problem> {
    Ok(session.state.read_models.access.query(move |file| access::project_grants(file, project)).await?)
}

/// Grants permissions in a project
///
/// They take the place of what the API key was granted there before.
#[utoipa::path(
    post, path = "/projects/{id}/user-permissions/", tag = "projects", params(("id" = i64, Path)),
    request_body = GrantBody, responses((status = 201, body = GrantedPermissions), CommonProblems)
)]
async fn grant(session: Session, Path(id): Path<i64>, mut fields: Fields) -> Result<Answer, Problem> {
    let project = session.project(ProjectId(id), None).await?;
    let user = fields.required("user", kinds::id());
    let asked = Asked::read(&mut fields);
    fields.finish()?;
    let organisation = project.organisation;
    let grant = asked.to(find_key(&session, organisation, user).await?.principal());
    let (granted, position) = send(&session, &project, grant).await?;
    Ok(Answer::created(&granted).position(position))
}

async fn send(
    session: &Session,
    project: &StoredProject,
    grant: Grant<ProjectPermission>,
) -> Result<(GrantedPermissions, Position), Problem> {
    let granted = GrantedPermissions::new(&grant);
    let command = ProjectCommand::GrantProjectPermission { grant };
    let position = session.state.commands.project(&session.command(), project.uuid, command).await?.position;
    session.state.settle(position).await;
    Ok((granted, position))
}

/// Changes what an API key was granted in a project
#[utoipa::path(
    put, path = "/projects/{id}/user-permissions/{user}/", tag = "projects",
    params(("id" = i64, Path), ("user" = i64, Path, description = "The API key's integer id")),
    request_body = GrantBody, responses((status = 200, body = GrantedPermissions), CommonProblems)
)]
async fn replace(session: Session, Path((id, user)): Path<(i64, i64)>, mut fields: Fields) -> Result<Answer, Problem> {
    let project = session.project(ProjectId(id), None).await?;
    let principal = holder(find_holders(&session, project.id).await?, user).ok_or_else(not_granted)?;
    let asked = Asked::read(&mut fields);
    fields.finish()?;
    let (granted, position) = send(&session, &project, asked.to(principal)).await?;
    Ok(Answer::ok(&granted).position(position))
}

/// Takes away what an API key was granted in a project
#[utoipa::path(
    delete, path = "/projects/{id}/user-permissions/{user}/", tag = "projects",
    params(("id" = i64, Path), ("user" = i64, Path, description = "The API key's integer id")),
    responses((status = 204), CommonProblems)
)]
async fn revoke(session: Session, Path((id, user)): Path<(i64, i64)>) -> Result<Answer, Problem> {
    let project = session.project(ProjectId(id), None).await?;
    let principal = holder(find_holders(&session, project.id).await?, user).ok_or_else(not_granted)?;
    let command = ProjectCommand::RevokeProjectPermission { principal };
    let position = session.state.commands.project(&session.command(), project.uuid, command).await?.position;
    session.state.settle(position).await;
    Ok(Answer::no_content().position(position))
}

fn not_granted() -> Problem {
    Problem::not_found("UserProjectPermission")
}

/// What the caller may do in a project
#[utoipa::path(
    get, path = "/projects/{id}/my-permissions/", tag = "projects", params(("id" = i64, Path)),
    responses((status = 200, body = OwnPermissions), CommonProblems)
)]
async fn own(session: Session, Path(id): Path<i64>) -> Result<Answer, Problem> {
    let project = session.find_project(ProjectId(id)).await?;
    require_member(&session, project.organisation).await?;
    let (principal, id) = (session.principal(), project.id);
    let query = move |file: &_| access::project_permissions(file, &principal, id);
    Ok(Answer::ok(&OwnPermissions::new(&session.state.read_models.access.query(query).await?)))
}
