//! API keys of an organisation: listed, issued, each with a role or with permissions, and revoked.

use offshoot_aggregates::ids::{ApiKeyId, OrganisationId};
use offshoot_aggregates::limits::NAME_CHARACTERS_MAX;
use offshoot_aggregates::organisation::{ApiKeyRole, OrganisationCommand};
use offshoot_projections::access::{self, StoredKey};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::api_key_permissions::{AskedPermissions, NewPermissions};
use super::shapes::timestamp::iso;
use crate::clock;
use crate::commands::NewApiKey;
use crate::http::answer::Answer;
use crate::http::body::Path;
use crate::http::fields::Fields;
use crate::http::kinds;
use crate::http::openapi::CommonProblems;
use crate::http::pagination::{Page, Pagination};
use crate::http::problem::Problem;
use crate::http::session::Session;
use crate::http::state::AppState;
use crate::limits::API_KEY_GRANTS_MAX;

/// The routes.
pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list, issue)).routes(routes!(revoke))
}

/// An API key, without the key.
#[derive(Debug, Serialize, ToSchema)]
struct ApiKey {
    /// Its integer id, in digits: a text, as Flagsmith's.
    id: String,
    /// The first characters of the key, to recognise it by.
    prefix: String,
    /// When it was issued.
    created: String,
    /// The name people gave it.
    name: String,
    /// Whether it is refused because it was revoked.
    revoked: bool,
    /// From when on it is refused.
    expiry_date: Option<String>,
    /// The key itself, in the answer to the request that asked for it, and never again.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    /// Whether it may do everything in the organisation.
    is_admin: bool,
    /// Whether it is refused because its time is over.
    has_expired: bool,
    /// Always null: no user created it.
    created_by: Option<i64>,
}

impl ApiKey {
    fn new(stored: StoredKey, key: Option<String>) -> Self {
        Self {
            id: stored.id.to_string(),
            prefix: stored.prefix,
            created: iso(stored.created_at),
            name: stored.name,
            revoked: stored.is_revoked,
            expiry_date: stored.expires_at.map(iso),
            key,
            is_admin: stored.role == ApiKeyRole::OrganisationAdmin,
            has_expired: stored.expires_at.is_some_and(|end| end <= clock::now()),
            created_by: None,
        }
    }
}

/// The API keys of an organisation that are not revoked
#[utoipa::path(
    get, path = "/organisations/{id}/master-api-keys/", tag = "organisations",
    params(("id" = i64, Path), ("page" = Option<u32>, Query), ("page_size" = Option<u64>, Query)),
    responses((status = 200, body = Page<ApiKey>), CommonProblems)
)]
async fn list(session: Session, Path(id): Path<i64>, pages: Pagination) -> Result<Answer, Problem> {
    let organisation = session.administered(OrganisationId(id)).await?.organisation;
    let query = move |file: &_| access::keys_of_organisation(file, organisation);
    let mut keys = session.state.read_models.access.query(query).await?;
    keys.retain(|key| !key.is_revoked);
    let count = keys.len() as u64;
    Ok(Answer::ok(&pages.page(count, pages.part_of(keys).map(|key| ApiKey::new(key, None)).collect())?))
}

/// Issues an API key
///
/// The answer is the only one that ever holds the key.
#[utoipa::path(
    post, path = "/organisations/{id}/master-api-keys/", tag = "organisations",
    params(("id" = i64, Path)), request_body = NewApiKeyBody,
    responses((status = 201, body = ApiKey), CommonProblems)
)]
async fn issue(session: Session, Path(id): Path<i64>, mut fields: Fields) -> Result<Answer, Problem> {
    let organisation = session.administered(OrganisationId(id)).await?;
    let name = fields.required("name", kinds::text(NAME_CHARACTERS_MAX));
    let expires_at = fields.nullable("expiry_date", kinds::moment()).flatten();
    let asked = fields.object("permissions", AskedPermissions::read);
    let is_admin = fields.optional("is_admin", kinds::boolean()).unwrap_or(!fields.has("permissions"));
    if is_admin && asked.is_some() {
        fields.fail("permissions", "An admin of the organisation has every permission already.");
    }
    if asked.as_ref().is_some_and(|asked| asked.len() > API_KEY_GRANTS_MAX) {
        fields.fail("permissions", format!("An API key is issued with at most {API_KEY_GRANTS_MAX} of these."));
    }
    fields.finish()?;
    let granted = asked.unwrap_or_default().resolve(&session, organisation.organisation).await?;
    let new = NewApiKey {
        name,
        role: if is_admin { ApiKeyRole::OrganisationAdmin } else { ApiKeyRole::Member },
        expires_at,
        key: None,
        projects: granted.projects,
        environments: granted.environments,
    };
    let commands = &session.state.commands;
    let issued = commands.issue_api_key(&session.command(), organisation.organisation_uuid, new).await?;
    session.state.settle(issued.position).await;
    let (key, id) = (issued.created.key, issued.created.kept.id);
    let stored = session.state.read_models.access.query(move |file| access::key_by_id(file, id)).await?;
    let stored = stored.ok_or_else(|| Problem::internal("a key that was issued is not there"))?;
    Ok(Answer::created(&ApiKey::new(stored, Some(key))).position(issued.position).sensitive())
}

/// Revokes an API key
///
/// The key is named by its prefix or by its id. A key cannot revoke itself, so that somebody always has one.
#[utoipa::path(
    delete, path = "/organisations/{id}/master-api-keys/{key}/", tag = "organisations",
    params(("id" = i64, Path), ("key" = String, Path, description = "Its prefix or its id")),
    responses((status = 204), (status = 409, description = "It is the key that asks"), CommonProblems)
)]
async fn revoke(session: Session, Path((id, key)): Path<(i64, String)>) -> Result<Answer, Problem> {
    let organisation = session.administered(OrganisationId(id)).await?;
    let found = find(&session, organisation.organisation, key).await?;
    if found.uuid == session.key.uuid {
        return Err(Problem::conflict("api_key_in_use", "An API key cannot revoke itself. Use another one."));
    }
    let command = OrganisationCommand::RevokeApiKey { uuid: found.uuid };
    let commands = &session.state.commands;
    let revoked = commands.organisation(&session.command(), organisation.organisation_uuid, command).await?;
    session.state.settle(revoked.position).await;
    Ok(Answer::no_content().position(revoked.position))
}

async fn find(session: &Session, organisation: OrganisationId, key: String) -> Result<StoredKey, Problem> {
    let query = move |file: &_| {
        let by_prefix = access::key_by_prefix(file, organisation, &key)?;
        match (by_prefix, key.parse()) {
            (None, Ok(id)) => access::key_by_id(file, ApiKeyId(id)),
            (found, _) => Ok(found),
        }
    };
    let found = session.state.read_models.access.query(query).await?;
    found.filter(|key| key.organisation == organisation).ok_or_else(|| Problem::not_found("MasterAPIKey"))
}

/// A new API key.
#[derive(ToSchema)]
#[allow(dead_code, reason = "only the description of the API is made from it")]
struct NewApiKeyBody {
    /// Its name, at most 2,000 characters.
    name: String,
    /// Whether it may do everything in the organisation; if not given, it may unless `permissions` are given.
    is_admin: Option<bool>,
    /// From when on it is refused; null if it never expires.
    expiry_date: Option<String>,
    /// What it may do, if it is no admin's.
    permissions: Option<NewPermissions>,
}
