//! `GET /projects/{project}/features/`: the features of a project, filtered, and what they are in one environment.

use std::collections::HashMap;

use offshoot_aggregates::ids::{ApiKeyId, EnvironmentId, FeatureId, ProjectId, SegmentId};
use offshoot_aggregates::limits::{NAME_CHARACTERS_MAX, STRING_VALUE_CHARACTERS_MAX};
use offshoot_aggregates::permissions::{EnvironmentPermission, ProjectPermission};
use offshoot_projections::feature_states::{self, FeatureStateView};
use offshoot_projections::features::{self, FeatureFilter, FeatureSort, SortDirection};
use offshoot_projections::{Page, access};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::features::bodies;
use super::shapes::feature::{FeatureBody, FeatureForm};
use crate::http::answer::Answer;
use crate::http::body::{Path, Query};
use crate::http::fields::Fields;
use crate::http::kinds::{boolean, choice, integer, text};
use crate::http::openapi::CommonProblems;
use crate::http::pagination::{self, Pagination};
use crate::http::problem::Problem;
use crate::http::rejections::feature_states_not_ready;
use crate::http::session::Session;

/// Characters in a list of ids: some hundred of them.
const ID_LIST_CHARACTERS_MAX: usize = 4_000;

const STATE_FILTER_WITHOUT_ENVIRONMENT: &str = "is_enabled and value_search need an environment.";

/// What a list is asked for.
struct Asked {
    filter: FeatureFilter,
    sort: FeatureSort,
    direction: SortDirection,
    environment: Option<EnvironmentId>,
    segment: Option<SegmentId>,
    is_enabled: Option<bool>,
    value_search: Option<String>,
    owners: Vec<ApiKeyId>,
    /// Whether something is asked for that no feature has: a tag, a group of owners.
    is_vain: bool,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum SortField {
    #[default]
    CreatedDate,
    Name,
}

#[derive(Clone, Copy, Default, Deserialize)]
enum Direction {
    #[default]
    #[serde(rename = "ASC")]
    Ascending,
    #[serde(rename = "DESC")]
    Descending,
}

/// List features
///
/// With `environment`, each with its default state there. Unknown parameters are ignored.
#[utoipa::path(
    get, path = "/projects/{project}/features/", tag = "features",
    params(
        ("project" = i64, Path, description = "The project's id"),
        ("page" = Option<u32>, Query, description = "1 is the first"),
        ("page_size" = Option<u32>, Query, description = "At most 999, and 999 if it is missing"),
        ("search" = Option<String>, Query, description = "Those with this in their names"),
        ("sort_field" = Option<String>, Query, description = "`created_date` (if it is missing) or `name`"),
        ("sort_direction" = Option<String>, Query, description = "`ASC` (if it is missing) or `DESC`"),
        ("is_archived" = Option<bool>, Query, description = "Those that are, or are not, out of use"),
        ("type" = Option<String>, Query, description = "`STANDARD` or `MULTIVARIATE`"),
        ("environment" = Option<i64>, Query, description = "The id of the environment that states are shown of"),
        ("segment" = Option<i64>, Query, description = "The id of the segment whose overrides there are shown"),
        ("is_enabled" = Option<bool>, Query, description = "Those that are, or are not, on in the environment"),
        ("value_search" = Option<String>, Query, description = "Those with this in their values in the environment"),
        ("owners" = Option<String>, Query, description = "Those made by one of these API keys: ids with commas between"),
        ("group_owners" = Option<String>, Query, description = "Ids with commas between: no feature has any"),
        ("tags" = Option<String>, Query, description = "Ids with commas between: no feature has any; empty for those without"),
    ),
    responses((status = 200, description = "A page of them", body = pagination::Page<FeatureBody>), CommonProblems)
)]
pub(super) async fn list_features(
    session: Session,
    Path(project): Path<i64>,
    pages: Pagination,
    Query(mut fields): Query,
) -> Result<Answer, Problem> {
    let project = session.project(ProjectId(project), Some(ProjectPermission::ViewProject)).await?;
    let mut asked = read(&mut fields);
    fields.finish()?;
    if let Some(environment) = asked.environment {
        require_environment(&session, project.id, environment).await?;
        asked.filter.ids = matching(&session, environment, &asked).await?;
    } else if asked.is_enabled.is_some() || asked.value_search.is_some() {
        return Err(Problem::list(STATE_FILTER_WITHOUT_ENVIRONMENT));
    }
    asked.filter.creators = creators(&session, &asked.owners).await?;
    if asked.is_vain {
        asked.filter.ids = Some(Vec::new());
    }
    let Asked { filter, sort, direction, environment, segment, .. } = asked;
    let page = Page { limit: pages.limit(), offset: pages.offset() };
    let query = move |file: &_| {
        let count = features::count_features(file, project.id, &filter)?;
        Ok((count, features::list_features(file, project.id, &filter, (sort, direction), page)?))
    };
    let (count, found) = session.state.read_models.features.query(query).await?;
    let mut results = bodies(&session, found, FeatureForm::Shown).await?;
    if let Some(environment) = environment {
        add_states(&session, environment, segment, &mut results).await?;
    }
    Ok(Answer::ok(&pages.page(count, results)?))
}

fn read(fields: &mut Fields) -> Asked {
    let (sort, direction) = (choice_of(fields, "sort_field"), choice_of(fields, "sort_direction"));
    choice_of::<TagStrategy>(fields, "tag_strategy");
    let has_tags = ids(fields, "tags", "Tag IDs must be integers.").is_some();
    let has_groups = ids(fields, "group_owners", "Group owner IDs must be integers.").is_some();
    let owners = ids(fields, "owners", "Owner IDs must be integers.").unwrap_or_default();
    let mut searched = |name, max| fields.optional(name, text(max).or_blank()).filter(|part| !part.is_empty());
    let (search, value_search) =
        (searched("search", NAME_CHARACTERS_MAX), searched("value_search", STRING_VALUE_CHARACTERS_MAX));
    let mut id = |name| fields.optional(name, integer(i64::MIN, i64::MAX));
    let (environment, segment) = (id("environment").map(EnvironmentId), id("segment").map(SegmentId));
    Asked {
        filter: FeatureFilter {
            search,
            is_archived: fields.optional("is_archived", boolean()),
            feature_type: fields.optional("type", choice()),
            ids: None,
            creators: None,
        },
        sort: match sort {
            SortField::CreatedDate => FeatureSort::CreatedDate,
            SortField::Name => FeatureSort::Name,
        },
        direction: match direction {
            Direction::Ascending => SortDirection::Ascending,
            Direction::Descending => SortDirection::Descending,
        },
        environment,
        segment,
        is_enabled: fields.optional("is_enabled", boolean()),
        value_search,
        owners: owners.into_iter().map(ApiKeyId).collect(),
        is_vain: has_tags || has_groups,
    }
}

/// Whether a feature needs all of the tags, or one; the same to features without any.
#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum TagStrategy {
    #[default]
    Intersection,
    Union,
}

fn choice_of<T: DeserializeOwned + Default>(fields: &mut Fields, name: &'static str) -> T {
    fields.optional(name, choice()).unwrap_or_default()
}

/// Ids with commas between; `None` if there are none.
fn ids(fields: &mut Fields, name: &'static str, text_if_wrong: &'static str) -> Option<Vec<i64>> {
    let list = fields.optional(name, text(ID_LIST_CHARACTERS_MAX).or_blank()).filter(|list| !list.is_empty())?;
    let ids: Result<Vec<i64>, _> = list.split(',').map(|id| id.trim().parse()).collect();
    ids.map_err(|_| fields.fail(name, text_if_wrong)).ok()
}

/// An environment of the project that the caller may see.
async fn require_environment(session: &Session, project: ProjectId, id: EnvironmentId) -> Result<(), Problem> {
    let found = session.find_environment_by_id(id).await?;
    let environment = found.filter(|environment| environment.project == project);
    let environment = environment.ok_or_else(|| Problem::not_found("Environment"))?;
    session.require_in_environment(&environment, Some(EnvironmentPermission::ViewEnvironment)).await
}

/// The features whose states in the environment are as asked; `None` if nothing is asked of their states.
async fn matching(
    session: &Session,
    environment: EnvironmentId,
    asked: &Asked,
) -> Result<Option<Vec<FeatureId>>, Problem> {
    let (is_enabled, value_search) = (asked.is_enabled, asked.value_search.clone());
    let is_asked = is_enabled.is_some() || value_search.is_some();
    let query = move |file: &_| {
        let states = feature_states::environment_states(file, environment)?;
        if states.is_none_or(|states| states.is_creating) {
            return Ok(None);
        }
        let search = value_search.as_deref();
        let find = || feature_states::matching_features(file, environment, is_enabled, search, Page::ALL);
        is_asked.then(find).transpose().map(Some)
    };
    session.state.read_models.feature_states.query(query).await?.ok_or_else(feature_states_not_ready)
}

/// The UUIDs of the API keys that are asked for as owners; `None` if none are asked for.
async fn creators(session: &Session, owners: &[ApiKeyId]) -> Result<Option<Vec<uuid::Uuid>>, Problem> {
    if owners.is_empty() {
        return Ok(None);
    }
    let owners = owners.to_vec();
    let query = move |file: &_| {
        let keys = owners.into_iter().map(|owner| access::key_by_id(file, owner));
        keys.filter_map(Result::transpose).map(|key| key.map(|key| key.uuid)).collect()
    };
    Ok(Some(session.state.read_models.access.query(query).await?))
}

/// Fills in what features are in an environment.
async fn add_states(
    session: &Session,
    environment: EnvironmentId,
    segment: Option<SegmentId>,
    features: &mut [FeatureBody],
) -> Result<(), Problem> {
    let ids: Vec<FeatureId> = features.iter().map(|feature| FeatureId(feature.id)).collect();
    let query = move |file: &_| {
        let overrides = match segment {
            Some(segment) => feature_states::override_states_of(file, environment, segment, &ids)?,
            None => HashMap::new(),
        };
        let defaults = feature_states::default_states_of(file, environment, &ids)?;
        let counts = feature_states::override_counts(file, environment, &ids)?;
        Ok((defaults, overrides, counts, feature_states::identity_override_counts(file, environment, &ids)?))
    };
    let (mut defaults, mut overrides, counts, identities) =
        session.state.read_models.feature_states.query(query).await?;
    for feature in features {
        let id = FeatureId(feature.id);
        let state = |states: &mut HashMap<FeatureId, FeatureStateView>| states.remove(&id).map(Into::into);
        feature.environment_feature_state = state(&mut defaults);
        feature.segment_feature_state = state(&mut overrides);
        feature.num_segment_overrides = counts.get(&id).copied().unwrap_or(0);
        feature.num_identity_overrides = identities.get(&id).copied();
    }
    Ok(())
}
