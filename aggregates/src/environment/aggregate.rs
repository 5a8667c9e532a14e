//! The environment aggregate: what it keeps in order to decide, and what each event changes in it.

use cqrs_es::Aggregate;
use cqrs_es::event_sink::EventSink;
use imbl::OrdMap;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::creation::{Creation, CreationStatus};
use super::events::{EnvironmentEvent, EnvironmentRef, Origin};
use super::identities::Identities;
use super::server_keys::ServerKey;
use super::settings::EnvironmentSettings;
use super::states::{BatchedState, FeatureState, SegmentLink, SegmentOverride};
use super::{EnvironmentCommand, EnvironmentError};
use crate::ids::{EnvironmentId, FeatureId, FeatureSegmentId, ProjectId, SegmentId, ServerKeyId};
use crate::permissions::{EnvironmentPermission, Grant, Principal};
use crate::stream::Category;

/// An environment. The default is one that was never created.
///
/// All its collections share their parts with their copies, so that a copy of a whole environment costs next to
/// nothing: a clone reads from such a copy while its source goes on changing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Environment {
    pub(super) particulars: Option<Particulars>,
    pub(super) states: OrdMap<FeatureId, FeatureState>,
    pub(super) overrides: OrdMap<(FeatureId, SegmentId), SegmentOverride>,
    pub(super) overrides_with_state: u64,
    pub(super) identities: Identities,
    pub(super) server_keys: OrdMap<ServerKeyId, ServerKey>,
    pub(super) grants: OrdMap<Principal, Grant<EnvironmentPermission>>,
}

/// What an environment has once it was created.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Particulars {
    pub(super) id: EnvironmentId,
    pub(super) api_key: String,
    pub(super) project: Uuid,
    pub(super) project_id: ProjectId,
    pub(super) settings: EnvironmentSettings,
    pub(super) creation: Creation,
    pub(super) settings_changes: u64,
    pub(super) deleted: bool,
}

impl Environment {
    /// Whether it was created and not deleted.
    #[must_use]
    pub fn exists(&self) -> bool {
        self.particulars.as_ref().is_some_and(|particulars| !particulars.deleted)
    }

    /// Whether it was created, also if it was deleted since.
    #[must_use]
    pub fn was_created(&self) -> bool {
        self.particulars.is_some()
    }

    /// The environment as others speak of it; `None` if it was never created.
    #[must_use]
    pub fn reference(&self, uuid: Uuid) -> Option<EnvironmentRef> {
        self.particulars.as_ref().map(|particulars| EnvironmentRef {
            uuid,
            id: particulars.id,
            name: particulars.settings.name.clone(),
            api_key: particulars.api_key.clone(),
        })
    }

    /// The UUID and the integer id of its project.
    #[must_use]
    pub fn project(&self) -> Option<(Uuid, ProjectId)> {
        self.particulars.as_ref().map(|particulars| (particulars.project, particulars.project_id))
    }

    /// Its settings; `None` if it was never created.
    #[must_use]
    pub fn settings(&self) -> Option<&EnvironmentSettings> {
        self.particulars.as_ref().map(|particulars| &particulars.settings)
    }

    /// How often its settings changed.
    #[must_use]
    pub fn settings_changes(&self) -> u64 {
        self.particulars.as_ref().map_or(0, |particulars| particulars.settings_changes)
    }

    /// How far it is with coming to be; `None` if it was never created.
    #[must_use]
    pub fn creation(&self) -> Option<&Creation> {
        self.particulars.as_ref().map(|particulars| &particulars.creation)
    }

    /// Whether its states are not all there.
    #[must_use]
    pub fn is_creating(&self) -> bool {
        self.creation().is_some_and(|creation| creation.status != CreationStatus::Completed)
    }

    /// The default states that were set.
    #[must_use]
    pub fn states(&self) -> &OrdMap<FeatureId, FeatureState> {
        &self.states
    }

    /// The segment overrides.
    #[must_use]
    pub fn overrides(&self) -> &OrdMap<(FeatureId, SegmentId), SegmentOverride> {
        &self.overrides
    }

    /// The segment overrides of one feature, by segment.
    pub fn overrides_of(&self, feature: FeatureId) -> impl Iterator<Item = &SegmentOverride> {
        let range = (feature, SegmentId(i64::MIN))..=(feature, SegmentId(i64::MAX));
        self.overrides.range(range).map(|(_, item)| item)
    }

    /// The identities that are known in it, and their overrides.
    #[must_use]
    pub fn identities(&self) -> &Identities {
        &self.identities
    }

    /// Its server-side keys that were not revoked.
    #[must_use]
    pub fn server_keys(&self) -> &OrdMap<ServerKeyId, ServerKey> {
        &self.server_keys
    }

    /// What was granted in it.
    #[must_use]
    pub fn grants(&self) -> &OrdMap<Principal, Grant<EnvironmentPermission>> {
        &self.grants
    }

    /// Applies an event that concerns no single feature.
    fn apply_to_the_whole(&mut self, event: EnvironmentEvent) {
        use EnvironmentEvent as E;
        match event {
            E::ServerKeyIssued { key } => {
                self.server_keys.insert(key.id, key);
            }
            E::ServerKeyChanged { key, after, .. } => {
                if let Some(known) = self.server_keys.get_mut(&key) {
                    known.settings = after;
                }
            }
            E::ServerKeyRevoked { key, .. } => {
                self.server_keys.remove(&key);
            }
            E::EnvironmentSettingsChanged { after, .. } => {
                if let Some(particulars) = &mut self.particulars {
                    particulars.settings_changes += 1;
                    particulars.settings = after;
                }
            }
            E::EnvironmentPermissionGranted { after, .. } => {
                self.grants.insert(after.principal.clone(), after);
            }
            E::EnvironmentPermissionRevoked { before } => {
                self.grants.remove(&before.principal);
            }
            E::PermissionsInherited { grants, .. } => {
                self.grants.extend(grants.into_iter().map(|grant| (grant.principal.clone(), grant)));
            }
            E::EnvironmentDeleted { .. } => {
                let particulars =
                    self.particulars.take().map(|particulars| Particulars { deleted: true, ..particulars });
                *self = Self { particulars, ..Self::default() };
            }
            event => self.apply_creation(event),
        }
    }

    fn apply_creation(&mut self, event: EnvironmentEvent) {
        use EnvironmentEvent as E;
        if let E::EnvironmentCreated { id, api_key, project, project_id, settings, origin } = event {
            let creation = Creation::of(origin);
            let particulars = Particulars {
                id,
                api_key,
                project,
                project_id,
                settings,
                creation,
                settings_changes: 0,
                deleted: false,
            };
            self.particulars = Some(particulars);
            return;
        }
        let Some(particulars) = &mut self.particulars else { return };
        let creation = &mut particulars.creation;
        match event {
            E::FeatureStatesBatchCopied { batch, states } | E::FeatureStatesImported { batch, states } => {
                creation.batches = batch;
                creation.feature_states += states.len() as u64;
                for state in states.iter() {
                    self.take(state);
                }
            }
            E::IdentityOverridesImported { batch, overrides } => {
                creation.batches = batch;
                creation.feature_states += overrides.len() as u64;
                self.identities.take(&overrides);
            }
            E::CloneCompleted { .. } | E::ImportCompleted { .. } => creation.status = CreationStatus::Completed,
            E::CloneFailed { .. } => creation.status = CreationStatus::Failed,
            E::CloneRetried { attempt, .. } => {
                creation.status = CreationStatus::Creating;
                creation.attempts = attempt;
            }
            E::CloneCancelled { .. } => creation.status = CreationStatus::Cancelled,
            _ => {}
        }
    }

    fn take(&mut self, state: &BatchedState) {
        let taken = FeatureState { id: state.id, content: state.content.clone() };
        match state.segment {
            None => {
                self.states.insert(state.feature, taken);
            }
            Some(link) => self.put_override(state.feature, link, Some(taken)),
        }
    }

    fn put_override(&mut self, feature: FeatureId, link: SegmentLink, state: Option<FeatureState>) {
        self.overrides_with_state += u64::from(state.is_some());
        let replaced = self.overrides.insert((feature, link.segment), SegmentOverride { link, state });
        self.count_removed(replaced);
    }

    fn count_removed(&mut self, removed: Option<SegmentOverride>) {
        self.overrides_with_state -= u64::from(removed.is_some_and(|removed| removed.state.is_some()));
    }

    fn set_priority(&mut self, feature: FeatureId, feature_segment: FeatureSegmentId, priority: u32) {
        let found = self.overrides_of(feature).find(|item| item.link.feature_segment == feature_segment);
        if let Some(segment) = found.map(|item| item.link.segment)
            && let Some(item) = self.overrides.get_mut(&(feature, segment))
        {
            item.link.priority = priority;
        }
    }
}

impl Creation {
    fn of(origin: Origin) -> Self {
        let (status, clone, batches_total, feature_states_total) = match origin {
            Origin::New => (CreationStatus::Completed, None, 0, 0),
            Origin::Clone(origin) => {
                let (batches, states) = (origin.batches_total, origin.feature_states_total);
                (CreationStatus::Creating, Some(origin), batches, states)
            }
            Origin::Import { batches_total, feature_states_total, .. } => {
                (CreationStatus::Creating, None, batches_total, feature_states_total)
            }
        };
        Self { status, clone, batches_total, batches: 0, feature_states: 0, feature_states_total, attempts: 1 }
    }
}

impl Aggregate for Environment {
    const TYPE: &'static str = Category::Environment.as_str();
    type Command = EnvironmentCommand;
    type Event = EnvironmentEvent;
    type Error = EnvironmentError;
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
        use EnvironmentEvent as E;
        match event {
            E::FeatureStateChanged { feature, feature_state, after, .. } => {
                self.states.insert(feature, FeatureState { id: feature_state, content: after });
            }
            E::SegmentOverrideAdded { feature, link, .. } => self.put_override(feature, link, None),
            E::SegmentOverrideSet { feature, link, feature_state, after, .. } => {
                self.put_override(feature, link, Some(FeatureState { id: feature_state, content: after }));
            }
            E::SegmentOverridesReordered { feature, priorities, .. } => {
                for change in priorities {
                    self.set_priority(feature, change.feature_segment, change.after);
                }
            }
            E::SegmentOverrideRemoved { feature, link, .. } => {
                let removed = self.overrides.remove(&(feature, link.segment));
                self.count_removed(removed);
            }
            E::IdentityAdded { identity, identifier } => self.identities.add(identity, &identifier.into()),
            E::IdentityRemoved { identity, .. } => self.identities.remove(identity),
            E::IdentityOverrideSet { feature, identity, feature_state, after, .. } => {
                self.identities.set_override((identity, feature), FeatureState::new(feature_state, after));
            }
            E::IdentityOverrideRemoved { feature, identity, .. } => {
                self.identities.remove_override((identity, feature))
            }
            event => self.apply_to_the_whole(event),
        }
    }
}
