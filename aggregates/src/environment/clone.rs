//! What a clone copies, batch by batch. Pure: the source and the project as of the cut go in, batches come out.

use std::ops::Bound;
use std::sync::Arc;

use uuid::Uuid;

use super::aggregate::Environment;
use super::events::CloneOrigin;
use super::states::{Allocation, BatchedState, FeatureStateContent, SegmentLink, SegmentOverride};
use crate::ids::{FeatureId, FeatureSegmentId, FeatureStateId};
use crate::percentages;
use crate::project::{Feature, Project};

/// Why the source cannot be copied: it says something that cannot be true. Trying again does not help.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum InvalidClone {
    /// The source has a state of a feature that its project never had.
    #[error("the source has a state of feature {0}, which its project never had")]
    UnknownFeature(FeatureId),
    /// The source has an override for a segment that its project never had.
    #[error("the source has an override for segment {segment} of feature {feature}, which its project never had")]
    UnknownSegment {
        /// The feature.
        feature: FeatureId,
        /// The segment.
        segment: i64,
    },
    /// The source gives a share to an option that the feature never had.
    #[error("the source gives a share of feature {feature} to option {option}, which the feature never had")]
    UnknownOption {
        /// The feature.
        feature: FeatureId,
        /// The option.
        option: i64,
    },
    /// The shares of a feature sum to more than 100.
    #[error("the percentages of feature {0} in the source sum to more than 100")]
    PercentagesExceed(FeatureId),
    /// The project does not have the source.
    #[error("the project does not have the source")]
    UnknownSource,
    /// There are not as many states as there were at the request.
    #[error("{expected} states were to be copied, {actual} are there")]
    OtherTotal {
        /// How many the request counted.
        expected: u64,
        /// How many there are.
        actual: u64,
    },
}

impl InvalidClone {
    /// The name of the problem for programs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::UnknownFeature(_) => "unknown_feature",
            Self::UnknownSegment { .. } => "unknown_segment",
            Self::UnknownOption { .. } => "unknown_option",
            Self::PercentagesExceed(_) => "percentages_exceed_100",
            Self::UnknownSource => "unknown_source",
            Self::OtherTotal { .. } => "other_total",
        }
    }
}

/// Where the ids of the clone's states begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CloneTarget {
    /// The ids of the default states, by the features' ordinals.
    pub first_feature_state_id: FeatureStateId,
    /// The ids of the overrides' states, in order.
    pub first_override_state_id: FeatureStateId,
    /// The ids of the overrides' links, in order.
    pub first_feature_segment_id: FeatureSegmentId,
}

impl From<&CloneOrigin> for CloneTarget {
    fn from(origin: &CloneOrigin) -> Self {
        Self {
            first_feature_state_id: origin.first_feature_state_id,
            first_override_state_id: origin.first_override_state_id,
            first_feature_segment_id: origin.first_feature_segment_id,
        }
    }
}

/// How many default states and how many overrides there are to copy. Looks at single overrides only as far as some of them are
/// not copied: of deleted features, or if segments were deleted.
#[must_use]
pub fn clone_size(source: &Environment, project: &Project) -> (u64, u64) {
    let features = project.features().len() as u64;
    if project.has_deleted_segments() {
        let copied = source.overrides.iter().filter(|((feature, _), item)| is_copied(project, *feature, item));
        return (features, copied.count() as u64);
    }
    let of_deleted = project.deleted_features().flat_map(|feature| source.overrides_of(feature));
    let left_out = of_deleted.filter(|item| item.state.is_some()).count() as u64;
    (features, source.overrides_with_state - left_out)
}

/// Whether an override is copied: it has a state, and its feature and segment are not deleted. Unknown ones are counted,
/// so that they are found and reported.
fn is_copied(project: &Project, feature: FeatureId, item: &SegmentOverride) -> bool {
    item.state.is_some() && !project.is_deleted_feature(feature) && !project.is_deleted_segment(item.link.segment)
}

/// Hands out what a clone copies, in order, a batch at a time, and can begin at any batch.
#[derive(Debug)]
pub struct CloneReader {
    source: Arc<Environment>,
    project: Arc<Project>,
    source_ordinal: u64,
    source_uuid: Uuid,
    target: CloneTarget,
    /// The last feature whose states were read, and those of them that were not handed out yet.
    after: Option<FeatureId>,
    pending: std::vec::IntoIter<BatchedState>,
    overrides: u64,
    states: u64,
}

impl CloneReader {
    /// Reads the source as of the cut, against the project as of the cut.
    ///
    /// # Errors
    /// The source speaks of features that its project never had, or the project does not have the source.
    pub fn new(
        source_uuid: Uuid,
        source: Arc<Environment>,
        project: Arc<Project>,
        target: CloneTarget,
    ) -> Result<Self, InvalidClone> {
        let reservation = project.environment(source_uuid).ok_or(InvalidClone::UnknownSource)?;
        let source_ordinal = reservation.ordinal;
        let known = |feature: FeatureId| {
            let exists = project.features().contains_key(&feature) || project.is_deleted_feature(feature);
            exists.then_some(()).ok_or(InvalidClone::UnknownFeature(feature))
        };
        source.states.keys().try_for_each(|feature| known(*feature))?;
        source.overrides.keys().try_for_each(|(feature, _)| known(*feature))?;
        let pending = Vec::new().into_iter();
        Ok(Self { source, project, source_ordinal, source_uuid, target, after: None, pending, overrides: 0, states: 0 })
    }

    /// The next `size` states; fewer at the end, none after it.
    ///
    /// # Errors
    /// The source says something that cannot be true.
    pub fn next_batch(&mut self, size: usize) -> Result<Vec<BatchedState>, InvalidClone> {
        let mut batch = Vec::with_capacity(size);
        while batch.len() < size {
            match self.pending.next() {
                Some(state) => batch.push(state),
                None if self.read_feature()? => {}
                None => break,
            }
        }
        self.states += batch.len() as u64;
        Ok(batch)
    }

    /// Leaves out the next `count` states, or as many as there are: for a copy that goes on where another one stopped. What
    /// follows is the same as if they had been handed out. Reads no contents but those of the feature in which it ends.
    ///
    /// # Errors
    /// The source says something that cannot be true of that feature.
    pub fn skip_states(&mut self, count: u64) -> Result<(), InvalidClone> {
        let mut left = count;
        while left > 0 {
            if self.pending.next().is_some() {
                left -= 1;
            } else if let Some((id, overrides)) = self.next_feature()
                && overrides < left
            {
                self.after = Some(id);
                self.overrides += overrides;
                left -= 1 + overrides;
            } else if !self.read_feature()? {
                break;
            }
        }
        self.states += count - left;
        Ok(())
    }

    /// How many states were handed out or left out.
    #[must_use]
    pub fn states(&self) -> u64 {
        self.states
    }

    fn features_ahead(&self) -> impl Iterator<Item = (&FeatureId, &Arc<Feature>)> {
        let from = self.after.map_or(Bound::Unbounded, Bound::Excluded);
        self.project.features().range((from, Bound::Unbounded))
    }

    /// The next feature, and how many overrides of it are copied.
    fn next_feature(&self) -> Option<(FeatureId, u64)> {
        let (id, _) = self.features_ahead().next()?;
        let overrides = self.source.overrides_of(*id).filter(|item| is_copied(&self.project, *id, item));
        Some((*id, overrides.count() as u64))
    }

    /// Reads the states of one more feature; false if there is none.
    fn read_feature(&mut self) -> Result<bool, InvalidClone> {
        let Some((id, feature)) = self.features_ahead().next().map(|(id, feature)| (*id, feature.clone())) else {
            return Ok(false);
        };
        let mut states = vec![self.default_state(id, &feature)?];
        let (source, project) = (self.source.clone(), self.project.clone());
        for item in source.overrides_of(id).filter(|item| is_copied(&project, id, item)) {
            states.push(self.override_state(id, &feature, item)?);
        }
        self.after = Some(id);
        self.pending = states.into_iter();
        Ok(true)
    }

    fn default_state(&self, id: FeatureId, feature: &Feature) -> Result<BatchedState, InvalidClone> {
        let content = match self.source.states.get(&id) {
            Some(state) => {
                check_allocations(id, feature, &state.content.multivariate)?;
                let multivariate = feature.resolved_allocations(&state.content.multivariate, self.source_ordinal);
                FeatureStateContent::with_multivariate(&state.content, multivariate)
            }
            None => {
                let implicit = self.project.implicit_state(self.source_uuid, id).ok_or(InvalidClone::UnknownSource)?;
                Arc::new(implicit.content)
            }
        };
        check_sum(id, &content.multivariate)?;
        let id_in_target = self.target.first_feature_state_id.plus(feature.ordinal);
        Ok(BatchedState { feature: id, segment: None, id: id_in_target, content })
    }

    fn override_state(
        &mut self,
        id: FeatureId,
        feature: &Feature,
        item: &SegmentOverride,
    ) -> Result<BatchedState, InvalidClone> {
        let segment = item.link.segment;
        if !self.project.segments().contains_key(&segment) {
            return Err(InvalidClone::UnknownSegment { feature: id, segment: segment.0 });
        }
        let content = item.state.as_ref().map(|state| state.content.clone()).ok_or(InvalidClone::UnknownSource)?;
        check_allocations(id, feature, &content.multivariate)?;
        let multivariate = feature.kept_allocations(&content.multivariate);
        let content = FeatureStateContent::with_multivariate(&content, multivariate);
        check_sum(id, &content.multivariate)?;
        let offset = self.overrides;
        self.overrides += 1;
        Ok(BatchedState {
            feature: id,
            segment: Some(SegmentLink {
                feature_segment: self.target.first_feature_segment_id.plus(offset),
                ..item.link
            }),
            id: self.target.first_override_state_id.plus(offset),
            content,
        })
    }
}

/// Every option must be one that the feature has or had.
fn check_allocations(id: FeatureId, feature: &Feature, allocations: &[Allocation]) -> Result<(), InvalidClone> {
    let unknown = |allocation: &&Allocation| {
        feature.option(allocation.option).is_none() && !feature.is_removed_option(allocation.option)
    };
    match allocations.iter().find(unknown) {
        Some(allocation) => Err(InvalidClone::UnknownOption { feature: id, option: allocation.option.0 }),
        None => Ok(()),
    }
}

fn check_sum(feature: FeatureId, allocations: &[Allocation]) -> Result<(), InvalidClone> {
    let shares = allocations.iter().map(|allocation| allocation.percentage);
    if percentages::exceed(shares) { Err(InvalidClone::PercentagesExceed(feature)) } else { Ok(()) }
}
