//! `/environments/{key}/document/` and `/environments/{key}/usage/`: what an environment serves, and how often it is asked for.

use axum::http::StatusCode;
use axum::response::Response;
use offshoot_aggregates::permissions::EnvironmentPermission;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::shapes::timestamp::iso;
use crate::http::answer::Answer;
use crate::http::body::Path;
use crate::http::lean::json_bytes;
use crate::http::openapi::CommonProblems;
use crate::http::problem::Problem;
use crate::http::session::Session;
use crate::http::state::AppState;

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(document)).routes(routes!(usage))
}

/// See the document of an environment
///
/// The same that `/environment-document/` answers to server keys.
#[utoipa::path(
    get, path = "/environments/{key}/document/", tag = "environments",
    params(("key" = String, Path, description = "The client key of the environment")),
    responses((status = 200, description = "The document", body = serde_json::Value), CommonProblems)
)]
async fn document(session: Session, Path(key): Path<String>) -> Result<Response, Problem> {
    let stored = session.environment(&key, Some(EnvironmentPermission::ViewEnvironment)).await?;
    let environment = session.state.flags.environment(&stored).await?;
    Ok(json_bytes(StatusCode::OK, environment.document()))
}

/// How often a flag was evaluated.
#[derive(Debug, Serialize, ToSchema)]
struct FeatureUsageBody {
    /// The feature's name.
    feature: String,
    /// How often applications evaluated it, as far as they report it.
    evaluations: u64,
    /// How often of these it was on, as far as they say.
    evaluations_enabled: u64,
    /// When they last reported it.
    last_reported_at: String,
}

/// How often flags of an environment were evaluated.
#[derive(Debug, Serialize, ToSchema)]
struct UsageBody {
    /// From when on it is counted: the start of the node.
    since: String,
    /// All features that were reported, in order of their names.
    features: Vec<FeatureUsageBody>,
}

/// See how often flags were evaluated
///
/// As applications report it to this node since its start. It is counted in memory, and as the metric
/// `offshoot_flag_evaluations_total`.
#[utoipa::path(
    get, path = "/environments/{key}/usage/", tag = "environments",
    params(("key" = String, Path, description = "The client key of the environment")),
    responses((status = 200, description = "What was counted", body = UsageBody), CommonProblems)
)]
async fn usage(session: Session, Path(key): Path<String>) -> Result<Answer, Problem> {
    let stored = session.environment(&key, Some(EnvironmentPermission::ViewEnvironment)).await?;
    let counted = &session.state.flags.usage;
    let features = counted.of(stored.id).into_iter().map(|(feature, usage)| FeatureUsageBody {
        feature,
        evaluations: usage.evaluations,
        evaluations_enabled: usage.enabled,
        last_reported_at: iso(usage.last_reported_at),
    });
    Ok(Answer::ok(&UsageBody { since: iso(counted.since()), features: features.collect() }))
}
