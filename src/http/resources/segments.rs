//! `/projects/{project}/segments/`: the segments of a project.

use offshoot_aggregates::ids::{FeatureId, ProjectId, SegmentId};
use offshoot_aggregates::limits::{DESCRIPTION_CHARACTERS_MAX, NAME_CHARACTERS_MAX};
use offshoot_aggregates::permissions::ProjectPermission;
use offshoot_aggregates::project::{ProjectCommand, ProjectError};
use offshoot_projections::Page;
use offshoot_projections::features::{self, SegmentFilter, StoredProject, StoredSegment};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::shapes::segment::{KnownIds, SegmentBody, SegmentInput, like};
use crate::commands::{CommandError, NewSegment, Rejection};
use crate::http::answer::Answer;
use crate::http::body::{Path, Query};
use crate::http::fields::Fields;
use crate::http::kinds::{boolean, id, text};
use crate::http::openapi::CommonProblems;
use crate::http::pagination::{self, Pagination};
use crate::http::problem::Problem;
use crate::http::rejections::unknown_id;
use crate::http::session::Session;
use crate::http::state::{AppState, not_shown_yet};

/// What a request for a copy of a segment says.
#[derive(Debug, ToSchema)]
#[allow(dead_code, reason = "only the description of the API is made from it")]
pub struct SegmentCloneBody {
    /// The copy's name, at most 2,000 characters.
    name: String,
}

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_segments, create_segment))
        .routes(routes!(retrieve_segment, update_segment, partial_update_segment, delete_segment))
        .routes(routes!(clone_segment))
}

/// List segments
#[utoipa::path(
    get, path = "/projects/{project}/segments/", tag = "segments",
    params(
        ("project" = i64, Path, description = "The project's id"),
        ("page" = Option<u32>, Query, description = "1 is the first"),
        ("page_size" = Option<u32>, Query, description = "At most 999, and 999 if it is missing"),
        ("q" = Option<String>, Query, description = "Those with this in their names"),
        ("include_feature_specific" = Option<bool>, Query, description = "Also those that are for one feature alone"),
    ),
    responses((status = 200, description = "A page of them", body = pagination::Page<SegmentBody>), CommonProblems)
)]
async fn list_segments(
    session: Session,
    Path(project): Path<i64>,
    pages: Pagination,
    Query(mut fields): Query,
) -> Result<Answer, Problem> {
    let project = session.project(ProjectId(project), Some(ProjectPermission::ViewProject)).await?;
    let search = fields.optional("q", text(NAME_CHARACTERS_MAX).or_blank()).filter(|part| !part.is_empty());
    let include_feature_specific = fields.optional("include_feature_specific", boolean()).unwrap_or_default();
    fields.finish()?;
    let filter = SegmentFilter { search, include_feature_specific };
    let page = Page { limit: pages.limit(), offset: pages.offset() };
    let query = move |file: &_| {
        let count = features::count_segments(file, project.id, &filter)?;
        Ok((count, features::list_segments(file, project.id, &filter, page)?))
    };
    let (count, found) = session.state.read_models.features.query(query).await?;
    let results = found.into_iter().map(SegmentBody::from).collect();
    Ok(Answer::ok(&pages.page(count, results)?))
}

/// Make a segment
#[utoipa::path(
    post, path = "/projects/{project}/segments/", tag = "segments",
    params(("project" = i64, Path, description = "The project's id")), request_body = SegmentInput,
    responses((status = 201, description = "The segment", body = SegmentBody), CommonProblems)
)]
async fn create_segment(session: Session, Path(project): Path<i64>, mut fields: Fields) -> Result<Answer, Problem> {
    let project = session.project(ProjectId(project), Some(ProjectPermission::ManageSegments)).await?;
    fields.require(&["name", "rules"]);
    let nothing = NewSegment { name: String::new(), description: None, feature: None, rules: Vec::new() };
    let new = read(&mut fields, nothing, KnownIds::default());
    fields.finish()?;
    create(&session, &project, new).await
}

/// See a segment
#[utoipa::path(
    get, path = "/projects/{project}/segments/{segment}/", tag = "segments",
    params(
        ("project" = i64, Path, description = "The project's id"),
        ("segment" = i64, Path, description = "The segment's id")
    ),
    responses((status = 200, description = "The segment", body = SegmentBody), CommonProblems)
)]
async fn retrieve_segment(session: Session, Path(path): Path<(i64, i64)>) -> Result<Answer, Problem> {
    let (_, segment) = existing(&session, path, ProjectPermission::ViewProject).await?;
    Ok(Answer::ok(&SegmentBody::from(segment)))
}

/// Change a segment
///
/// Rules and conditions with an `id` that the segment has keep it; those that are not named are gone.
#[utoipa::path(
    put, path = "/projects/{project}/segments/{segment}/", tag = "segments",
    params(
        ("project" = i64, Path, description = "The project's id"),
        ("segment" = i64, Path, description = "The segment's id")
    ),
    request_body = SegmentInput,
    responses((status = 200, description = "The segment", body = SegmentBody), CommonProblems)
)]
async fn update_segment(session: Session, Path(path): Path<(i64, i64)>, mut fields: Fields) -> Result<Answer, Problem> {
    fields.require(&["name", "rules"]);
    change(session, path, fields).await
}

/// Change some of a segment
///
/// Rules are replaced as a whole, if they are named at all.
#[utoipa::path(
    patch, path = "/projects/{project}/segments/{segment}/", tag = "segments",
    params(
        ("project" = i64, Path, description = "The project's id"),
        ("segment" = i64, Path, description = "The segment's id")
    ),
    request_body = SegmentInput,
    responses((status = 200, description = "The segment", body = SegmentBody), CommonProblems)
)]
async fn partial_update_segment(
    session: Session,
    Path(path): Path<(i64, i64)>,
    fields: Fields,
) -> Result<Answer, Problem> {
    change(session, path, fields).await
}

async fn change(session: Session, path: (i64, i64), mut fields: Fields) -> Result<Answer, Problem> {
    let (project, StoredSegment { segment: before, .. }) =
        existing(&session, path, ProjectPermission::ManageSegments).await?;
    let known = KnownIds::of(&before.rules);
    let (name, description, feature) = (before.name, before.description, before.feature);
    let before = (before.id, NewSegment { name, description, feature, rules: like(before.rules, true) });
    let new = read(&mut fields, before.1, known);
    fields.finish()?;
    let (commands, command, feature) = (&session.state.commands, session.command(), new.feature);
    let changed = commands.change_segment(&command, project.uuid, before.0, new).await;
    let position = changed.map_err(|error| rejected(error, feature))?.position;
    session.state.settle(position).await;
    let (_, segment) = existing(&session, path, ProjectPermission::ManageSegments).await?;
    Ok(Answer::ok(&SegmentBody::from(segment)).position(position))
}

/// Delete a segment
///
/// With it go its overrides in every environment.
#[utoipa::path(
    delete, path = "/projects/{project}/segments/{segment}/", tag = "segments",
    params(
        ("project" = i64, Path, description = "The project's id"),
        ("segment" = i64, Path, description = "The segment's id")
    ),
    responses((status = 204, description = "It is gone"), CommonProblems)
)]
async fn delete_segment(session: Session, Path((project, segment)): Path<(i64, i64)>) -> Result<Answer, Problem> {
    let project = session.project(ProjectId(project), Some(ProjectPermission::ManageSegments)).await?;
    // Whether it is there is for the project to say, so that a repeated request is told the same.
    let command = ProjectCommand::DeleteSegment { segment: SegmentId(segment) };
    let position = session.state.commands.project(&session.command(), project.uuid, command).await?.position;
    session.state.settle(position).await;
    Ok(Answer::no_content().position(position))
}

/// Copy a segment
#[utoipa::path(
    post, path = "/projects/{project}/segments/{segment}/clone/", tag = "segments",
    params(
        ("project" = i64, Path, description = "The project's id"),
        ("segment" = i64, Path, description = "The segment's id")
    ),
    request_body = SegmentCloneBody,
    responses((status = 201, description = "The copy", body = SegmentBody), CommonProblems)
)]
async fn clone_segment(session: Session, Path(path): Path<(i64, i64)>, mut fields: Fields) -> Result<Answer, Problem> {
    let (project, StoredSegment { segment, .. }) = existing(&session, path, ProjectPermission::ManageSegments).await?;
    let name = fields.required("name", text(NAME_CHARACTERS_MAX));
    fields.finish()?;
    let (description, feature, rules) = (segment.description, segment.feature, like(segment.rules, false));
    create(&session, &project, NewSegment { name, description, feature, rules }).await
}

async fn create(session: &Session, project: &StoredProject, new: NewSegment) -> Result<Answer, Problem> {
    let (commands, feature) = (&session.state.commands, new.feature);
    let created = commands.create_segment(&session.command(), project.uuid, new).await;
    let created = created.map_err(|error| rejected(error, feature))?;
    session.state.settle(created.position).await;
    let segment = find(session, project.id, created.created).await?.ok_or_else(not_shown_yet)?;
    Ok(Answer::created(&SegmentBody::from(segment)).position(created.position))
}

/// What a segment shall be: as before where nothing is said.
fn read(fields: &mut Fields, before: NewSegment, mut known: KnownIds) -> NewSegment {
    let description = fields.nullable("description", text(DESCRIPTION_CHARACTERS_MAX).or_blank());
    let feature = fields.nullable("feature", id()).map(|feature| feature.map(FeatureId));
    NewSegment {
        name: fields.optional("name", text(NAME_CHARACTERS_MAX)).unwrap_or(before.name),
        description: description.unwrap_or(before.description),
        feature: feature.unwrap_or(before.feature),
        rules: known.read_rules(fields).unwrap_or(before.rules),
    }
}

/// The feature that a segment is for stands in the body, not in the path.
fn rejected(error: CommandError, feature: Option<FeatureId>) -> Problem {
    match (error, feature) {
        (CommandError::Rejected(Rejection::Project(ProjectError::FeatureNotFound)), Some(feature)) => {
            Problem::field("feature", unknown_id(feature))
        }
        (error, _) => error.into(),
    }
}

async fn find(session: &Session, project: ProjectId, segment: SegmentId) -> Result<Option<StoredSegment>, Problem> {
    let query = move |file: &_| features::segment(file, project, segment);
    Ok(session.state.read_models.features.query(query).await?)
}

async fn existing(
    session: &Session,
    (project, segment): (i64, i64),
    permission: ProjectPermission,
) -> Result<(StoredProject, StoredSegment), Problem> {
    let project = session.project(ProjectId(project), Some(permission)).await?;
    let segment = find(session, project.id, SegmentId(segment)).await?;
    Ok((project, segment.ok_or_else(|| Problem::not_found("Segment"))?))
}
