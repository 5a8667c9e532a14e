//! `/audit/`, `/projects/{id}/audit/` and `/organisations/{id}/audit/`: what happened, folded from the events.

use std::collections::{BTreeSet, HashMap};

use offshoot_aggregates::ids::{EnvironmentId, OrganisationId, ProjectId};
use offshoot_aggregates::permissions::ProjectPermission;
use offshoot_projections::Page as Rows;
use offshoot_projections::audit_log::{self, AuditEntry, AuditFilter, ChangeDetail};
use offshoot_projections::{environment_status, features};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::shapes::author::{Author, Authors};
use super::shapes::environment::LightEnvironment;
use super::shapes::project::ListedProject;
use super::shapes::timestamp::iso;
use crate::http::answer::Answer;
use crate::http::body::{Path, Query};
use crate::http::fields::Fields;
use crate::http::kinds::{boolean, integer, list, text};
use crate::http::openapi::CommonProblems;
use crate::http::pagination::{Page, Pagination};
use crate::http::problem::Problem;
use crate::http::session::Session;
use crate::http::state::AppState;
use crate::limits::AUDIT_SEARCH_CHARACTERS_MAX;

/// A line of the audit log.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditLine {
    /// Its id. Later lines have higher ids.
    id: u64,
    /// When it happened.
    created_date: String,
    /// What happened.
    log: String,
    /// Who did it; null for Offshoot itself.
    author: Option<Author>,
    /// The environment that it happened in, as it is now, or was when it was deleted; null for the project's own affairs.
    environment: Option<LightEnvironment>,
    /// The project that it happened in, as it is now, or was when it was deleted; null for the organisation's own affairs.
    project: Option<ListedProject>,
    /// The integer id of the object that it is about.
    related_object_id: Option<i64>,
    /// The UUID of the object, for kinds of objects that Flagsmith has no lines about.
    related_object_uuid: Option<Uuid>,
    /// `FEATURE`, `FEATURE_STATE`, `SEGMENT`, `ENVIRONMENT`, `PROJECT`, `ORGANISATION` or `API_KEY`.
    related_object_type: &'static str,
    /// Whether Offshoot did it by itself.
    is_system_event: bool,
}

/// A line of the audit log, and what changed.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditItem {
    /// What lists say of it.
    #[serde(flatten)]
    line: AuditLine,
    /// What changed.
    change_details: Vec<AuditChange>,
    /// `CREATE`, `UPDATE`, `DELETE` or `UNKNOWN`.
    change_type: &'static str,
}

/// One thing that changed.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditChange {
    /// The thing.
    field: String,
    /// What it was; null if it was not there.
    old: Value,
    /// What it is; null if it is there no longer.
    new: Value,
    /// The multivariate option that it is the share of, if it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    option: Option<i64>,
}

impl From<ChangeDetail> for AuditChange {
    fn from(detail: ChangeDetail) -> Self {
        let ChangeDetail { field, old, new, option } = detail;
        Self { field, old, new, option: option.map(|option| option.0) }
    }
}

/// The part of the audit log that a request is about, in which the caller may read everything.
enum Scope {
    Organisations(Vec<OrganisationId>),
    Project(ProjectId),
}

impl Scope {
    /// The organisations that the caller administers.
    async fn of_caller(session: &Session) -> Result<Self, Problem> {
        let memberships = session.memberships().await?.into_iter().filter(|membership| membership.is_admin);
        Ok(Self::Organisations(memberships.map(|membership| membership.organisation).collect()))
    }

    async fn organisation(session: &Session, id: i64) -> Result<Self, Problem> {
        let membership = session.administered(OrganisationId(id)).await?;
        Ok(Self::Organisations(vec![membership.organisation]))
    }

    async fn project(session: &Session, id: i64) -> Result<Self, Problem> {
        let project = session.project(ProjectId(id), Some(ProjectPermission::ViewAuditLog)).await?;
        Ok(Self::Project(project.id))
    }

    fn filter(&self) -> AuditFilter {
        match self {
            Self::Organisations(ids) => AuditFilter { organisations: Some(ids.clone()), ..AuditFilter::default() },
            Self::Project(id) => AuditFilter { projects: Some(vec![*id]), ..AuditFilter::default() },
        }
    }

    fn holds(&self, entry: &AuditEntry) -> bool {
        match self {
            Self::Organisations(ids) => entry.organisation.is_some_and(|organisation| ids.contains(&organisation)),
            Self::Project(id) => entry.project == Some(*id),
        }
    }
}

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_all))
        .routes(routes!(retrieve))
        .routes(routes!(list_of_project))
        .routes(routes!(retrieve_of_project))
        .routes(routes!(list_of_organisation))
        .routes(routes!(retrieve_of_organisation))
}

/// List what happened in the organisations that the caller administers
///
/// The newest first.
#[utoipa::path(
    get, path = "/audit/", tag = "audit",
    params(
        ("project" = Option<i64>, Query, description = "Only in this project"),
        ("environments" = Option<Vec<i64>>, Query, description = "Only in one of these environments; repeatable"),
        ("search" = Option<String>, Query, description = "Only lines with this in their text; at most 256 characters"),
        ("actor" = Option<String>, Query, description = "Only of those with this in their names; at most 256 characters"),
        ("is_system_event" = Option<bool>, Query, description = "Only what Offshoot did by itself, or only what it did not"),
        ("page" = Option<u32>, Query, description = "1 is the first"),
        ("page_size" = Option<u32>, Query, description = "At most 999"),
    ),
    responses((status = 200, description = "A page of lines", body = Page<AuditLine>), CommonProblems)
)]
async fn list_all(session: Session, Query(fields): Query, pages: Pagination) -> Result<Answer, Problem> {
    let scope = Scope::of_caller(&session).await?;
    answer_list(&session, &scope, fields, &pages).await
}

/// List what happened in a project
///
/// As `/audit/`, for whoever may VIEW_AUDIT_LOG in the project.
#[utoipa::path(
    get, path = "/projects/{project}/audit/", tag = "audit",
    params(
        ("project" = i64, Path, description = "The integer id of the project"),
        ("environments" = Option<Vec<i64>>, Query, description = "Only in one of these environments; repeatable"),
        ("search" = Option<String>, Query, description = "Only lines with this in their text; at most 256 characters"),
        ("actor" = Option<String>, Query, description = "Only of those with this in their names; at most 256 characters"),
        ("is_system_event" = Option<bool>, Query, description = "Only what Offshoot did by itself, or only what it did not"),
        ("page" = Option<u32>, Query, description = "1 is the first"),
        ("page_size" = Option<u32>, Query, description = "At most 999"),
    ),
    responses((status = 200, description = "A page of lines", body = Page<AuditLine>), CommonProblems)
)]
async fn list_of_project(
    session: Session,
    Path(project): Path<i64>,
    Query(fields): Query,
    pages: Pagination,
) -> Result<Answer, Problem> {
    let scope = Scope::project(&session, project).await?;
    answer_list(&session, &scope, fields, &pages).await
}

/// List what happened in an organisation
///
/// As `/audit/`, for the organisation's administrators.
#[utoipa::path(
    get, path = "/organisations/{organisation}/audit/", tag = "audit",
    params(
        ("organisation" = i64, Path, description = "The integer id of the organisation"),
        ("project" = Option<i64>, Query, description = "Only in this project"),
        ("environments" = Option<Vec<i64>>, Query, description = "Only in one of these environments; repeatable"),
        ("search" = Option<String>, Query, description = "Only lines with this in their text; at most 256 characters"),
        ("actor" = Option<String>, Query, description = "Only of those with this in their names; at most 256 characters"),
        ("is_system_event" = Option<bool>, Query, description = "Only what Offshoot did by itself, or only what it did not"),
        ("page" = Option<u32>, Query, description = "1 is the first"),
        ("page_size" = Option<u32>, Query, description = "At most 999"),
    ),
    responses((status = 200, description = "A page of lines", body = Page<AuditLine>), CommonProblems)
)]
async fn list_of_organisation(
    session: Session,
    Path(organisation): Path<i64>,
    Query(fields): Query,
    pages: Pagination,
) -> Result<Answer, Problem> {
    let scope = Scope::organisation(&session, organisation).await?;
    answer_list(&session, &scope, fields, &pages).await
}

async fn answer_list(
    session: &Session,
    scope: &Scope,
    mut fields: Fields,
    pages: &Pagination,
) -> Result<Answer, Problem> {
    let any = integer(i64::MIN, i64::MAX);
    let environments = fields.optional("environments", list(any));
    let search = fields.optional("search", text(AUDIT_SEARCH_CHARACTERS_MAX).or_blank());
    let actor = fields.optional("actor", text(AUDIT_SEARCH_CHARACTERS_MAX).or_blank());
    let filter = AuditFilter {
        project: fields.optional("project", any).map(ProjectId),
        environments: environments.map(|ids| ids.into_iter().map(EnvironmentId).collect()),
        search: search.filter(|search| !search.is_empty()),
        actor: actor.filter(|actor| !actor.is_empty()),
        is_system_event: fields.optional("is_system_event", boolean()),
        ..scope.filter()
    };
    fields.finish()?;
    let rows = Rows { limit: pages.limit(), offset: pages.offset() };
    let query =
        move |file: &_| Ok((audit_log::count_entries(file, &filter)?, audit_log::list_entries(file, &filter, rows)?));
    let (count, entries) = session.state.read_models.audit_log.query(query).await?;
    let lines = render(session, &entries).await?;
    Ok(Answer::ok(&pages.page(count, lines)?))
}

/// See one thing that happened, and what changed
#[utoipa::path(
    get, path = "/audit/{id}/", tag = "audit",
    params(("id" = u64, Path, description = "The id of the line")),
    responses((status = 200, description = "The line", body = AuditItem), CommonProblems)
)]
async fn retrieve(session: Session, Path(id): Path<u64>) -> Result<Answer, Problem> {
    let scope = Scope::of_caller(&session).await?;
    answer_item(&session, &scope, id).await
}

/// See one thing that happened in a project, and what changed
#[utoipa::path(
    get, path = "/projects/{project}/audit/{id}/", tag = "audit",
    params(
        ("project" = i64, Path, description = "The integer id of the project"),
        ("id" = u64, Path, description = "The id of the line"),
    ),
    responses((status = 200, description = "The line", body = AuditItem), CommonProblems)
)]
async fn retrieve_of_project(session: Session, Path((project, id)): Path<(i64, u64)>) -> Result<Answer, Problem> {
    let scope = Scope::project(&session, project).await?;
    answer_item(&session, &scope, id).await
}

/// See one thing that happened in an organisation, and what changed
#[utoipa::path(
    get, path = "/organisations/{organisation}/audit/{id}/", tag = "audit",
    params(
        ("organisation" = i64, Path, description = "The integer id of the organisation"),
        ("id" = u64, Path, description = "The id of the line"),
    ),
    responses((status = 200, description = "The line", body = AuditItem), CommonProblems)
)]
async fn retrieve_of_organisation(
    session: Session,
    Path((organisation, id)): Path<(i64, u64)>,
) -> Result<Answer, Problem> {
    let scope = Scope::organisation(&session, organisation).await?;
    answer_item(&session, &scope, id).await
}

async fn answer_item(session: &Session, scope: &Scope, id: u64) -> Result<Answer, Problem> {
    let found = session.state.read_models.audit_log.query(move |file: &_| audit_log::entry(file, id)).await?;
    let not_found = || Problem::not_found("AuditLog");
    let entry = found.filter(|entry| scope.holds(entry)).ok_or_else(not_found)?;
    let line = render(session, std::slice::from_ref(&entry)).await?.pop().ok_or_else(not_found)?;
    let change_details = entry.change_details.into_iter().map(AuditChange::from).collect();
    Ok(Answer::ok(&AuditItem { line, change_details, change_type: entry.change_type.as_str() }))
}

/// Entries with those who acted, and the environments and projects, each looked up once, also if they are gone.
async fn render(session: &Session, entries: &[AuditEntry]) -> Result<Vec<AuditLine>, Problem> {
    let read_models = &session.state.read_models;
    let authors = Authors::look_up(read_models, entries.iter().filter_map(|entry| entry.actor.as_ref())).await?;
    let ids: BTreeSet<_> = entries.iter().filter_map(|entry| entry.environment).collect();
    let ids: Vec<_> = ids.into_iter().collect();
    let query = move |file: &_| environment_status::environments_by_ids(file, &ids);
    let environments = read_models.environment_status.query(query).await?;
    let environments: HashMap<_, _> =
        environments.into_iter().map(|stored| (stored.id, LightEnvironment::from(stored))).collect();
    let ids: BTreeSet<_> = entries.iter().filter_map(|entry| entry.project).collect();
    let ids: Vec<_> = ids.into_iter().collect();
    let projects = read_models.features.query(move |file: &_| features::projects_by_ids(file, &ids)).await?;
    let projects: HashMap<_, _> = projects.into_iter().map(|stored| (stored.id, ListedProject::from(stored))).collect();
    let line = |entry: &AuditEntry| AuditLine {
        id: entry.id,
        created_date: iso(entry.created_at),
        log: entry.log.clone(),
        author: entry.actor.as_ref().and_then(|actor| authors.author(actor)),
        environment: entry.environment.and_then(|id| environments.get(&id).cloned()),
        project: entry.project.and_then(|id| projects.get(&id).cloned()),
        related_object_id: entry.related_object_id,
        related_object_uuid: entry.related_object_uuid,
        related_object_type: entry.related_object_type.as_str(),
        is_system_event: entry.is_system_event,
    };
    Ok(entries.iter().map(line).collect())
}
