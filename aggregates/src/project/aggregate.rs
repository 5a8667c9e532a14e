//! The project aggregate: what it keeps in order to decide.

use std::sync::Arc;

use cqrs_es::Aggregate;
use cqrs_es::event_sink::EventSink;
use imbl::{OrdMap, OrdSet};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::feature_names::FeatureNames;
use super::features::Feature;
use super::segments::Segment;
use super::settings::ProjectSettings;
use super::{ProjectCommand, ProjectError, ProjectEvent};
use crate::environment::FeatureStateContent;
use crate::ids::{EnvironmentId, FeatureId, FeatureStateId, OrganisationId, ProjectId, SegmentId};
use crate::names::Names;
use crate::permissions::{Grant, Principal, ProjectPermission};
use crate::stream::Category;

/// What a project knows of an environment in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnvironmentReservation {
    /// Its integer id.
    pub id: EnvironmentId,
    /// How many environments the project had before it, deleted ones counted.
    pub ordinal: u64,
    /// How many features the project had before it, deleted ones counted.
    pub known_features: u64,
    /// Its states of those features have the ids from here on.
    pub first_feature_state_id: FeatureStateId,
}

impl EnvironmentReservation {
    /// The state that the environment has of a feature of its project that it never set.
    #[must_use]
    pub fn implicit_state(&self, feature: &Feature) -> ImplicitState {
        let id = if feature.ordinal < self.known_features {
            self.first_feature_state_id.plus(feature.ordinal)
        } else {
            feature.first_feature_state_id.plus(self.ordinal)
        };
        let content = feature.default_content(self.ordinal, id);
        ImplicitState { id, content, environment_ordinal: self.ordinal }
    }
}

/// The state that an environment has of a feature it never set.
#[derive(Clone, Debug, PartialEq)]
pub struct ImplicitState {
    /// The state's id: the same for ever, also once the state is set.
    pub id: FeatureStateId,
    /// What it says: the feature's defaults.
    pub content: FeatureStateContent,
    /// How many environments the project had before this one: which of the defaults there were are its own.
    pub environment_ordinal: u64,
}

/// A project. The default is one that was never created.
///
/// All its collections share their parts with their copies, so that a copy of a whole project costs next to nothing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Project {
    pub(super) identity: Option<Identity>,
    pub(super) features: OrdMap<FeatureId, Arc<Feature>>,
    pub(super) feature_names: FeatureNames,
    pub(super) features_ever: u64,
    pub(super) deleted_features: OrdSet<FeatureId>,
    pub(super) imported_batches: u32,
    pub(super) segments: OrdMap<SegmentId, Arc<Segment>>,
    pub(super) deleted_segments: OrdSet<SegmentId>,
    pub(super) environments: OrdMap<Uuid, EnvironmentReservation>,
    pub(super) environments_ever: u64,
    pub(super) environment_names: Names,
    pub(super) grants: OrdMap<Principal, Grant<ProjectPermission>>,
}

/// What a project has once it was created.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Identity {
    pub(super) id: ProjectId,
    pub(super) organisation: Uuid,
    pub(super) organisation_id: OrganisationId,
    pub(super) settings: ProjectSettings,
    pub(super) settings_changes: u64,
    pub(super) deleted: bool,
}

impl Project {
    /// Whether it was created and not deleted.
    #[must_use]
    pub fn exists(&self) -> bool {
        self.identity.as_ref().is_some_and(|identity| !identity.deleted)
    }

    /// Its integer id; `None` if it was never created.
    #[must_use]
    pub fn id(&self) -> Option<ProjectId> {
        self.identity.as_ref().map(|identity| identity.id)
    }

    /// The UUID and the integer id of its organisation.
    #[must_use]
    pub fn organisation(&self) -> Option<(Uuid, OrganisationId)> {
        self.identity.as_ref().map(|identity| (identity.organisation, identity.organisation_id))
    }

    /// Its settings; `None` if it was never created.
    #[must_use]
    pub fn settings(&self) -> Option<&ProjectSettings> {
        self.identity.as_ref().map(|identity| &identity.settings)
    }

    /// How often its settings changed.
    #[must_use]
    pub fn settings_changes(&self) -> u64 {
        self.identity.as_ref().map_or(0, |identity| identity.settings_changes)
    }

    /// Its features, in order of their ids.
    #[must_use]
    pub fn features(&self) -> &OrdMap<FeatureId, Arc<Feature>> {
        &self.features
    }

    /// The feature with this name, in whatever case.
    #[must_use]
    pub fn feature_named(&self, name: &str) -> Option<&Arc<Feature>> {
        let lower_case = name.to_lowercase();
        let mut candidates = self.feature_names.candidates(name).filter_map(|feature| self.features.get(&feature));
        candidates.find(|feature| feature.definition.name.to_lowercase() == lower_case)
    }

    /// Whether the project had the feature and has it no longer.
    #[must_use]
    pub fn is_deleted_feature(&self, feature: FeatureId) -> bool {
        self.deleted_features.contains(&feature)
    }

    /// How many features it ever had: the ordinal of the next one.
    #[must_use]
    pub fn features_ever(&self) -> u64 {
        self.features_ever
    }

    /// How many batches of features were imported.
    #[must_use]
    pub fn imported_batches(&self) -> u32 {
        self.imported_batches
    }

    /// Its segments, in order of their ids.
    #[must_use]
    pub fn segments(&self) -> &OrdMap<SegmentId, Arc<Segment>> {
        &self.segments
    }

    /// The features that it had once.
    pub fn deleted_features(&self) -> impl Iterator<Item = FeatureId> {
        self.deleted_features.iter().copied()
    }

    /// Whether it ever lost a segment.
    #[must_use]
    pub fn has_deleted_segments(&self) -> bool {
        !self.deleted_segments.is_empty()
    }

    /// Whether the project had the segment and has it no longer.
    #[must_use]
    pub fn is_deleted_segment(&self, segment: SegmentId) -> bool {
        self.deleted_segments.contains(&segment)
    }

    /// What it knows of an environment in it.
    #[must_use]
    pub fn environment(&self, environment: Uuid) -> Option<&EnvironmentReservation> {
        self.environments.get(&environment)
    }

    /// The names that its environments have.
    #[must_use]
    pub fn environment_names(&self) -> &Names {
        &self.environment_names
    }

    /// How many environments it ever had: the ordinal of the next one.
    #[must_use]
    pub fn environments_ever(&self) -> u64 {
        self.environments_ever
    }

    /// What was granted in it.
    #[must_use]
    pub fn grants(&self) -> &OrdMap<Principal, Grant<ProjectPermission>> {
        &self.grants
    }

    /// The state that an environment has of a feature it never set; `None` if the project does not have both.
    #[must_use]
    pub fn implicit_state(&self, environment: Uuid, feature: FeatureId) -> Option<ImplicitState> {
        Some(self.environments.get(&environment)?.implicit_state(self.features.get(&feature)?))
    }
}

impl Aggregate for Project {
    const TYPE: &'static str = Category::Project.as_str();
    type Command = ProjectCommand;
    type Event = ProjectEvent;
    type Error = ProjectError;
    type Services = ();

    async fn handle(
        &mut self,
        command: Self::Command,
        (): &Self::Services,
        sink: &EventSink<Self>,
    ) -> Result<(), Self::Error> {
        for event in self.decide(command)? {
            sink.write(event, self).await;
        }
        Ok(())
    }

    fn apply(&mut self, event: Self::Event) {
        self.apply_event(event);
    }
}
