//! The page of a project: its environments, those among them that are being created, and what can be done with them.

use std::collections::HashSet;

use askama::Template;
use async_trait::async_trait;
use axum::response::Response;
use offshoot_aggregates::ids::ProjectId;
use offshoot_aggregates::permissions::ProjectPermission;
use offshoot_aggregates::{RecordedEvent, StreamId};
use offshoot_projections::features::StoredProject;

use super::assets;
use super::environments::{self, ShownEnvironment};
use super::layout::{Section, Shell, page};
use super::live::{Region, Regions, follow};
use super::problem_page::PageProblem;
use super::shown::counted;
use super::texts;
use super::viewer::Viewer;
use crate::http::body::Path;
use crate::http::problem::Problem;

#[derive(Template)]
#[template(config = "src/console/askama.toml", path = "project.html")]
struct ProjectPage {
    shell: Shell,
    id: i64,
    name: String,
    features: String,
    segments: String,
    can_create: bool,
    environments: Vec<ShownEnvironment>,
}

/// The region that holds all environments.
#[derive(Template)]
#[template(config = "src/console/askama.toml", path = "environment_list.html")]
struct EnvironmentList<'a> {
    environments: &'a [ShownEnvironment],
    can_create: bool,
}

/// The region of one of them.
#[derive(Template)]
#[template(config = "src/console/askama.toml", path = "environment_item.html")]
struct EnvironmentItem<'a> {
    environment: &'a ShownEnvironment,
}

pub(super) async fn show(viewer: Viewer, Path(id): Path<i64>) -> Result<Response, PageProblem> {
    let project = viewer.session.project(ProjectId(id), Some(ProjectPermission::ViewProject)).await?;
    let environments = environments::of_project(&viewer, &project).await?;
    let shown = ProjectPage {
        shell: viewer.shell(Section::Projects, project.settings.name.as_str()),
        id,
        features: counted(project.total_features, "feature", "features"),
        segments: counted(project.total_segments, "segment", "segments"),
        can_create: can_create(&viewer, project.id).await,
        name: project.settings.name,
        environments,
    };
    Ok(page(&shown)?)
}

async fn can_create(viewer: &Viewer, project: ProjectId) -> bool {
    viewer.session.require_in_project(project, Some(ProjectPermission::CreateEnvironment)).await.is_ok()
}

pub(super) async fn live(viewer: Viewer, Path(id): Path<i64>) -> Result<Response, Problem> {
    let project = viewer.session.project(ProjectId(id), Some(ProjectPermission::ViewProject)).await?;
    let regions = ProjectRegions { viewer: viewer.clone(), project, streams: HashSet::new() };
    Ok(follow(viewer, regions))
}

struct ProjectRegions {
    viewer: Viewer,
    project: StoredProject,
    /// Of the project and of the environments that are shown.
    streams: HashSet<StreamId>,
}

#[async_trait]
impl Regions for ProjectRegions {
    fn concerns(&self, event: &RecordedEvent) -> bool {
        event.event_type == "EnvironmentCreated" || self.streams.contains(&event.stream)
    }

    async fn render(&mut self) -> Result<Vec<Region>, Problem> {
        let permission = Some(ProjectPermission::ViewProject);
        self.project = self.viewer.session.project(self.project.id, permission).await?;
        let environments = environments::of_project(&self.viewer, &self.project).await?;
        self.streams = environments.iter().map(|environment| environment.stream.clone()).collect();
        self.streams.insert(StreamId::project(self.project.uuid));
        let can_create = can_create(&self.viewer, self.project.id).await;
        let list = EnvironmentList { environments: &environments, can_create };
        let item = |environment| EnvironmentItem { environment };
        let items = environments.iter().map(|shown| (format!("environment-{}", shown.key), item(shown)));
        Region::list("environments", &list, &[], items)
    }
}
