//! What an event changes of what is served: pure, so that the follower has nothing to decide.

use std::collections::BTreeSet;

use offshoot_aggregates::environment::EnvironmentEvent;
use offshoot_aggregates::ids::{FeatureId, IdentityId, SegmentId, ServerKeyId};
use offshoot_aggregates::project::ProjectEvent;
use offshoot_aggregates::{Category, DecodeError, Event, Position, RecordedEvent};

use crate::limits::DIRTY_PARTS_MAX;

/// A part of what an environment serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// All of it.
    Everything,
    /// What is said of it as a whole: settings of the environment or of its project.
    Head,
    /// A feature, with all its states.
    Feature(FeatureId),
    /// The states of a feature, but for those for identities.
    States(FeatureId),
    /// A segment.
    Segment(SegmentId),
    /// A segment that is gone, and all overrides for it.
    SegmentGone(SegmentId),
    /// An identity with its overrides.
    Identity(IdentityId),
}

/// What an event changes in the environment of its stream, or in all environments of the project of its stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Touched {
    /// Nothing that is served.
    Nothing,
    /// A part.
    Part(Part),
    /// A client key leads to an environment from now on.
    ClientKey(String),
    /// A server key, by its hash, leads to the environment from now on.
    ServerKeyIssued(String),
    /// A server key is accepted, or refused, from now on.
    ServerKey(ServerKeyId),
    /// It is gone.
    Gone,
}

/// What an event changes.
///
/// # Errors
/// The event cannot be read.
pub(super) fn touched(recorded: &RecordedEvent) -> Result<Touched, DecodeError> {
    // The bulk of the log, which is not even read: nobody is served before the last batch is there.
    let is_bulk = recorded.event_type.ends_with("Copied") || recorded.event_type.ends_with("Imported");
    let is_ours = matches!(recorded.stream.category, Category::Project | Category::Environment);
    if is_bulk || !is_ours {
        return Ok(Touched::Nothing);
    }
    Ok(match recorded.event().map_err(Clone::clone)? {
        Event::Environment(event) => by_environment(event),
        Event::Project(event) => by_project(event),
        Event::Organisation(_) | Event::IdAllocator(_) => Touched::Nothing,
    })
}

fn by_environment(event: &EnvironmentEvent) -> Touched {
    use EnvironmentEvent as E;
    Touched::Part(match event {
        E::EnvironmentCreated { api_key, .. } => return Touched::ClientKey(api_key.clone()),
        E::CloneCompleted { .. } | E::ImportCompleted { .. } => Part::Everything,
        E::FeatureStateChanged { feature, .. }
        | E::SegmentOverrideAdded { feature, .. }
        | E::SegmentOverrideSet { feature, .. }
        | E::SegmentOverridesReordered { feature, .. }
        | E::SegmentOverrideRemoved { feature, .. } => Part::States(*feature),
        E::IdentityAdded { identity, .. }
        | E::IdentityRemoved { identity, .. }
        | E::IdentityOverrideSet { identity, .. }
        | E::IdentityOverrideRemoved { identity, .. } => Part::Identity(*identity),
        E::EnvironmentSettingsChanged { .. } => Part::Head,
        E::ServerKeyIssued { key } => return Touched::ServerKeyIssued(key.hash.clone()),
        E::ServerKeyChanged { key, .. } | E::ServerKeyRevoked { key, .. } => return Touched::ServerKey(*key),
        E::EnvironmentDeleted { .. } => return Touched::Gone,
        E::FeatureStatesBatchCopied { .. }
        | E::FeatureStatesImported { .. }
        | E::IdentityOverridesImported { .. }
        | E::CloneFailed { .. }
        | E::CloneRetried { .. }
        | E::CloneCancelled { .. }
        | E::EnvironmentPermissionGranted { .. }
        | E::EnvironmentPermissionRevoked { .. }
        | E::PermissionsInherited { .. } => return Touched::Nothing,
    })
}

fn by_project(event: &ProjectEvent) -> Touched {
    use ProjectEvent as P;
    Touched::Part(match event {
        P::ProjectSettingsChanged { .. } => Part::Head,
        P::FeatureCreated { feature, .. } => Part::Feature(feature.id),
        P::FeatureDescribed { feature, .. }
        | P::FeatureArchived { feature, .. }
        | P::FeatureUnarchived { feature, .. }
        | P::FeatureDeleted { feature, .. }
        | P::MultivariateOptionAdded { feature, .. }
        | P::MultivariateOptionChanged { feature, .. }
        | P::MultivariateOptionRemoved { feature, .. } => Part::Feature(*feature),
        P::SegmentCreated { segment } => Part::Segment(segment.id),
        P::SegmentChanged { after, .. } => Part::Segment(after.id),
        P::SegmentDeleted { segment, .. } => Part::SegmentGone(*segment),
        P::ProjectDeleted { .. } => return Touched::Gone,
        P::ProjectCreated { .. }
        | P::FeaturesImported { .. }
        | P::EnvironmentNameReserved { .. }
        | P::EnvironmentNameReleased { .. }
        | P::ProjectPermissionGranted { .. }
        | P::ProjectPermissionRevoked { .. } => return Touched::Nothing,
    })
}

/// What of an environment is to be loaded anew.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Dirt {
    pub(super) everything: bool,
    pub(super) head: bool,
    pub(super) features: BTreeSet<FeatureId>,
    pub(super) states: BTreeSet<FeatureId>,
    pub(super) segments: BTreeSet<SegmentId>,
    pub(super) segments_gone: BTreeSet<SegmentId>,
    pub(super) identities: BTreeSet<IdentityId>,
    /// The position of the last event that made it dirty: what is loaded must be at least as of there.
    pub(super) position: Position,
}

impl Dirt {
    /// Whether nothing is to be loaded.
    pub(super) fn is_empty(&self) -> bool {
        self.parts() == 0
    }

    fn parts(&self) -> usize {
        let features = self.features.len() + self.states.len();
        let others = self.segments.len() + self.segments_gone.len() + self.identities.len();
        usize::from(self.everything) + usize::from(self.head) + features + others
    }

    /// One more part.
    pub(super) fn add(&mut self, part: Part, position: Position) {
        match part {
            Part::Everything => self.everything = true,
            Part::Head => self.head = true,
            Part::Feature(feature) => drop(self.features.insert(feature)),
            Part::States(feature) => drop(self.states.insert(feature)),
            Part::Segment(segment) => drop(self.segments.insert(segment)),
            Part::SegmentGone(segment) => drop(self.segments_gone.insert(segment)),
            Part::Identity(identity) => drop(self.identities.insert(identity)),
        }
        self.position = self.position.max(position);
        self.give_up_counting();
    }

    /// The parts of another, too.
    pub(super) fn merge(&mut self, other: Self) {
        self.everything |= other.everything;
        self.head |= other.head;
        self.features.extend(other.features);
        self.states.extend(other.states);
        self.segments.extend(other.segments);
        self.segments_gone.extend(other.segments_gone);
        self.identities.extend(other.identities);
        self.position = self.position.max(other.position);
        self.give_up_counting();
    }

    /// Many parts are loaded faster as a whole.
    fn give_up_counting(&mut self) {
        if self.parts() > DIRTY_PARTS_MAX {
            *self = Self { everything: true, position: self.position, ..Self::default() };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_many_parts_become_the_whole() {
        let mut dirt = Dirt::default();
        for id in 0..=i64::try_from(DIRTY_PARTS_MAX).unwrap() {
            assert!(!dirt.everything);
            dirt.add(Part::Feature(FeatureId(id)), Position(7));
        }
        assert!(dirt.everything && dirt.features.is_empty());
        assert_eq!(dirt.position, Position(7));
        assert!(!dirt.is_empty() && Dirt::default().is_empty());
    }
}
