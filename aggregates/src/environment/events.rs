//! What happened to an environment.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::clone_mode::CloneMode;
use super::identities::BatchedIdentityOverride;
use super::server_keys::{ServerKey, ServerKeySettings};
use super::settings::EnvironmentSettings;
use super::states::{BatchedState, FeatureStateContent, SegmentLink};
use crate::event::domain_event;
use crate::ids::{
    EnvironmentId, FeatureId, FeatureSegmentId, FeatureStateId, IdentityId, ProjectId, SegmentId, ServerKeyId,
};
use crate::permissions::{EnvironmentPermission, Grant};
use crate::stream::{Position, Version};

/// An environment as others speak of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnvironmentRef {
    /// Its UUID: the key of its stream.
    pub uuid: Uuid,
    /// Its integer id.
    pub id: EnvironmentId,
    /// Its name at the time.
    pub name: String,
    /// Its client key.
    pub api_key: String,
}

/// What a clone is a copy of, and how the copying was planned. Nothing here changes afterwards.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CloneOrigin {
    /// The environment that is copied.
    pub source: EnvironmentRef,
    /// The cut: everything is copied as of this position of the log.
    pub position: Position,
    /// When the event at that position was recorded.
    pub as_of: Timestamp,
    /// The version of the source's stream at the cut.
    pub source_version: Version,
    /// The version of the project's stream at the cut.
    pub project_version: Version,
    /// Whether the request waited for the copy.
    pub mode: CloneMode,
    /// How many states the source has at the cut.
    pub feature_states_total: u64,
    /// How many states a batch holds; the last may hold fewer.
    pub batch_size: u32,
    /// How many batches there are: `feature_states_total / batch_size`, rounded up.
    pub batches_total: u32,
    /// The default states of the clone have the ids from here on, in order of the features' ordinals.
    pub first_feature_state_id: FeatureStateId,
    /// The overrides of the clone have the ids from here on, in order.
    pub first_override_state_id: FeatureStateId,
    /// The overrides' segment links have the ids from here on, in order.
    pub first_feature_segment_id: FeatureSegmentId,
}

/// How an environment came to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// With every feature in its default state.
    New,
    /// As a copy of another.
    Clone(Box<CloneOrigin>),
    /// From a document.
    Import {
        /// What the document calls itself.
        document: String,
        /// How many states it holds, identity overrides among them.
        feature_states_total: u64,
        /// How many batches they come in.
        batches_total: u32,
    },
}

/// A new priority of a segment override.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriorityChange {
    /// The override's link.
    pub feature_segment: FeatureSegmentId,
    /// The segment.
    pub segment: SegmentId,
    /// The segment's name; none if it is deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub segment_name: Option<String>,
    /// Its priority until now.
    pub before: u32,
    /// Its priority from now on.
    pub after: u32,
}

/// What happened to an environment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum EnvironmentEvent {
    /// It came to be. Unless its origin is `New`, its states are still to come.
    EnvironmentCreated {
        /// Its integer id.
        id: EnvironmentId,
        /// Its client key.
        api_key: String,
        /// The UUID of its project.
        project: Uuid,
        /// The integer id of its project.
        project_id: ProjectId,
        /// Its settings, name among them.
        settings: EnvironmentSettings,
        /// How it came to be.
        origin: Origin,
    },
    /// A batch of a clone's states arrived.
    FeatureStatesBatchCopied {
        /// Which batch: 1, 2, 3, …
        batch: u32,
        /// The states, in order.
        states: Arc<Vec<BatchedState>>,
    },
    /// A clone has all its states.
    CloneCompleted {
        /// How many states were copied.
        feature_states: u64,
        /// In how many batches.
        batches: u32,
    },
    /// A clone stopped before it had all its states.
    CloneFailed {
        /// The batch that could not be copied.
        batch: u32,
        /// What went wrong, for programs.
        code: String,
        /// What went wrong, for people.
        detail: String,
    },
    /// A failed clone goes on.
    CloneRetried {
        /// Which attempt this is: 2, 3, …
        attempt: u32,
        /// The batch it goes on with.
        from_batch: u32,
    },
    /// A clone was given up before it had all its states.
    CloneCancelled {
        /// How many batches it had.
        batches_copied: u32,
    },
    /// A batch of a document's states arrived.
    FeatureStatesImported {
        /// Which batch: 1, 2, 3, …
        batch: u32,
        /// The states, in order.
        states: Arc<Vec<BatchedState>>,
    },
    /// A batch of a document's identity overrides arrived, and with them the identities.
    IdentityOverridesImported {
        /// Which batch, of those with states and those with identity overrides together.
        batch: u32,
        /// The overrides, in order of identities and features.
        overrides: Arc<Vec<BatchedIdentityOverride>>,
    },
    /// All states of a document arrived.
    ImportCompleted {
        /// How many states there were, identity overrides among them.
        feature_states: u64,
    },
    /// The default state of a feature changed.
    FeatureStateChanged {
        /// The feature.
        feature: FeatureId,
        /// Its name.
        feature_name: String,
        /// The state's id.
        feature_state: FeatureStateId,
        /// What it said.
        before: Arc<FeatureStateContent>,
        /// What it says.
        after: Arc<FeatureStateContent>,
    },
    /// A segment was given a place among the overrides of a feature; it has no state yet and changes nothing.
    SegmentOverrideAdded {
        /// The feature.
        feature: FeatureId,
        /// Its name.
        feature_name: String,
        /// The segment's name.
        segment_name: String,
        /// The segment and the priority.
        link: SegmentLink,
    },
    /// The state of a segment override changed.
    SegmentOverrideSet {
        /// The feature.
        feature: FeatureId,
        /// Its name.
        feature_name: String,
        /// The segment's name.
        segment_name: String,
        /// The segment and the priority.
        link: SegmentLink,
        /// The state's id.
        feature_state: FeatureStateId,
        /// What it said; none if it is new.
        before: Option<Arc<FeatureStateContent>>,
        /// What it says.
        after: Arc<FeatureStateContent>,
    },
    /// Segment overrides of a feature got other priorities.
    SegmentOverridesReordered {
        /// The feature.
        feature: FeatureId,
        /// Its name.
        feature_name: String,
        /// Every priority that changed.
        priorities: Vec<PriorityChange>,
    },
    /// A segment override is gone.
    SegmentOverrideRemoved {
        /// The feature.
        feature: FeatureId,
        /// Its name.
        feature_name: String,
        /// The segment's name.
        segment_name: String,
        /// The segment and the priority.
        link: SegmentLink,
        /// The state's id, if it had one.
        feature_state: Option<FeatureStateId>,
        /// What it said, if it had a state.
        before: Option<Arc<FeatureStateContent>>,
    },
    /// An identity is known.
    IdentityAdded {
        /// Its integer id.
        identity: IdentityId,
        /// What applications call it.
        identifier: String,
    },
    /// An identity is known no longer, nor are its overrides.
    IdentityRemoved {
        /// The identity.
        identity: IdentityId,
        /// What applications call it.
        identifier: String,
    },
    /// The state of an identity override changed.
    IdentityOverrideSet {
        /// The feature.
        feature: FeatureId,
        /// Its name.
        feature_name: String,
        /// The identity.
        identity: IdentityId,
        /// What applications call it.
        identifier: String,
        /// The state's id.
        feature_state: FeatureStateId,
        /// What it said; none if it is new.
        before: Option<Arc<FeatureStateContent>>,
        /// What it says.
        after: Arc<FeatureStateContent>,
    },
    /// An identity override is gone.
    IdentityOverrideRemoved {
        /// The feature.
        feature: FeatureId,
        /// Its name.
        feature_name: String,
        /// The identity.
        identity: IdentityId,
        /// What applications call it.
        identifier: String,
        /// The state's id.
        feature_state: FeatureStateId,
        /// What it said.
        before: Arc<FeatureStateContent>,
    },
    /// A server-side key is valid from now on.
    ServerKeyIssued {
        /// The key, hashed.
        key: ServerKey,
    },
    /// What is set on a server-side key changed.
    ServerKeyChanged {
        /// The key.
        key: ServerKeyId,
        /// What was set until now.
        before: ServerKeySettings,
        /// What is set from now on.
        after: ServerKeySettings,
    },
    /// A server-side key is refused from now on.
    ServerKeyRevoked {
        /// The key.
        key: ServerKeyId,
        /// Its name.
        name: String,
    },
    /// Settings changed, the name possibly among them.
    EnvironmentSettingsChanged {
        /// All settings until now.
        before: EnvironmentSettings,
        /// All settings from now on.
        after: EnvironmentSettings,
    },
    /// A principal's permissions were set.
    EnvironmentPermissionGranted {
        /// What the principal had.
        before: Option<Grant<EnvironmentPermission>>,
        /// What the principal has.
        after: Grant<EnvironmentPermission>,
    },
    /// A principal's permissions were taken away.
    EnvironmentPermissionRevoked {
        /// What the principal had.
        before: Grant<EnvironmentPermission>,
    },
    /// A clone took over the permissions of its source.
    PermissionsInherited {
        /// The source.
        source: Uuid,
        /// What was taken over.
        grants: Vec<Grant<EnvironmentPermission>>,
    },
    /// It is gone.
    EnvironmentDeleted {
        /// Its name.
        name: String,
    },
}

domain_event!(EnvironmentEvent {
    EnvironmentCreated,
    FeatureStatesBatchCopied,
    CloneCompleted,
    CloneFailed,
    CloneRetried,
    CloneCancelled,
    FeatureStatesImported,
    IdentityOverridesImported,
    ImportCompleted,
    FeatureStateChanged,
    SegmentOverrideAdded,
    SegmentOverrideSet,
    SegmentOverridesReordered,
    SegmentOverrideRemoved,
    IdentityAdded,
    IdentityRemoved,
    IdentityOverrideSet,
    IdentityOverrideRemoved,
    ServerKeyIssued,
    ServerKeyChanged,
    ServerKeyRevoked,
    EnvironmentSettingsChanged,
    EnvironmentPermissionGranted,
    EnvironmentPermissionRevoked,
    PermissionsInherited,
    EnvironmentDeleted,
});
