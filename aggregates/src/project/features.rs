//! Features and their multivariate options.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::environment::{Allocation, FeatureStateContent, FeatureValue, resolve};
use crate::ids::{FeatureId, FeatureStateId, MultivariateOptionId};

/// Whether a feature has variants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum FeatureType {
    /// It has one value.
    #[default]
    Standard,
    /// It has a control value and options.
    Multivariate,
}

/// An option of a multivariate feature.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MultivariateOption {
    /// Its integer id.
    pub id: MultivariateOptionId,
    /// Its UUID.
    pub uuid: Uuid,
    /// What it gives instead of the control value.
    pub value: FeatureValue,
    /// Its share in environments that come to be from now on, in percent.
    pub default_percentage_allocation: f64,
    /// The name of the variant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

/// A feature as people define it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FeatureDefinition {
    /// Its integer id.
    pub id: FeatureId,
    /// Its UUID.
    pub uuid: Uuid,
    /// Its name, unique in the project without regard to case.
    pub name: String,
    /// Whether it has variants.
    #[serde(rename = "type")]
    pub feature_type: FeatureType,
    /// Whether it is on where nobody has set it.
    pub default_enabled: bool,
    /// Its value where nobody has set it; see [`FeatureValue::from_initial`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub initial_value: Option<Box<str>>,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Whether it is out of use.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_archived: bool,
    /// Whether only clients with a server key see it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_server_key_only: bool,
    /// Its options, in order of their ids.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<MultivariateOption>,
}

impl FeatureDefinition {
    /// Whether its options are in order of their ids, and a feature that has some is called multivariate.
    pub(super) fn is_in_order(&self) -> bool {
        let is_sorted = self.options.is_sorted_by_key(|option| option.id);
        is_sorted && (self.options.is_empty() || self.feature_type == FeatureType::Multivariate)
    }

    /// Puts its options in order of their ids; a feature that has some is multivariate, whatever it was called.
    pub(super) fn put_in_order(&mut self) {
        self.options.sort_by_key(|option| option.id);
        if !self.options.is_empty() {
            self.feature_type = FeatureType::Multivariate;
        }
    }
}

/// The default share that an option had for the environments there were before it changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct FormerDefault {
    option: MultivariateOptionId,
    /// Environments with a lower ordinal keep the share.
    before_environment: u64,
    percentage: f64,
}

/// What was different about a feature's options once. Most features have no such past, so it lies behind a pointer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct OptionHistory {
    /// By option, in order of `before_environment`.
    former_defaults: Vec<FormerDefault>,
    removed: Vec<MultivariateOptionId>,
}

/// A feature as its project keeps it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Feature {
    /// What people defined.
    pub definition: FeatureDefinition,
    /// How many features the project had before it, deleted ones counted.
    pub ordinal: u64,
    /// Its states in the environments that were there before it have the ids from here on, in order of their ordinals.
    pub first_feature_state_id: FeatureStateId,
    history: Option<Box<OptionHistory>>,
}

impl Feature {
    /// A feature that just came to be.
    #[must_use]
    pub fn new(definition: FeatureDefinition, ordinal: u64, first_feature_state_id: FeatureStateId) -> Self {
        Self { definition, ordinal, first_feature_state_id, history: None }
    }

    /// The option, if the feature has it.
    #[must_use]
    pub fn option(&self, id: MultivariateOptionId) -> Option<&MultivariateOption> {
        self.definition.options.iter().find(|option| option.id == id)
    }

    /// Whether the feature had the option and has it no longer.
    #[must_use]
    pub fn is_removed_option(&self, id: MultivariateOptionId) -> bool {
        self.history.as_ref().is_some_and(|history| history.removed.contains(&id))
    }

    /// What the state says in an environment that never set it.
    #[must_use]
    pub fn default_content(&self, environment: u64, seed: FeatureStateId) -> FeatureStateContent {
        FeatureStateContent {
            enabled: self.definition.default_enabled,
            value: FeatureValue::from_initial(self.definition.initial_value.as_deref()),
            multivariate: self.resolved_allocations(&[], environment),
            seed,
        }
    }

    /// A share for each option that the feature has: the one that was set, else the default of the environment with
    /// this ordinal, or what is left of 100 if that is less. So defaults never make a sum exceed 100.
    #[must_use]
    pub fn resolved_allocations(&self, set: &[Allocation], environment: u64) -> Vec<Allocation> {
        let defaults = self
            .definition
            .options
            .iter()
            .map(|option| Allocation { option: option.id, percentage: self.default_allocation(option, environment) });
        resolve(set, defaults.collect())
    }

    /// The shares that were set for options that the feature still has.
    #[must_use]
    pub fn kept_allocations(&self, set: &[Allocation]) -> Vec<Allocation> {
        set.iter().filter(|allocation| self.option(allocation.option).is_some()).copied().collect()
    }

    /// The share that the option has in the environment with this ordinal as long as nobody sets it.
    fn default_allocation(&self, option: &MultivariateOption, environment: u64) -> f64 {
        let former = self.history.iter().flat_map(|history| &history.former_defaults);
        former
            .filter(|former| former.option == option.id)
            .find(|former| environment < former.before_environment)
            .map_or(option.default_percentage_allocation, |former| former.percentage)
    }

    /// Takes one more option; the environments there are get its default share.
    pub fn add_option(&mut self, option: MultivariateOption) {
        let options = &mut self.definition.options;
        options.insert(options.partition_point(|other| other.id < option.id), option);
        self.definition.feature_type = FeatureType::Multivariate;
    }

    /// Takes an option's new form; the environments there are, `environments` many, keep the share that they have.
    pub fn change_option(&mut self, after: MultivariateOption, environments: u64) {
        let Some(option) = self.definition.options.iter_mut().find(|option| option.id == after.id) else { return };
        let before = std::mem::replace(option, after);
        if option.default_percentage_allocation == before.default_percentage_allocation || environments == 0 {
            return;
        }
        let former_defaults = &mut self.history.get_or_insert_default().former_defaults;
        // No environment came to be between two changes: then the share in between was nobody's.
        let is_kept = former_defaults
            .iter()
            .any(|former| former.option == before.id && former.before_environment == environments);
        if !is_kept {
            former_defaults.push(FormerDefault {
                option: before.id,
                before_environment: environments,
                percentage: before.default_percentage_allocation,
            });
        }
    }

    /// Loses an option. A feature without options has no variants.
    pub fn remove_option(&mut self, id: MultivariateOptionId) {
        self.definition.options.retain(|option| option.id != id);
        if self.definition.options.is_empty() {
            self.definition.feature_type = FeatureType::Standard;
        }
        let history = self.history.get_or_insert_default();
        history.former_defaults.retain(|former| former.option != id);
        history.removed.push(id);
    }
}
