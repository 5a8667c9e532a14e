//! `/environments/{key}/identities/{id}/featurestates/`: what features are for one identity, with plain values.

use std::collections::{BTreeSet, HashMap};

use offshoot_aggregates::environment::ValueType;
use offshoot_aggregates::ids::{FeatureId, FeatureStateId, SegmentId};
use offshoot_aggregates::permissions::EnvironmentPermission;
use offshoot_projections::environment_status::StoredEnvironment;
use offshoot_projections::feature_states::{StateFilter, StateScope, StoredIdentity};
use offshoot_projections::features;
use offshoot_projections::flag_engine::{Context, Identity};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::environment_feature_states::{PatchedFeatureState, PlainChangeBody};
use super::identities;
use super::shapes::feature_of_identity::FeatureOfIdentity;
use super::shapes::feature_state::{ListedFeatureState, PlainFeatureState};
use super::state_changes::{
    FoundState, ShareBody, ValueForm, change_state, check_feature, create_identity_override, find_state, list_states,
    read_change,
};
use crate::flags::{EvaluatedFeature, OverriddenBy};
use crate::http::answer::Answer;
use crate::http::body::{Path, Query};
use crate::http::fields::Fields;
use crate::http::kinds::{id, integer};
use crate::http::openapi::CommonProblems;
use crate::http::pagination::{Page, Pagination};
use crate::http::problem::Problem;
use crate::http::rejections::environment_is_creating;
use crate::http::session::Session;
use crate::http::state::AppState;

/// An identity override that is to be made.
#[derive(Debug, ToSchema)]
#[allow(dead_code, reason = "only the description of the API is made from it")]
pub struct IdentityOverrideBody {
    /// The integer id of the feature.
    feature: i64,
    /// Whether the feature is on for the identity. `false` if it is missing.
    enabled: Option<bool>,
    /// A text of at most 20,000 characters, an integer of 32 bits, a boolean, or null.
    feature_state_value: Option<Value>,
    /// Shares of options.
    multivariate_feature_state_values: Option<Vec<ShareBody>>,
}

/// The routes.
pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(retrieve, replace, change, delete))
        .routes(routes!(list_all))
}

/// List the overrides of an identity
///
/// In order of the features' ids.
#[utoipa::path(
    get, path = "/environments/{key}/identities/{identity}/featurestates/", tag = "identities",
    params(
        ("key" = String, Path, description = "The client key of the environment"),
        ("identity" = i64, Path, description = "The integer id of the identity"),
        ("feature" = Option<i64>, Query, description = "Only that of this feature"),
        ("page" = Option<u32>, Query, description = "1 is the first"),
        ("page_size" = Option<u32>, Query, description = "At most 999"),
    ),
    responses((status = 200, description = "A page of them", body = Page<ListedFeatureState>), CommonProblems)
)]
async fn list(
    session: Session,
    Path((key, identity)): Path<(String, i64)>,
    Query(mut fields): Query,
    pages: Pagination,
) -> Result<Answer, Problem> {
    let (environment, identity) = find(&session, &key, identity, EnvironmentPermission::ViewIdentities).await?;
    let feature = fields.optional("feature", integer(i64::MIN, i64::MAX)).map(FeatureId);
    fields.finish()?;
    let filter = StateFilter { scope: StateScope::Identity(identity.id), feature, feature_segment: None };
    let page = list_states(&session, &environment, Some(filter), &pages).await?;
    let states: Vec<_> = page.states.into_iter().map(ListedFeatureState::from).collect();
    Ok(Answer::ok(&pages.page(page.count, states)?).version(page.version))
}

/// Override a feature for an identity
#[utoipa::path(
    post, path = "/environments/{key}/identities/{identity}/featurestates/", tag = "identities",
    params(
        ("key" = String, Path, description = "The client key of the environment"),
        ("identity" = i64, Path, description = "The integer id of the identity"),
        ("If-Match" = Option<String>, Header, description = "The ETag that the environment must be at"),
    ),
    request_body = IdentityOverrideBody,
    responses(
        (status = 201, description = "It was made", body = PlainFeatureState),
        (status = 409, description = "The environment's feature states are being copied"),
        (status = 412, description = "The environment is at another version"),
        CommonProblems,
    )
)]
async fn create(
    session: Session,
    Path((key, identity)): Path<(String, i64)>,
    mut fields: Fields,
) -> Result<Answer, Problem> {
    let (environment, identity) = find(&session, &key, identity, EnvironmentPermission::ManageIdentities).await?;
    if environment.is_creating {
        return Err(environment_is_creating());
    }
    if !fields.has("feature") {
        return Err(Problem::bad_request("Feature not provided"));
    }
    let feature = FeatureId(fields.required("feature", id()));
    let change = read_change(&mut fields, ValueForm::Plain, ValueType::default());
    if fields.is_valid()
        && let Some(unknown) = check_feature(&session, environment.project, feature).await?
    {
        fields.fail("feature", unknown);
    }
    fields.finish()?;
    let place = (feature, identity.id);
    let (found, position) = create_identity_override(&session, &environment, place, change).await?;
    let version = found.environment.version;
    Ok(Answer::created(&PlainFeatureState::from(found.state)).version(version).position(position))
}

/// See an identity override
#[utoipa::path(
    get, path = "/environments/{key}/identities/{identity}/featurestates/{id}/", tag = "identities",
    params(
        ("key" = String, Path, description = "The client key of the environment"),
        ("identity" = i64, Path, description = "The integer id of the identity"),
        ("id" = i64, Path, description = "The integer id of the state"),
    ),
    responses((status = 200, description = "The state", body = PlainFeatureState), CommonProblems)
)]
async fn retrieve(session: Session, Path(path): Path<(String, i64, i64)>) -> Result<Answer, Problem> {
    let found = find_override(&session, path, EnvironmentPermission::ViewIdentities).await?.served()?;
    let version = found.environment.version;
    Ok(Answer::ok(&PlainFeatureState::from(found.state)).version(version))
}

/// Change an identity override
///
/// What the body does not name stays as it is.
#[utoipa::path(
    put, path = "/environments/{key}/identities/{identity}/featurestates/{id}/", tag = "identities",
    params(
        ("key" = String, Path, description = "The client key of the environment"),
        ("identity" = i64, Path, description = "The integer id of the identity"),
        ("id" = i64, Path, description = "The integer id of the state"),
        ("If-Match" = Option<String>, Header, description = "The ETag that the environment must be at"),
    ),
    request_body = PlainChangeBody,
    responses(
        (status = 200, description = "The state now", body = PlainFeatureState),
        (status = 412, description = "The environment is at another version"),
        CommonProblems,
    )
)]
async fn replace(session: Session, Path(path): Path<(String, i64, i64)>, fields: Fields) -> Result<Answer, Problem> {
    let found = find_override(&session, path, EnvironmentPermission::ManageIdentities).await?;
    let (found, position) = change_state(&session, found, fields, ValueForm::Plain).await?;
    let version = found.environment.version;
    Ok(Answer::ok(&PlainFeatureState::from(found.state)).version(version).position(position))
}

/// Change an identity override, and be told little
///
/// As PUT, but for the answer.
#[utoipa::path(
    patch, path = "/environments/{key}/identities/{identity}/featurestates/{id}/", tag = "identities",
    params(
        ("key" = String, Path, description = "The client key of the environment"),
        ("identity" = i64, Path, description = "The integer id of the identity"),
        ("id" = i64, Path, description = "The integer id of the state"),
        ("If-Match" = Option<String>, Header, description = "The ETag that the environment must be at"),
    ),
    request_body = PlainChangeBody,
    responses(
        (status = 200, description = "It was changed", body = PatchedFeatureState),
        (status = 412, description = "The environment is at another version"),
        CommonProblems,
    )
)]
async fn change(session: Session, Path(path): Path<(String, i64, i64)>, fields: Fields) -> Result<Answer, Problem> {
    let found = find_override(&session, path, EnvironmentPermission::ManageIdentities).await?;
    let (found, position) = change_state(&session, found, fields, ValueForm::Plain).await?;
    let version = found.environment.version;
    Ok(Answer::ok(&PatchedFeatureState::from(found.state)).version(version).position(position))
}

/// Remove an identity override
#[utoipa::path(
    delete, path = "/environments/{key}/identities/{identity}/featurestates/{id}/", tag = "identities",
    params(
        ("key" = String, Path, description = "The client key of the environment"),
        ("identity" = i64, Path, description = "The integer id of the identity"),
        ("id" = i64, Path, description = "The integer id of the state"),
        ("If-Match" = Option<String>, Header, description = "The ETag that the environment must be at"),
    ),
    responses(
        (status = 204, description = "It was removed"),
        (status = 412, description = "The environment is at another version"),
        CommonProblems,
    )
)]
async fn delete(session: Session, Path(path): Path<(String, i64, i64)>) -> Result<Answer, Problem> {
    let FoundState { state, environment } =
        find_override(&session, path, EnvironmentPermission::ManageIdentities).await?;
    let identity = state.identity.ok_or_else(|| Problem::not_found("FeatureState"))?.id;
    let command = session.conditional_command(environment.version)?;
    let place = (state.feature, identity);
    let removed = session.state.commands.remove_identity_override(&command, environment.uuid, place).await?;
    session.state.settle(removed.position).await;
    Ok(Answer::no_content().position(removed.position))
}

/// See what all features are for an identity
///
/// Evaluated without traits, which are not kept: overrides for segments apply only where the segment needs none. Multivariate
/// features have the value of the variant that the identity is in.
#[utoipa::path(
    get, path = "/environments/{key}/identities/{identity}/featurestates/all/", tag = "identities",
    params(
        ("key" = String, Path, description = "The client key of the environment"),
        ("identity" = i64, Path, description = "The integer id of the identity"),
    ),
    responses((status = 200, description = "All of them", body = Vec<FeatureOfIdentity>), CommonProblems)
)]
async fn list_all(session: Session, Path((key, identity)): Path<(String, i64)>) -> Result<Answer, Problem> {
    let (environment, identity) = find(&session, &key, identity, EnvironmentPermission::ViewIdentities).await?;
    let served = session.state.flags.environment(&environment).await?;
    let who = Identity { id: Some(identity.id.0), ..Identity::new(&identity.identifier) };
    let features = served.evaluated(Context { identity: Some(who), traits: &[] });
    let segments: BTreeSet<_> = features.iter().filter_map(segment_of).collect();
    let query = move |file: &_| features::segments_by_ids(file, &segments.into_iter().collect::<Vec<_>>());
    let segments = session.state.read_models.features.query(query).await?;
    let names: HashMap<_, _> = segments.into_iter().map(|stored| (stored.segment.id, stored.segment.name)).collect();
    let features: Vec<_> = features.into_iter().map(|feature| FeatureOfIdentity::new(feature, &names)).collect();
    Ok(Answer::ok(&features))
}

fn segment_of(feature: &EvaluatedFeature) -> Option<SegmentId> {
    match feature.overridden_by {
        Some(OverriddenBy::Segment(segment)) => Some(segment),
        Some(OverriddenBy::Identity) | None => None,
    }
}

/// An identity of an environment in which the caller may do something.
async fn find(
    session: &Session,
    key: &str,
    identity: i64,
    permission: EnvironmentPermission,
) -> Result<(StoredEnvironment, StoredIdentity), Problem> {
    let environment = session.environment(key, Some(permission)).await?;
    let identity = identities::require(session, &environment, identity).await?;
    Ok((environment, identity))
}

/// The override of a feature for an identity, if it is that identity's.
async fn find_override(
    session: &Session,
    (key, identity, id): (String, i64, i64),
    permission: EnvironmentPermission,
) -> Result<FoundState, Problem> {
    let (_, identity) = find(session, &key, identity, permission).await?;
    let found = find_state(session, FeatureStateId(id)).await?;
    let is_its = found.state.identity.as_ref().is_some_and(|of| of.id == identity.id);
    if is_its { Ok(found) } else { Err(Problem::not_found("FeatureState")) }
}
