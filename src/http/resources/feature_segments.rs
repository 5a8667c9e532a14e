//! `/features/feature-segments/`: the places of segments among the overrides of a feature, and their order.

use std::collections::{BTreeMap, HashMap};

use offshoot_aggregates::Version;
use offshoot_aggregates::ids::{EnvironmentId, FeatureId, FeatureSegmentId, ProjectId, SegmentId};
use offshoot_aggregates::permissions::EnvironmentPermission;
use offshoot_projections::Page as Rows;
use offshoot_projections::environment_status::StoredEnvironment;
use offshoot_projections::feature_states::{self, FeatureSegmentView};
use offshoot_projections::features::{self, StoredSegment};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::state_changes::{check_feature, not_shown_yet};
use crate::http::answer::Answer;
use crate::http::body::{Items, Path, Query};
use crate::http::field_errors::{FieldErrors, Messages};
use crate::http::fields::Fields;
use crate::http::kinds::{Kind, id, integer};
use crate::http::openapi::CommonProblems;
use crate::http::pagination::{Page, Pagination};
use crate::http::problem::Problem;
use crate::http::rejections::{environment_is_creating, feature_states_not_ready, unknown_id};
use crate::http::session::Session;
use crate::http::state::AppState;

/// A segment's place among the overrides of a feature in an environment.
#[derive(Debug, Serialize, ToSchema)]
pub struct ListedFeatureSegment {
    /// Its integer id.
    id: i64,
    /// Its UUID.
    uuid: Uuid,
    /// The integer id of the segment.
    segment: i64,
    /// 0 is the highest.
    priority: u32,
    /// The integer id of the environment.
    environment: i64,
    /// The segment's name.
    segment_name: String,
    /// Whether the segment is for this feature alone.
    is_feature_specific: bool,
}

/// A segment that was just given its place.
#[derive(Debug, Serialize, ToSchema)]
pub struct CreatedFeatureSegment {
    /// Its integer id.
    id: i64,
    /// Its UUID.
    uuid: Uuid,
    /// The integer id of the feature.
    feature: i64,
    /// The integer id of the segment.
    segment: i64,
    /// The integer id of the environment.
    environment: i64,
    /// 0 is the highest; the new one is behind all others.
    priority: u32,
}

impl From<FeatureSegmentView> for CreatedFeatureSegment {
    fn from(view: FeatureSegmentView) -> Self {
        Self {
            id: view.link.feature_segment.0,
            uuid: view.uuid(),
            feature: view.feature.0,
            segment: view.link.segment.0,
            environment: view.environment.0,
            priority: view.link.priority,
        }
    }
}

/// A segment that is to be given a place.
#[derive(Debug, ToSchema)]
#[allow(dead_code, reason = "only the description of the API is made from it")]
pub struct FeatureSegmentBody {
    /// The integer id of the feature.
    feature: i64,
    /// The integer id of the segment.
    segment: i64,
    /// The integer id of the environment.
    environment: i64,
}

/// A feature segment that is to have another priority.
#[derive(Debug, ToSchema)]
#[allow(dead_code, reason = "only the description of the API is made from it")]
pub struct PriorityBody {
    /// Its integer id.
    id: i64,
    /// 0 is the highest.
    priority: u32,
}

/// A place among the overrides of a feature, 0 the highest.
#[derive(Clone, Copy, Debug)]
pub(super) struct Priority;

impl Kind for Priority {
    type Value = u32;

    fn read(&self, value: &Value) -> Result<u32, Messages> {
        let in_range = integer(0, i32::MAX.into()).read(value)?;
        Ok(u32::try_from(in_range).unwrap_or_default())
    }
}

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(update_priorities))
        .routes(routes!(retrieve, delete))
}

/// List the segments that a feature has overrides for
///
/// The highest priority first, with or without a state.
#[utoipa::path(
    get, path = "/features/feature-segments/", tag = "segment overrides",
    params(
        ("environment" = i64, Query, description = "The integer id of the environment"),
        ("feature" = i64, Query, description = "The integer id of the feature"),
        ("page" = Option<u32>, Query, description = "1 is the first"),
        ("page_size" = Option<u32>, Query, description = "At most 999"),
    ),
    responses((status = 200, description = "A page of them", body = Page<ListedFeatureSegment>), CommonProblems)
)]
async fn list(session: Session, Query(mut fields): Query, pages: Pagination) -> Result<Answer, Problem> {
    let any = integer(i64::MIN, i64::MAX);
    let environment = EnvironmentId(fields.required("environment", any));
    let feature = FeatureId(fields.required("feature", any));
    fields.finish()?;
    let found = session.find_environment_by_id(environment).await?;
    let found = found.ok_or_else(|| Problem::not_found("Environment"))?;
    session.require_in_environment(&found, Some(EnvironmentPermission::ViewEnvironment)).await?;
    let rows = Rows { limit: pages.limit(), offset: pages.offset() };
    let query = move |file: &_| {
        let Some(known) = feature_states::environment_states(file, environment)? else { return Ok(None) };
        let count = feature_states::count_feature_segments(file, environment, feature)?;
        let links = feature_states::list_feature_segments(file, environment, feature, rows)?;
        Ok(Some((known, count, links)))
    };
    let found = session.state.read_models.feature_states.query(query).await?;
    // The environment is there; this read model may not know it yet.
    let (known, count, links) = found.ok_or_else(feature_states_not_ready)?;
    if known.is_creating {
        return Err(feature_states_not_ready());
    }
    let listed = with_segments(&session, links).await?;
    Ok(Answer::ok(&pages.page(count, listed)?).version(known.version))
}

/// Feature segments in the form of lists, which tells something of their segments.
async fn with_segments(
    session: &Session,
    links: Vec<FeatureSegmentView>,
) -> Result<Vec<ListedFeatureSegment>, Problem> {
    let ids: Vec<SegmentId> = links.iter().map(|view| view.link.segment).collect();
    let query = move |file: &_| features::segments_by_ids(file, &ids);
    let segments = session.state.read_models.features.query(query).await?;
    let segments: HashMap<SegmentId, StoredSegment> =
        segments.into_iter().map(|stored| (stored.segment.id, stored)).collect();
    let listed = links.into_iter().map(|view| {
        // A segment that was deleted a moment ago may still have its place here.
        let segment = segments.get(&view.link.segment).map(|stored| &stored.segment);
        ListedFeatureSegment {
            id: view.link.feature_segment.0,
            uuid: view.uuid(),
            segment: view.link.segment.0,
            priority: view.link.priority,
            environment: view.environment.0,
            segment_name: segment.map(|segment| segment.name.clone()).unwrap_or_default(),
            is_feature_specific: segment.is_some_and(|segment| segment.feature.is_some()),
        }
    });
    Ok(listed.collect())
}

/// Give a segment a place among the overrides of a feature
///
/// It is the last, and changes nothing until it is given a state.
#[utoipa::path(
    post, path = "/features/feature-segments/", tag = "segment overrides",
    params(("If-Match" = Option<String>, Header, description = "The ETag that the environment must be at")),
    request_body = FeatureSegmentBody,
    responses(
        (status = 201, description = "It has its place", body = CreatedFeatureSegment),
        (status = 409, description = "The environment's feature states are being copied"),
        (status = 412, description = "The environment is at another version"),
        CommonProblems,
    )
)]
async fn create(session: Session, mut fields: Fields) -> Result<Answer, Problem> {
    let environment = EnvironmentId(fields.required("environment", id()));
    let feature = FeatureId(fields.required("feature", id()));
    let segment = SegmentId(fields.required("segment", id()));
    fields.finish()?;
    let found = session.find_environment_by_id(environment).await?;
    let environment = found.ok_or_else(|| Problem::field("environment", unknown_id(environment)))?;
    session.require_in_environment(&environment, Some(EnvironmentPermission::ManageSegmentOverrides)).await?;
    if environment.is_creating {
        return Err(environment_is_creating());
    }
    let wrong = [
        ("feature", check_feature(&session, environment.project, feature).await?),
        ("segment", check_segment(&session, environment.project, feature, segment).await?),
    ];
    let mut errors = FieldErrors::default();
    for (field, text) in wrong {
        if let Some(text) = text {
            errors.add(field, Messages::text(text));
        }
    }
    if !errors.is_empty() {
        return Err(errors.into());
    }
    let command = session.conditional_command(environment.version)?;
    let created = session.state.commands.add_segment_override(&command, environment.uuid, feature, segment).await?;
    session.state.settle(created.position).await;
    let (link, version) = find_link(&session, created.created.feature_segment).await?.ok_or_else(not_shown_yet)?;
    Ok(Answer::created(&CreatedFeatureSegment::from(link)).version(version).position(created.position))
}

/// Whether a feature may have an override for a segment; if not, why.
pub(super) async fn check_segment(
    session: &Session,
    project: ProjectId,
    feature: FeatureId,
    segment: SegmentId,
) -> Result<Option<String>, Problem> {
    let query = move |file: &_| features::segment(file, project, segment);
    let found = session.state.read_models.features.query(query).await?;
    Ok(match found {
        None => Some(unknown_id(segment)),
        Some(stored) if stored.segment.feature.is_some_and(|only| only != feature) => {
            Some("The segment is for another feature alone.".to_owned())
        }
        Some(_) => None,
    })
}

/// A feature segment by its id, and the version that its environment is at.
async fn find_link(session: &Session, id: FeatureSegmentId) -> Result<Option<(FeatureSegmentView, Version)>, Problem> {
    let query = move |file: &_| {
        let Some(link) = feature_states::feature_segment(file, id)? else { return Ok(None) };
        let environment = feature_states::environment_states(file, link.environment)?;
        Ok(environment.map(|environment| (link, environment.version)))
    };
    Ok(session.state.read_models.feature_states.query(query).await?)
}

/// A feature segment and its environment, in which the caller may do something.
async fn find_permitted(
    session: &Session,
    id: i64,
    permission: EnvironmentPermission,
) -> Result<(FeatureSegmentView, StoredEnvironment), Problem> {
    let unknown = || Problem::not_found("FeatureSegment");
    let (link, _) = find_link(session, FeatureSegmentId(id)).await?.ok_or_else(unknown)?;
    let environment = session.find_environment_by_id(link.environment).await?.ok_or_else(unknown)?;
    session.require_in_environment(&environment, Some(permission)).await?;
    Ok((link, environment))
}

/// See a feature segment
#[utoipa::path(
    get, path = "/features/feature-segments/{id}/", tag = "segment overrides",
    params(("id" = i64, Path, description = "The integer id of the feature segment")),
    responses((status = 200, description = "The feature segment", body = ListedFeatureSegment), CommonProblems)
)]
async fn retrieve(session: Session, Path(id): Path<i64>) -> Result<Answer, Problem> {
    let (link, environment) = find_permitted(&session, id, EnvironmentPermission::ViewEnvironment).await?;
    if environment.is_creating {
        return Err(feature_states_not_ready());
    }
    let listed = with_segments(&session, vec![link]).await?;
    Ok(Answer::ok(&listed.first()).version(environment.version))
}

/// Remove a segment override
///
/// The feature segment goes, and with it its state.
#[utoipa::path(
    delete, path = "/features/feature-segments/{id}/", tag = "segment overrides",
    params(
        ("id" = i64, Path, description = "The integer id of the feature segment"),
        ("If-Match" = Option<String>, Header, description = "The ETag that the environment must be at"),
    ),
    responses(
        (status = 204, description = "It is gone"),
        (status = 409, description = "The environment's feature states are being copied"),
        (status = 412, description = "The environment is at another version"),
        CommonProblems,
    )
)]
async fn delete(session: Session, Path(id): Path<i64>) -> Result<Answer, Problem> {
    let (link, environment) = find_permitted(&session, id, EnvironmentPermission::ManageSegmentOverrides).await?;
    let command = session.conditional_command(environment.version)?;
    let commands = &session.state.commands;
    let (uuid, link_id) = (environment.uuid, link.link.feature_segment);
    let appended = commands.remove_segment_override(&command, uuid, link.feature, link_id).await?;
    session.state.settle(appended.position).await;
    Ok(Answer::no_content().version(appended.version).position(appended.position))
}

/// Give segment overrides of a feature other priorities
///
/// All of them must be of one feature in one environment. Those that are not named keep theirs.
#[utoipa::path(
    post, path = "/features/feature-segments/update-priorities/", tag = "segment overrides",
    params(("If-Match" = Option<String>, Header, description = "The ETag that the environment must be at")),
    request_body = Vec<PriorityBody>,
    responses(
        (status = 200, description = "Those that were named, in order of their ids", body = Vec<ListedFeatureSegment>),
        (status = 409, description = "The environment's feature states are being copied"),
        (status = 412, description = "The environment is at another version"),
        CommonProblems,
    )
)]
async fn update_priorities(session: Session, items: Items) -> Result<Answer, Problem> {
    let read = |item: &mut Fields| (FeatureSegmentId(item.required("id", id())), item.required("priority", Priority));
    let priorities = items.read(read)?;
    let links = find_links(&session, &priorities).await?;
    let Some(first) = links.values().next() else { return Ok(Answer::ok(&Vec::<ListedFeatureSegment>::new())) };
    let (environment, feature) = (first.environment, first.feature);
    if links.values().any(|link| (link.environment, link.feature) != (environment, feature)) {
        return Err(Problem::non_field("All feature segments must be of one feature in one environment."));
    }
    let environment = session.find_environment_by_id(environment).await?;
    let environment = environment.ok_or_else(|| Problem::not_found("Environment"))?;
    session.require_in_environment(&environment, Some(EnvironmentPermission::ManageSegmentOverrides)).await?;
    let command = session.conditional_command(environment.version)?;
    let commands = &session.state.commands;
    let named = priorities.clone();
    let appended = commands.reorder_segment_overrides(&command, environment.uuid, feature, named).await?;
    session.state.settle(appended.position).await;
    let links = find_links(&session, &priorities).await?;
    let listed = with_segments(&session, links.into_values().collect()).await?;
    Ok(Answer::ok(&listed).version(appended.version).position(appended.position))
}

/// The feature segments with these ids.
///
/// # Errors
/// 400: some are not there; each says so at its place.
async fn find_links(
    session: &Session,
    priorities: &[(FeatureSegmentId, u32)],
) -> Result<BTreeMap<FeatureSegmentId, FeatureSegmentView>, Problem> {
    let ids: Vec<FeatureSegmentId> = priorities.iter().map(|(id, _)| *id).collect();
    let query = move |file: &_| {
        let find = |id: FeatureSegmentId| Ok((id, feature_states::feature_segment(file, id)?));
        ids.into_iter().map(find).collect::<rusqlite::Result<Vec<_>>>()
    };
    let found = session.state.read_models.feature_states.query(query).await?;
    if found.iter().all(|(_, link)| link.is_some()) {
        return Ok(found.into_iter().filter_map(|(id, link)| Some((id, link?))).collect());
    }
    let errors = found.iter().map(|(id, link)| match link {
        Some(_) => FieldErrors::default(),
        None => FieldErrors::one("id", Messages::text(unknown_id(id))),
    });
    Err(Problem::Invalid(Messages::Items(errors.collect())))
}
