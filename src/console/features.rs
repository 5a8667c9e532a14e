//! The features of an environment: searched, filtered, sorted and paged by the server, and switched on and off where they are.

use askama::Template;
use async_trait::async_trait;
use axum::response::Response;
use offshoot_aggregates::permissions::{EnvironmentPermission, ProjectPermission};
use offshoot_aggregates::project::FeatureType;
use offshoot_aggregates::{RecordedEvent, StreamId, Version};
use offshoot_projections::environment_status::StoredEnvironment;
use offshoot_projections::features::{self, FeatureFilter, StoredFeature, StoredProject};
use offshoot_projections::{Page, feature_states};

use super::assets;
use super::environments::{self, ShownEnvironment};
use super::feature_query::{Asked, PAGE_SIZE, Sort};
use super::gone;
use super::layout::{Section, Shell, page};
use super::live::{Region, Regions, follow};
use super::problem_page::PageProblem;
use super::shown::{counted, grouped};
use super::states::ShownState;
use super::texts;
use super::viewer::Viewer;
use crate::http::body::{Path, Query};
use crate::http::problem::Problem;

#[derive(Template)]
#[template(config = "src/console/askama.toml", path = "features.html")]
struct FeaturesPage {
    shell: Shell,
    /// The integer id of the project.
    project: i64,
    project_name: String,
    asked: Asked,
    can_create: bool,
    environment: ShownEnvironment,
    lock: Option<&'static str>,
    version: Version,
    list: FeatureList,
}

/// The region that says whether flags can be changed, and how far the environment's creation is.
#[derive(Template)]
#[template(config = "src/console/askama.toml", path = "flag_lock.html")]
struct FlagLock<'a> {
    environment: &'a ShownEnvironment,
    lock: Option<&'static str>,
    version: Version,
}

/// The region that holds the features.
#[derive(Template)]
#[template(config = "src/console/askama.toml", path = "feature_list.html")]
struct FeatureListRegion<'a> {
    environment: &'a ShownEnvironment,
    asked: &'a Asked,
    lock: Option<&'static str>,
    list: &'a FeatureList,
}

/// The region of one of them.
#[derive(Template)]
#[template(config = "src/console/askama.toml", path = "feature_row.html")]
struct FeatureRow<'a> {
    environment: &'a ShownEnvironment,
    lock: Option<&'static str>,
    feature: &'a ShownFeature,
}

/// A page of features.
struct FeatureList {
    shown: Vec<ShownFeature>,
    /// How many there are on all pages.
    total: u64,
    /// Which of them are shown, in words.
    range: String,
    /// The queries of the page before and of the next one.
    previous: Option<String>,
    next: Option<String>,
}

/// A feature as it is in an environment.
pub(super) struct ShownFeature {
    pub(super) id: i64,
    pub(super) name: String,
    description: Option<String>,
    is_multivariate: bool,
    is_archived: bool,
    /// None while it is not there.
    pub(super) state: Option<ShownState>,
    /// How many segments it is overridden for, in words, if it is.
    overrides: Option<String>,
}

/// What the page is read from.
struct Found {
    project: StoredProject,
    environment: ShownEnvironment,
    lock: Option<&'static str>,
    version: Version,
    list: FeatureList,
}

/// Why nobody, or this viewer, may change what features are; none if nothing is in the way.
pub(super) async fn lock(
    viewer: &Viewer,
    stored: &StoredEnvironment,
    shown: &ShownEnvironment,
) -> Option<&'static str> {
    if stored.is_creating {
        let has_failed = shown.creation.as_ref().is_some_and(|creation| creation.failure.is_some());
        return Some(if has_failed { texts::features::LOCKED_FAILED } else { texts::features::LOCKED });
    }
    let permission = Some(EnvironmentPermission::UpdateFeatureState);
    let may_change = viewer.session.require_in_environment(stored, permission).await.is_ok();
    (!may_change).then_some(texts::features::NOT_ALLOWED)
}

/// An environment as its viewer sees it.
pub(super) async fn environment(viewer: &Viewer, key: &str) -> Result<(StoredEnvironment, ShownEnvironment), Problem> {
    let stored = viewer.session.environment(key, Some(EnvironmentPermission::ViewEnvironment)).await?;
    let shown = environments::show(viewer, vec![stored.clone()]).await?.pop();
    Ok((stored, shown.ok_or_else(|| Problem::not_found("Environment"))?))
}

async fn find(viewer: &Viewer, key: &str, asked: &Asked) -> Result<Found, Problem> {
    let (stored, shown) = environment(viewer, key).await?;
    let project = viewer.session.find_project(stored.project).await?;
    let lock = lock(viewer, &stored, &shown).await;
    let (is_there, filter) = matching(viewer, &stored, asked).await?;
    let (id, rows) = (project.id, Page { limit: PAGE_SIZE, offset: (asked.page - 1) * PAGE_SIZE });
    let order = asked.sort.order();
    let query = move |file: &_| {
        let count = features::count_features(file, id, &filter)?;
        Ok((count, features::list_features(file, id, &filter, order, rows)?))
    };
    let (total, found) = viewer.session.state.read_models.features.query(query).await?;
    let (version, shown_features) = with_states(viewer, &stored, is_there, found).await?;
    let list = FeatureList::of(asked, total, shown_features);
    let lock = lock.or((!is_there).then_some(texts::features::NOT_READY));
    Ok(Found { project, environment: shown, lock, version, list })
}

/// Whether the environment's states are all there, and which features are asked for.
async fn matching(
    viewer: &Viewer,
    stored: &StoredEnvironment,
    asked: &Asked,
) -> Result<(bool, FeatureFilter), Problem> {
    let (environment, is_on, value) = (stored.id, asked.is_on, asked.value.clone());
    let is_creating = stored.is_creating;
    let query = move |file: &_| {
        let known = feature_states::environment_states(file, environment)?;
        let is_there = !is_creating && known.is_some_and(|known| !known.is_creating);
        if !is_there || (is_on.is_none() && value.is_none()) {
            return Ok((is_there, None));
        }
        let found = feature_states::matching_features(file, environment, is_on, value.as_deref(), Page::ALL)?;
        Ok((is_there, Some(found)))
    };
    let (is_there, ids) = viewer.session.state.read_models.feature_states.query(query).await?;
    Ok((is_there, FeatureFilter { ids, ..asked.filter() }))
}

/// Features with what they are in the environment, and the version of the environment at which they are that.
pub(super) async fn with_states(
    viewer: &Viewer,
    stored: &StoredEnvironment,
    is_there: bool,
    found: Vec<StoredFeature>,
) -> Result<(Version, Vec<ShownFeature>), Problem> {
    let (environment, ids) = (stored.id, found.iter().map(|feature| feature.definition.id).collect::<Vec<_>>());
    let query = move |file: &_| {
        let known = feature_states::environment_states(file, environment)?;
        let states = feature_states::default_states_of(file, environment, &ids)?;
        Ok((known.map(|known| known.version), states, feature_states::override_counts(file, environment, &ids)?))
    };
    let (version, states, overrides) = viewer.session.state.read_models.feature_states.query(query).await?;
    let shown = |StoredFeature { definition, .. }: StoredFeature| {
        let state = states.get(&definition.id).filter(|_| is_there);
        ShownFeature {
            id: definition.id.0,
            is_multivariate: !definition.options.is_empty(),
            is_archived: definition.is_archived,
            state: state.map(|state| ShownState::of(state.id.0, &state.content, &definition.options)),
            overrides: overrides.get(&definition.id).filter(|_| is_there).map(|count| override_count(*count)),
            description: definition.description.filter(|text| !text.is_empty()),
            name: definition.name,
        }
    };
    Ok((version.unwrap_or(stored.version), found.into_iter().map(shown).collect()))
}

fn override_count(count: u64) -> String {
    counted(count, texts::features::OVERRIDE, texts::features::OVERRIDES)
}

impl FeaturesPage {
    /// The orders, with what they are called.
    fn sorts(&self) -> [(&'static str, &'static str); 4] {
        use texts::features::{BY_NAME, BY_NAME_REVERSED, NEWEST, OLDEST};
        let sorts = [
            (Sort::Name, BY_NAME),
            (Sort::NameReversed, BY_NAME_REVERSED),
            (Sort::Newest, NEWEST),
            (Sort::Oldest, OLDEST),
        ];
        sorts.map(|(sort, label)| (sort.name(), label))
    }
}

impl FeatureList {
    fn of(asked: &Asked, total: u64, shown: Vec<ShownFeature>) -> Self {
        let before = (asked.page - 1) * PAGE_SIZE;
        let last = before + shown.len() as u64;
        let first = before + u64::from(!shown.is_empty());
        Self {
            range: texts::features::range(&grouped(first), &grouped(last), &grouped(total)),
            previous: (asked.page > 1).then(|| asked.query_of_page(asked.page - 1)),
            next: (last < total).then(|| asked.query_of_page(asked.page + 1)),
            total,
            shown,
        }
    }

    /// How many there are, in words.
    fn count(&self) -> String {
        texts::features::found(self.total, &grouped(self.total))
    }
}

pub(super) async fn show(
    viewer: Viewer,
    Path(key): Path<String>,
    Query(mut fields): Query,
) -> Result<Response, PageProblem> {
    let asked = Asked::read(&mut fields);
    fields.finish()?;
    let Found { project, environment, lock, version, list } = match find(&viewer, &key, &asked).await {
        Ok(found) => found,
        Err(problem) => return gone::in_place_of(problem, &viewer, &key).await,
    };
    let permission = Some(ProjectPermission::CreateFeature);
    let shown = FeaturesPage {
        shell: viewer.shell(Section::Projects, format!("{} · {}", texts::features::TITLE, environment.name)),
        can_create: viewer.session.require_in_project(project.id, permission).await.is_ok(),
        project: project.id.0,
        project_name: project.settings.name,
        asked,
        environment,
        lock,
        version,
        list,
    };
    Ok(page(&shown)?)
}

pub(super) async fn live(
    viewer: Viewer,
    Path(key): Path<String>,
    Query(mut fields): Query,
) -> Result<Response, Problem> {
    let asked = Asked::read(&mut fields);
    fields.finish()?;
    let Found { project, environment, .. } = find(&viewer, &key, &asked).await?;
    let streams = [environment.stream, StreamId::project(project.uuid)];
    Ok(follow(viewer.clone(), FeatureRegions { viewer, key, asked, streams }))
}

struct FeatureRegions {
    viewer: Viewer,
    key: String,
    asked: Asked,
    streams: [StreamId; 2],
}

#[async_trait]
impl Regions for FeatureRegions {
    fn concerns(&self, event: &RecordedEvent) -> bool {
        self.streams.contains(&event.stream)
    }

    async fn render(&mut self) -> Result<Vec<Region>, Problem> {
        let Found { environment, lock, version, list, .. } = find(&self.viewer, &self.key, &self.asked).await?;
        let (environment, asked) = (&environment, &self.asked);
        let row = |feature| FeatureRow { environment, lock, feature };
        let rows = list.shown.iter().map(|feature| (format!("feature-{}", feature.id), row(feature)));
        let whole = FeatureListRegion { environment, asked, lock, list: &list };
        let mut regions = vec![Region::new("flag-lock", &FlagLock { environment, lock, version })?];
        regions.extend(Region::list("features", &whole, &[&list.range, lock.unwrap_or_default()], rows)?);
        Ok(regions)
    }
}
