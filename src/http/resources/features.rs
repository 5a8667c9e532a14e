//! `/projects/{project}/features/`: making, seeing, changing and deleting features. `feature_list` lists them.

use offshoot_aggregates::environment::FeatureValue;
use offshoot_aggregates::ids::{FeatureId, MultivariateOptionId, ProjectId};
use offshoot_aggregates::limits::{DESCRIPTION_CHARACTERS_MAX, NAME_CHARACTERS_MAX, STRING_VALUE_CHARACTERS_MAX};
use offshoot_aggregates::permissions::ProjectPermission;
use offshoot_aggregates::project::{FeatureChange, OptionEdit, ProjectCommand, ProjectError};
use offshoot_projections::features::{self, StoredFeature};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::shapes::author::Authors;
use super::shapes::feature::{FeatureBody, FeatureForm};
use super::shapes::multivariate_option::{OptionBody, OptionFields};
use crate::commands::{CommandError, NewFeature, NewOption, Rejection};
use crate::http::answer::Answer;
use crate::http::body::Path;
use crate::http::fields::Fields;
use crate::http::kinds::{boolean, choice, id, list, text};
use crate::http::openapi::CommonProblems;
use crate::http::problem::Problem;
use crate::http::rejections::{INVALID_ALLOCATION, unknown_id};
use crate::http::session::Session;
use crate::http::state::{AppState, not_shown_yet};

/// The field of a feature's options.
const OPTIONS: &str = "multivariate_options";

/// What a request may say of a new feature.
#[derive(Debug, ToSchema)]
#[allow(dead_code, reason = "only the description of the API is made from it")]
pub struct NewFeatureBody {
    /// Its name, unique in the project without regard to case; at most 2,000 characters.
    name: String,
    /// `STANDARD` or `MULTIVARIATE`; one with options is always `MULTIVARIATE`.
    r#type: Option<String>,
    /// Whether it is on where nobody has set it. `false` if it is missing.
    default_enabled: Option<bool>,
    /// Its value where nobody has set it, at most 20,000 characters: an integer if it reads as one of 32 bits, a boolean if
    /// it is `true` or `false`, else a text.
    initial_value: Option<String>,
    /// What it is for.
    description: Option<String>,
    /// Whether it is out of use.
    is_archived: Option<bool>,
    /// Whether only clients with a server key see it.
    is_server_key_only: Option<bool>,
    /// Its options; their `key` is set where they are changed one by one.
    multivariate_options: Option<Vec<OptionBody>>,
}

/// What a request may say of a feature that is there; what is missing stays as it is.
#[derive(Debug, ToSchema)]
#[allow(dead_code, reason = "only the description of the API is made from it")]
pub struct FeatureChangeBody {
    /// What it is for.
    description: Option<String>,
    /// Whether it is out of use.
    is_archived: Option<bool>,
    /// Whether only clients with a server key see it.
    is_server_key_only: Option<bool>,
    /// Its options: those with an `id` are changed, those without are added, and those not named are removed.
    multivariate_options: Option<Vec<OptionBody>>,
}

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(super::feature_list::list_features, create_feature)).routes(routes!(
        retrieve_feature,
        update_feature,
        partial_update_feature,
        delete_feature
    ))
}

/// Make a feature
///
/// From here every environment of the project has its default state, also one that is being created.
#[utoipa::path(
    post, path = "/projects/{project}/features/", tag = "features",
    params(("project" = i64, Path, description = "The project's id")), request_body = NewFeatureBody,
    responses((status = 201, description = "The feature", body = FeatureBody), CommonProblems)
)]
async fn create_feature(session: Session, Path(project): Path<i64>, mut fields: Fields) -> Result<Answer, Problem> {
    let project = session.project(ProjectId(project), Some(ProjectPermission::CreateFeature)).await?;
    let new = read_new(&mut fields);
    fields.finish()?;
    let created = session.state.commands.create_feature(&session.command(), project.uuid, new).await;
    let created = created.map_err(rejected_options)?;
    session.state.settle(created.position).await;
    let feature = find(&session, project.id, created.created).await?.ok_or_else(not_shown_yet)?;
    let body = bodies(&session, vec![feature], FeatureForm::Created).await?.pop();
    Ok(Answer::created(&body).position(created.position))
}

fn read_new(fields: &mut Fields) -> NewFeature {
    read_tags(fields);
    let options = fields.objects(OPTIONS, read_new_option);
    let initial_value = fields.nullable("initial_value", text(STRING_VALUE_CHARACTERS_MAX).verbatim().or_boolean());
    let description = fields.nullable("description", text(DESCRIPTION_CHARACTERS_MAX).or_blank());
    NewFeature {
        name: fields.required("name", text(NAME_CHARACTERS_MAX)),
        feature_type: fields.optional("type", choice()).unwrap_or_default(),
        default_enabled: fields.optional("default_enabled", boolean()).unwrap_or_default(),
        initial_value: initial_value.flatten(),
        description: description.flatten(),
        is_archived: fields.optional("is_archived", boolean()).unwrap_or_default(),
        is_server_key_only: fields.optional("is_server_key_only", boolean()).unwrap_or_default(),
        options: options.unwrap_or_default(),
    }
}

fn read_new_option(fields: &mut Fields) -> NewOption {
    OptionFields::read(fields, &FeatureValue::default()).into_new(None)
}

/// There are no tags, so that each is unknown.
fn read_tags(fields: &mut Fields) {
    if let Some(tag) = fields.optional("tags", list(id())).and_then(|tags| tags.first().copied()) {
        fields.fail("tags", unknown_id(tag));
    }
}

/// The same rejection has another name where options come one by one.
fn rejected_options(error: CommandError) -> Problem {
    match error {
        CommandError::Rejected(Rejection::Project(
            ProjectError::InvalidPercentage | ProjectError::PercentagesExceed,
        )) => Problem::field(OPTIONS, INVALID_ALLOCATION),
        error => error.into(),
    }
}

/// See a feature
#[utoipa::path(
    get, path = "/projects/{project}/features/{feature}/", tag = "features",
    params(
        ("project" = i64, Path, description = "The project's id"),
        ("feature" = i64, Path, description = "The feature's id")
    ),
    responses((status = 200, description = "The feature", body = FeatureBody), CommonProblems)
)]
async fn retrieve_feature(session: Session, Path((project, feature)): Path<(i64, i64)>) -> Result<Answer, Problem> {
    let project = session.project(ProjectId(project), Some(ProjectPermission::ViewProject)).await?;
    let feature = existing(&session, project.id, FeatureId(feature)).await?;
    Ok(Answer::ok(&bodies(&session, vec![feature], FeatureForm::Shown).await?.pop()))
}

/// Change a feature
///
/// As PATCH: nothing has to be said. The name, the defaults and the owners stay as they are, whatever the body says of them.
#[utoipa::path(
    put, path = "/projects/{project}/features/{feature}/", tag = "features",
    params(
        ("project" = i64, Path, description = "The project's id"),
        ("feature" = i64, Path, description = "The feature's id")
    ),
    request_body = FeatureChangeBody,
    responses((status = 200, description = "The feature", body = FeatureBody), CommonProblems)
)]
async fn update_feature(session: Session, Path(path): Path<(i64, i64)>, fields: Fields) -> Result<Answer, Problem> {
    change(session, path, fields).await
}

/// Change some of a feature
///
/// The name, the defaults and the owners stay as they are, whatever the body says of them.
#[utoipa::path(
    patch, path = "/projects/{project}/features/{feature}/", tag = "features",
    params(
        ("project" = i64, Path, description = "The project's id"),
        ("feature" = i64, Path, description = "The feature's id")
    ),
    request_body = FeatureChangeBody,
    responses((status = 200, description = "The feature", body = FeatureBody), CommonProblems)
)]
async fn partial_update_feature(
    session: Session,
    Path(path): Path<(i64, i64)>,
    fields: Fields,
) -> Result<Answer, Problem> {
    change(session, path, fields).await
}

async fn change(session: Session, (project, feature): (i64, i64), mut fields: Fields) -> Result<Answer, Problem> {
    let project = session.project(ProjectId(project), Some(ProjectPermission::EditFeature)).await?;
    let feature = existing(&session, project.id, FeatureId(feature)).await?.definition;
    read_tags(&mut fields);
    let change = FeatureChange {
        description: fields.nullable("description", text(DESCRIPTION_CHARACTERS_MAX).or_blank()),
        is_archived: fields.optional("is_archived", boolean()),
        is_server_key_only: fields.optional("is_server_key_only", boolean()),
    };
    let known = |id: i64| feature.options.iter().find(|option| option.id.0 == id);
    let options = fields.objects(OPTIONS, |item| match item.nullable("id", id()).flatten() {
        None => OptionEdit::Add(read_new_option(item)),
        Some(id) => {
            let known = known(id);
            if known.is_none() {
                item.fail("id", unknown_id(id));
            }
            let value = known.map(|option| option.value.clone()).unwrap_or_default();
            OptionEdit::Change(MultivariateOptionId(id), OptionFields::read(item, &value).into_change(None))
        }
    });
    fields.finish()?;
    let (commands, command) = (&session.state.commands, session.command());
    let changed = commands.change_feature(&command, project.uuid, feature.id, change, options).await;
    let position = changed.map_err(rejected_options)?.position;
    session.state.settle(position).await;
    let feature = existing(&session, project.id, feature.id).await?;
    let body = bodies(&session, vec![feature], FeatureForm::Changed).await?.pop();
    Ok(Answer::ok(&body).position(position))
}

/// Delete a feature
///
/// With it go its states in every environment.
#[utoipa::path(
    delete, path = "/projects/{project}/features/{feature}/", tag = "features",
    params(
        ("project" = i64, Path, description = "The project's id"),
        ("feature" = i64, Path, description = "The feature's id")
    ),
    responses((status = 204, description = "It is gone"), CommonProblems)
)]
async fn delete_feature(session: Session, Path((project, feature)): Path<(i64, i64)>) -> Result<Answer, Problem> {
    let project = session.project(ProjectId(project), Some(ProjectPermission::DeleteFeature)).await?;
    // Whether it is there is for the project to say, so that a repeated request is told the same.
    let command = ProjectCommand::DeleteFeature { feature: FeatureId(feature) };
    let position = session.state.commands.project(&session.command(), project.uuid, command).await?.position;
    session.state.settle(position).await;
    Ok(Answer::no_content().position(position))
}

async fn find(session: &Session, project: ProjectId, feature: FeatureId) -> Result<Option<StoredFeature>, Problem> {
    let query = move |file: &_| features::feature(file, project, feature);
    Ok(session.state.read_models.features.query(query).await?)
}

/// A feature of a project.
///
/// # Errors
/// 404 if the project does not have it.
pub(super) async fn existing(
    session: &Session,
    project: ProjectId,
    feature: FeatureId,
) -> Result<StoredFeature, Problem> {
    find(session, project, feature).await?.ok_or_else(|| Problem::not_found("Feature"))
}

/// Features in the form of an answer, each with its owner.
pub(super) async fn bodies(
    session: &Session,
    features: Vec<StoredFeature>,
    form: FeatureForm,
) -> Result<Vec<FeatureBody>, Problem> {
    let creators = features.iter().filter_map(|feature| feature.creator.as_ref());
    let authors = Authors::look_up(&session.state.read_models, creators).await?;
    Ok(features.into_iter().map(|feature| FeatureBody::new(feature, &authors, form)).collect())
}
