//! Features and their multivariate options.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::environment::{Allocation, FeatureStateContent, FeatureValue};
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

/// What a share was set to, from a certain environment of the project on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DefaultAllocation {
    /// The option.
    pub option: MultivariateOptionId,
    /// Environments with this ordinal or a higher one start with the share.
    pub from_environment: u64,
    /// The share in percent.
    pub percentage: f64,
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
    /// Every default share that its options ever had, oldest first.
    pub default_allocations: Vec<DefaultAllocation>,
    /// The options that were removed.
    pub removed_options: Vec<MultivariateOptionId>,
}

impl Feature {
    /// The option, if the feature has it.
    #[must_use]
    pub fn option(&self, id: MultivariateOptionId) -> Option<&MultivariateOption> {
        self.definition.options.iter().find(|option| option.id == id)
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
    /// this ordinal.
    #[must_use]
    pub fn resolved_allocations(&self, set: &[Allocation], environment: u64) -> Vec<Allocation> {
        let options = self.definition.options.iter();
        options
            .map(|option| {
                let own = set.iter().find(|allocation| allocation.option == option.id);
                own.copied().unwrap_or_else(|| Allocation {
                    option: option.id,
                    percentage: self.default_allocation(option, environment),
                })
            })
            .collect()
    }

    /// The share that the option started with in the environment with this ordinal.
    fn default_allocation(&self, option: &MultivariateOption, environment: u64) -> f64 {
        let mut history = self.default_allocations.iter().filter(|entry| entry.option == option.id).peekable();
        let first = history.peek().map_or(option.default_percentage_allocation, |entry| entry.percentage);
        history.filter(|entry| entry.from_environment <= environment).last().map_or(first, |entry| entry.percentage)
    }
}
