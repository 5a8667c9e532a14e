//! What happened to a project.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::features::{FeatureDefinition, MultivariateOption};
use super::segments::Segment;
use super::settings::ProjectSettings;
use crate::event::domain_event;
use crate::ids::{EnvironmentId, FeatureId, FeatureStateId, OrganisationId, ProjectId, SegmentId};
use crate::permissions::{Grant, ProjectPermission};

/// What an environment's name is reserved for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReservationPurpose {
    /// An environment that comes to be. From here on every feature of the project has a state in it.
    NewEnvironment {
        /// How many environments the project had before it, deleted ones counted.
        ordinal: u64,
        /// How many features the project had before it, deleted ones counted.
        known_features: u64,
        /// Its states of those features have the ids from here on, in order of their ordinals.
        first_feature_state_id: FeatureStateId,
        /// Whether its states come in batches of its own (a clone or an import) instead of being the defaults.
        in_batches: bool,
    },
    /// A new name for an environment that is there.
    Rename,
    /// A name that the environment has already: whoever was about to release it as unused leaves it alone.
    Renewal,
}

/// What happened to a project.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ProjectEvent {
    /// It came to be.
    ProjectCreated {
        /// Its integer id.
        id: ProjectId,
        /// The UUID of its organisation.
        organisation: Uuid,
        /// The integer id of its organisation.
        organisation_id: OrganisationId,
        /// Its settings, name among them.
        settings: ProjectSettings,
    },
    /// Settings changed, the name possibly among them.
    ProjectSettingsChanged {
        /// All settings until now.
        before: ProjectSettings,
        /// All settings from now on.
        after: ProjectSettings,
    },
    /// It is gone, and everything in it.
    ProjectDeleted {
        /// Its name.
        name: String,
    },
    /// A feature came to be, with its default state in every environment of the project.
    FeatureCreated {
        /// What people defined.
        feature: FeatureDefinition,
        /// How many features the project had before it, deleted ones counted.
        ordinal: u64,
        /// Its states in the environments that were there before it have the ids from here on, in order of their
        /// ordinals.
        first_feature_state_id: FeatureStateId,
    },
    /// A batch of a document's features came to be, in a project without environments.
    FeaturesImported {
        /// Which batch: 1, 2, 3, …
        batch: u32,
        /// The ordinal of the first; the others follow.
        first_ordinal: u64,
        /// The features.
        features: Arc<Vec<FeatureDefinition>>,
    },
    /// What people say of a feature changed.
    FeatureDescribed {
        /// The feature.
        feature: FeatureId,
        /// Its name.
        feature_name: String,
        /// What it was for.
        description_before: Option<String>,
        /// What it is for.
        description_after: Option<String>,
        /// Whether only server keys saw it.
        is_server_key_only_before: bool,
        /// Whether only server keys see it.
        is_server_key_only_after: bool,
    },
    /// A feature went out of use.
    FeatureArchived {
        /// The feature.
        feature: FeatureId,
        /// Its name.
        feature_name: String,
    },
    /// A feature that was out of use is back.
    FeatureUnarchived {
        /// The feature.
        feature: FeatureId,
        /// Its name.
        feature_name: String,
    },
    /// A feature is gone, and its states in every environment.
    FeatureDeleted {
        /// The feature.
        feature: FeatureId,
        /// Its name.
        feature_name: String,
    },
    /// A feature got an option, with its default share in every environment.
    MultivariateOptionAdded {
        /// The feature.
        feature: FeatureId,
        /// Its name.
        feature_name: String,
        /// The option.
        option: MultivariateOption,
    },
    /// An option changed; the shares it has in environments did not.
    MultivariateOptionChanged {
        /// The feature.
        feature: FeatureId,
        /// Its name.
        feature_name: String,
        /// The option until now.
        before: MultivariateOption,
        /// The option from now on.
        after: MultivariateOption,
    },
    /// A feature lost an option, and every environment its share.
    MultivariateOptionRemoved {
        /// The feature.
        feature: FeatureId,
        /// Its name.
        feature_name: String,
        /// The option.
        option: MultivariateOption,
    },
    /// A segment came to be.
    SegmentCreated {
        /// The segment.
        segment: Segment,
    },
    /// A segment changed.
    SegmentChanged {
        /// The segment until now.
        before: Segment,
        /// The segment from now on.
        after: Segment,
    },
    /// A segment is gone, and its overrides in every environment.
    SegmentDeleted {
        /// The segment.
        segment: SegmentId,
        /// Its name.
        segment_name: String,
    },
    /// An environment has a name that no other of the project can take.
    EnvironmentNameReserved {
        /// The environment's UUID.
        environment: Uuid,
        /// Its integer id.
        environment_id: EnvironmentId,
        /// The name.
        name: String,
        /// Which reservation of the project this is: 1, 2, 3, …
        reservation: u64,
        /// Why.
        purpose: ReservationPurpose,
    },
    /// A name of an environment is free again. An environment without a name is no longer one of the project.
    EnvironmentNameReleased {
        /// The environment's UUID.
        environment: Uuid,
        /// The name.
        name: String,
    },
    /// A principal's permissions were set.
    ProjectPermissionGranted {
        /// What the principal had.
        before: Option<Grant<ProjectPermission>>,
        /// What the principal has.
        after: Grant<ProjectPermission>,
    },
    /// A principal's permissions were taken away.
    ProjectPermissionRevoked {
        /// What the principal had.
        before: Grant<ProjectPermission>,
    },
}

domain_event!(ProjectEvent {
    ProjectCreated,
    ProjectSettingsChanged,
    ProjectDeleted,
    FeatureCreated,
    FeaturesImported,
    FeatureDescribed,
    FeatureArchived,
    FeatureUnarchived,
    FeatureDeleted,
    MultivariateOptionAdded,
    MultivariateOptionChanged,
    MultivariateOptionRemoved,
    SegmentCreated,
    SegmentChanged,
    SegmentDeleted,
    EnvironmentNameReserved,
    EnvironmentNameReleased,
    ProjectPermissionGranted,
    ProjectPermissionRevoked,
});
