//! One feature in an environment: whether it is on, its value, the shares of its variants, and whom it is overridden for.

use askama::Template;
use async_trait::async_trait;
use axum::response::Response;
use offshoot_aggregates::environment::FeatureStateContent;
use offshoot_aggregates::ids::{FeatureId, SegmentId};
use offshoot_aggregates::permissions::EnvironmentPermission;
use offshoot_aggregates::{RecordedEvent, StreamId, Version};
use offshoot_projections::Page;
use offshoot_projections::environment_status::StoredEnvironment;
use offshoot_projections::feature_states::{self, FeatureSegmentView, FeatureStateView, StateFilter, StateScope};
use offshoot_projections::features::{self, StoredFeature, StoredProject};

use super::assets;
use super::environments::ShownEnvironment;
use super::features::{environment, lock};
use super::gone;
use super::layout::{Section, Shell, page};
use super::live::{Region, Regions, follow};
use super::problem_page::PageProblem;
use super::shown::{Moment, grouped};
use super::states::ShownState;
use super::texts;
use super::viewer::Viewer;
use crate::http::body::Path;
use crate::http::problem::Problem;

#[derive(Template)]
#[template(config = "src/console/askama.toml", path = "feature.html")]
struct FeaturePage {
    shell: Shell,
    /// The integer id of the project.
    project: i64,
    project_name: String,
    found: Found,
}

/// The region with all that changes.
#[derive(Template)]
#[template(config = "src/console/askama.toml", path = "feature_live.html")]
struct FeatureLive<'a> {
    found: &'a Found,
}

/// The region that says whether flags can be changed.
#[derive(Template)]
#[template(config = "src/console/askama.toml", path = "flag_lock.html")]
struct FlagLock<'a> {
    environment: &'a ShownEnvironment,
    lock: Option<&'static str>,
    version: Version,
}

/// What the page is read from.
struct Found {
    environment: ShownEnvironment,
    stream: [StreamId; 2],
    lock: Option<&'static str>,
    version: Version,
    id: i64,
    name: String,
    description: Option<String>,
    is_archived: bool,
    is_multivariate: bool,
    created_at: Moment,
    changed_at: Option<Moment>,
    identities: String,
    state: Option<ShownState>,
    overrides: Vec<ShownOverride>,
    /// Segments that it is not overridden for yet, with their ids.
    segments: Vec<(i64, String)>,
    /// Whether the viewer may override it for segments.
    can_override: bool,
}

/// A segment override.
struct ShownOverride {
    /// The integer id of its place.
    id: i64,
    segment: String,
    place: String,
    state: Option<ShownState>,
}

impl Found {
    /// Why what is for everybody cannot be changed, or what is for segments.
    fn lock_of_overrides(&self) -> bool {
        !self.can_override || (self.lock.is_some() && self.lock != Some(texts::features::NOT_ALLOWED))
    }
}

/// What the read model of the states knows of one feature.
struct States {
    version: Option<Version>,
    default: Option<FeatureStateView>,
    links: Vec<FeatureSegmentView>,
    overrides: Vec<FeatureStateView>,
    identities: u64,
}

async fn find(viewer: &Viewer, key: &str, id: i64) -> Result<(StoredProject, Found), Problem> {
    let (stored, shown) = environment(viewer, key).await?;
    let project = viewer.session.find_project(stored.project).await?;
    let (project_id, feature) = (project.id, FeatureId(id));
    let query =
        move |file: &_| Ok((features::feature(file, project_id, feature)?, features::all_segments(file, project_id)?));
    let (found, segments) = viewer.session.state.read_models.features.query(query).await?;
    let StoredFeature { definition, created_at, .. } = found.ok_or_else(|| Problem::not_found("Feature"))?;
    let states = find_states(viewer, &stored, feature).await?;
    let lock = lock(viewer, &stored, &shown).await;
    let permission = Some(EnvironmentPermission::ManageSegmentOverrides);
    let can_override = viewer.session.require_in_environment(&stored, permission).await.is_ok();
    let named = |id: SegmentId| {
        let segment = segments.iter().find(|stored| stored.segment.id == id);
        segment.map_or(texts::feature::DELETED_SEGMENT, |stored| &stored.segment.name).to_owned()
    };
    let show = |state: &FeatureStateView| {
        let FeatureStateView { id, content, .. } = state;
        let content: &FeatureStateContent = content;
        ShownState::of(id.0, content, &definition.options)
    };
    let overrides = states.links.iter().enumerate().map(|(place, view)| {
        let is_it = |state: &&FeatureStateView| {
            state.segment.is_some_and(|link| link.feature_segment == view.link.feature_segment)
        };
        ShownOverride {
            id: view.link.feature_segment.0,
            segment: named(view.link.segment),
            place: texts::feature::place(place + 1),
            state: states.overrides.iter().find(is_it).map(show),
        }
    });
    let is_free = |segment: SegmentId| states.links.iter().all(|view| view.link.segment != segment);
    let free = segments
        .iter()
        .map(|stored| &stored.segment)
        .filter(|segment| is_free(segment.id) && segment.feature.is_none_or(|only| only == feature));
    let found = Found {
        stream: [StreamId::environment(stored.uuid), StreamId::project(project.uuid)],
        version: states.version.unwrap_or(stored.version),
        lock: lock.or(states.default.is_none().then_some(texts::features::NOT_READY)),
        environment: shown,
        id,
        is_multivariate: !definition.options.is_empty(),
        is_archived: definition.is_archived,
        created_at: created_at.into(),
        changed_at: states.default.as_ref().map(|state| state.updated_at.into()),
        identities: grouped(states.identities),
        state: states.default.as_ref().map(show),
        overrides: overrides.collect(),
        segments: free.map(|segment| (segment.id.0, segment.name.clone())).collect(),
        can_override,
        description: definition.description.filter(|text| !text.is_empty()),
        name: definition.name,
    };
    Ok((project, found))
}

/// What a feature is in an environment. There is nothing of it while states are still being copied.
async fn find_states(viewer: &Viewer, stored: &StoredEnvironment, feature: FeatureId) -> Result<States, Problem> {
    let (environment, is_creating) = (stored.id, stored.is_creating);
    let query = move |file: &_| {
        let known = feature_states::environment_states(file, environment)?;
        let version = known.as_ref().map(|known| known.version);
        if is_creating || known.is_none_or(|known| known.is_creating) {
            return Ok(States { version, default: None, links: Vec::new(), overrides: Vec::new(), identities: 0 });
        }
        let mut defaults = feature_states::default_states_of(file, environment, &[feature])?;
        let links = feature_states::list_feature_segments(file, environment, feature, Page::ALL)?;
        let mut overrides = Vec::new();
        for view in links.iter().filter(|view| view.feature_state.is_some()) {
            let link = Some(view.link.feature_segment);
            let filter = StateFilter { scope: StateScope::All, feature: Some(feature), feature_segment: link };
            overrides.extend(feature_states::list_states(file, environment, filter, Page::ALL)?);
        }
        let mut identities = feature_states::identity_override_counts(file, environment, &[feature])?;
        let (default, identities) = (defaults.remove(&feature), identities.remove(&feature).unwrap_or(0));
        Ok(States { version, default, links, overrides, identities })
    };
    Ok(viewer.session.state.read_models.feature_states.query(query).await?)
}

pub(super) async fn show(viewer: Viewer, Path((key, id)): Path<(String, i64)>) -> Result<Response, PageProblem> {
    let (project, found) = match find(&viewer, &key, id).await {
        Ok(found) => found,
        Err(problem) => return gone::in_place_of(problem, &viewer, &key).await,
    };
    let shown = FeaturePage {
        shell: viewer.shell(Section::Projects, format!("{} · {}", found.name, found.environment.name)),
        project: project.id.0,
        project_name: project.settings.name,
        found,
    };
    Ok(page(&shown)?)
}

pub(super) async fn live(viewer: Viewer, Path((key, id)): Path<(String, i64)>) -> Result<Response, Problem> {
    let (_, found) = find(&viewer, &key, id).await?;
    Ok(follow(viewer.clone(), FeatureRegions { viewer, key, id, streams: found.stream }))
}

struct FeatureRegions {
    viewer: Viewer,
    key: String,
    id: i64,
    streams: [StreamId; 2],
}

#[async_trait]
impl Regions for FeatureRegions {
    fn concerns(&self, event: &RecordedEvent) -> bool {
        self.streams.contains(&event.stream)
    }

    async fn render(&mut self) -> Result<Vec<Region>, Problem> {
        let (_, found) = find(&self.viewer, &self.key, self.id).await?;
        let lock = FlagLock { environment: &found.environment, lock: found.lock, version: found.version };
        Ok(vec![Region::new("flag-lock", &lock)?, Region::new("feature", &FeatureLive { found: &found })?])
    }
}
