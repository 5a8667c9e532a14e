//! `/projects/{project}/features/{feature}/mv-options/`: the options of a multivariate feature.

use offshoot_aggregates::environment::FeatureValue;
use offshoot_aggregates::ids::{FeatureId, MultivariateOptionId, ProjectId};
use offshoot_aggregates::limits::OPTION_KEY_CHARACTERS_MAX;
use offshoot_aggregates::permissions::ProjectPermission;
use offshoot_aggregates::project::{MultivariateOption, ProjectCommand};
use offshoot_projections::features::{self, StoredProject};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::features::existing;
use super::shapes::multivariate_option::{ListedOption, NestedOption, OptionBody, OptionFields};
use crate::http::answer::Answer;
use crate::http::body::Path;
use crate::http::fields::Fields;
use crate::http::kinds::{id, text};
use crate::http::openapi::CommonProblems;
use crate::http::pagination::{Page, Pagination};
use crate::http::problem::Problem;
use crate::http::rejections::unknown_id;
use crate::http::session::Session;
use crate::http::state::{AppState, not_shown_yet};

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list_options, create_option)).routes(routes!(
        retrieve_option,
        update_option,
        partial_update_option,
        delete_option
    ))
}

/// List a feature's options
#[utoipa::path(
    get, path = "/projects/{project}/features/{feature}/mv-options/", tag = "multivariate options",
    params(
        ("project" = i64, Path, description = "The project's id"),
        ("feature" = i64, Path, description = "The feature's id"),
        ("page" = Option<u32>, Query, description = "1 is the first"),
        ("page_size" = Option<u32>, Query, description = "At most 999, and 999 if it is missing"),
    ),
    responses((status = 200, description = "A page of them", body = Page<ListedOption>), CommonProblems)
)]
async fn list_options(
    session: Session,
    Path((project, feature)): Path<(i64, i64)>,
    pages: Pagination,
) -> Result<Answer, Problem> {
    let project = session.project(ProjectId(project), Some(ProjectPermission::ViewProject)).await?;
    let feature = existing(&session, project.id, FeatureId(feature)).await?.definition;
    let count = feature.options.len() as u64;
    let [offset, limit] = [pages.offset(), pages.limit()].map(|bound| usize::try_from(bound).unwrap_or(usize::MAX));
    let results = feature.options.into_iter().skip(offset).take(limit);
    let results = results.map(|option| body(feature.id, option)).collect();
    Ok(Answer::ok(&pages.page(count, results)?))
}

/// Give a feature one more option
///
/// Every environment of the project gives it its default share.
#[utoipa::path(
    post, path = "/projects/{project}/features/{feature}/mv-options/", tag = "multivariate options",
    params(
        ("project" = i64, Path, description = "The project's id"),
        ("feature" = i64, Path, description = "The feature's id")
    ),
    request_body = OptionBody,
    responses((status = 201, description = "The option", body = ListedOption), CommonProblems)
)]
async fn create_option(
    session: Session,
    Path((project, feature)): Path<(i64, i64)>,
    mut fields: Fields,
) -> Result<Answer, Problem> {
    let project = session.project(ProjectId(project), Some(ProjectPermission::EditFeature)).await?;
    let feature = existing(&session, project.id, FeatureId(feature)).await?.definition.id;
    fields.require(&["feature"]);
    let (option, key) = read(&mut fields, feature, &FeatureValue::default());
    fields.finish()?;
    let (commands, command) = (&session.state.commands, session.command());
    let created = commands.add_option(&command, project.uuid, feature, option.into_new(key.flatten())).await?;
    session.state.settle(created.position).await;
    let option = find(&session, feature, created.created).await?.ok_or_else(not_shown_yet)?;
    Ok(Answer::created(&body(feature, option)).position(created.position))
}

/// See an option
#[utoipa::path(
    get, path = "/projects/{project}/features/{feature}/mv-options/{option}/", tag = "multivariate options",
    params(
        ("project" = i64, Path, description = "The project's id"),
        ("feature" = i64, Path, description = "The feature's id"),
        ("option" = i64, Path, description = "The option's id"),
    ),
    responses((status = 200, description = "The option", body = ListedOption), CommonProblems)
)]
async fn retrieve_option(session: Session, Path(path): Path<(i64, i64, i64)>) -> Result<Answer, Problem> {
    let (_, feature, option) = existing_option(&session, path, ProjectPermission::ViewProject).await?;
    Ok(Answer::ok(&body(feature, option)))
}

/// Change an option
#[utoipa::path(
    put, path = "/projects/{project}/features/{feature}/mv-options/{option}/", tag = "multivariate options",
    params(
        ("project" = i64, Path, description = "The project's id"),
        ("feature" = i64, Path, description = "The feature's id"),
        ("option" = i64, Path, description = "The option's id"),
    ),
    request_body = OptionBody,
    responses((status = 200, description = "The option", body = ListedOption), CommonProblems)
)]
async fn update_option(
    session: Session,
    Path(path): Path<(i64, i64, i64)>,
    mut fields: Fields,
) -> Result<Answer, Problem> {
    fields.require(&["feature"]);
    change(session, path, fields).await
}

/// Change some of an option
#[utoipa::path(
    patch, path = "/projects/{project}/features/{feature}/mv-options/{option}/", tag = "multivariate options",
    params(
        ("project" = i64, Path, description = "The project's id"),
        ("feature" = i64, Path, description = "The feature's id"),
        ("option" = i64, Path, description = "The option's id"),
    ),
    request_body = OptionBody,
    responses((status = 200, description = "The option", body = ListedOption), CommonProblems)
)]
async fn partial_update_option(
    session: Session,
    Path(path): Path<(i64, i64, i64)>,
    fields: Fields,
) -> Result<Answer, Problem> {
    change(session, path, fields).await
}

async fn change(session: Session, path: (i64, i64, i64), mut fields: Fields) -> Result<Answer, Problem> {
    let (project, feature, before) = existing_option(&session, path, ProjectPermission::EditFeature).await?;
    let (option, key) = read(&mut fields, feature, &before.value);
    fields.finish()?;
    let change = option.into_change(key);
    let command = ProjectCommand::ChangeMultivariateOption { feature, option: before.id, change };
    let position = session.state.commands.project(&session.command(), project.uuid, command).await?.position;
    session.state.settle(position).await;
    let (_, feature, option) = existing_option(&session, path, ProjectPermission::EditFeature).await?;
    Ok(Answer::ok(&body(feature, option)).position(position))
}

/// Take an option from a feature
///
/// A feature that has none left is a standard one.
#[utoipa::path(
    delete, path = "/projects/{project}/features/{feature}/mv-options/{option}/", tag = "multivariate options",
    params(
        ("project" = i64, Path, description = "The project's id"),
        ("feature" = i64, Path, description = "The feature's id"),
        ("option" = i64, Path, description = "The option's id"),
    ),
    responses((status = 204, description = "It is gone"), CommonProblems)
)]
async fn delete_option(
    session: Session,
    Path((project, feature, option)): Path<(i64, i64, i64)>,
) -> Result<Answer, Problem> {
    let project = session.project(ProjectId(project), Some(ProjectPermission::EditFeature)).await?;
    // Whether it is there is for the project to say, so that a repeated request is told the same.
    let (feature, option) = (FeatureId(feature), MultivariateOptionId(option));
    let command = ProjectCommand::RemoveMultivariateOption { feature, option };
    let position = session.state.commands.project(&session.command(), project.uuid, command).await?.position;
    session.state.settle(position).await;
    Ok(Answer::no_content().position(position))
}

/// What a request says of an option, and of its key.
fn read(fields: &mut Fields, feature: FeatureId, before: &FeatureValue) -> (OptionFields, Option<Option<String>>) {
    if let Some(other) = fields.optional("feature", id()).filter(|id| *id != feature.0) {
        fields.fail("feature", unknown_id(other));
    }
    let option = OptionFields::read(fields, before);
    (option, fields.nullable("key", text(OPTION_KEY_CHARACTERS_MAX)))
}

async fn find(
    session: &Session,
    feature: FeatureId,
    option: MultivariateOptionId,
) -> Result<Option<MultivariateOption>, Problem> {
    let query = move |file: &_| features::option(file, feature, option);
    Ok(session.state.read_models.features.query(query).await?)
}

async fn existing_option(
    session: &Session,
    (project, feature, option): (i64, i64, i64),
    permission: ProjectPermission,
) -> Result<(StoredProject, FeatureId, MultivariateOption), Problem> {
    let project = session.project(ProjectId(project), Some(permission)).await?;
    let mut feature = existing(session, project.id, FeatureId(feature)).await?.definition;
    feature.options.retain(|known| known.id.0 == option);
    let option = feature.options.pop().ok_or_else(|| Problem::not_found("MultivariateFeatureOption"))?;
    Ok((project, feature.id, option))
}

fn body(feature: FeatureId, option: MultivariateOption) -> ListedOption {
    ListedOption { option: NestedOption::from(option), feature: feature.0 }
}
