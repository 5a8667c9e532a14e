//! The first page: the projects that the viewer may see.

use askama::Template;
use axum::response::Response;
use offshoot_aggregates::ids::OrganisationId;
use offshoot_projections::features::StoredProject;
use offshoot_projections::{Page, access, environment_status, features};

use super::assets;
use super::layout::{Section, Shell, page};
use super::problem_page::PageProblem;
use super::shown::counted;
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

/// A project, at a glance.
struct ProjectCard {
    id: i64,
    name: String,
    features: String,
    environments: String,
    creating: u64,
}

/// An organisation in which the viewer may create projects.
struct Organisation {
    id: i64,
    name: String,
}

pub(super) async fn show(viewer: Viewer) -> Result<Response, PageProblem> {
    let organisations = administered(&viewer).await?;
    let principal = viewer.session.principal();
    let read_models = &viewer.session.state.read_models;
    let visible = read_models.access.query(move |file| access::visible_projects(file, &principal)).await?;
    let projects = read_models.features.query(move |file| features::projects_by_ids(file, &visible)).await?;
    let mut cards = Vec::new();
    for project in projects.into_iter().filter(|project| !project.is_deleted) {
        cards.push(card(&viewer, project).await?);
    }
    let shell = viewer.shell(Section::Projects, texts::overview::TITLE);
    Ok(page(&OverviewPage { shell, projects: cards, organisations })?)
}

async fn card(viewer: &Viewer, project: StoredProject) -> Result<ProjectCard, Problem> {
    let (principal, id) = (viewer.session.principal(), project.id);
    let read_models = &viewer.session.state.read_models;
    let visible = read_models.access.query(move |file| access::visible_environments(file, &principal, id)).await?;
    let query = move |file: &_| environment_status::list_environments(file, id, &visible, Page::ALL);
    let environments = read_models.environment_status.query(query).await?;
    let creating = environments.iter().filter(|environment| environment.is_creating).count() as u64;
    Ok(ProjectCard {
        id: id.0,
        name: project.settings.name,
        features: counted(project.total_features, "feature", "features"),
        environments: counted(environments.len() as u64, "environment", "environments"),
        creating,
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
