//! Finding, changing and making feature states: what the two resources that show them have in common.

use offshoot_aggregates::environment::{Allocation, ExpectedOverride, StateChange, ValueType};
use offshoot_aggregates::ids::{
    EnvironmentId, FeatureId, FeatureSegmentId, FeatureStateId, IdentityId, MultivariateOptionId, ProjectId, SegmentId,
};
use offshoot_aggregates::limits::{IDENTIFIER_CHARACTERS_MAX, PERCENTAGES_MAX};
use offshoot_aggregates::permissions::EnvironmentPermission;
use offshoot_aggregates::{Position, Version};
use offshoot_projections::environment_status::StoredEnvironment;
use offshoot_projections::feature_states::{self, EnvironmentStates, FeatureStateView, StateFilter};
use offshoot_projections::{Page as Rows, features};
use utoipa::ToSchema;

use super::shapes::feature_value::{read_columns, read_plain};
use crate::commands::OverrideSetting;
use crate::http::fields::Fields;
use crate::http::kinds::{boolean, id, number, text};
use crate::http::pagination::Pagination;
use crate::http::problem::Problem;
use crate::http::rejections::{environment_is_creating, feature_states_not_ready, unknown_id};
use crate::http::session::Session;

const FEATURE: &str = "feature";
const ENVIRONMENT: &str = "environment";
const VALUE: &str = "feature_state_value";

/// The share of an option, as a body gives it.
#[derive(Debug, ToSchema)]
#[allow(dead_code, reason = "only the description of the API is made from it")]
pub struct ShareBody {
    /// Ignored.
    id: Option<i64>,
    /// The integer id of the option.
    multivariate_feature_option: i64,
    /// Percent, 0 to 100.
    percentage_allocation: f64,
}

/// A state, and what its environment is at.
pub(super) struct FoundState {
    pub(super) state: FeatureStateView,
    pub(super) environment: EnvironmentStates,
}

impl FoundState {
    /// What the caller must be allowed in order to change the state.
    pub(super) const fn permission_to_change(&self) -> EnvironmentPermission {
        permission_to_change(self.state.segment.is_some(), self.state.identity.is_some())
    }

    /// The same state, if it may be shown.
    pub(super) fn served(self) -> Result<Self, Problem> {
        if self.environment.is_creating { Err(feature_states_not_ready()) } else { Ok(self) }
    }
}

/// What the caller must be allowed in order to change or make a state, by whom it is for.
const fn permission_to_change(is_for_segment: bool, is_for_identity: bool) -> EnvironmentPermission {
    match (is_for_segment, is_for_identity) {
        (true, _) => EnvironmentPermission::ManageSegmentOverrides,
        (false, true) => EnvironmentPermission::ManageIdentities,
        (false, false) => EnvironmentPermission::UpdateFeatureState,
    }
}

/// A state by its id, in whatever environment; 404 if there is none.
pub(super) async fn find_state(session: &Session, id: FeatureStateId) -> Result<FoundState, Problem> {
    let query = move |file: &_| {
        let Some(state) = feature_states::feature_state(file, id)? else { return Ok(None) };
        let environment = feature_states::environment_states(file, state.environment)?;
        Ok(environment.map(|environment| FoundState { state, environment }))
    };
    let found = session.state.read_models.feature_states.query(query).await?;
    found.ok_or_else(|| Problem::not_found("FeatureState"))
}

/// A state that was just made or changed.
pub(super) async fn find_written_state(session: &Session, id: FeatureStateId) -> Result<FoundState, Problem> {
    find_state(session, id).await.map_err(|problem| match problem {
        Problem::NotFound(_) => not_shown_yet(),
        problem => problem,
    })
}

/// 503: something was made, but this node's read models are far behind; or someone has removed it already.
pub(super) fn not_shown_yet() -> Problem {
    let detail = "It was recorded, but cannot be shown yet. Ask for it again soon.";
    Problem::unavailable(detail, "the read model does not have what a command just made")
}

/// States of an environment: how many there are, those on one page, and the version of the environment.
pub(super) struct StatesPage {
    pub(super) count: u64,
    pub(super) states: Vec<FeatureStateView>,
    pub(super) version: Version,
}

/// A page of an environment's states; none if `filter` is `None`.
pub(super) async fn list_states(
    session: &Session,
    environment: &StoredEnvironment,
    filter: Option<StateFilter>,
    pages: &Pagination,
) -> Result<StatesPage, Problem> {
    let (environment, is_creating) = (environment.id, environment.is_creating);
    let rows = Rows { limit: pages.limit(), offset: pages.offset() };
    let query = move |file: &_| {
        let Some(known) = feature_states::environment_states(file, environment)? else { return Ok(None) };
        let (count, states) = match filter {
            Some(filter) if !known.is_creating => (
                feature_states::count_states(file, environment, filter)?,
                feature_states::list_states(file, environment, filter, rows)?,
            ),
            _ => (0, Vec::new()),
        };
        Ok(Some((known.is_creating, StatesPage { count, states, version: known.version })))
    };
    match session.state.read_models.feature_states.query(query).await? {
        // A clone's answer does not wait for this read model, which may not know of the clone yet.
        None if is_creating => Err(feature_states_not_ready()),
        None => Err(Problem::not_found("Environment")),
        Some((true, _)) => Err(feature_states_not_ready()),
        Some((false, page)) => Ok(page),
    }
}

/// How a body gives the value of a state.
#[derive(Clone, Copy, Debug)]
pub(super) enum ValueForm {
    /// By itself.
    Plain,
    /// As an object with a column for each type.
    Object,
}

/// Reads what a body wants changed in a state whose value has a type.
pub(super) fn read_change(fields: &mut Fields, form: ValueForm, value_type: ValueType) -> StateChange {
    StateChange {
        enabled: fields.optional("enabled", boolean()),
        value: match form {
            ValueForm::Plain => read_plain(fields, VALUE),
            ValueForm::Object => fields.object(VALUE, |value| read_columns(value, value_type)),
        },
        multivariate: fields.objects("multivariate_feature_state_values", |share| Allocation {
            option: MultivariateOptionId(share.required("multivariate_feature_option", id())),
            percentage: share.required("percentage_allocation", number(0.0, PERCENTAGES_MAX)),
        }),
    }
}

/// Changes a state as a body says, and shows it.
pub(super) async fn change_state(
    session: &Session,
    found: FoundState,
    mut fields: Fields,
    form: ValueForm,
) -> Result<(FoundState, Position), Problem> {
    let FoundState { state, environment } = found;
    check_that_it_stays(session, &mut fields, &state, environment.project).await?;
    let change = read_change(&mut fields, form, state.content.value.value_type);
    fields.finish()?;
    let command = session.conditional_command(environment.version)?;
    let commands = &session.state.commands;
    let position = match (state.segment, &state.identity) {
        (None, None) => commands.set_feature_state(&command, environment.uuid, state.feature, change).await?.position,
        (None, Some(identity)) => {
            let (place, expected) = ((state.feature, identity.id), ExpectedOverride::Set);
            commands.set_identity_override(&command, environment.uuid, place, change, expected).await?.position
        }
        (Some(link), _) => {
            let setting = OverrideSetting { change, priority: None, expected: ExpectedOverride::Set };
            let place = (state.feature, link.segment);
            commands.set_segment_override(&command, environment.uuid, place, setting).await?.position
        }
    };
    session.state.settle(position).await;
    Ok((find_state(session, state.id).await?, position))
}

/// A state is of one feature in one environment, by default, for one segment or for one identity, for ever.
async fn check_that_it_stays(
    session: &Session,
    fields: &mut Fields,
    state: &FeatureStateView,
    project: ProjectId,
) -> Result<(), Problem> {
    if let Some(feature) = fields.optional(FEATURE, id())
        && feature != state.feature.0
    {
        let unknown = check_feature(session, project, FeatureId(feature)).await?;
        fields.fail(FEATURE, unknown.unwrap_or_else(|| "Cannot change the feature of a feature state".to_owned()));
    }
    if fields.optional(ENVIRONMENT, id()).is_some_and(|environment| environment != state.environment.0) {
        fields.fail(ENVIRONMENT, "Cannot change the environment of a feature state");
    }
    let feature_segment = fields.nullable("feature_segment", id());
    if feature_segment.is_some_and(|link| link != state.segment.map(|link| link.feature_segment.0)) {
        fields.fail("feature_segment", "Cannot change the feature segment of a feature state");
    }
    let identity = fields.nullable("identity", id());
    if identity.is_some_and(|identity| identity != state.identity.as_ref().map(|identity| identity.id.0)) {
        fields.fail("identity", "Cannot change the identity of a feature state");
    }
    Ok(())
}

/// Whether there is a feature with this id; if not, what to say.
///
/// # Errors
/// 400: it is of another project.
pub(super) async fn check_feature(
    session: &Session,
    project: ProjectId,
    feature: FeatureId,
) -> Result<Option<String>, Problem> {
    let query = move |file: &_| features::feature_by_id(file, feature);
    match session.state.read_models.features.query(query).await? {
        None => Ok(Some(unknown_id(feature))),
        Some(found) if found.project != project => {
            Err(Problem::field_bare(FEATURE, "Feature does not exist in project"))
        }
        Some(_) => Ok(None),
    }
}

/// Whom a state that is to be made is for.
#[derive(Clone, Copy)]
enum Overridden {
    Segment(SegmentId),
    Identity(IdentityId),
}

/// Makes the state of a segment override whose feature segment is there, or of an identity override, as a body says, and
/// shows it.
pub(super) async fn create_state(
    session: &Session,
    environment: &StoredEnvironment,
    mut fields: Fields,
    form: ValueForm,
) -> Result<(FoundState, Position), Problem> {
    let feature_segment = fields.nullable("feature_segment", id()).flatten().map(FeatureSegmentId);
    let identity = fields.nullable("identity", id()).flatten().map(IdentityId);
    let identifier = fields.nullable("identifier", text(IDENTIFIER_CHARACTERS_MAX).verbatim()).flatten();
    let is_for_identity = identity.is_some() || identifier.is_some();
    let permission = permission_to_change(feature_segment.is_some(), is_for_identity);
    session.require_in_environment(environment, Some(permission)).await?;
    if environment.is_creating {
        return Err(environment_is_creating());
    }
    let feature = FeatureId(fields.required(FEATURE, id()));
    let change = read_change(&mut fields, form, ValueType::default());
    if fields.is_valid()
        && let Some(unknown) = check_feature(session, environment.project, feature).await?
    {
        fields.fail(FEATURE, unknown);
    }
    let overridden = match feature_segment {
        _ if !fields.is_valid() => None,
        Some(_) if is_for_identity => {
            fields.fail("identity", "A state is for a segment or for an identity, not for both.");
            None
        }
        Some(link) => find_segment(session, &mut fields, environment.id, feature, link).await?.map(Overridden::Segment),
        None if is_for_identity => {
            find_identity(session, &mut fields, environment.id, (identity, identifier)).await?.map(Overridden::Identity)
        }
        None => None,
    };
    fields.finish()?;
    match overridden {
        // Every feature has its default state in every environment from the start.
        None => Err(Problem::non_field("Feature state already exists for this feature in this environment.")),
        Some(Overridden::Segment(segment)) => {
            let setting = OverrideSetting { change, priority: None, expected: ExpectedOverride::Unset };
            create_override(session, environment, (feature, segment), setting).await
        }
        Some(Overridden::Identity(identity)) => {
            create_identity_override(session, environment, (feature, identity), change).await
        }
    }
}

/// An identity of an environment, by its id or by its identifier; says so in the fields if there is none.
async fn find_identity(
    session: &Session,
    fields: &mut Fields,
    environment: EnvironmentId,
    (id, identifier): (Option<IdentityId>, Option<String>),
) -> Result<Option<IdentityId>, Problem> {
    let query = move |file: &_| match (id, identifier) {
        (Some(id), _) => feature_states::identity(file, id),
        (None, Some(identifier)) => feature_states::identity_named(file, environment, &identifier),
        (None, None) => Ok(None),
    };
    let found = session.state.read_models.feature_states.query(query).await?;
    let found = found.filter(|found| found.environment == environment).map(|found| found.id);
    match (found, id) {
        (None, Some(id)) => fields.fail("identity", unknown_id(id)),
        (None, None) => fields.fail("identifier", "Invalid identifier"),
        (Some(_), _) => {}
    }
    Ok(found)
}

/// The segment of a feature segment that belongs to a feature in an environment; says so in the fields if it does not.
async fn find_segment(
    session: &Session,
    fields: &mut Fields,
    environment: EnvironmentId,
    feature: FeatureId,
    feature_segment: FeatureSegmentId,
) -> Result<Option<SegmentId>, Problem> {
    let query = move |file: &_| feature_states::feature_segment(file, feature_segment);
    let found = session.state.read_models.feature_states.query(query).await?;
    let Some(found) = found else {
        fields.fail("feature_segment", unknown_id(feature_segment));
        return Ok(None);
    };
    if found.environment != environment {
        return Err(Problem::non_field("Feature Segment does not belong to environment."));
    }
    if found.feature != feature {
        return Err(Problem::non_field("Feature Segment does not belong to feature."));
    }
    Ok(Some(found.link.segment))
}

/// Makes the state of a segment override, and shows it.
pub(super) async fn create_override(
    session: &Session,
    environment: &StoredEnvironment,
    place: (FeatureId, SegmentId),
    setting: OverrideSetting,
) -> Result<(FoundState, Position), Problem> {
    let command = session.conditional_command(environment.version)?;
    let commands = &session.state.commands;
    let created = commands.set_segment_override(&command, environment.uuid, place, setting).await?;
    session.state.settle(created.position).await;
    let id = created.created.feature_state.ok_or_else(not_shown_yet)?;
    Ok((find_written_state(session, id).await?, created.position))
}

/// Makes the state of an identity override, and shows it.
pub(super) async fn create_identity_override(
    session: &Session,
    environment: &StoredEnvironment,
    place: (FeatureId, IdentityId),
    change: StateChange,
) -> Result<(FoundState, Position), Problem> {
    let command = session.conditional_command(environment.version)?;
    let commands = &session.state.commands;
    let expected = ExpectedOverride::Unset;
    let created = commands.set_identity_override(&command, environment.uuid, place, change, expected).await?;
    session.state.settle(created.position).await;
    Ok((find_written_state(session, created.created).await?, created.position))
}
