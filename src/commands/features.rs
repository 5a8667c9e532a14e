//! Features and their options: ids are given out, then the project decides.

use offshoot_aggregates::environment::FeatureValue;
use offshoot_aggregates::id_allocator::IdKind;
use offshoot_aggregates::ids::{FeatureId, FeatureStateId, MultivariateOptionId};
use offshoot_aggregates::project::{
    FeatureChange, FeatureDefinition, FeatureType, MultivariateOption, OptionEdit, ProjectCommand, ProjectError,
};
use uuid::Uuid;

use super::{CommandContext, CommandError, Commands, Created, Rejection};
use crate::event_log::Appended;

/// An option that a feature is to have.
#[derive(Clone, Debug, PartialEq)]
pub struct NewOption {
    /// What it gives.
    pub value: FeatureValue,
    /// Its default share in percent.
    pub default_percentage_allocation: f64,
    /// The name of the variant.
    pub key: Option<String>,
}

/// A feature that a project is to have.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NewFeature {
    /// Its name.
    pub name: String,
    /// Whether it has variants; one with options always has.
    pub feature_type: FeatureType,
    /// Whether it is on where nobody has set it.
    pub default_enabled: bool,
    /// Its value where nobody has set it.
    pub initial_value: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// Whether it is out of use from the start.
    pub is_archived: bool,
    /// Whether only clients with a server key see it.
    pub is_server_key_only: bool,
    /// Its options.
    pub options: Vec<NewOption>,
}

/// The step of [`Commands::change_feature`] that replaces the feature's options.
const REPLACE_OPTIONS_STEP: &str = "options";

/// Ids reserved beyond those needed now, for environments that are created at the same time.
const SPARE_IDS: u64 = 4;

impl Commands {
    /// Creates a feature, and its default state in every environment of the project. Returns its id.
    ///
    /// # Errors
    /// [`CommandError`].
    pub async fn create_feature(
        &self,
        context: &CommandContext,
        project: Uuid,
        new: NewFeature,
    ) -> Result<Created<FeatureId>, CommandError> {
        let name = new.name.clone();
        let mut ids = self.take_feature_ids(1, new.options.len() as u64).await?;
        let feature = ids.define_feature(new, context.derived_uuid("feature"));
        let mut needed = self.load_project(project).await?.aggregate.environments_ever();
        loop {
            let feature_state_ids = needed + SPARE_IDS;
            let first = FeatureStateId(self.ids.take(IdKind::FeatureState, feature_state_ids).await?);
            let command = ProjectCommand::CreateFeature {
                feature: feature.clone(),
                first_feature_state_id: first,
                feature_state_ids,
            };
            match self.project(&context.step("create_feature"), project, command).await {
                Err(CommandError::Rejected(Rejection::Project(ProjectError::TooFewIds { needed: now }))) => {
                    needed = now;
                }
                Err(error) => return Err(error),
                Ok(appended) => {
                    // A repeated command finds the feature of its first run.
                    let project = self.load_project(project).await?.aggregate;
                    let id = project.feature_named(&name).map_or(feature.id, |feature| feature.definition.id);
                    return Ok(Created { created: id, position: appended.position });
                }
            }
        }
    }

    /// Takes ids for features and for all their options together.
    pub(super) async fn take_feature_ids(&self, features: u64, options: u64) -> Result<FeatureIds, CommandError> {
        let wanted = [(IdKind::Feature, features), (IdKind::MultivariateOption, options)];
        let [feature, option] = self.ids.take_each(wanted).await?;
        Ok(FeatureIds { feature: FeatureId(feature), option: MultivariateOptionId(option) })
    }

    /// Gives a feature these options and no others, if any are named; then changes what people say of it.
    ///
    /// # Errors
    /// [`CommandError`]. Options that are rejected leave the feature as it was.
    pub async fn change_feature(
        &self,
        context: &CommandContext,
        project: Uuid,
        feature: FeatureId,
        change: FeatureChange,
        options: Option<Vec<OptionEdit<NewOption>>>,
    ) -> Result<Appended, CommandError> {
        if let Some(edits) = options {
            let added = edits.iter().filter(|edit| matches!(edit, OptionEdit::Add(_))).count();
            let mut ids = self.take_feature_ids(0, added as u64).await?;
            let namespace = context.derived_uuid(REPLACE_OPTIONS_STEP);
            let options = edits.into_iter().map(|edit| match edit {
                OptionEdit::Change(option, change) => OptionEdit::Change(option, change),
                OptionEdit::Add(new) => OptionEdit::Add(ids.define_option(new, namespace)),
            });
            let options = options.collect();
            let command = ProjectCommand::ReplaceMultivariateOptions { feature, options };
            self.project(&context.step(REPLACE_OPTIONS_STEP), project, command).await?;
        }
        self.project(context, project, ProjectCommand::DescribeFeature { feature, change }).await
    }

    /// Gives a feature one more option. Returns the option's id.
    ///
    /// # Errors
    /// [`CommandError`].
    pub async fn add_option(
        &self,
        context: &CommandContext,
        project: Uuid,
        feature: FeatureId,
        new: NewOption,
    ) -> Result<Created<MultivariateOptionId>, CommandError> {
        let uuid = context.derived_uuid("option");
        let id = MultivariateOptionId(self.ids.next(IdKind::MultivariateOption).await?);
        let option = define_option(new, id, uuid);
        let command = ProjectCommand::AddMultivariateOption { feature, option };
        let appended = self.project(&context.step("add_option"), project, command).await?;
        let project = self.load_project(project).await?.aggregate;
        let options = project.features().get(&feature).map(|feature| feature.definition.options.as_slice());
        let recorded = options.unwrap_or_default().iter().find(|option| option.uuid == uuid);
        Ok(Created { created: recorded.map_or(id, |option| option.id), position: appended.position })
    }
}

/// Ids that were taken for features and options, to be given to them one after the other.
pub(super) struct FeatureIds {
    feature: FeatureId,
    option: MultivariateOptionId,
}

impl FeatureIds {
    /// Gives ids to a feature and its options.
    pub(super) fn define_feature(&mut self, new: NewFeature, uuid: Uuid) -> FeatureDefinition {
        let feature_type = if new.options.is_empty() { new.feature_type } else { FeatureType::Multivariate };
        let mut options = Vec::with_capacity(new.options.len());
        for option in new.options {
            options.push(self.define_option(option, uuid));
        }
        let id = self.feature;
        self.feature = id.plus(1);
        FeatureDefinition {
            id,
            uuid,
            name: new.name,
            feature_type,
            default_enabled: new.default_enabled,
            initial_value: new.initial_value.map(Into::into),
            description: new.description,
            is_archived: new.is_archived,
            is_server_key_only: new.is_server_key_only,
            options,
        }
    }

    /// Gives ids to an option.
    fn define_option(&mut self, new: NewOption, namespace: Uuid) -> MultivariateOption {
        let id = self.option;
        self.option = id.plus(1);
        define_option(new, id, Uuid::new_v5(&namespace, format!("option {id}").as_bytes()))
    }
}

fn define_option(new: NewOption, id: MultivariateOptionId, uuid: Uuid) -> MultivariateOption {
    let NewOption { value, default_percentage_allocation, key } = new;
    MultivariateOption { id, uuid, value, default_percentage_allocation, key }
}
