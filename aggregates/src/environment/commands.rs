//! What an environment can be asked to do.

use std::sync::Arc;

use imbl::OrdMap;
use jiff::Timestamp;
use uuid::Uuid;

use super::events::CloneOrigin;
use super::identities::BatchedIdentityOverride;
use super::server_keys::ServerKey;
use super::settings::EnvironmentSettings;
use super::states::{Allocation, BatchedState, SegmentLink};
use super::value::FeatureValue;
use crate::ids::{
    EnvironmentId, FeatureId, FeatureSegmentId, FeatureStateId, IdentityId, ProjectId, SegmentId, ServerKeyId,
};
use crate::permissions::{EnvironmentPermission, Grant, Principal};
use crate::project::{Feature, ImplicitState, Segment};

/// What every new environment is told.
#[derive(Clone, Debug, PartialEq)]
pub struct NewEnvironment {
    /// Its integer id.
    pub id: EnvironmentId,
    /// Its client key.
    pub api_key: String,
    /// The UUID of its project.
    pub project: Uuid,
    /// The integer id of its project.
    pub project_id: ProjectId,
    /// Its settings, name among them. The name was reserved in the project.
    pub settings: EnvironmentSettings,
    /// Who administers it from the start.
    pub admin: Option<Principal>,
}

/// A request for a clone, its cut pinned.
#[derive(Clone, Debug, PartialEq)]
pub struct CloneRequest {
    /// What every new environment is told.
    pub environment: NewEnvironment,
    /// What it is a copy of.
    pub origin: CloneOrigin,
    /// The permissions to take over from the source.
    pub grants: Vec<Grant<EnvironmentPermission>>,
    /// In synchronous mode all states, batch by batch; in asynchronous mode nothing.
    pub batches: Vec<Arc<Vec<BatchedState>>>,
}

/// A feature as its project has it, and the state that the environment has of it as long as it never sets it.
#[derive(Clone, Debug, PartialEq)]
pub struct FeatureRef {
    /// The feature.
    pub feature: Arc<Feature>,
    /// The state by default.
    pub implicit: ImplicitState,
}

/// A segment as its project has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SegmentRef {
    /// Its id.
    pub id: SegmentId,
    /// Its name.
    pub name: String,
}

/// The segments of a project, for their names. A copy costs next to nothing.
pub type ProjectSegments = OrdMap<SegmentId, Arc<Segment>>;

/// A change to a feature state; `None` leaves a thing as it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StateChange {
    /// Whether the feature is on.
    pub enabled: Option<bool>,
    /// Its value.
    pub value: Option<FeatureValue>,
    /// Shares of options; options that are not named keep theirs.
    pub multivariate: Option<Vec<Allocation>>,
}

/// A change to a server-side key; `None` leaves a thing as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerKeyChange {
    /// The name people give it.
    pub name: Option<String>,
    /// Whether it is accepted.
    pub is_active: Option<bool>,
    /// From when on it is refused; `Some(None)` if it never expires.
    pub expires_at: Option<Option<Timestamp>>,
}

/// What a command to set a segment or identity override takes to be there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ExpectedOverride {
    /// A state or none: it is changed or made.
    #[default]
    Any,
    /// No state: it is to be made.
    Unset,
    /// A state: it is to be changed.
    Set,
}

/// What an environment can be asked to do.
#[derive(Clone, Debug, PartialEq)]
pub enum EnvironmentCommand {
    /// Come to be, every feature in its default state.
    CreateEnvironment(NewEnvironment),
    /// Come to be as a copy of another.
    RequestEnvironmentClone(Box<CloneRequest>),
    /// Take the next batch of the copy.
    CopyFeatureStatesBatch {
        /// Which batch: the next one.
        batch: u32,
        /// Its states, in order.
        states: Arc<Vec<BatchedState>>,
    },
    /// Be complete: all batches are there.
    CompleteClone,
    /// Stop copying.
    FailClone {
        /// The batch that cannot be copied.
        batch: u32,
        /// What went wrong, for programs.
        code: String,
        /// What went wrong, for people.
        detail: String,
    },
    /// Go on copying after a failure.
    RetryClone,
    /// Give the copy up and be gone.
    CancelClone,
    /// Come to be from a document whose states follow in batches.
    RequestEnvironmentImport {
        /// What every new environment is told.
        environment: NewEnvironment,
        /// What the document calls itself.
        document: String,
        /// How many states it holds, identity overrides among them.
        feature_states_total: u64,
        /// How many batches they come in.
        batches_total: u32,
    },
    /// Take the next batch of a document.
    ImportFeatureStates {
        /// Which batch: the next one.
        batch: u32,
        /// Its states, in order.
        states: Arc<Vec<BatchedState>>,
    },
    /// Take the next batch of a document, of identity overrides. All its states came before.
    ImportIdentityOverrides {
        /// Which batch: the next one.
        batch: u32,
        /// The overrides, in order of identities and features. An identity comes to be with its first one.
        overrides: Arc<Vec<BatchedIdentityOverride>>,
    },
    /// Be complete: all batches of the document are there.
    CompleteImport,
    /// Change the default state of a feature.
    SetFeatureState {
        /// The feature.
        feature: FeatureRef,
        /// What changes.
        change: StateChange,
    },
    /// Give a segment a place among the overrides of a feature, behind all others.
    AddSegmentOverride {
        /// The feature.
        feature: FeatureRef,
        /// The segment.
        segment: SegmentRef,
        /// The id of the new link.
        feature_segment: FeatureSegmentId,
    },
    /// Set the state of a segment override; make the override if it is not there and not expected to be.
    SetSegmentOverride {
        /// The feature.
        feature: FeatureRef,
        /// The segment.
        segment: SegmentRef,
        /// The id of the link if it is new.
        feature_segment: FeatureSegmentId,
        /// The id of the state if it is new.
        feature_state: FeatureStateId,
        /// What changes; a new state starts disabled and without a value.
        change: StateChange,
        /// Its place among the overrides, 0 the first; `None` leaves it where it is, a new one behind all others.
        priority: Option<u32>,
        /// What is there already.
        expected: ExpectedOverride,
        /// The project's segments: others may move.
        segments: ProjectSegments,
    },
    /// Give overrides of a feature other priorities.
    ReorderSegmentOverrides {
        /// The feature.
        feature: FeatureId,
        /// Its name.
        feature_name: String,
        /// The links and their new priorities; links that are not named keep theirs.
        priorities: Vec<(FeatureSegmentId, u32)>,
        /// The project's segments.
        segments: ProjectSegments,
    },
    /// Have a segment override no longer.
    RemoveSegmentOverride {
        /// The feature.
        feature: FeatureId,
        /// Its name.
        feature_name: String,
        /// The link of the override.
        feature_segment: FeatureSegmentId,
        /// The segment's name.
        segment_name: String,
    },
    /// Know an identity, so that features can be overridden for it.
    AddIdentity {
        /// Its integer id.
        identity: IdentityId,
        /// What applications call it.
        identifier: String,
    },
    /// Know an identity no longer, nor its overrides.
    RemoveIdentity {
        /// The identity.
        identity: IdentityId,
    },
    /// Set the state of an identity override; make the override if it is not there and not expected to be.
    SetIdentityOverride {
        /// The feature.
        feature: FeatureRef,
        /// The identity.
        identity: IdentityId,
        /// The id of the state if it is new.
        feature_state: FeatureStateId,
        /// What changes; a new state starts disabled and without a value.
        change: StateChange,
        /// What is there already.
        expected: ExpectedOverride,
    },
    /// Have an identity override no longer.
    RemoveIdentityOverride {
        /// The feature.
        feature: FeatureId,
        /// Its name.
        feature_name: String,
        /// The identity.
        identity: IdentityId,
    },
    /// Serve whoever has this key from now on.
    IssueServerKey {
        /// The key, hashed.
        key: ServerKey,
    },
    /// Change what is set on a server-side key.
    ChangeServerKey {
        /// The key.
        key: ServerKeyId,
        /// What changes.
        change: ServerKeyChange,
    },
    /// Refuse a server-side key from now on, and forget it.
    RevokeServerKey {
        /// The key.
        key: ServerKeyId,
    },
    /// Take other settings. A new name was reserved in the project.
    ChangeEnvironmentSettings {
        /// All settings.
        settings: EnvironmentSettings,
        /// How often its settings had changed when these were made from them.
        settings_changes: u64,
    },
    /// Set a principal's permissions.
    GrantEnvironmentPermission {
        /// All that the principal shall have.
        grant: Grant<EnvironmentPermission>,
    },
    /// Take a principal's permissions away.
    RevokeEnvironmentPermission {
        /// The principal.
        principal: Principal,
    },
    /// Be gone.
    DeleteEnvironment,
}

impl SegmentRef {
    /// A link to the segment.
    #[must_use]
    pub fn link(&self, feature_segment: FeatureSegmentId, priority: u32) -> SegmentLink {
        SegmentLink { feature_segment, segment: self.id, priority }
    }
}
