//! Permissions granted in an environment: listed, granted, changed, taken away; and the caller's own.

use offshoot_aggregates::Position;
use offshoot_aggregates::environment::EnvironmentCommand;
use offshoot_aggregates::ids::{EnvironmentId, OrganisationId};
use offshoot_aggregates::permissions::{EnvironmentPermission, Grant};
use offshoot_projections::access::{self, GrantHolder};
use offshoot_projections::environment_status::StoredEnvironment;
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

/// Who was granted what in an environment
#[utoipa::path(
    get, path = "/environments/{key}/user-permissions/", tag = "environments", params(("key" = String, Path)),
    responses((status = 200, body = Vec<HeldPermissions>), CommonProblems)
)]
async fn list(session: Session, Path(key): Path<String>) -> Result<Answer, Problem> {
    let environment = session.environment(&key, None).await?;
    let held = find_holders(&session, environment.id).await?;
    let held: Vec<_> = held.into_iter().map(HeldPermissions::new).collect();
    Ok(Answer::ok(&held))
}

async fn find_holders(
    session: &Session,
    environment: EnvironmentId,
) -> Result<Vec<GrantHolder<EnvironmentPermission>>, Problem> {
    Ok(session.state.read_models.access.query(move |file| access::environment_grants(file, environment)).await?)
}

/// Grants permissions in an environment
///
/// They take the place of what the API key was granted there before.
#[utoipa::path(
    post, path = "/environments/{key}/user-permissions/", tag = "environments", params(("key" = String, Path)),
    request_body = GrantBody, responses((status = 201, body = GrantedPermissions), CommonProblems)
)]
async fn grant(session: Session, Path(key): Path<String>, mut fields: Fields) -> Result<Answer, Problem> {
    let environment = session.environment(&key, None).await?;
    let user = fields.required("user", kinds::id());
    let asked = Asked::read(&mut fields);
    fields.finish()?;
    let organisation = find_organisation(&session, environment.id).await?;
    let grant = asked.to(find_key(&session, organisation, user).await?.principal());
    let (granted, position) = send(&session, &environment, grant).await?;
    Ok(Answer::created(&granted).position(position))
}

async fn send(
    session: &Session,
    environment: &StoredEnvironment,
    grant: Grant<EnvironmentPermission>,
) -> Result<(GrantedPermissions, Position), Problem> {
    let granted = GrantedPermissions::new(&grant);
    let command = EnvironmentCommand::GrantEnvironmentPermission { grant };
    let position = session.state.commands.environment(&session.command(), environment.uuid, command).await?.position;
    session.state.settle(position).await;
    Ok((granted, position))
}

/// Changes what an API key was granted in an environment
#[utoipa::path(
    put, path = "/environments/{key}/user-permissions/{user}/", tag = "environments",
    params(("key" = String, Path), ("user" = i64, Path, description = "The API key's integer id")),
    request_body = GrantBody, responses((status = 200, body = GrantedPermissions), CommonProblems)
)]
async fn replace(
    session: Session,
    Path((key, user)): Path<(String, i64)>,
    mut fields: Fields,
) -> Result<Answer, Problem> {
    let environment = session.environment(&key, None).await?;
    let principal = holder(find_holders(&session, environment.id).await?, user).ok_or_else(not_granted)?;
    let asked = Asked::read(&mut fields);
    fields.finish()?;
    let (granted, position) = send(&session, &environment, asked.to(principal)).await?;
    Ok(Answer::ok(&granted).position(position))
}

/// Takes away what an API key was granted in an environment
#[utoipa::path(
    delete, path = "/environments/{key}/user-permissions/{user}/", tag = "environments",
    params(("key" = String, Path), ("user" = i64, Path, description = "The API key's integer id")),
    responses((status = 204), CommonProblems)
)]
async fn revoke(session: Session, Path((key, user)): Path<(String, i64)>) -> Result<Answer, Problem> {
    let environment = session.environment(&key, None).await?;
    let principal = holder(find_holders(&session, environment.id).await?, user).ok_or_else(not_granted)?;
    let command = EnvironmentCommand::RevokeEnvironmentPermission { principal };
    let position = session.state.commands.environment(&session.command(), environment.uuid, command).await?.position;
    session.state.settle(position).await;
    Ok(Answer::no_content().position(position))
}

async fn find_organisation(session: &Session, environment: EnvironmentId) -> Result<OrganisationId, Problem> {
    let query = move |file: &_| access::owners_of_environment(file, environment);
    let owners = session.state.read_models.access.query(query).await?;
    owners.map(|(_, organisation)| organisation).ok_or_else(|| Problem::not_found("Environment"))
}

fn not_granted() -> Problem {
    Problem::not_found("UserEnvironmentPermission")
}

/// What the caller may do in an environment
#[utoipa::path(
    get, path = "/environments/{key}/my-permissions/", tag = "environments", params(("key" = String, Path)),
    responses((status = 200, body = OwnPermissions), CommonProblems)
)]
async fn own(session: Session, Path(key): Path<String>) -> Result<Answer, Problem> {
    let environment = session.find_environment(&key).await?;
    require_member(&session, find_organisation(&session, environment.id).await?).await?;
    let (principal, id) = (session.principal(), environment.id);
    let query = move |file: &_| access::environment_permissions(file, &principal, id);
    Ok(Answer::ok(&OwnPermissions::new(&session.state.read_models.access.query(query).await?)))
}
