//! What each event changes in the project aggregate.

use std::sync::Arc;

use super::aggregate::{EnvironmentReservation, Identity, Project};
use super::events::{ProjectEvent, ReservationPurpose};
use super::features::{Feature, FeatureDefinition};
use crate::ids::{FeatureId, FeatureStateId};

impl Project {
    pub(super) fn apply_event(&mut self, event: ProjectEvent) {
        use ProjectEvent as E;
        match event {
            E::ProjectCreated { id, organisation, organisation_id, settings } => {
                self.identity =
                    Some(Identity { id, organisation, organisation_id, settings, settings_changes: 0, deleted: false });
            }
            E::ProjectSettingsChanged { after, .. } => {
                if let Some(identity) = &mut self.identity {
                    identity.settings_changes += 1;
                    identity.settings = after;
                }
            }
            E::ProjectDeleted { .. } => self.delete(),
            E::FeatureCreated { feature, ordinal, first_feature_state_id } => {
                self.add_feature(feature, ordinal, first_feature_state_id);
            }
            E::FeaturesImported { batch, first_ordinal, features } => {
                self.imported_batches = batch;
                for (ordinal, feature) in (first_ordinal..).zip(Arc::unwrap_or_clone(features)) {
                    self.add_feature(feature, ordinal, FeatureStateId::default());
                }
            }
            E::FeatureDescribed { feature, description_after, is_server_key_only_after, .. } => {
                self.change_feature(feature, |feature| {
                    feature.definition.description = description_after;
                    feature.definition.is_server_key_only = is_server_key_only_after;
                });
            }
            E::FeatureArchived { feature, .. } => self.change_feature(feature, |f| f.definition.is_archived = true),
            E::FeatureUnarchived { feature, .. } => self.change_feature(feature, |f| f.definition.is_archived = false),
            E::FeatureDeleted { feature, feature_name } => {
                self.features.remove(&feature);
                self.feature_names.remove(&feature_name, feature);
                self.deleted_features.insert(feature);
            }
            E::SegmentCreated { segment } | E::SegmentChanged { after: segment, .. } => {
                self.segments.insert(segment.id, Arc::new(segment));
            }
            E::SegmentDeleted { segment, .. } => {
                self.segments.remove(&segment);
                self.deleted_segments.insert(segment);
            }
            E::ProjectPermissionGranted { after, .. } => {
                self.grants.insert(after.principal.clone(), after);
            }
            E::ProjectPermissionRevoked { before } => {
                self.grants.remove(&before.principal);
            }
            event => self.apply_option_or_name(event),
        }
    }

    fn apply_option_or_name(&mut self, event: ProjectEvent) {
        use ProjectEvent as E;
        let environments = self.environments_ever;
        match event {
            E::MultivariateOptionAdded { feature, option, .. } => {
                self.change_feature(feature, |feature| feature.add_option(option));
            }
            E::MultivariateOptionChanged { feature, after, .. } => {
                self.change_feature(feature, |feature| feature.change_option(after, environments));
            }
            E::MultivariateOptionRemoved { feature, option, .. } => {
                self.change_feature(feature, |feature| feature.remove_option(option.id));
            }
            E::EnvironmentNameReserved { environment, environment_id, name, reservation, purpose } => {
                self.environment_names.reserve(name, environment, reservation);
                if let ReservationPurpose::NewEnvironment { ordinal, known_features, first_feature_state_id, .. } =
                    purpose
                {
                    self.environments_ever = ordinal + 1;
                    self.environments.insert(
                        environment,
                        EnvironmentReservation { id: environment_id, ordinal, known_features, first_feature_state_id },
                    );
                }
            }
            E::EnvironmentNameReleased { environment, name } => {
                self.environment_names.release(&name);
                if !self.environment_names.has_any(environment) {
                    self.environments.remove(&environment);
                }
            }
            _ => {}
        }
    }

    /// Keeps what says that it existed, lets go of what it held.
    fn delete(&mut self) {
        let identity = self.identity.take().map(|identity| Identity { deleted: true, ..identity });
        *self = Self { identity, ..Self::default() };
    }

    fn add_feature(&mut self, definition: FeatureDefinition, ordinal: u64, first_feature_state_id: FeatureStateId) {
        let id = definition.id;
        self.features_ever = ordinal + 1;
        self.feature_names.insert(&definition.name, id);
        self.features.insert(id, Arc::new(Feature::new(definition, ordinal, first_feature_state_id)));
    }

    fn change_feature(&mut self, feature: FeatureId, change: impl FnOnce(&mut Feature)) {
        if let Some(feature) = self.features.get_mut(&feature) {
            change(Arc::make_mut(feature));
        }
    }
}
