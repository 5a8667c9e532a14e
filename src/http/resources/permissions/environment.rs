//! Permissions granted in an environment: listed, granted, changed, taken away; and the caller's own.

use offshoot_aggregates::environment::EnvironmentCommand;
use offshoot_aggregates::ids::OrganisationId;
use offshoot_aggregates::permissions::{EnvironmentPermission, Grant};
use offshoot_projections::access::{self, Permissions};
use offshoot_projections::environment_status::StoredEnvironment;
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

impl Place for StoredEnvironment {
    type Permission = EnvironmentPermission;

    const GRANT: &'static str = "UserEnvironmentPermission";

    async fn organisation(&self, session: &Session) -> Result<OrganisationId, Problem> {
        let id = self.id;
        let query = move |file: &_| access::owners_of_environment(file, id);
        let owners = session.state.read_models.access.query(query).await?;
        owners.map(|(_, organisation)| organisation).ok_or_else(|| Problem::not_found("Environment"))
    }

    async fn holders(&self, session: &Session) -> Result<Vec<Grant<EnvironmentPermission>>, Problem> {
        let id = self.id;
        Ok(session.state.read_models.access.query(move |file| access::environment_grants(file, id)).await?)
    }

    async fn own(&self, session: &Session) -> Result<Permissions<EnvironmentPermission>, Problem> {
        let (principal, id) = (session.principal(), self.id);
        let query = move |file: &_| access::environment_permissions(file, &principal, id);
        Ok(session.state.read_models.access.query(query).await?)
    }

    async fn send(&self, session: &Session, change: Change<EnvironmentPermission>) -> Result<Appended, CommandError> {
        let command = match change {
            Change::Grant(grant) => EnvironmentCommand::GrantEnvironmentPermission { grant },
            Change::Revoke(principal) => EnvironmentCommand::RevokeEnvironmentPermission { principal },
        };
        session.state.commands.environment(&session.command(), self.uuid, command).await
    }
}

/// Who was granted what in an environment
#[utoipa::path(
    get, path = "/environments/{key}/user-permissions/", tag = "environments", params(("key" = String, Path)),
    responses((status = 200, body = Vec<HeldPermissions>), CommonProblems)
)]
async fn list(session: Session, Path(key): Path<String>) -> Result<Answer, Problem> {
    let environment = session.environment(&key, None).await?;
    super::answer_held(&session, &environment).await
}

/// Grants permissions in an environment
///
/// They take the place of what the API key was granted there before.
#[utoipa::path(
    post, path = "/environments/{key}/user-permissions/", tag = "environments", params(("key" = String, Path)),
    request_body = GrantBody, responses((status = 201, body = GrantedPermissions), CommonProblems)
)]
async fn grant(session: Session, Path(key): Path<String>, fields: Fields) -> Result<Answer, Problem> {
    let environment = session.environment(&key, None).await?;
    super::grant(&session, &environment, fields).await
}

/// Changes what an API key was granted in an environment
#[utoipa::path(
    put, path = "/environments/{key}/user-permissions/{user}/", tag = "environments",
    params(("key" = String, Path), ("user" = i64, Path, description = "The API key's integer id")),
    request_body = GrantBody, responses((status = 200, body = GrantedPermissions), CommonProblems)
)]
async fn replace(session: Session, Path((key, user)): Path<(String, i64)>, fields: Fields) -> Result<Answer, Problem> {
    let environment = session.environment(&key, None).await?;
    super::replace(&session, &environment, user, fields).await
}

/// Takes away what an API key was granted in an environment
#[utoipa::path(
    delete, path = "/environments/{key}/user-permissions/{user}/", tag = "environments",
    params(("key" = String, Path), ("user" = i64, Path, description = "The API key's integer id")),
    responses((status = 204), CommonProblems)
)]
async fn revoke(session: Session, Path((key, user)): Path<(String, i64)>) -> Result<Answer, Problem> {
    let environment = session.environment(&key, None).await?;
    super::revoke(&session, &environment, user).await
}

/// What the caller may do in an environment
#[utoipa::path(
    get, path = "/environments/{key}/my-permissions/", tag = "environments", params(("key" = String, Path)),
    responses((status = 200, body = OwnPermissions), CommonProblems)
)]
async fn own(session: Session, Path(key): Path<String>) -> Result<Answer, Problem> {
    let environment = session.find_environment(&key).await?;
    super::answer_own(&session, &environment).await
}
