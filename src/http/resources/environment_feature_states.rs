//! `/environments/{key}/featurestates/`: the default states of an environment, with plain values.

use offshoot_aggregates::ids::{FeatureId, FeatureStateId};
use offshoot_aggregates::limits::NAME_CHARACTERS_MAX;
use offshoot_aggregates::permissions::EnvironmentPermission;
use offshoot_projections::environment_status::StoredEnvironment;
use offshoot_projections::feature_states::{FeatureStateView, StateFilter, StateScope};
use offshoot_projections::features;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::shapes::feature_state::{ListedFeatureState, PlainFeatureState};
use super::state_changes::{FoundState, ShareBody, ValueForm, change_state, create_state, find_state, list_states};
use crate::http::answer::Answer;
use crate::http::body::{Path, Query};
use crate::http::fields::Fields;
use crate::http::kinds::{integer, text};
use crate::http::openapi::CommonProblems;
use crate::http::pagination::{Page, Pagination};
use crate::http::problem::Problem;
use crate::http::rejections::environment_is_creating;
use crate::http::session::Session;
use crate::http::state::AppState;

/// What changes in a feature state; what is missing stays.
#[derive(Debug, ToSchema)]
#[allow(dead_code, reason = "only the description of the API is made from it")]
pub struct PlainChangeBody {
    /// Whether the feature is on.
    enabled: Option<bool>,
    /// A text of at most 20,000 characters, an integer of 32 bits, a boolean, or null.
    feature_state_value: Option<Value>,
    /// Shares of options; options that are not named keep theirs.
    multivariate_feature_state_values: Option<Vec<ShareBody>>,
    /// The feature that it is; any other is refused.
    feature: Option<i64>,
}

/// A segment override that is to get a state.
#[derive(Debug, ToSchema)]
#[allow(dead_code, reason = "only the description of the API is made from it")]
pub struct PlainStateBody {
    /// The integer id of the feature.
    feature: i64,
    /// The integer id of the feature segment.
    feature_segment: i64,
    /// Whether the feature is on. `false` if it is missing.
    enabled: Option<bool>,
    /// A text of at most 20,000 characters, an integer of 32 bits, a boolean, or null.
    feature_state_value: Option<Value>,
    /// Shares of options.
    multivariate_feature_state_values: Option<Vec<ShareBody>>,
}

/// All that a PATCH answers.
#[derive(Debug, Serialize, ToSchema)]
pub struct PatchedFeatureState {
    /// The integer id of the feature.
    feature: i64,
    /// Whether it is on.
    enabled: bool,
}

impl From<FeatureStateView> for PatchedFeatureState {
    fn from(state: FeatureStateView) -> Self {
        Self { feature: state.feature.0, enabled: state.content.enabled }
    }
}

#[allow(deprecated, reason = "it is still served")]
pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(retrieve, replace, change))
}

/// List the default states of an environment
///
/// In order of the features' ids. Segment overrides are not among them, identity overrides only if they are asked for.
#[utoipa::path(
    get, path = "/environments/{key}/featurestates/", tag = "feature states",
    params(
        ("key" = String, Path, description = "The client key of the environment"),
        ("feature" = Option<i64>, Query, description = "Only that of this feature"),
        ("feature_name" = Option<String>, Query, description = "Only that of the feature with exactly this name"),
        ("anyIdentity" = Option<String>, Query, description = "If there, with any value: also identity overrides"),
        ("page" = Option<u32>, Query, description = "1 is the first"),
        ("page_size" = Option<u32>, Query, description = "At most 999"),
    ),
    responses((status = 200, description = "A page of them", body = Page<ListedFeatureState>), CommonProblems)
)]
async fn list(
    session: Session,
    Path(key): Path<String>,
    Query(mut fields): Query,
    pages: Pagination,
) -> Result<Answer, Problem> {
    let environment = session.environment(&key, Some(EnvironmentPermission::ViewEnvironment)).await?;
    let filter = read_filter(&session, &environment, &mut fields).await?;
    fields.finish()?;
    let page = list_states(&session, &environment, filter, &pages).await?;
    let states: Vec<_> = page.states.into_iter().map(ListedFeatureState::from).collect();
    Ok(Answer::ok(&pages.page(page.count, states)?).version(page.version))
}

/// Which states are asked for; `None` if there cannot be any.
async fn read_filter(
    session: &Session,
    environment: &StoredEnvironment,
    fields: &mut Fields,
) -> Result<Option<StateFilter>, Problem> {
    let feature = fields.optional("feature", integer(i64::MIN, i64::MAX)).map(FeatureId);
    let scope = if fields.has("anyIdentity") { StateScope::DefaultsAndIdentities } else { StateScope::Defaults };
    let all = StateFilter { scope, feature, feature_segment: None };
    let name = fields.optional("feature_name", text(NAME_CHARACTERS_MAX).verbatim());
    let Some(name) = name.filter(|name| !name.is_empty()) else { return Ok(Some(all)) };
    let project = environment.project;
    let query = move |file: &_| features::feature_named(file, project, &name);
    let named = session.state.read_models.features.query(query).await?.map(|named| named.definition.id);
    let is_asked_for = |named: &FeatureId| feature.is_none_or(|feature| feature == *named);
    Ok(named.filter(is_asked_for).map(|named| StateFilter { feature: Some(named), ..all }))
}

/// Make the state of a segment override
///
/// Deprecated: POST to `/features/featurestates/`. Default states are there from the start and cannot be made.
#[utoipa::path(
    post, path = "/environments/{key}/featurestates/", tag = "feature states",
    params(("key" = String, Path, description = "The client key of the environment")), request_body = PlainStateBody,
    responses(
        (status = 201, description = "It was made", body = PlainFeatureState),
        (status = 409, description = "The environment's feature states are being copied"),
        (status = 412, description = "The environment is at another version"),
        CommonProblems,
    )
)]
#[deprecated]
async fn create(session: Session, Path(key): Path<String>, fields: Fields) -> Result<Answer, Problem> {
    let environment = session.find_environment(&key).await?;
    if !fields.has("feature") {
        session.require_in_environment(&environment, Some(EnvironmentPermission::UpdateFeatureState)).await?;
        return Err(Problem::bad_request("Feature not provided"));
    }
    let (found, position) = create_state(&session, &environment, fields, ValueForm::Plain).await?;
    let version = found.environment.version;
    Ok(Answer::created(&PlainFeatureState::from(found.state)).version(version).position(position))
}

/// See a feature state
#[utoipa::path(
    get, path = "/environments/{key}/featurestates/{id}/", tag = "feature states",
    params(
        ("key" = String, Path, description = "The client key of the environment"),
        ("id" = i64, Path, description = "The integer id of the state"),
    ),
    responses((status = 200, description = "The state", body = PlainFeatureState), CommonProblems)
)]
async fn retrieve(session: Session, Path((key, id)): Path<(String, i64)>) -> Result<Answer, Problem> {
    let environment = session.environment(&key, Some(EnvironmentPermission::ViewEnvironment)).await?;
    let found = find_state_in(&session, &environment, id).await?.served()?;
    let version = found.environment.version;
    Ok(Answer::ok(&PlainFeatureState::from(found.state)).version(version))
}

/// Change a feature state
///
/// What the body does not name stays as it is.
#[utoipa::path(
    put, path = "/environments/{key}/featurestates/{id}/", tag = "feature states",
    params(
        ("key" = String, Path, description = "The client key of the environment"),
        ("id" = i64, Path, description = "The integer id of the state"),
        ("If-Match" = Option<String>, Header, description = "The ETag that the environment must be at"),
    ),
    request_body = PlainChangeBody,
    responses(
        (status = 200, description = "The state now", body = PlainFeatureState),
        (status = 409, description = "The environment's feature states are being copied"),
        (status = 412, description = "The environment is at another version"),
        CommonProblems,
    )
)]
async fn replace(session: Session, Path((key, id)): Path<(String, i64)>, fields: Fields) -> Result<Answer, Problem> {
    let found = find_state_to_change(&session, &key, id).await?;
    let (found, position) = change_state(&session, found, fields, ValueForm::Plain).await?;
    let version = found.environment.version;
    Ok(Answer::ok(&PlainFeatureState::from(found.state)).version(version).position(position))
}

/// Change a feature state, and be told little
///
/// As PUT, but for the answer.
#[utoipa::path(
    patch, path = "/environments/{key}/featurestates/{id}/", tag = "feature states",
    params(
        ("key" = String, Path, description = "The client key of the environment"),
        ("id" = i64, Path, description = "The integer id of the state"),
        ("If-Match" = Option<String>, Header, description = "The ETag that the environment must be at"),
    ),
    request_body = PlainChangeBody,
    responses(
        (status = 200, description = "It was changed", body = PatchedFeatureState),
        (status = 409, description = "The environment's feature states are being copied"),
        (status = 412, description = "The environment is at another version"),
        CommonProblems,
    )
)]
async fn change(session: Session, Path((key, id)): Path<(String, i64)>, fields: Fields) -> Result<Answer, Problem> {
    let found = find_state_to_change(&session, &key, id).await?;
    let (found, position) = change_state(&session, found, fields, ValueForm::Plain).await?;
    let version = found.environment.version;
    Ok(Answer::ok(&PatchedFeatureState::from(found.state)).version(version).position(position))
}

/// A state by its id, if it is in this environment.
async fn find_state_in(session: &Session, environment: &StoredEnvironment, id: i64) -> Result<FoundState, Problem> {
    let found = find_state(session, FeatureStateId(id)).await?;
    if found.state.environment == environment.id { Ok(found) } else { Err(Problem::not_found("FeatureState")) }
}

async fn find_state_to_change(session: &Session, key: &str, id: i64) -> Result<FoundState, Problem> {
    let environment = session.find_environment(key).await?;
    if environment.is_creating {
        // Perhaps the state is yet to come, so what kind of state it is cannot be known.
        session.require_in_environment(&environment, Some(EnvironmentPermission::UpdateFeatureState)).await?;
        return Err(environment_is_creating());
    }
    let found = find_state_in(session, &environment, id).await?;
    session.require_in_environment(&environment, Some(found.permission_to_change())).await?;
    Ok(found)
}
