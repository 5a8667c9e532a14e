//! `/environments/{key}/features/{feature}/create-segment-override/`: a feature segment and its state in one call.

use offshoot_aggregates::environment::{ExpectedOverride, ValueType};
use offshoot_aggregates::ids::{FeatureId, SegmentId};
use offshoot_aggregates::permissions::EnvironmentPermission;
use offshoot_projections::features;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::feature_segments::{Priority, check_segment};
use super::shapes::feature_state::CreatedSegmentOverride;
use super::shapes::feature_value::ValueObject;
use super::state_changes::{ShareBody, ValueForm, create_override, read_change};
use crate::commands::OverrideSetting;
use crate::http::answer::Answer;
use crate::http::body::Path;
use crate::http::field_errors::{FieldErrors, Messages};
use crate::http::fields::Fields;
use crate::http::kinds::id;
use crate::http::openapi::CommonProblems;
use crate::http::problem::Problem;
use crate::http::rejections::environment_is_creating;
use crate::http::session::Session;
use crate::http::state::AppState;

/// A segment override that is to be made.
#[derive(Debug, ToSchema)]
#[allow(dead_code, reason = "only the description of the API is made from it")]
pub struct SegmentOverrideBody {
    /// Whether the feature is on for the segment. `false` if it is missing.
    enabled: Option<bool>,
    /// For which segment.
    feature_segment: SegmentOverridePlace,
    /// The value for the segment.
    feature_state_value: ValueObject,
    /// Shares of options.
    multivariate_feature_state_values: Option<Vec<ShareBody>>,
}

#[derive(Debug, ToSchema)]
#[allow(dead_code, reason = "only the description of the API is made from it")]
struct SegmentOverridePlace {
    /// The integer id of the segment.
    segment: i64,
    /// The place among the feature's overrides, 0 the first; those behind it are shifted. The last if it is missing.
    priority: Option<u32>,
}

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(create))
}

/// Make a segment override in one call
#[utoipa::path(
    post, path = "/environments/{key}/features/{feature}/create-segment-override/", tag = "segment overrides",
    params(
        ("key" = String, Path, description = "The client key of the environment"),
        ("feature" = i64, Path, description = "The integer id of the feature"),
        ("If-Match" = Option<String>, Header, description = "The ETag that the environment must be at"),
    ),
    request_body = SegmentOverrideBody,
    responses(
        (status = 201, description = "It was made", body = CreatedSegmentOverride),
        (status = 409, description = "The environment's feature states are being copied"),
        (status = 412, description = "The environment is at another version"),
        CommonProblems,
    )
)]
async fn create(
    session: Session,
    Path((key, feature)): Path<(String, i64)>,
    mut fields: Fields,
) -> Result<Answer, Problem> {
    let environment = session.find_environment(&key).await?;
    let (project, feature) = (environment.project, FeatureId(feature));
    let query = move |file: &_| features::feature(file, project, feature);
    let found = session.state.read_models.features.query(query).await?;
    found.ok_or_else(|| Problem::not_found("Feature"))?;
    session.require_in_environment(&environment, Some(EnvironmentPermission::ManageSegmentOverrides)).await?;
    if environment.is_creating {
        return Err(environment_is_creating());
    }
    fields.require(&["feature_segment", "feature_state_value"]);
    let place = fields.object("feature_segment", |place| {
        (SegmentId(place.required("segment", id())), place.nullable("priority", Priority).flatten())
    });
    let change = read_change(&mut fields, ValueForm::Object, ValueType::default());
    fields.finish()?;
    let (segment, priority) = place.unwrap_or_default();
    if let Some(text) = check_segment(&session, project, feature, segment).await? {
        let in_segment = FieldErrors::one("segment", Messages::text(text));
        return Err(FieldErrors::one("feature_segment", Messages::Fields(in_segment)).into());
    }
    let setting = OverrideSetting { change, priority, expected: ExpectedOverride::Unset };
    let (found, position) = create_override(&session, &environment, (feature, segment), setting).await?;
    let version = found.environment.version;
    Ok(Answer::created(&CreatedSegmentOverride::from(found.state)).version(version).position(position))
}
