//! The permissions that a new API key is issued with, per project and environment of its organisation.

use std::collections::{BTreeMap, BTreeSet};

use offshoot_aggregates::ids::{EnvironmentId, OrganisationId, ProjectId};
use offshoot_aggregates::limits::API_KEY_CHARACTERS_MAX;
use offshoot_aggregates::permissions::{EnvironmentPermission, ProjectPermission};
use offshoot_projections::{environment_status, features};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::http::field_errors::{FieldErrors, Messages};
use crate::http::fields::Fields;
use crate::http::kinds;
use crate::http::problem::Problem;
use crate::http::rejections::unknown_id;
use crate::http::session::Session;

/// What a new key shall be granted, as asked for.
#[derive(Default)]
pub(super) struct AskedPermissions {
    projects: Vec<Asked<ProjectId, ProjectPermission>>,
    environments: Vec<Asked<String, EnvironmentPermission>>,
}

struct Asked<I, P> {
    place: I,
    admin: bool,
    permissions: Vec<P>,
}

/// What a new key shall be granted: places by UUID, whether it administers them, and what else it may do there.
pub(super) struct ResolvedPermissions {
    pub(super) projects: Vec<(Uuid, bool, BTreeSet<ProjectPermission>)>,
    pub(super) environments: Vec<(Uuid, bool, BTreeSet<EnvironmentPermission>)>,
}

/// What was asked for each place that was found.
type Granted<P> = BTreeMap<Uuid, (bool, BTreeSet<P>)>;

impl AskedPermissions {
    /// Reads the field `permissions`.
    pub(super) fn read(fields: &mut Fields) -> Self {
        let projects = fields.objects("projects", |item| Asked {
            place: ProjectId(item.required("project", kinds::id())),
            admin: item.optional("admin", kinds::boolean()).unwrap_or(false),
            permissions: item.optional("permissions", kinds::list(kinds::choice())).unwrap_or_default(),
        });
        let environments = fields.objects("environments", |item| Asked {
            place: item.required("environment", kinds::text(API_KEY_CHARACTERS_MAX)),
            admin: item.optional("admin", kinds::boolean()).unwrap_or(false),
            permissions: item.optional("permissions", kinds::list(kinds::choice())).unwrap_or_default(),
        });
        Self { projects: projects.unwrap_or_default(), environments: environments.unwrap_or_default() }
    }

    /// In how many places.
    pub(super) fn len(&self) -> usize {
        self.projects.len() + self.environments.len()
    }

    /// Finds the projects and environments. Those of other organisations are as good as not there.
    ///
    /// # Errors
    /// 400: some are not there.
    pub(super) async fn resolve(
        self,
        session: &Session,
        organisation: OrganisationId,
    ) -> Result<ResolvedPermissions, Problem> {
        let (mut projects, mut environments) = (Granted::new(), Granted::new());
        let mut errors = FieldErrors::default();
        let mut problems = Vec::new();
        for asked in self.projects {
            let found = project_uuid(session, organisation, asked.place).await?;
            problems.push(unknown("project", asked.place, found));
            grant(&mut projects, found, asked.admin, asked.permissions);
        }
        add_problems(&mut errors, "projects", problems);
        let mut problems = Vec::new();
        for asked in self.environments {
            let found = environment_uuid(session, organisation, asked.place.clone()).await?;
            problems.push(unknown("environment", asked.place, found));
            grant(&mut environments, found, asked.admin, asked.permissions);
        }
        add_problems(&mut errors, "environments", problems);
        if errors.is_empty() {
            return Ok(ResolvedPermissions { projects: listed(projects), environments: listed(environments) });
        }
        Err(FieldErrors::one("permissions", Messages::Fields(errors)).into())
    }
}

/// What is wrong with one place in a list: nothing if it was found.
fn unknown(field: &'static str, place: impl std::fmt::Display, found: Option<Uuid>) -> FieldErrors {
    match found {
        Some(_) => FieldErrors::default(),
        None => FieldErrors::one(field, Messages::text(unknown_id(place))),
    }
}

fn add_problems(errors: &mut FieldErrors, field: &'static str, problems: Vec<FieldErrors>) {
    if problems.iter().any(|problem| !problem.is_empty()) {
        errors.add(field, Messages::Items(problems));
    }
}

/// Who names a place twice gets what both say.
fn grant<P: Ord>(granted: &mut Granted<P>, place: Option<Uuid>, admin: bool, permissions: Vec<P>) {
    let Some(place) = place else { return };
    let known = granted.entry(place).or_default();
    known.0 |= admin;
    known.1.extend(permissions);
}

fn listed<P>(granted: Granted<P>) -> Vec<(Uuid, bool, BTreeSet<P>)> {
    granted.into_iter().map(|(place, (admin, permissions))| (place, admin, permissions)).collect()
}

async fn project_uuid(
    session: &Session,
    organisation: OrganisationId,
    project: ProjectId,
) -> Result<Option<Uuid>, Problem> {
    let found = session.state.read_models.features.query(move |file| features::project(file, project)).await?;
    Ok(found.filter(|project| project.organisation == organisation).map(|project| project.uuid))
}

/// An environment is named by its client key, or by its integer id.
async fn environment_uuid(
    session: &Session,
    organisation: OrganisationId,
    environment: String,
) -> Result<Option<Uuid>, Problem> {
    let query = move |file: &_| match environment_status::environment_by_key(file, &environment)? {
        None => environment.parse().map_or(Ok(None), |id| environment_status::environment(file, EnvironmentId(id))),
        found => Ok(found),
    };
    let Some(found) = session.state.read_models.environment_status.query(query).await? else { return Ok(None) };
    let is_own = project_uuid(session, organisation, found.project).await?.is_some();
    Ok(is_own.then_some(found.uuid))
}

/// What a new API key may do.
#[derive(ToSchema)]
#[allow(dead_code, reason = "only the description of the API is made from it")]
pub(super) struct NewPermissions {
    /// In projects.
    projects: Option<Vec<NewProjectPermissions>>,
    /// In environments.
    environments: Option<Vec<NewEnvironmentPermissions>>,
}

/// What a new API key may do in a project.
#[derive(ToSchema)]
#[allow(dead_code, reason = "only the description of the API is made from it")]
struct NewProjectPermissions {
    /// The project's integer id.
    project: i64,
    /// Whether it may do everything there.
    admin: Option<bool>,
    /// What else it may do there, as in `VIEW_PROJECT`.
    permissions: Option<Vec<String>>,
}

/// What a new API key may do in an environment.
#[derive(ToSchema)]
#[allow(dead_code, reason = "only the description of the API is made from it")]
struct NewEnvironmentPermissions {
    /// The environment's client key or integer id.
    environment: String,
    /// Whether it may do everything there.
    admin: Option<bool>,
    /// What else it may do there, as in `VIEW_ENVIRONMENT`.
    permissions: Option<Vec<String>>,
}
