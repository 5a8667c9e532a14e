//! Which lines of the audit log a page shows: as its address says, of what its viewer may see.

use offshoot_aggregates::ids::{EnvironmentId, OrganisationId, ProjectId};
use offshoot_aggregates::permissions::ProjectPermission;
use offshoot_projections::audit_log::AuditFilter;
use offshoot_projections::features::{self, StoredProject};
use offshoot_projections::{Page, access, environment_status};

use super::viewer::Viewer;
use crate::http::fields::Fields;
use crate::http::kinds::{integer, text};
use crate::http::problem::Problem;
use crate::limits::AUDIT_SEARCH_CHARACTERS_MAX;

/// Lines on a page.
pub const PAGE_SIZE: u64 = 50;

/// Which lines are shown.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Those of this project.
    pub project: Option<i64>,
    /// Those of this environment.
    pub environment: Option<i64>,
    /// Those of actors with this in their names.
    pub actor: Option<String>,
    /// Those with this in their text.
    pub search: Option<String>,
    /// 1 is the first.
    pub page: u64,
}

impl Asked {
    /// Reads an address. What is wrong with it, the fields say.
    pub fn read(fields: &mut Fields) -> Self {
        let any = integer(1, i64::MAX);
        let searched = |text: String| (!text.is_empty()).then_some(text);
        let text = text(AUDIT_SEARCH_CHARACTERS_MAX).or_blank();
        let page = fields.optional("page", integer(1, i64::from(u32::MAX))).unwrap_or(1);
        let project = fields.optional("project", any);
        Self {
            project,
            // Its choice goes with that of the project.
            environment: fields.optional("environment", any).filter(|_| project.is_some()),
            actor: fields.optional("actor", text).and_then(searched),
            search: fields.optional("search", text).and_then(searched),
            page: u64::try_from(page).unwrap_or(1),
        }
    }

    /// What is asked of the lines that the viewer may see.
    #[must_use]
    pub fn filter(&self, scope: &Scope) -> AuditFilter {
        let (organisations, projects) = match scope {
            Scope::Organisations(ids) => (Some(ids.clone()), None),
            Scope::Projects(ids) => (None, Some(ids.clone())),
        };
        AuditFilter {
            organisations,
            projects,
            project: self.project.map(ProjectId),
            environments: self.environment.map(|id| vec![EnvironmentId(id)]),
            search: self.search.clone(),
            actor: self.actor.clone(),
            is_system_event: None,
        }
    }

    /// Whether not all lines are asked for.
    #[must_use]
    pub fn is_filtered(&self) -> bool {
        self.project.is_some() || self.actor.is_some() || self.search.is_some()
    }

    /// The query of this page, without a question mark.
    #[must_use]
    pub fn query(&self) -> String {
        self.query_of_page(self.page)
    }

    /// The query of another page.
    #[must_use]
    pub fn query_of_page(&self, page: u64) -> String {
        let number = |number: Option<i64>| number.map(|number| number.to_string());
        let pairs = [
            ("project", number(self.project)),
            ("environment", number(self.environment)),
            ("actor", self.actor.clone()),
            ("search", self.search.clone()),
            ("page", (page > 1).then(|| page.to_string())),
        ];
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(pairs.into_iter().filter_map(|(name, value)| Some((name, value?))));
        query.finish()
    }
}

/// The part of the audit log that a viewer may see.
#[derive(Clone, Debug)]
pub enum Scope {
    /// All of these organisations, which the viewer administers.
    Organisations(Vec<OrganisationId>),
    /// These projects.
    Projects(Vec<ProjectId>),
}

impl Scope {
    /// What the viewer may see, or of it what happened in one project.
    ///
    /// # Errors
    /// 404 or 403 if the viewer may not see the audit log of the project.
    pub async fn of(viewer: &Viewer, project: Option<i64>) -> Result<Self, Problem> {
        if let Some(id) = project {
            let project = viewer.session.project(ProjectId(id), Some(ProjectPermission::ViewAuditLog)).await?;
            return Ok(Self::Projects(vec![project.id]));
        }
        let memberships = viewer.session.memberships().await?.into_iter().filter(|membership| membership.is_admin);
        let administered: Vec<_> = memberships.map(|membership| membership.organisation).collect();
        if !administered.is_empty() {
            return Ok(Self::Organisations(administered));
        }
        Ok(Self::Projects(projects(viewer).await?.into_iter().map(|project| project.id).collect()))
    }
}

/// What can be chosen in the filters.
pub struct Choices {
    /// The projects whose audit log the viewer may see.
    pub projects: Vec<(i64, String)>,
    /// The environments of the chosen project.
    pub environments: Vec<(i64, String)>,
}

impl Choices {
    /// What there is to choose once a project is chosen, or none.
    ///
    /// # Errors
    /// A read model cannot be asked.
    pub async fn of(viewer: &Viewer, project: Option<i64>) -> Result<Self, Problem> {
        let projects =
            projects(viewer).await?.into_iter().map(|project| (project.id.0, project.settings.name)).collect();
        let Some(project) = project.map(ProjectId) else { return Ok(Self { projects, environments: Vec::new() }) };
        let (principal, read_models) = (viewer.session.principal(), &viewer.session.state.read_models);
        let query = move |file: &_| access::visible_environments(file, &principal, project);
        let visible = read_models.access.query(query).await?;
        let query = move |file: &_| environment_status::list_environments(file, project, &visible, Page::ALL);
        let environments = read_models.environment_status.query(query).await?;
        let environments = environments.into_iter().map(|stored| (stored.id.0, stored.settings.name)).collect();
        Ok(Self { projects, environments })
    }
}

/// The projects whose audit log the viewer may see.
async fn projects(viewer: &Viewer) -> Result<Vec<StoredProject>, Problem> {
    let (principal, read_models) = (viewer.session.principal(), &viewer.session.state.read_models);
    let query = move |file: &_| {
        let mut visible = Vec::new();
        for project in access::visible_projects(file, &principal)? {
            if access::project_permissions(file, &principal, project)?.allow(&ProjectPermission::ViewAuditLog) {
                visible.push(project);
            }
        }
        Ok(visible)
    };
    let visible = read_models.access.query(query).await?;
    let stored = read_models.features.query(move |file| features::projects_by_ids(file, &visible)).await?;
    Ok(stored.into_iter().filter(|project| !project.is_deleted).collect())
}
