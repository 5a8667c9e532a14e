//! `/features/featurestates/`: the states of an environment, overrides of both kinds among them, with values as objects.

use offshoot_aggregates::ids::{EnvironmentId, FeatureId, FeatureSegmentId, FeatureStateId};
use offshoot_aggregates::permissions::EnvironmentPermission;
use offshoot_projections::environment_status::StoredEnvironment;
use offshoot_projections::feature_states::{StateFilter, StateScope};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::shapes::feature_state::FeatureStateWithObject;
use super::shapes::feature_value::ValueObject;
use super::state_changes::{FoundState, ShareBody, ValueForm, change_state, create_state, find_state, list_states};
use crate::http::answer::Answer;
use crate::http::body::{Path, Query};
use crate::http::fields::Fields;
use crate::http::kinds::{Kind, id, integer};
use crate::http::openapi::CommonProblems;
use crate::http::pagination::{Page, Pagination};
use crate::http::problem::Problem;
use crate::http::session::Session;
use crate::http::state::AppState;

/// What a feature state is to be; what is missing stays, or is nothing in a new one.
#[derive(Debug, ToSchema)]
#[allow(dead_code, reason = "only the description of the API is made from it")]
pub struct StateBody {
    /// The integer id of the feature. A PATCH may leave it out.
    feature: i64,
    /// The integer id of the environment. A PATCH may leave it out.
    environment: i64,
    /// The integer id of the feature segment, for a segment override.
    feature_segment: Option<i64>,
    /// The integer id of the identity, for an identity override.
    identity: Option<i64>,
    /// The identifier of the identity, in place of its id; only where a state is made.
    identifier: Option<String>,
    /// Whether the feature is on.
    enabled: Option<bool>,
    /// The value. The column that its type names is set, the others stay as they are if they are missing.
    feature_state_value: Option<ValueObject>,
    /// Shares of options; options that are not named keep theirs.
    multivariate_feature_state_values: Option<Vec<ShareBody>>,
}

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(retrieve, replace, change))
}

/// List the states of an environment
///
/// In order of the features' ids, the default of each before its segment overrides, and these before its identity
/// overrides.
#[utoipa::path(
    get, path = "/features/featurestates/", tag = "feature states",
    params(
        ("environment" = i64, Query, description = "The integer id of the environment"),
        ("feature" = Option<i64>, Query, description = "Only those of this feature"),
        ("feature_segment" = Option<i64>, Query, description = "Only that of this feature segment"),
        ("page" = Option<u32>, Query, description = "1 is the first"),
        ("page_size" = Option<u32>, Query, description = "At most 999"),
    ),
    responses((status = 200, description = "A page of them", body = Page<FeatureStateWithObject>), CommonProblems)
)]
async fn list(session: Session, Query(mut fields): Query, pages: Pagination) -> Result<Answer, Problem> {
    let environment = named_environment(&session, &fields).await?;
    session.require_in_environment(&environment, Some(EnvironmentPermission::ViewEnvironment)).await?;
    let any = integer(i64::MIN, i64::MAX);
    let filter = StateFilter {
        scope: StateScope::All,
        feature: fields.optional("feature", any).map(FeatureId),
        feature_segment: fields.optional("feature_segment", any).map(FeatureSegmentId),
    };
    fields.finish()?;
    let page = list_states(&session, &environment, Some(filter), &pages).await?;
    let states: Vec<_> = page.states.into_iter().map(FeatureStateWithObject::from).collect();
    Ok(Answer::ok(&pages.page(page.count, states)?).version(page.version))
}

/// The environment that a query or body names. Where it names none that there is, Flagsmith says 403.
async fn named_environment(session: &Session, fields: &Fields) -> Result<StoredEnvironment, Problem> {
    let named = fields.raw("environment").and_then(|value| id().read(value).ok());
    let id = named.map(EnvironmentId).ok_or_else(Problem::forbidden)?;
    session.find_environment_by_id(id).await?.ok_or_else(Problem::forbidden)
}

/// Make the state of a segment override or of an identity override
///
/// The feature segment or the identity must be there. Default states are there from the start and cannot be made.
#[utoipa::path(
    post, path = "/features/featurestates/", tag = "feature states", request_body = StateBody,
    responses(
        (status = 201, description = "It was made", body = FeatureStateWithObject),
        (status = 409, description = "The environment's feature states are being copied"),
        (status = 412, description = "The environment is at another version"),
        CommonProblems,
    )
)]
async fn create(session: Session, fields: Fields) -> Result<Answer, Problem> {
    let environment = named_environment(&session, &fields).await?;
    let (found, position) = create_state(&session, &environment, fields, ValueForm::Object).await?;
    let version = found.environment.version;
    Ok(Answer::created(&FeatureStateWithObject::from(found.state)).version(version).position(position))
}

/// See a feature state
#[utoipa::path(
    get, path = "/features/featurestates/{id}/", tag = "feature states",
    params(("id" = i64, Path, description = "The integer id of the state")),
    responses((status = 200, description = "The state", body = FeatureStateWithObject), CommonProblems)
)]
async fn retrieve(session: Session, Path(id): Path<i64>) -> Result<Answer, Problem> {
    let found = find_state(&session, FeatureStateId(id)).await?;
    require(&session, &found, EnvironmentPermission::ViewEnvironment).await?;
    let found = found.served()?;
    let version = found.environment.version;
    Ok(Answer::ok(&FeatureStateWithObject::from(found.state)).version(version))
}

/// Change a feature state
///
/// The body must name the feature and the environment, as they are. What else it does not name stays as it is.
#[utoipa::path(
    put, path = "/features/featurestates/{id}/", tag = "feature states",
    params(
        ("id" = i64, Path, description = "The integer id of the state"),
        ("If-Match" = Option<String>, Header, description = "The ETag that the environment must be at"),
    ),
    request_body = StateBody,
    responses(
        (status = 200, description = "The state now", body = FeatureStateWithObject),
        (status = 409, description = "The environment's feature states are being copied"),
        (status = 412, description = "The environment is at another version"),
        CommonProblems,
    )
)]
async fn replace(session: Session, Path(id): Path<i64>, mut fields: Fields) -> Result<Answer, Problem> {
    fields.require(&["feature", "environment"]);
    update(&session, id, fields).await
}

/// Change a feature state
///
/// What the body does not name stays as it is.
#[utoipa::path(
    patch, path = "/features/featurestates/{id}/", tag = "feature states",
    params(
        ("id" = i64, Path, description = "The integer id of the state"),
        ("If-Match" = Option<String>, Header, description = "The ETag that the environment must be at"),
    ),
    request_body = StateBody,
    responses(
        (status = 200, description = "The state now", body = FeatureStateWithObject),
        (status = 409, description = "The environment's feature states are being copied"),
        (status = 412, description = "The environment is at another version"),
        CommonProblems,
    )
)]
async fn change(session: Session, Path(id): Path<i64>, fields: Fields) -> Result<Answer, Problem> {
    update(&session, id, fields).await
}

async fn update(session: &Session, id: i64, fields: Fields) -> Result<Answer, Problem> {
    let found = find_state(session, FeatureStateId(id)).await?;
    require(session, &found, found.permission_to_change()).await?;
    let (found, position) = change_state(session, found, fields, ValueForm::Object).await?;
    let version = found.environment.version;
    Ok(Answer::ok(&FeatureStateWithObject::from(found.state)).version(version).position(position))
}

/// Asks for a permission in the environment of a state.
async fn require(session: &Session, found: &FoundState, permission: EnvironmentPermission) -> Result<(), Problem> {
    let environment = session.find_environment_by_id(found.environment.id).await?;
    let environment = environment.ok_or_else(|| Problem::not_found("FeatureState"))?;
    session.require_in_environment(&environment, Some(permission)).await
}
