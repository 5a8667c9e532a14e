//! The first page: the projects that the viewer may see, and whether anything is being created in them.

use askama::Template;
use async_trait::async_trait;
use axum::response::Response;
use offshoot_aggregates::RecordedEvent;
use offshoot_aggregates::environment::CreationStatus;
use offshoot_aggregates::ids::OrganisationId;
use offshoot_projections::environment_status::CloneStatus;
use offshoot_projections::features::StoredProject;
use offshoot_projections::{Page, access, environment_status, features};

use super::assets;
use super::layout::{Section, Shell, page};
use super::live::{Region, Regions, follow};
use super::problem_page::PageProblem;
use super::shown::{counted, grouped};
use super::texts;
use super::viewer::Viewer;
use crate::http::problem::Problem;

#[derive(Template)]
#[template(config = "src/console/askama.toml", path = "overview.html")]
struct OverviewPage {
    shell: Shell,
    projects: Vec<ProjectCard>,
    organisations: Vec<Organisation>,
}

/// The region that holds all projects.
#[derive(Template)]
#[template(config = "src/console/askama.toml", path = "project_list.html")]
struct ProjectList<'a> {
    projects: &'a [ProjectCard],
    organisations: &'a [Organisation],
}

/// The region of one of them.
#[derive(Template)]
#[template(config = "src/console/askama.toml", path = "project_card.html")]
struct ProjectItem<'a> {
    project: &'a ProjectCard,
}

/// A project, at a glance.
struct ProjectCard {
    id: i64,
    name: String,
    features: String,
    environments: String,
    /// Environments that are being created.
    creating: u64,
    /// Environments whose creation failed and was neither retried nor cancelled.
    failed: u64,
}

impl ProjectCard {
    fn creating(&self) -> String {
        texts::overview::being_created(&grouped(self.creating))
    }

    fn failed(&self) -> String {
        texts::overview::failed(&grouped(self.failed))
    }

    /// What those who listen are told when it changes.
    fn announcement(&self) -> String {
        texts::overview::announce(&self.name, self.creating, self.failed)
    }
}

/// An organisation in which the viewer may create projects.
struct Organisation {
    id: i64,
    name: String,
}

pub(super) async fn show(viewer: Viewer) -> Result<Response, PageProblem> {
    let (projects, organisations) = (find(&viewer).await?, administered(&viewer).await?);
    let shell = viewer.shell(Section::Projects, texts::overview::TITLE);
    Ok(page(&OverviewPage { shell, projects, organisations })?)
}

async fn find(viewer: &Viewer) -> Result<Vec<ProjectCard>, Problem> {
    let principal = viewer.session.principal();
    let read_models = &viewer.session.state.read_models;
    let visible = read_models.access.query(move |file| access::visible_projects(file, &principal)).await?;
    let projects = read_models.features.query(move |file| features::projects_by_ids(file, &visible)).await?;
    let mut cards = Vec::new();
    for project in projects.into_iter().filter(|project| !project.is_deleted) {
        cards.push(card(viewer, project).await?);
    }
    Ok(cards)
}

async fn card(viewer: &Viewer, project: StoredProject) -> Result<ProjectCard, Problem> {
    let (principal, id) = (viewer.session.principal(), project.id);
    let read_models = &viewer.session.state.read_models;
    let visible = read_models.access.query(move |file| access::visible_environments(file, &principal, id)).await?;
    let query = move |file: &_| environment_status::list_environments(file, id, &visible, Page::ALL);
    let environments = read_models.environment_status.query(query).await?;
    let unfinished = environments.iter().filter(|environment| environment.is_creating);
    let uuids: Vec<_> = unfinished.map(|environment| environment.uuid).collect();
    let query = move |file: &_| uuids.iter().map(|uuid| environment_status::clone_status(file, *uuid)).collect();
    // An environment that comes from a document is no clone, and is being created as well.
    let unfinished: Vec<Option<CloneStatus>> = read_models.environment_status.query(query).await?;
    let is_failed =
        |clone: &&Option<CloneStatus>| clone.as_ref().is_some_and(|clone| clone.status == CreationStatus::Failed);
    let failed = unfinished.iter().filter(is_failed).count() as u64;
    Ok(ProjectCard {
        id: id.0,
        name: project.settings.name,
        features: counted(project.total_features, "feature", "features"),
        environments: counted(environments.len() as u64, "environment", "environments"),
        creating: unfinished.len() as u64 - failed,
        failed,
    })
}

async fn administered(viewer: &Viewer) -> Result<Vec<Organisation>, Problem> {
    let memberships = viewer.session.memberships().await?;
    let ids: Vec<OrganisationId> =
        memberships.iter().filter(|membership| membership.is_admin).map(|membership| membership.organisation).collect();
    let query = move |file: &_| features::organisations_by_ids(file, &ids);
    let stored = viewer.session.state.read_models.features.query(query).await?;
    Ok(stored.into_iter().map(|stored| Organisation { id: stored.id.0, name: stored.name }).collect())
}

pub(super) async fn live(viewer: Viewer) -> Result<Response, Problem> {
    Ok(follow(viewer.clone(), OverviewRegions { viewer }))
}

struct OverviewRegions {
    viewer: Viewer,
}

#[async_trait]
impl Regions for OverviewRegions {
    /// All but what is said so often that nobody looks at it here: what flags are.
    fn concerns(&self, event: &RecordedEvent) -> bool {
        let often = ["FeatureState", "SegmentOverride", "Identity", "IdsReserved"];
        !often.iter().any(|kind| event.event_type.starts_with(kind))
    }

    async fn render(&mut self) -> Result<Vec<Region>, Problem> {
        let (projects, organisations) = (find(&self.viewer).await?, administered(&self.viewer).await?);
        let list = ProjectList { projects: &projects, organisations: &organisations };
        let items = projects.iter().map(|project| (format!("project-{}", project.id), ProjectItem { project }));
        Region::list("projects", &list, &[], items)
    }
}
