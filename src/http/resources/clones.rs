//! `/environments/{key}/clone/`: requesting a clone, seeing where it stands, retrying and cancelling it.

use std::time::Instant;

use jiff::Timestamp;
use offshoot_aggregates::Position;
use offshoot_aggregates::environment::{CloneMode, CloneModeReason, CreationStatus, EnvironmentRef};
use offshoot_aggregates::ids::{EnvironmentId, ProjectId};
use offshoot_aggregates::limits::{DESCRIPTION_CHARACTERS_MAX, NAME_CHARACTERS_MAX};
use offshoot_aggregates::permissions::{EnvironmentPermission, ProjectPermission};
use offshoot_projections::environment_status::{self, CloneError, CloneStatus, StoredEnvironment};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::shapes::timestamp::iso;
use crate::commands::{AsOf, CloneOptions};
use crate::http::answer::Answer;
use crate::http::body::Path;
use crate::http::fields::Fields;
use crate::http::kinds::{boolean, text};
use crate::http::openapi::CommonProblems;
use crate::http::problem::Problem;
use crate::http::session::Session;
use crate::http::state::AppState;

/// What a request for a clone is answered: as in Flagsmith, these four and no more.
#[derive(Debug, Serialize, ToSchema)]
pub struct ClonedEnvironment {
    /// The clone's integer id.
    id: i64,
    /// Its name.
    name: String,
    /// Its client key.
    api_key: String,
    /// Its project.
    project: i64,
}

/// What a request for a clone says.
#[derive(Debug, ToSchema)]
#[allow(dead_code, reason = "only the description of the API is made from it")]
pub struct CloneBody {
    /// The clone's name, unique in the project; at most 2,000 characters.
    name: String,
    /// Whether to copy the states after this request was answered. `false` if it is missing.
    clone_feature_states_async: Option<bool>,
    /// The moment as of which the source is copied: a log position, or a time as in RFC 3339. Now if it is missing.
    as_of: Option<String>,
    /// Whether the permissions granted in the source are taken over. `true` if it is missing.
    clone_permissions: Option<bool>,
    /// The clone's description. The source's if it is missing.
    description: Option<String>,
}

/// Where a clone stands.
#[derive(Debug, Serialize, ToSchema)]
pub struct CloneStatusBody {
    /// `creating`, `completed`, `failed` or `cancelled`.
    status: &'static str,
    /// `async` or `sync`.
    mode: &'static str,
    /// Why, if it was asked for asynchronously: `control_flag_enabled`, `control_flag_disabled`, `control_flag_missing`,
    /// `control_environment_unavailable`, `configured` or `too_many_states`.
    mode_reason: Option<&'static str>,
    /// What it is a copy of.
    source: CloneSource,
    /// The moment as of which the source is copied.
    as_of: CloneCut,
    /// How many feature states the source had at that moment.
    feature_states_total: u64,
    /// How many of them the clone has.
    feature_states_copied: u64,
    /// How many batches they come in.
    batches_total: u32,
    /// How many batches the clone has.
    batches_copied: u32,
    /// How often the copying was begun.
    attempts: u32,
    /// When it was requested.
    requested_at: String,
    /// When the present attempt began.
    started_at: Option<String>,
    /// When it last got on.
    updated_at: String,
    /// When it was completed or cancelled.
    completed_at: Option<String>,
    /// How much longer it will take at its present speed, in milliseconds; null if nobody knows.
    estimated_remaining_ms: Option<u64>,
    /// Why it failed, if it did.
    error: Option<CloneErrorBody>,
}

#[derive(Debug, Serialize, ToSchema)]
struct CloneSource {
    uuid: Uuid,
    name: String,
    api_key: String,
}

#[derive(Debug, Serialize, ToSchema)]
struct CloneCut {
    /// The log position.
    position: u64,
    /// When the event there was recorded.
    time: String,
}

#[derive(Debug, Serialize, ToSchema)]
struct CloneErrorBody {
    /// For programs.
    code: String,
    /// For people.
    detail: String,
    /// The batch that could not be copied.
    batch: u32,
}

impl From<&CloneStatus> for CloneStatusBody {
    fn from(status: &CloneStatus) -> Self {
        let origin = &status.origin;
        let error = |CloneError { code, detail, batch }| CloneErrorBody { code, detail, batch };
        Self {
            status: status_name(status.status),
            mode: mode_name(origin.mode),
            mode_reason: status.mode_reason.map(CloneModeReason::as_str),
            source: CloneSource {
                uuid: origin.source.uuid,
                name: origin.source.name.clone(),
                api_key: origin.source.api_key.clone(),
            },
            as_of: CloneCut { position: origin.position.0, time: iso(origin.as_of) },
            feature_states_total: origin.feature_states_total,
            feature_states_copied: status.feature_states_copied,
            batches_total: origin.batches_total,
            batches_copied: status.batches_copied,
            attempts: status.attempts,
            requested_at: iso(status.requested_at),
            started_at: status.started_at.map(iso),
            updated_at: iso(status.updated_at),
            completed_at: status.completed_at.map(iso),
            estimated_remaining_ms: status.estimated_remaining_ms(),
            error: status.error.clone().map(error),
        }
    }
}

const fn status_name(status: CreationStatus) -> &'static str {
    match status {
        CreationStatus::Creating => "creating",
        CreationStatus::Completed => "completed",
        CreationStatus::Failed => "failed",
        CreationStatus::Cancelled => "cancelled",
    }
}

const fn mode_name(mode: CloneMode) -> &'static str {
    match mode {
        CloneMode::Async => "async",
        CloneMode::Sync => "sync",
    }
}

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(request, status)).routes(routes!(retry)).routes(routes!(cancel))
}

/// Clone an environment
///
/// With `clone_feature_states_async` the answer comes at once, and the clone has `is_creating` until all its feature
/// states are there; `Location` says where to see how far it is. Without, the answer comes when the clone is complete. The
/// operator may have such requests answered like those without, for some organisations or for all; see `mode_reason`.
#[utoipa::path(
    post, path = "/environments/{key}/clone/", tag = "clones",
    params(("key" = String, Path, description = "The client key of the source")), request_body = CloneBody,
    responses(
        (status = 200, description = "The clone exists", body = ClonedEnvironment, headers(
            ("Location" = String, description = "Where the clone stands"),
            ("Offshoot-Position" = u64, description = "The log position of the clone's last event so far"),
        )),
        (status = 409, description = "The source is itself being created"),
        CommonProblems,
    )
)]
async fn request(session: Session, Path(key): Path<String>, mut fields: Fields) -> Result<Answer, Problem> {
    let started = Instant::now();
    let source = session.environment(&key, Some(EnvironmentPermission::ViewEnvironment)).await?;
    session.require_in_project(source.project, Some(ProjectPermission::CreateEnvironment)).await?;
    let mut options = read_options(&session, &mut fields);
    fields.finish()?;
    if options.mode == CloneMode::Async {
        let organisation = session.find_project(source.project).await?.organisation_uuid;
        let (mode, reason) = session.state.clone_switch.decide(&session.state.flags, organisation).await;
        (options.mode, options.mode_reason) = (mode, Some(reason));
    }
    let commands = &session.state.commands;
    let cloned = commands.request_clone(&session.command(), source.uuid, options).await?;
    let clone = commands.load_environment(cloned.created.uuid).await?.aggregate;
    let origin = clone.creation().and_then(|creation| creation.clone.as_ref());
    let mode = origin.map_or(CloneMode::Async, |origin| origin.mode);
    // Whoever asks next asks for the environment. Its states are not to be seen before they are all there, and waiting for
    // those that read them would be waiting for the copy.
    let read_models = &session.state.read_models;
    match mode {
        CloneMode::Async => {
            let needed = [&read_models.environment_status, &read_models.access];
            session.state.settle_on(&needed, cloned.position).await;
        }
        CloneMode::Sync => session.state.settle(cloned.position).await,
    }
    observe(mode, started);
    let location = format!("/api/v1/environments/{}/clone/", cloned.created.api_key);
    let body = body(cloned.created, source.project);
    Ok(Answer::ok(&body).location(&location).position(cloned.position))
}

fn read_options(session: &Session, fields: &mut Fields) -> CloneOptions {
    let is_async = fields.optional("clone_feature_states_async", boolean()).unwrap_or(false);
    CloneOptions {
        name: fields.required("name", text(NAME_CHARACTERS_MAX)),
        description: fields.nullable("description", text(DESCRIPTION_CHARACTERS_MAX).or_blank()),
        mode: if is_async { CloneMode::Async } else { CloneMode::Sync },
        mode_reason: None,
        as_of: read_as_of(fields),
        clone_permissions: fields.optional("clone_permissions", boolean()).unwrap_or(true),
        admin: Some(session.principal()),
    }
}

/// A log position as a number or in digits, or a time.
fn read_as_of(fields: &mut Fields) -> AsOf {
    let position = |position: u64| AsOf::Position(Position(position));
    let read = match fields.raw("as_of") {
        None | Some(Value::Null) => Some(AsOf::Now),
        Some(Value::Number(number)) => number.as_u64().map(position),
        Some(Value::String(text)) => {
            let text = text.trim();
            text.parse().ok().map(position).or_else(|| text.parse::<Timestamp>().ok().map(AsOf::Time))
        }
        Some(_) => None,
    };
    read.unwrap_or_else(|| {
        fields.fail("as_of", "Must be a log position or a time as in RFC 3339.");
        AsOf::Now
    })
}

fn body(cloned: EnvironmentRef, ProjectId(project): ProjectId) -> ClonedEnvironment {
    let EnvironmentRef { id: EnvironmentId(id), name, api_key, .. } = cloned;
    ClonedEnvironment { id, name, api_key, project }
}

/// A synchronous clone is complete with its answer, an asynchronous one when its worker says so.
fn observe(mode: CloneMode, started: Instant) {
    let seconds = started.elapsed().as_secs_f64();
    let mode_name = mode_name(mode);
    metrics::histogram!("offshoot_clone_request_seconds", "mode" => mode_name).record(seconds);
    if mode == CloneMode::Sync {
        metrics::histogram!("offshoot_clone_duration_seconds", "mode" => mode_name).record(seconds);
        metrics::counter!("offshoot_clones_total", "mode" => mode_name, "outcome" => "completed").increment(1);
    }
}

/// See where a clone stands
#[utoipa::path(
    get, path = "/environments/{key}/clone/", tag = "clones",
    params(("key" = String, Path, description = "The client key of the clone")),
    responses((status = 200, description = "Where it stands", body = CloneStatusBody), CommonProblems)
)]
async fn status(session: Session, Path(key): Path<String>) -> Result<Answer, Problem> {
    let (_, status) = find_clone(&session, &key).await?;
    Ok(Answer::ok(&CloneStatusBody::from(&status)).position(status.position))
}

/// A clone that the caller may see. One that was cancelled is no environment any more: those who may create environments
/// in its project still see what became of it.
pub(super) async fn find_clone(session: &Session, key: &str) -> Result<(StoredEnvironment, CloneStatus), Problem> {
    let key = key.to_owned();
    let query = move |file: &_| {
        let Some(environment) = environment_status::environment_ever_by_key(file, &key)? else { return Ok(None) };
        let status = environment_status::clone_status(file, environment.uuid)?;
        Ok(Some((environment, status)))
    };
    let found = session.state.read_models.environment_status.query(query).await?;
    let (environment, status) = found.ok_or_else(|| Problem::not_found("Environment"))?;
    let is_cancelled = status.as_ref().is_some_and(|status| status.status == CreationStatus::Cancelled);
    match (environment.is_deleted, is_cancelled) {
        (false, _) => {
            session.require_in_environment(&environment, Some(EnvironmentPermission::ViewEnvironment)).await?;
        }
        (true, true) => {
            session.require_in_project(environment.project, Some(ProjectPermission::CreateEnvironment)).await?;
        }
        (true, false) => return Err(Problem::not_found("Environment")),
    }
    let status = status.ok_or_else(|| Problem::not_found("Clone"))?;
    Ok((environment, status))
}

/// Let a failed clone go on
///
/// It goes on with the batch that failed; what was copied is not copied again.
#[utoipa::path(
    post, path = "/environments/{key}/clone/retry/", tag = "clones",
    params(("key" = String, Path, description = "The client key of the clone")),
    responses(
        (status = 202, description = "It goes on", body = CloneStatusBody),
        (status = 409, description = "It has not failed"),
        CommonProblems,
    )
)]
async fn retry(session: Session, Path(key): Path<String>) -> Result<Answer, Problem> {
    let (environment, _) = find_clone_to_decide_on(&session, &key).await?;
    let appended = session.state.commands.retry_clone(&session.command(), environment.uuid).await?;
    accepted(&session, &key, appended.position).await
}

/// Give up a clone
///
/// It may be running or have failed. The environment is deleted, its name free again.
#[utoipa::path(
    post, path = "/environments/{key}/clone/cancel/", tag = "clones",
    params(("key" = String, Path, description = "The client key of the clone")),
    responses(
        (status = 202, description = "It is given up", body = CloneStatusBody),
        (status = 409, description = "It is complete, or was given up before"),
        CommonProblems,
    )
)]
async fn cancel(session: Session, Path(key): Path<String>) -> Result<Answer, Problem> {
    let (environment, _) = find_clone_to_decide_on(&session, &key).await?;
    let appended = session.state.commands.cancel_clone(&session.command(), environment.uuid).await?;
    accepted(&session, &key, appended.position).await
}

/// A clone on which the caller may decide: its administrator, or one that may create environments in its project.
async fn find_clone_to_decide_on(session: &Session, key: &str) -> Result<(StoredEnvironment, CloneStatus), Problem> {
    let (environment, status) = find_clone(session, key).await?;
    if status.status == CreationStatus::Cancelled {
        return Err(Problem::conflict("clone_is_cancelled", "The clone is cancelled."));
    }
    if session.require_in_environment(&environment, None).await.is_err() {
        session.require_in_project(environment.project, Some(ProjectPermission::CreateEnvironment)).await?;
    }
    Ok((environment, status))
}

async fn accepted(session: &Session, key: &str, position: Position) -> Result<Answer, Problem> {
    session.state.settle(position).await;
    let (_, status) = find_clone(session, key).await?;
    Ok(Answer::accepted(&CloneStatusBody::from(&status)).position(position))
}
