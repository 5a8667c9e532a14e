//! Environments: listed, created, shown by key or UUID, changed and deleted.

use offshoot_aggregates::Position;
use offshoot_aggregates::environment::{EnvironmentError, EnvironmentSettings};
use offshoot_aggregates::ids::ProjectId;
use offshoot_aggregates::limits::API_KEY_CHARACTERS_MAX;
use offshoot_aggregates::permissions::{EnvironmentPermission, ProjectPermission};
use offshoot_aggregates::project::ProjectError;
use offshoot_projections::Page as Rows;
use offshoot_projections::environment_status::{self, StoredEnvironment};
use offshoot_projections::{access, feature_states, features};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::environment_settings::{EnvironmentBody, changed};
use super::shapes::environment::{FullEnvironment, LightEnvironment, RetrievedEnvironment};
use crate::commands::{CommandError, NewEnvironmentOptions, Rejection, uuid_of_chosen_key};
use crate::http::answer::Answer;
use crate::http::body::{Path, Query};
use crate::http::fields::Fields;
use crate::http::kinds;
use crate::http::openapi::CommonProblems;
use crate::http::pagination::{Page, Pagination};
use crate::http::problem::Problem;
use crate::http::session::Session;
use crate::http::state::AppState;
use crate::limits::READ_YOUR_WRITES_WAIT;

/// No key of an environment, because the path with it means something else.
const BY_UUID: &str = "get-by-uuid";

/// The routes.
pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(retrieve, replace, update, delete))
        .routes(routes!(retrieve_by_uuid))
        .routes(routes!(list_of_project))
}

/// The environments of a project that the caller may view
#[utoipa::path(
    get, path = "/environments/", tag = "environments",
    params(("project" = i64, Query), ("page" = Option<u32>, Query), ("page_size" = Option<u64>, Query)),
    responses((status = 200, body = Page<FullEnvironment>), CommonProblems)
)]
async fn list(session: Session, pages: Pagination, Query(mut query): Query) -> Result<Answer, Problem> {
    let invalid = || Problem::list("Invalid or missing value for project parameter.");
    let project = query.optional("project", kinds::id()).map(ProjectId).ok_or_else(invalid)?;
    let known = session.state.read_models.features.query(move |file| features::project(file, project)).await?;
    known.ok_or_else(invalid)?;
    let rows = Rows { limit: pages.limit(), offset: pages.offset() };
    let (count, environments) = find_visible(&session, project, rows).await?;
    Ok(Answer::ok(&pages.page(count, environments.into_iter().map(FullEnvironment::from).collect())?))
}

/// The environments of a project that the caller may view, all of them
#[utoipa::path(
    get, path = "/projects/{id}/environments/", tag = "projects", params(("id" = i64, Path)),
    responses((status = 200, body = Vec<LightEnvironment>), CommonProblems)
)]
async fn list_of_project(session: Session, Path(id): Path<i64>) -> Result<Answer, Problem> {
    let project = session.project(ProjectId(id), Some(ProjectPermission::ViewProject)).await?;
    let (_, environments) = find_visible(&session, project.id, Rows::ALL).await?;
    let listed: Vec<_> = environments.into_iter().map(LightEnvironment::from).collect();
    Ok(Answer::ok(&listed))
}

/// How many environments of a project the caller may view, and some of them.
async fn find_visible(
    session: &Session,
    project: ProjectId,
    rows: Rows,
) -> Result<(u64, Vec<StoredEnvironment>), Problem> {
    let principal = session.principal();
    let visible = move |file: &_| access::visible_environments(file, &principal, project);
    let visible = session.state.read_models.access.query(visible).await?;
    let query = move |file: &_| {
        let count = environment_status::count_environments(file, project, &visible)?;
        Ok((count, environment_status::list_environments(file, project, &visible, rows)?))
    };
    Ok(session.state.read_models.environment_status.query(query).await?)
}

/// Creates an environment with every feature of its project in its default state
///
/// The caller administers it.
#[utoipa::path(
    post, path = "/environments/", tag = "environments", request_body = EnvironmentBody,
    responses((status = 201, body = FullEnvironment), CommonProblems)
)]
async fn create(session: Session, mut fields: Fields) -> Result<Answer, Problem> {
    let project = fields.optional("project", kinds::id()).map(ProjectId).ok_or_else(Problem::forbidden)?;
    let project = session.project(project, Some(ProjectPermission::CreateEnvironment)).await;
    let project = project.map_err(Problem::or_forbidden)?;
    fields.require(&["name"]);
    let settings = changed(EnvironmentSettings::named(""), &mut fields);
    let api_key = fields.nullable("api_key", kinds::text(API_KEY_CHARACTERS_MAX)).flatten();
    fields.finish()?;
    if let Some(api_key) = &api_key {
        check_key_is_free(&session, api_key).await?;
    }
    let has_chosen_key = api_key.is_some();
    let options = NewEnvironmentOptions { settings, api_key, admin: Some(session.principal()) };
    let created = session.state.commands.create_environment(&session.command(), project.uuid, options).await;
    let created = created.map_err(|error| match error {
        CommandError::Rejected(
            Rejection::Environment(EnvironmentError::AlreadyExists)
            | Rejection::Project(ProjectError::EnvironmentAlreadyNamed),
        ) if has_chosen_key => key_is_taken(),
        error => error.into(),
    })?;
    session.state.settle(created.position).await;
    let environment = find_by_uuid(&session, created.created.uuid).await?;
    let version = environment.version;
    Ok(Answer::created(&FullEnvironment::from(environment)).position(created.position).version(version))
}

fn key_is_taken() -> Problem {
    Problem::field("api_key", "Another environment has or had this key.")
}

/// A key that was made for an environment leads to it by the read model, one that was chosen by its UUID: the command
/// checks the latter, and knows whether it is being repeated.
async fn check_key_is_free(session: &Session, api_key: &str) -> Result<(), Problem> {
    if api_key == BY_UUID {
        return Err(key_is_taken());
    }
    let read_model = &session.state.read_models.environment_status;
    let head = session.state.commands.log().head().await.map_err(CommandError::from)?;
    // Before that, it may not know of every environment.
    if tokio::time::timeout(READ_YOUR_WRITES_WAIT, read_model.reached(head)).await.is_err() {
        let detail = "Whether the key is free is not known yet. Try again soon.";
        return Err(Problem::unavailable(detail, "the read model of environments is behind the log"));
    }
    let (chosen, api_key) = (uuid_of_chosen_key(api_key), api_key.to_owned());
    let found = read_model.query(move |file| environment_status::environment_ever_by_key(file, &api_key)).await?;
    if found.is_some_and(|found| found.uuid != chosen) { Err(key_is_taken()) } else { Ok(()) }
}

async fn find_by_uuid(session: &Session, uuid: Uuid) -> Result<StoredEnvironment, Problem> {
    let query = move |file: &_| environment_status::environment_by_uuid(file, uuid);
    let found = session.state.read_models.environment_status.query(query).await?;
    found.ok_or_else(|| Problem::not_found("Environment"))
}

/// One environment
#[utoipa::path(
    get, path = "/environments/{key}/", tag = "environments", params(("key" = String, Path)),
    responses((status = 200, body = RetrievedEnvironment), CommonProblems)
)]
async fn retrieve(session: Session, Path(key): Path<String>) -> Result<Answer, Problem> {
    let environment = session.environment(&key, Some(EnvironmentPermission::ViewEnvironment)).await?;
    shown(&session, environment).await
}

/// One environment, by its UUID
#[utoipa::path(
    get, path = "/environments/get-by-uuid/{uuid}/", tag = "environments", params(("uuid" = Uuid, Path)),
    responses((status = 200, body = RetrievedEnvironment), CommonProblems)
)]
async fn retrieve_by_uuid(session: Session, Path(uuid): Path<Uuid>) -> Result<Answer, Problem> {
    let environment = find_by_uuid(&session, uuid).await?;
    session.require_in_environment(&environment, Some(EnvironmentPermission::ViewEnvironment)).await?;
    shown(&session, environment).await
}

async fn shown(session: &Session, environment: StoredEnvironment) -> Result<Answer, Problem> {
    let (id, version) = (environment.id, environment.version);
    let query = move |file: &_| feature_states::environment_states(file, id);
    let states = session.state.read_models.feature_states.query(query).await?;
    let total_segment_overrides = states.map_or(0, |states| states.overrides);
    let body = RetrievedEnvironment { environment: environment.into(), total_segment_overrides };
    Ok(Answer::ok(&body).version(version))
}

/// Changes an environment's settings; its name must be among them
#[utoipa::path(
    put, path = "/environments/{key}/", tag = "environments", params(("key" = String, Path)),
    request_body = EnvironmentBody, responses((status = 200, body = FullEnvironment), CommonProblems)
)]
async fn replace(session: Session, Path(key): Path<String>, mut fields: Fields) -> Result<Answer, Problem> {
    fields.require(&["name"]);
    change(&session, &key, fields).await
}

/// Changes some of an environment's settings
#[utoipa::path(
    patch, path = "/environments/{key}/", tag = "environments", params(("key" = String, Path)),
    request_body = EnvironmentBody, responses((status = 200, body = FullEnvironment), CommonProblems)
)]
async fn update(session: Session, Path(key): Path<String>, fields: Fields) -> Result<Answer, Problem> {
    change(&session, &key, fields).await
}

async fn change(session: &Session, key: &str, mut fields: Fields) -> Result<Answer, Problem> {
    let environment = session.environment(key, None).await?;
    let commands = &session.state.commands;
    // Not from the read model: what someone else has just changed must stay.
    let before = commands.load_environment(environment.uuid).await?;
    let base = before.aggregate.settings().cloned().unwrap_or(environment.settings);
    let settings = changed(base.clone(), &mut fields);
    fields.finish()?;
    let command = session.conditional_command(before.version)?;
    let position = commands.change_environment_settings(&command, environment.uuid, &base, settings).await?.position;
    answer_changed(session, environment.uuid, position).await
}

async fn answer_changed(session: &Session, environment: Uuid, position: Position) -> Result<Answer, Problem> {
    session.state.settle(position).await;
    let environment = find_by_uuid(session, environment).await?;
    let version = environment.version;
    Ok(Answer::ok(&FullEnvironment::from(environment)).position(position).version(version))
}

/// Deletes an environment; the copying of a clone ends with it
#[utoipa::path(
    delete, path = "/environments/{key}/", tag = "environments", params(("key" = String, Path)),
    responses((status = 204), CommonProblems)
)]
async fn delete(session: Session, Path(key): Path<String>) -> Result<Answer, Problem> {
    let environment = session.environment(&key, None).await?;
    let commands = &session.state.commands;
    let version = commands.load_environment(environment.uuid).await?.version;
    let command = session.conditional_command(version)?;
    let deleted = commands.delete_environment(&command, environment.uuid).await?;
    session.state.settle(deleted.position).await;
    Ok(Answer::no_content().position(deleted.position))
}
