//! What a project can be asked to do.

use std::sync::Arc;

use uuid::Uuid;

use super::features::{FeatureDefinition, MultivariateOption};
use super::segments::Segment;
use super::settings::ProjectSettings;
use crate::environment::FeatureValue;
use crate::ids::{
    EnvironmentId, FeatureId, FeatureStateId, MultivariateOptionId, OrganisationId, ProjectId, SegmentId,
};
use crate::permissions::{Grant, Principal, ProjectPermission};

/// A change to what people say of a feature; `None` leaves a thing as it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FeatureChange {
    /// What it is for.
    pub description: Option<Option<String>>,
    /// Whether it is out of use.
    pub is_archived: Option<bool>,
    /// Whether only server keys see it.
    pub is_server_key_only: Option<bool>,
}

/// A change to an option; `None` leaves a thing as it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OptionChange {
    /// What it gives.
    pub value: Option<FeatureValue>,
    /// Its share in environments to come.
    pub default_percentage_allocation: Option<f64>,
    /// The name of the variant.
    pub key: Option<Option<String>>,
}

/// An option that a feature shall have, where all that it shall have are named. `N` is one that it does not have yet.
#[derive(Clone, Debug, PartialEq)]
pub enum OptionEdit<N> {
    /// One that it has.
    Change(MultivariateOptionId, OptionChange),
    /// One more.
    Add(N),
}

/// What a project can be asked to do.
#[derive(Clone, Debug, PartialEq)]
pub enum ProjectCommand {
    /// Come to be. Its name was reserved in the organisation.
    CreateProject {
        /// Its integer id.
        id: ProjectId,
        /// The UUID of its organisation.
        organisation: Uuid,
        /// The integer id of its organisation.
        organisation_id: OrganisationId,
        /// Its settings, name among them.
        settings: ProjectSettings,
        /// Who administers it from the start.
        admin: Option<Principal>,
    },
    /// Take other settings. A new name was reserved in the organisation.
    ChangeProjectSettings {
        /// All settings.
        settings: ProjectSettings,
        /// How often its settings had changed when these were made from them.
        settings_changes: u64,
    },
    /// Be gone.
    DeleteProject,
    /// Have one more feature.
    CreateFeature {
        /// What people defined.
        feature: FeatureDefinition,
        /// A block of ids for its states in the environments there are.
        first_feature_state_id: FeatureStateId,
        /// How many ids the block has: at least [`Project::environments_ever`](super::Project::environments_ever).
        feature_state_ids: u64,
    },
    /// Have the features of a batch of a document. The project has no environment.
    ImportFeatures {
        /// Which batch: the next one.
        batch: u32,
        /// The features.
        features: Arc<Vec<FeatureDefinition>>,
    },
    /// Say something else of a feature.
    DescribeFeature {
        /// The feature.
        feature: FeatureId,
        /// What else.
        change: FeatureChange,
    },
    /// Have a feature no longer.
    DeleteFeature {
        /// The feature.
        feature: FeatureId,
    },
    /// Give a feature one more option.
    AddMultivariateOption {
        /// The feature.
        feature: FeatureId,
        /// The option.
        option: MultivariateOption,
    },
    /// Change an option.
    ChangeMultivariateOption {
        /// The feature.
        feature: FeatureId,
        /// The option.
        option: MultivariateOptionId,
        /// What changes.
        change: OptionChange,
    },
    /// Take an option from a feature.
    RemoveMultivariateOption {
        /// The feature.
        feature: FeatureId,
        /// The option.
        option: MultivariateOptionId,
    },
    /// Give a feature these options and no others. Of an option that is named twice, the last word counts.
    ReplaceMultivariateOptions {
        /// The feature.
        feature: FeatureId,
        /// The options.
        options: Vec<OptionEdit<MultivariateOption>>,
    },
    /// Have one more segment.
    CreateSegment {
        /// The segment.
        segment: Segment,
    },
    /// Change a segment.
    ChangeSegment {
        /// The segment as it shall be; its id says which.
        segment: Segment,
    },
    /// Have a segment no longer.
    DeleteSegment {
        /// The segment.
        segment: SegmentId,
    },
    /// Set a name apart for an environment that comes to be.
    ReserveEnvironmentName {
        /// The environment's UUID.
        environment: Uuid,
        /// Its integer id.
        environment_id: EnvironmentId,
        /// The name.
        name: String,
        /// A block of ids for its states of the features there are.
        first_feature_state_id: FeatureStateId,
        /// How many ids the block has: at least [`Project::features_ever`](super::Project::features_ever).
        feature_state_ids: u64,
        /// Whether its states come in batches of its own.
        in_batches: bool,
    },
    /// Set a further name apart for an environment that is there.
    ReserveEnvironmentRename {
        /// The environment's UUID.
        environment: Uuid,
        /// The new name.
        name: String,
    },
    /// Free a name; free already, or reserved anew since, is fine.
    ReleaseEnvironmentName {
        /// The environment's UUID.
        environment: Uuid,
        /// The name.
        name: String,
        /// Which reservation of it is not needed.
        reservation: u64,
    },
    /// Set a principal's permissions.
    GrantProjectPermission {
        /// All that the principal shall have.
        grant: Grant<ProjectPermission>,
    },
    /// Take a principal's permissions away.
    RevokeProjectPermission {
        /// The principal.
        principal: Principal,
    },
}
