//! Queries for features and their multivariate options.

use jiff::Timestamp;
use offshoot_aggregates::Actor;
use offshoot_aggregates::ids::{FeatureId, MultivariateOptionId, ProjectId};
use offshoot_aggregates::project::{FeatureDefinition, FeatureType, MultivariateOption};
use rusqlite::{Connection, OptionalExtension, Result, Row, params_from_iter};
use uuid::Uuid;

use crate::columns::{actor, from_json_or_default, timestamp, uuid};
use crate::lists::{Conditions, Page, id_set, like_containing};

/// A feature of a project.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredFeature {
    /// The project.
    pub project: ProjectId,
    /// What people defined.
    pub definition: FeatureDefinition,
    /// When it came to be.
    pub created_at: Timestamp,
    /// Who made it; none if its event does not say so.
    pub creator: Option<Actor>,
}

/// Which features of a project are listed; what is `None` is not asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FeatureFilter {
    /// Those with this in their names, without regard to the case of ASCII letters.
    pub search: Option<String>,
    /// Those that are, or are not, archived.
    pub is_archived: Option<bool>,
    /// Those of this type.
    pub feature_type: Option<FeatureType>,
    /// Those with one of these ids.
    pub ids: Option<Vec<FeatureId>>,
    /// Those made by one of the API keys with these UUIDs.
    pub creators: Option<Vec<Uuid>>,
}

/// What a list of features is ordered by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FeatureSort {
    /// When they came to be; those that came at once, in the order in which they came.
    #[default]
    CreatedDate,
    /// Their names, by character codes.
    Name,
}

/// Which end of the order comes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SortDirection {
    /// The oldest, or the first in the alphabet.
    #[default]
    Ascending,
    /// The newest, or the last in the alphabet.
    Descending,
}

impl FeatureFilter {
    /// The tables to look through, and what their rows must fulfil: the runs of the project, or the ids asked for.
    fn conditions(&self, project: ProjectId) -> (&'static str, Conditions) {
        let mut conditions = Conditions::default();
        let tables = match &self.ids {
            None => {
                conditions.add("feature_run.project = ?", project.0);
                IN_RUNS
            }
            Some(ids) => {
                conditions.add("feature.id IN (SELECT value FROM json_each(?))", id_set(ids));
                conditions.add("feature.project = ?", project.0);
                "feature"
            }
        };
        conditions.add_some("feature.name LIKE ? ESCAPE '\\'", self.search.as_deref().map(like_containing));
        conditions.add_some("is_archived = ?", self.is_archived);
        if let Some(creators) = &self.creators {
            let made_by = "feature.creator IN (SELECT id FROM creator WHERE kind = 'api_key'
                AND actor IN (SELECT value FROM json_each(?)))";
            // UUIDs need no escaping in JSON.
            conditions.add(made_by, id_set(creators.iter().map(|uuid| format!("\"{uuid}\""))));
        }
        conditions.add_some("is_multivariate = ?", self.feature_type.map(|kind| kind == FeatureType::Multivariate));
        (tables, conditions)
    }

    /// The order of the features that are looked through; walking through the runs is in the order of creation already.
    fn order(&self, sort: FeatureSort, direction: SortDirection) -> &'static str {
        match (sort, direction, &self.ids) {
            (FeatureSort::CreatedDate, SortDirection::Ascending, None) => "first_ordinal, feature.id",
            (FeatureSort::CreatedDate, SortDirection::Descending, None) => "first_ordinal DESC, feature.id DESC",
            _ => order(sort, direction),
        }
    }
}

/// The order of features.
fn order(sort: FeatureSort, direction: SortDirection) -> &'static str {
    match (sort, direction) {
        (FeatureSort::CreatedDate, SortDirection::Ascending) => "feature.ordinal",
        (FeatureSort::CreatedDate, SortDirection::Descending) => "feature.ordinal DESC",
        (FeatureSort::Name, SortDirection::Ascending) => "feature.name",
        (FeatureSort::Name, SortDirection::Descending) => "feature.name DESC",
    }
}

/// All features of a project, in the order in which they came.
const IN_RUNS: &str = "feature_run CROSS JOIN feature ON feature.id BETWEEN first_id AND last_id";

/// Reads features from some tables.
fn select(tables: &str, rest: &str) -> String {
    format!(
        "SELECT feature.*, creator.kind AS creator_kind, creator.actor AS creator_actor, creator.name AS creator_name
            FROM {tables} LEFT JOIN creator ON creator.id = feature.creator WHERE {rest}"
    )
}

fn read_feature(row: &Row<'_>) -> Result<StoredFeature> {
    let is_multivariate: bool = row.get("is_multivariate")?;
    Ok(StoredFeature {
        project: ProjectId(row.get("project")?),
        definition: FeatureDefinition {
            id: FeatureId(row.get("id")?),
            uuid: uuid(row, "uuid")?,
            name: row.get("name")?,
            feature_type: if is_multivariate { FeatureType::Multivariate } else { FeatureType::Standard },
            default_enabled: row.get("default_enabled")?,
            initial_value: row.get("initial_value")?,
            description: row.get("description")?,
            is_archived: row.get("is_archived")?,
            is_server_key_only: row.get("is_server_key_only")?,
            options: from_json_or_default(row, "options")?,
        },
        created_at: timestamp(row, "created_at")?,
        creator: actor(row, ["creator_kind", "creator_actor", "creator_name"])?,
    })
}

/// The features of a project that pass the filter, a page of them, in order.
///
/// # Errors
/// The file cannot be read.
pub fn list_features(
    connection: &Connection,
    project: ProjectId,
    filter: &FeatureFilter,
    (sort, direction): (FeatureSort, SortDirection),
    page: Page,
) -> Result<Vec<StoredFeature>> {
    let (tables, conditions) = filter.conditions(project);
    let found = format!(
        "feature.id IN (SELECT feature.id FROM {tables} WHERE {} ORDER BY {} LIMIT ? OFFSET ?) ORDER BY {}",
        conditions.sql(),
        filter.order(sort, direction),
        order(sort, direction)
    );
    // What is skipped and sorted are ids: only the features of the page are read as a whole.
    connection
        .prepare_cached(&select("feature", &found))?
        .query_map(params_from_iter(conditions.values_and(page)), read_feature)?
        .collect()
}

/// All features of a project, in the order in which they came: one walk over them, for whoever needs every one.
///
/// # Errors
/// The file cannot be read.
pub fn all_features(connection: &Connection, project: ProjectId) -> Result<Vec<StoredFeature>> {
    connection
        .prepare_cached(&select(IN_RUNS, "feature_run.project = ?1 ORDER BY first_ordinal, feature.id"))?
        .query_map([project.0], read_feature)?
        .collect()
}

/// How many features of a project pass the filter. Without a filter the answer stands ready.
///
/// # Errors
/// The file cannot be read.
pub fn count_features(connection: &Connection, project: ProjectId, filter: &FeatureFilter) -> Result<u64> {
    if *filter == FeatureFilter::default() {
        let total = connection
            .prepare_cached("SELECT total_features FROM project WHERE id = ?1")?
            .query_row([project.0], |row| row.get(0))
            .optional()?;
        return Ok(total.unwrap_or(0));
    }
    let (tables, conditions) = filter.conditions(project);
    connection
        .prepare_cached(&format!("SELECT COUNT(*) FROM {tables} WHERE {}", conditions.sql()))?
        .query_row(params_from_iter(conditions.values()), |row| row.get(0))
}

/// The feature of the project with this id.
///
/// # Errors
/// The file cannot be read.
pub fn feature(connection: &Connection, project: ProjectId, id: FeatureId) -> Result<Option<StoredFeature>> {
    Ok(feature_by_id(connection, id)?.filter(|feature| feature.project == project))
}

/// The feature with this id, of whichever project.
///
/// # Errors
/// The file cannot be read.
pub fn feature_by_id(connection: &Connection, id: FeatureId) -> Result<Option<StoredFeature>> {
    connection.prepare_cached(&select("feature", "feature.id = ?1"))?.query_row([id.0], read_feature).optional()
}

/// The feature of the project with exactly this name. Takes time in proportion to the project's features, about 0.1 s for
/// a million.
///
/// # Errors
/// The file cannot be read.
pub fn feature_named(connection: &Connection, project: ProjectId, name: &str) -> Result<Option<StoredFeature>> {
    connection
        .prepare_cached(&select(IN_RUNS, "feature_run.project = ?1 AND feature.name = ?2 LIMIT 1"))?
        .query_row((project.0, name), read_feature)
        .optional()
}

/// The option of a feature with this id. All options of a feature stand in its [definition](StoredFeature::definition).
///
/// # Errors
/// The file cannot be read.
pub fn option(
    connection: &Connection,
    feature: FeatureId,
    id: MultivariateOptionId,
) -> Result<Option<MultivariateOption>> {
    let mut options: Vec<MultivariateOption> = connection
        .prepare_cached("SELECT options FROM feature WHERE id = ?1")?
        .query_row([feature.0], |row| from_json_or_default(row, "options"))
        .optional()?
        .unwrap_or_default();
    options.retain(|option| option.id == id);
    Ok(options.pop())
}
