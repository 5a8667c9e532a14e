//! `/environments/{key}/api-keys/`: the server-side keys of an environment. Unlike Flagsmith, which shows keys again and
//! again, a key is shown once, to whoever asked for it; afterwards its first characters are, and stars for the rest.

use offshoot_aggregates::environment::{EnvironmentCommand, ServerKeyChange};
use offshoot_aggregates::ids::ServerKeyId;
use offshoot_aggregates::limits::SERVER_KEY_NAME_CHARACTERS_MAX;
use offshoot_projections::access::{self, StoredServerKey};
use offshoot_projections::environment_status::StoredEnvironment;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::shapes::timestamp::iso;
use crate::commands::NewServerKey;
use crate::http::answer::Answer;
use crate::http::body::Path;
use crate::http::fields::Fields;
use crate::http::kinds;
use crate::http::openapi::CommonProblems;
use crate::http::problem::Problem;
use crate::http::session::Session;
use crate::http::state::{AppState, not_shown_yet};
use crate::secrets::masked_server_key;

/// The routes.
pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list, issue)).routes(routes!(retrieve, replace, change, revoke))
}

/// A server-side key.
#[derive(Debug, Serialize, ToSchema)]
struct ServerKey {
    /// Its integer id.
    id: i64,
    /// The key itself in the answer to the request that asked for it; ever after its first characters and stars.
    key: String,
    /// Whether it is accepted.
    active: bool,
    /// When it was issued.
    created_at: String,
    /// The name people gave it.
    name: String,
    /// From when on it is refused; null if it never expires.
    expires_at: Option<String>,
}

impl ServerKey {
    fn new(stored: StoredServerKey, key: Option<String>) -> Self {
        Self {
            id: stored.id.0,
            key: key.unwrap_or_else(|| masked_server_key(&stored.prefix)),
            active: stored.settings.is_active,
            created_at: iso(stored.created_at),
            name: stored.settings.name,
            expires_at: stored.settings.expires_at.map(iso),
        }
    }
}

/// What can be set on a server-side key.
#[derive(ToSchema)]
#[allow(dead_code, reason = "only the description of the API is made from it")]
struct ServerKeyBody {
    /// Its name, at most 100 characters. A PATCH may leave it out.
    name: String,
    /// Whether it is accepted. `true` in a new one if it is missing.
    active: Option<bool>,
    /// From when on it is refused; null if it never expires.
    expires_at: Option<String>,
}

/// List the server-side keys of an environment
///
/// Those that were revoked are not among them.
#[utoipa::path(
    get, path = "/environments/{key}/api-keys/", tag = "server-side keys",
    params(("key" = String, Path, description = "The client key of the environment")),
    responses((status = 200, description = "All of them", body = Vec<ServerKey>), CommonProblems)
)]
async fn list(session: Session, Path(key): Path<String>) -> Result<Answer, Problem> {
    let environment = session.environment(&key, None).await?.id;
    let query = move |file: &_| access::server_keys_of_environment(file, environment);
    let keys = session.state.read_models.access.query(query).await?;
    let keys: Vec<_> = keys.into_iter().map(|stored| ServerKey::new(stored, None)).collect();
    Ok(Answer::ok(&keys))
}

/// Issue a server-side key
///
/// The answer is the only one that ever holds the key.
#[utoipa::path(
    post, path = "/environments/{key}/api-keys/", tag = "server-side keys",
    params(("key" = String, Path, description = "The client key of the environment")), request_body = ServerKeyBody,
    responses((status = 201, description = "It was issued", body = ServerKey), CommonProblems)
)]
async fn issue(session: Session, Path(key): Path<String>, mut fields: Fields) -> Result<Answer, Problem> {
    let environment = session.environment(&key, None).await?;
    fields.require(&["name"]);
    let asked = read(&mut fields);
    fields.finish()?;
    let new = NewServerKey {
        name: asked.name.unwrap_or_default(),
        is_active: asked.is_active.unwrap_or(true),
        expires_at: asked.expires_at.flatten(),
    };
    let issued = session.state.commands.issue_server_key(&session.command(), environment.uuid, new).await?;
    session.state.settle(issued.position).await;
    let (key, id) = (issued.created.key, issued.created.kept.id);
    let stored = find(&session, &environment, id).await?.ok_or_else(not_shown_yet)?;
    Ok(Answer::created(&ServerKey::new(stored, Some(key))).position(issued.position).sensitive())
}

fn read(fields: &mut Fields) -> ServerKeyChange {
    ServerKeyChange {
        name: fields.optional("name", kinds::text(SERVER_KEY_NAME_CHARACTERS_MAX)),
        is_active: fields.optional("active", kinds::boolean()),
        expires_at: fields.nullable("expires_at", kinds::moment()),
    }
}

/// See a server-side key
#[utoipa::path(
    get, path = "/environments/{key}/api-keys/{id}/", tag = "server-side keys",
    params(
        ("key" = String, Path, description = "The client key of the environment"),
        ("id" = i64, Path, description = "The integer id of the server-side key"),
    ),
    responses((status = 200, description = "The server-side key", body = ServerKey), CommonProblems)
)]
async fn retrieve(session: Session, Path((key, id)): Path<(String, i64)>) -> Result<Answer, Problem> {
    let environment = session.environment(&key, None).await?;
    Ok(Answer::ok(&ServerKey::new(require(&session, &environment, id).await?, None)))
}

/// Change a server-side key
///
/// What else than the name the body does not name stays as it is. The key itself never changes.
#[utoipa::path(
    put, path = "/environments/{key}/api-keys/{id}/", tag = "server-side keys",
    params(
        ("key" = String, Path, description = "The client key of the environment"),
        ("id" = i64, Path, description = "The integer id of the server-side key"),
    ),
    request_body = ServerKeyBody,
    responses((status = 200, description = "The server-side key now", body = ServerKey), CommonProblems)
)]
async fn replace(
    session: Session,
    Path((key, id)): Path<(String, i64)>,
    mut fields: Fields,
) -> Result<Answer, Problem> {
    fields.require(&["name"]);
    update(&session, &key, id, fields).await
}

/// Change a server-side key
///
/// What the body does not name stays as it is. The key itself never changes.
#[utoipa::path(
    patch, path = "/environments/{key}/api-keys/{id}/", tag = "server-side keys",
    params(
        ("key" = String, Path, description = "The client key of the environment"),
        ("id" = i64, Path, description = "The integer id of the server-side key"),
    ),
    request_body = ServerKeyBody,
    responses((status = 200, description = "The server-side key now", body = ServerKey), CommonProblems)
)]
async fn change(session: Session, Path((key, id)): Path<(String, i64)>, fields: Fields) -> Result<Answer, Problem> {
    update(&session, &key, id, fields).await
}

async fn update(session: &Session, key: &str, id: i64, mut fields: Fields) -> Result<Answer, Problem> {
    let environment = session.environment(key, None).await?;
    let found = require(session, &environment, id).await?;
    let change = read(&mut fields);
    fields.finish()?;
    let command = EnvironmentCommand::ChangeServerKey { key: found.id, change };
    let changed = session.state.commands.environment(&session.command(), environment.uuid, command).await?;
    session.state.settle(changed.position).await;
    let stored = require(session, &environment, id).await?;
    Ok(Answer::ok(&ServerKey::new(stored, None)).position(changed.position))
}

/// Revoke a server-side key
///
/// It is refused from now on, for good. To refuse it for a while, set `active` to `false`.
#[utoipa::path(
    delete, path = "/environments/{key}/api-keys/{id}/", tag = "server-side keys",
    params(
        ("key" = String, Path, description = "The client key of the environment"),
        ("id" = i64, Path, description = "The integer id of the server-side key"),
    ),
    responses((status = 204, description = "It was revoked"), CommonProblems)
)]
async fn revoke(session: Session, Path((key, id)): Path<(String, i64)>) -> Result<Answer, Problem> {
    let environment = session.environment(&key, None).await?;
    let command = EnvironmentCommand::RevokeServerKey { key: ServerKeyId(id) };
    let revoked = session.state.commands.environment(&session.command(), environment.uuid, command).await?;
    session.state.settle(revoked.position).await;
    Ok(Answer::no_content().position(revoked.position))
}

async fn find(
    session: &Session,
    environment: &StoredEnvironment,
    id: ServerKeyId,
) -> Result<Option<StoredServerKey>, Problem> {
    let found = session.state.read_models.access.query(move |file| access::server_key_by_id(file, id)).await?;
    Ok(found.filter(|found| found.environment == environment.id))
}

async fn require(session: &Session, environment: &StoredEnvironment, id: i64) -> Result<StoredServerKey, Problem> {
    let found = find(session, environment, ServerKeyId(id)).await?;
    found.ok_or_else(|| Problem::not_found("EnvironmentAPIKey"))
}
