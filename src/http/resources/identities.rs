//! `/environments/{key}/identities/`: the identities that are known in an environment. Only those that people name here are
//! known; their traits never are.

use offshoot_aggregates::environment::EnvironmentCommand;
use offshoot_aggregates::ids::IdentityId;
use offshoot_aggregates::limits::IDENTIFIER_CHARACTERS_MAX;
use offshoot_aggregates::permissions::EnvironmentPermission;
use offshoot_projections::Page as Rows;
use offshoot_projections::environment_status::StoredEnvironment;
use offshoot_projections::feature_states::{self, StoredIdentity};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::http::answer::Answer;
use crate::http::body::{Path, Query};
use crate::http::fields::Fields;
use crate::http::kinds::text;
use crate::http::openapi::CommonProblems;
use crate::http::pagination::{Page, Pagination};
use crate::http::problem::Problem;
use crate::http::session::Session;
use crate::http::state::{AppState, not_shown_yet};

/// The routes.
pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(retrieve, delete))
}

/// An identity.
#[derive(Debug, Serialize, ToSchema)]
struct Identity {
    /// Its integer id.
    id: i64,
    /// What applications call it.
    identifier: String,
    /// The integer id of the environment.
    environment: i64,
}

impl From<StoredIdentity> for Identity {
    fn from(stored: StoredIdentity) -> Self {
        Self { id: stored.id.0, identifier: stored.identifier, environment: stored.environment.0 }
    }
}

/// A new identity.
#[derive(ToSchema)]
#[allow(dead_code, reason = "only the description of the API is made from it")]
struct IdentityBody {
    /// What applications call it, at most 2,000 characters.
    identifier: String,
}

/// What is searched for among identifiers.
enum Search {
    Everything,
    Part(String),
    Exactly(String),
}

impl Search {
    /// A text in double quotes stands for itself, any other for all that have it in them.
    fn read(fields: &mut Fields) -> Self {
        let asked = fields.optional("q", text(IDENTIFIER_CHARACTERS_MAX + 2).or_blank()).unwrap_or_default();
        match asked.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
            Some(exact) => Self::Exactly(exact.to_owned()),
            None if asked.is_empty() => Self::Everything,
            None => Self::Part(asked),
        }
    }
}

/// List the identities of an environment
#[utoipa::path(
    get, path = "/environments/{key}/identities/", tag = "identities",
    params(
        ("key" = String, Path, description = "The client key of the environment"),
        ("q" = Option<String>, Query, description = "Those with this in their identifiers; in double quotes, the one with exactly this"),
        ("page" = Option<u32>, Query, description = "1 is the first"),
        ("page_size" = Option<u32>, Query, description = "At most 999"),
    ),
    responses((status = 200, description = "A page of them", body = Page<Identity>), CommonProblems)
)]
async fn list(
    session: Session,
    Path(key): Path<String>,
    Query(mut fields): Query,
    pages: Pagination,
) -> Result<Answer, Problem> {
    let environment = session.environment(&key, Some(EnvironmentPermission::ViewIdentities)).await?;
    let search = Search::read(&mut fields);
    fields.finish()?;
    let (id, rows) = (environment.id, Rows { limit: pages.limit(), offset: pages.offset() });
    let query = move |file: &_| {
        let part = match &search {
            Search::Exactly(identifier) => {
                let found = feature_states::identity_named(file, id, identifier)?;
                let found: Vec<_> = found.into_iter().collect();
                let count = found.len() as u64;
                return Ok((count, if rows.offset == 0 { found } else { Vec::new() }));
            }
            Search::Part(part) => Some(part.as_str()),
            Search::Everything => None,
        };
        let count = feature_states::count_identities(file, id, part)?;
        Ok((count, feature_states::list_identities(file, id, part, rows)?))
    };
    let (count, found) = session.state.read_models.feature_states.query(query).await?;
    Ok(Answer::ok(&pages.page(count, found.into_iter().map(Identity::from).collect())?))
}

/// Make an identity known
///
/// So that features can be overridden for it. Nobody needs to be known here in order to be served.
#[utoipa::path(
    post, path = "/environments/{key}/identities/", tag = "identities",
    params(
        ("key" = String, Path, description = "The client key of the environment"),
        ("If-Match" = Option<String>, Header, description = "The ETag that the environment must be at"),
    ),
    request_body = IdentityBody,
    responses(
        (status = 201, description = "It is known", body = Identity),
        (status = 412, description = "The environment is at another version"),
        CommonProblems,
    )
)]
async fn create(session: Session, Path(key): Path<String>, mut fields: Fields) -> Result<Answer, Problem> {
    let environment = session.environment(&key, Some(EnvironmentPermission::ManageIdentities)).await?;
    let identifier = fields.required("identifier", text(IDENTIFIER_CHARACTERS_MAX));
    fields.finish()?;
    let command = session.conditional_command(environment.version)?;
    let added = session.state.commands.add_identity(&command, environment.uuid, identifier).await?;
    session.state.settle(added.position).await;
    let found = find(&session, &environment, added.created).await?.ok_or_else(not_shown_yet)?;
    Ok(Answer::created(&Identity::from(found)).position(added.position))
}

/// See an identity
#[utoipa::path(
    get, path = "/environments/{key}/identities/{id}/", tag = "identities",
    params(
        ("key" = String, Path, description = "The client key of the environment"),
        ("id" = i64, Path, description = "The integer id of the identity"),
    ),
    responses((status = 200, description = "The identity", body = Identity), CommonProblems)
)]
async fn retrieve(session: Session, Path((key, id)): Path<(String, i64)>) -> Result<Answer, Problem> {
    let environment = session.environment(&key, Some(EnvironmentPermission::ViewIdentities)).await?;
    Ok(Answer::ok(&Identity::from(require(&session, &environment, id).await?)))
}

/// Forget an identity and its overrides
#[utoipa::path(
    delete, path = "/environments/{key}/identities/{id}/", tag = "identities",
    params(
        ("key" = String, Path, description = "The client key of the environment"),
        ("id" = i64, Path, description = "The integer id of the identity"),
        ("If-Match" = Option<String>, Header, description = "The ETag that the environment must be at"),
    ),
    responses(
        (status = 204, description = "It is known no longer"),
        (status = 412, description = "The environment is at another version"),
        CommonProblems,
    )
)]
async fn delete(session: Session, Path((key, id)): Path<(String, i64)>) -> Result<Answer, Problem> {
    let environment = session.environment(&key, Some(EnvironmentPermission::ManageIdentities)).await?;
    let command = session.conditional_command(environment.version)?;
    let remove = EnvironmentCommand::RemoveIdentity { identity: IdentityId(id) };
    let removed = session.state.commands.environment(&command, environment.uuid, remove).await?;
    session.state.settle(removed.position).await;
    Ok(Answer::no_content().position(removed.position))
}

async fn find(
    session: &Session,
    environment: &StoredEnvironment,
    id: IdentityId,
) -> Result<Option<StoredIdentity>, Problem> {
    let query = move |file: &_| feature_states::identity(file, id);
    let found = session.state.read_models.feature_states.query(query).await?;
    Ok(found.filter(|found| found.environment == environment.id))
}

/// An identity of an environment; 404 if there is none.
pub(super) async fn require(
    session: &Session,
    environment: &StoredEnvironment,
    id: i64,
) -> Result<StoredIdentity, Problem> {
    find(session, environment, IdentityId(id)).await?.ok_or_else(|| Problem::not_found("Identity"))
}
