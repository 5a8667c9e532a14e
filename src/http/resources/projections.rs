//! The read models: how far each is, and building one anew. For admins of organisations, because they serve everyone.

use offshoot_projections::ParkedEvent;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use crate::http::answer::Answer;
use crate::http::body::Path;
use crate::http::openapi::CommonProblems;
use crate::http::problem::Problem;
use crate::http::session::Session;
use crate::http::state::AppState;
use crate::read_models::{BuildProgress, ReadModel, lag};

/// The routes.
pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(rebuild)).routes(routes!(digest))
}

/// All read models.
#[derive(Debug, Serialize, ToSchema)]
struct ProjectionList {
    /// Each of them.
    results: Vec<Projection>,
}

/// How a read model does.
#[derive(Debug, Serialize, ToSchema)]
struct Projection {
    /// Its name.
    name: &'static str,
    /// The version of its tables and of its fold.
    version: u32,
    /// The position of the log that it shows.
    position: u64,
    /// How many events it does not show yet; `null` while the store of the log is away.
    lag_events: Option<u64>,
    /// How old the oldest of them is, likewise.
    lag_seconds: Option<f64>,
    /// `live`; `rebuilding`, while a new file is built beside the one that serves; `building`, while there is none that
    /// could serve; or `stopped`, if its file cannot be written now.
    state: &'static str,
    /// How far the file is that is being built.
    build: Option<Build>,
    /// The events that it cannot read, oldest first, at most 1,000.
    parked: Vec<Parked>,
}

/// How far a file is that is being built.
#[derive(Debug, Serialize, ToSchema)]
struct Build {
    /// The position that it is at.
    position: u64,
    /// The position that the log was at when it began.
    goal: u64,
    /// How much of it is done, from 0 to 100.
    percent: u64,
}

/// An event that a read model cannot read.
#[derive(Debug, Serialize, ToSchema)]
struct Parked {
    /// Its position.
    position: u64,
    /// Its stream.
    stream: String,
    /// Its type.
    event_type: String,
    /// Why it cannot be read.
    detail: String,
}

impl From<BuildProgress> for Build {
    fn from(build: BuildProgress) -> Self {
        let (position, goal) = (build.position.0, build.goal.0);
        let percent = position.saturating_mul(100).checked_div(goal).unwrap_or(100);
        Self { position, goal, percent }
    }
}

impl From<ParkedEvent> for Parked {
    fn from(parked: ParkedEvent) -> Self {
        let ParkedEvent { position, stream, event_type, detail } = parked;
        Self { position: position.0, stream, event_type, detail }
    }
}

/// How far the read models are
#[utoipa::path(
    get, path = "/projections/", tag = "projections",
    responses((status = 200, body = ProjectionList), CommonProblems)
)]
async fn list(session: Session) -> Result<Answer, Problem> {
    session.require_organisation_admin().await?;
    // At the same time: a store that is away is waited for only once.
    let all = session.state.read_models.all().map(|read_model| describe(&session, read_model));
    let results = futures_util::future::try_join_all(all).await?;
    Ok(Answer::ok(&ProjectionList { results }))
}

/// What a read model says, as one value to compare
#[derive(Debug, Serialize, ToSchema)]
struct ProjectionDigest {
    /// Its name.
    name: &'static str,
    /// The position of the log that it shows.
    position: u64,
    /// The same on all nodes of one version that show the same position.
    digest: Uuid,
}

/// The digest of a read model
///
/// To compare nodes. Takes time in proportion to what the read model holds.
#[utoipa::path(
    get, path = "/projections/{name}/digest/", tag = "projections", params(("name" = String, Path)),
    responses((status = 200, body = ProjectionDigest), CommonProblems)
)]
async fn digest(session: Session, Path(name): Path<String>) -> Result<Answer, Problem> {
    session.require_organisation_admin().await?;
    let read_model = session.state.read_models.named(&name).ok_or_else(|| Problem::not_found("Projection"))?;
    let (position, digest) = read_model.digest().await?;
    Ok(Answer::ok(&ProjectionDigest { name: read_model.name(), position: position.0, digest }))
}

/// Builds a read model anew from the log
///
/// The file that serves goes on serving until the new one has caught up.
#[utoipa::path(
    post, path = "/projections/{name}/rebuild/", tag = "projections", params(("name" = String, Path)),
    responses((status = 202, body = Projection), CommonProblems)
)]
async fn rebuild(session: Session, Path(name): Path<String>) -> Result<Answer, Problem> {
    session.require_organisation_admin().await?;
    let read_model = session.state.read_models.named(&name).ok_or_else(|| Problem::not_found("Projection"))?;
    // Nobody here waits for the end of it.
    drop(read_model.request_rebuild());
    Ok(Answer::accepted(&describe(&session, read_model).await?))
}

async fn describe(session: &Session, read_model: &ReadModel) -> Result<Projection, Problem> {
    let status = read_model.status().await?;
    let lag = lag(session.state.commands.log().as_ref(), read_model).await.ok();
    Ok(Projection {
        name: status.name,
        version: status.version,
        position: status.position.0,
        lag_events: lag.map(|lag| lag.events),
        lag_seconds: lag.map(|lag| lag.seconds),
        state: status.state.as_str(),
        build: status.build.map(Into::into),
        parked: status.parked.into_iter().map(Into::into).collect(),
    })
}
