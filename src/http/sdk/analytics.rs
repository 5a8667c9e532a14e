//! `/analytics/flags/`: how often applications evaluated flags. Counted in memory, and not kept in the log.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::shapes::{EvaluationsBody, SdkProblems};
use super::{access, answered};
use crate::flags::{Access, Report};
use crate::http::body::json_value;
use crate::http::fields::Fields;
use crate::http::kinds::{boolean, integer, text};
use crate::http::lean::{Asked, Endpoint, Lean, Unread};
use crate::limits::{IDENTIFIER_CHARACTERS_MAX, USAGE_REPORT_FLAGS_MAX};

pub(super) fn routes() -> OpenApiRouter<Arc<Lean>> {
    OpenApiRouter::new().routes(routes!(counts)).routes(routes!(evaluations))
}

/// Report how often flags were evaluated
///
/// An object of features' names and counts. Names of no feature, and counts that are no whole numbers, are left out.
#[utoipa::path(
    post, path = "/api/v1/analytics/flags/", tag = "flags", security(("environment_key" = [])),
    params(("X-Environment-Key" = String, Header, description = "The client key or a server key of the environment")),
    request_body = std::collections::BTreeMap<String, u64>,
    responses((status = 200, description = "It was counted"), SdkProblems)
)]
async fn counts(State(lean): State<Arc<Lean>>, request: Request) -> Response {
    let tell = async |asked: Asked, unread: Unread| {
        let access = access(&lean, &asked).await?;
        let body = unread.read().await?;
        if let Value::Object(counts) = json_value(asked.header(header::CONTENT_TYPE), body).await? {
            let reports = counts
                .iter()
                .filter_map(|(feature, count)| Some(Report { feature, count: count.as_u64()?, was_enabled: None }));
            count(&lean, &access, reports);
        }
        Ok(StatusCode::OK.into_response())
    };
    lean.answer(Endpoint::Analytics, request, async |asked, unread| answered(tell(asked, unread).await)).await
}

/// Report evaluations of flags
#[utoipa::path(
    post, path = "/api/v2/analytics/flags/", tag = "flags", security(("environment_key" = [])),
    params(("X-Environment-Key" = String, Header, description = "The client key or a server key of the environment")),
    request_body = EvaluationsBody,
    responses((status = 204, description = "They were counted"), SdkProblems)
)]
async fn evaluations(State(lean): State<Arc<Lean>>, request: Request) -> Response {
    let tell = async |asked: Asked, unread: Unread| {
        let access = access(&lean, &asked).await?;
        let body = unread.read().await?;
        let mut fields = Fields::from_bytes(asked.header(header::CONTENT_TYPE), body).await?;
        fields.require(&["evaluations"]);
        let read = fields.objects("evaluations", evaluation).unwrap_or_default();
        fields.finish()?;
        let reports = read.iter().map(|(feature, was_enabled, count)| Report {
            feature,
            count: *count,
            was_enabled: Some(*was_enabled),
        });
        count(&lean, &access, reports);
        Ok(StatusCode::NO_CONTENT.into_response())
    };
    lean.answer(Endpoint::Analytics, request, async |asked, unread| answered(tell(asked, unread).await)).await
}

fn evaluation(fields: &mut Fields) -> (String, bool, u64) {
    let feature = fields.required("feature_name", text(IDENTIFIER_CHARACTERS_MAX));
    fields.nullable("identity_identifier", text(IDENTIFIER_CHARACTERS_MAX).or_blank());
    let was_enabled = fields.required("enabled_when_evaluated", boolean());
    let count = fields.required("count", integer(0, i64::MAX));
    (feature, was_enabled, count.unsigned_abs())
}

/// Counts what is reported of features that there are.
fn count<'a>(lean: &Lean, access: &Access, reports: impl Iterator<Item = Report<'a>>) {
    let environment = &access.environment;
    let known = reports.take(USAGE_REPORT_FLAGS_MAX).filter(|report| environment.has_feature(report.feature));
    lean.flags.usage.count(environment.head.environment.id, known);
}
