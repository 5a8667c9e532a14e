//! The page of an environment: how its creation stands, what is on in it, and its settings.

use askama::Template;
use async_trait::async_trait;
use axum::response::Response;
use offshoot_aggregates::environment::EnvironmentSettings;
use offshoot_aggregates::{RecordedEvent, StreamId, Version};
use offshoot_projections::Page;
use offshoot_projections::environment_status::StoredEnvironment;
use offshoot_projections::features::{FeatureFilter, FeatureSort, SortDirection, StoredProject, list_features};

use super::assets;
use super::environments::ShownEnvironment;
use super::features::{ShownFeature, environment, lock, with_states};
use super::gone;
use super::layout::{Section, Shell, page};
use super::live::{Region, Regions, follow};
use super::problem_page::PageProblem;
use super::shown::grouped;
use super::texts;
use super::viewer::Viewer;
use crate::http::body::Path;
use crate::http::problem::Problem;

/// Features that the page shows of an environment.
const SHOWN_FEATURES: u64 = 8;

#[derive(Template)]
#[template(config = "src/console/askama.toml", path = "environment.html")]
struct EnvironmentPage {
    shell: Shell,
    /// The integer id of the project.
    id: i64,
    project: String,
    can_create: bool,
    /// Those that a clone can be made from on this page: this one.
    environments: Vec<ShownEnvironment>,
    environment: ShownEnvironment,
    features: ShownFeatures,
    settings: EnvironmentSettings,
}

/// The regions of the page.
#[derive(Template)]
#[template(config = "src/console/askama.toml", path = "environment_live.html")]
struct EnvironmentLive<'a> {
    environment: &'a ShownEnvironment,
    features: &'a ShownFeatures,
}

/// Some features of an environment.
struct ShownFeatures {
    listed: Vec<ShownFeature>,
    total: String,
    /// Why they cannot be changed; none if nothing is in the way.
    lock: Option<&'static str>,
    /// The version of the environment at which they are that.
    version: Version,
}

/// What the page is read from.
struct Found {
    stored: StoredEnvironment,
    project: StoredProject,
    shown: ShownEnvironment,
    features: ShownFeatures,
}

async fn find(viewer: &Viewer, key: &str) -> Result<Found, Problem> {
    let (stored, shown) = environment(viewer, key).await?;
    let project = viewer.session.find_project(stored.project).await?;
    let features = find_features(viewer, (&stored, &shown), &project).await?;
    Ok(Found { stored, project, shown, features })
}

async fn find_features(
    viewer: &Viewer,
    (stored, shown): (&StoredEnvironment, &ShownEnvironment),
    project: &StoredProject,
) -> Result<ShownFeatures, Problem> {
    let (id, rows) = (project.id, Page { limit: SHOWN_FEATURES, offset: 0 });
    let order = (FeatureSort::Name, SortDirection::Ascending);
    let query = move |file: &_| list_features(file, id, &FeatureFilter::default(), order, rows);
    let found = viewer.session.state.read_models.features.query(query).await?;
    let (version, listed) = with_states(viewer, stored, shown.flags.is_some(), found).await?;
    let lock = lock(viewer, stored, shown).await.or(shown.flags.is_none().then_some(texts::features::NOT_READY));
    Ok(ShownFeatures { listed, total: grouped(project.total_features), lock, version })
}

pub(super) async fn show(viewer: Viewer, Path(key): Path<String>) -> Result<Response, PageProblem> {
    let Found { stored, project, shown, features } = match find(&viewer, &key).await {
        Ok(found) => found,
        Err(problem) => return gone::in_place_of(problem, &viewer, &key).await,
    };
    let page_shown = EnvironmentPage {
        shell: viewer.shell(Section::Projects, shown.name.as_str()),
        id: project.id.0,
        project: project.settings.name,
        can_create: shown.can_clone,
        environments: vec![shown.clone()],
        environment: shown,
        features,
        settings: stored.settings,
    };
    Ok(page(&page_shown)?)
}

pub(super) async fn live(viewer: Viewer, Path(key): Path<String>) -> Result<Response, Problem> {
    let Found { stored, project, .. } = find(&viewer, &key).await?;
    let streams = [StreamId::environment(stored.uuid), StreamId::project(project.uuid)];
    Ok(follow(viewer.clone(), EnvironmentRegions { viewer, key, streams }))
}

struct EnvironmentRegions {
    viewer: Viewer,
    key: String,
    streams: [StreamId; 2],
}

#[async_trait]
impl Regions for EnvironmentRegions {
    fn concerns(&self, event: &RecordedEvent) -> bool {
        self.streams.contains(&event.stream)
    }

    async fn render(&mut self) -> Result<Vec<Region>, Problem> {
        let Found { shown, features, .. } = find(&self.viewer, &self.key).await?;
        let live = EnvironmentLive { environment: &shown, features: &features };
        Ok(vec![Region::new("environment", &live)?])
    }
}
