//! Projects: listed, created by an organisation's admin, shown with totals, changed and deleted.

use offshoot_aggregates::ids::{OrganisationId, ProjectId};
use offshoot_aggregates::limits::{FEATURE_NAME_REGEX_CHARACTERS_MAX, NAME_CHARACTERS_MAX};
use offshoot_aggregates::permissions::ProjectPermission;
use offshoot_aggregates::project::ProjectSettings;
use offshoot_projections::{access, features};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::shapes::project::{ListedProject, RetrievedProject};
use crate::http::answer::Answer;
use crate::http::body::{Path, Query};
use crate::http::fields::Fields;
use crate::http::kinds;
use crate::http::openapi::CommonProblems;
use crate::http::problem::Problem;
use crate::http::session::Session;
use crate::http::state::AppState;

/// The routes.
pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(retrieve, replace, update, delete))
}

/// The projects that the caller may view
#[utoipa::path(
    get, path = "/projects/", tag = "projects",
    params(("organisation" = Option<i64>, Query), ("uuid" = Option<uuid::Uuid>, Query)),
    responses((status = 200, body = Vec<ListedProject>), CommonProblems)
)]
async fn list(session: Session, Query(mut query): Query) -> Result<Answer, Problem> {
    let organisation = query.optional("organisation", kinds::text(64).or_blank()).filter(|text| !text.is_empty());
    let uuid = query.optional("uuid", kinds::uuid());
    query.finish()?;
    let organisation = organisation.map(|text| text.parse().map(OrganisationId)).transpose();
    let organisation = organisation.map_err(|_| Problem::field_bare("organisation", "Must be a valid integer."))?;
    let principal = session.principal();
    let visible = move |file: &_| access::visible_projects(file, &principal);
    let visible = session.state.read_models.access.query(visible).await?;
    let mut projects =
        session.state.read_models.features.query(move |file| features::projects_by_ids(file, &visible)).await?;
    projects.retain(|project| {
        !project.is_deleted
            && organisation.is_none_or(|organisation| project.organisation == organisation)
            && uuid.is_none_or(|uuid| project.uuid == uuid)
    });
    let listed: Vec<ListedProject> = projects.into_iter().map(Into::into).collect();
    Ok(Answer::ok(&listed))
}

/// Creates a project that the caller administers
#[utoipa::path(
    post, path = "/projects/", tag = "projects", request_body = ProjectBody,
    responses((status = 201, body = ListedProject), CommonProblems)
)]
async fn create(session: Session, mut fields: Fields) -> Result<Answer, Problem> {
    let organisation = match fields.optional("organisation", kinds::id()) {
        Some(id) => Some(session.administered(OrganisationId(id)).await.map_err(Problem::or_forbidden)?),
        None => None,
    };
    fields.require(&["name", "organisation"]);
    let settings = changed(ProjectSettings::named(""), &mut fields);
    fields.finish()?;
    let organisation = organisation.ok_or_else(Problem::forbidden)?.organisation_uuid;
    let commands = &session.state.commands;
    let admin = Some(session.principal());
    let created = commands.create_project(&session.command(), organisation, settings, admin).await?;
    session.state.settle(created.position).await;
    let (_, id) = created.created;
    let project: ListedProject = session.find_project(id).await?.into();
    Ok(Answer::created(&project).position(created.position))
}

/// One project, with totals
#[utoipa::path(
    get, path = "/projects/{id}/", tag = "projects", params(("id" = i64, Path)),
    responses((status = 200, body = RetrievedProject), CommonProblems)
)]
async fn retrieve(session: Session, Path(id): Path<i64>) -> Result<Answer, Problem> {
    let project = session.project(ProjectId(id), Some(ProjectPermission::ViewProject)).await?;
    Ok(Answer::ok(&RetrievedProject::from(project)))
}

/// Changes a project's settings; its name must be among them
#[utoipa::path(
    put, path = "/projects/{id}/", tag = "projects", params(("id" = i64, Path)), request_body = ProjectBody,
    responses((status = 200, body = RetrievedProject), CommonProblems)
)]
async fn replace(session: Session, Path(id): Path<i64>, mut fields: Fields) -> Result<Answer, Problem> {
    fields.require(&["name"]);
    change(&session, ProjectId(id), fields).await
}

/// Changes some of a project's settings
#[utoipa::path(
    patch, path = "/projects/{id}/", tag = "projects", params(("id" = i64, Path)), request_body = ProjectBody,
    responses((status = 200, body = RetrievedProject), CommonProblems)
)]
async fn update(session: Session, Path(id): Path<i64>, fields: Fields) -> Result<Answer, Problem> {
    change(&session, ProjectId(id), fields).await
}

/// Deletes a project and everything in it
#[utoipa::path(
    delete, path = "/projects/{id}/", tag = "projects", params(("id" = i64, Path)),
    responses((status = 204), CommonProblems)
)]
async fn delete(session: Session, Path(id): Path<i64>) -> Result<Answer, Problem> {
    let project = session.project(ProjectId(id), None).await?;
    let deleted = session.state.commands.delete_project(&session.command(), project.uuid).await?;
    session.state.settle(deleted.position).await;
    Ok(Answer::no_content().position(deleted.position))
}

async fn change(session: &Session, id: ProjectId, mut fields: Fields) -> Result<Answer, Problem> {
    let project = session.project(id, None).await?;
    let commands = &session.state.commands;
    // Not from the read model: what someone else has just changed must stay.
    let before = commands.load_project(project.uuid).await?.aggregate.settings().cloned();
    let base = before.unwrap_or(project.settings);
    let settings = changed(base.clone(), &mut fields);
    fields.finish()?;
    let command = session.command();
    let position = commands.change_project_settings(&command, project.uuid, &base, settings).await?.position;
    session.state.settle(position).await;
    let project = RetrievedProject::from(session.find_project(id).await?);
    Ok(Answer::ok(&project).position(position))
}

/// The settings, changed as the fields ask; what is not asked for stays.
fn changed(mut settings: ProjectSettings, fields: &mut Fields) -> ProjectSettings {
    if let Some(name) = fields.optional("name", kinds::text(NAME_CHARACTERS_MAX)) {
        settings.name = name;
    }
    for (name, switch) in [
        ("hide_disabled_flags", &mut settings.hide_disabled_flags),
        ("prevent_flag_defaults", &mut settings.prevent_flag_defaults),
        ("enable_realtime_updates", &mut settings.enable_realtime_updates),
        ("only_allow_lower_case_feature_names", &mut settings.only_allow_lower_case_feature_names),
        ("show_edge_identity_overrides_for_feature", &mut settings.show_edge_identity_overrides_for_feature),
        ("enforce_feature_owners", &mut settings.enforce_feature_owners),
    ] {
        *switch = fields.optional(name, kinds::boolean()).unwrap_or(*switch);
    }
    let pattern = kinds::text(FEATURE_NAME_REGEX_CHARACTERS_MAX).or_blank();
    if let Some(pattern) = fields.nullable("feature_name_regex", pattern) {
        // An empty one would fit no name.
        settings.feature_name_regex = pattern.filter(|pattern| !pattern.is_empty());
    }
    if let Some(days) = fields.optional("stale_flags_limit_days", kinds::integer(0, i32::MAX.into())) {
        settings.stale_flags_limit_days = i32::try_from(days).unwrap_or(i32::MAX);
    }
    let approvals = kinds::integer(0, i32::MAX.into());
    if let Some(approvals) = fields.nullable("minimum_change_request_approvals", approvals) {
        settings.minimum_change_request_approvals =
            approvals.map(|approvals| i32::try_from(approvals).unwrap_or(i32::MAX));
    }
    settings
}

/// A project as it shall be.
#[derive(ToSchema)]
#[allow(dead_code, clippy::struct_excessive_bools, reason = "only the description of the API is made from it")]
struct ProjectBody {
    /// Its name, at most 2,000 characters; unique in the organisation.
    name: String,
    /// The integer id of its organisation; nothing but a new project takes it.
    organisation: i64,
    /// Whether disabled flags are left out of answers, where the environment does not say.
    hide_disabled_flags: Option<bool>,
    /// Whether clients are told not to use defaults of their own.
    prevent_flag_defaults: Option<bool>,
    /// Whether clients are told of changes as they happen.
    enable_realtime_updates: Option<bool>,
    /// Whether people are asked for lower case in the names of new features.
    only_allow_lower_case_feature_names: Option<bool>,
    /// What new features' names must match, from end to end.
    feature_name_regex: Option<String>,
    /// Whether identity overrides of a feature are shown.
    show_edge_identity_overrides_for_feature: Option<bool>,
    /// Days without a change after which a flag counts as stale.
    stale_flags_limit_days: Option<i32>,
    /// Approvals that a change to the project needs.
    minimum_change_request_approvals: Option<i32>,
    /// Whether a feature needs an owner.
    enforce_feature_owners: Option<bool>,
}
