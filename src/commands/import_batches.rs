//! How an import is cut into batches: in the same way whenever it is run again, and so that the event log takes each at once.

use std::sync::Arc;

use offshoot_aggregates::environment::{
    Allocation, BatchedIdentityOverride, BatchedState, FeatureStateContent, SegmentLink,
};
use offshoot_aggregates::ids::{FeatureId, FeatureSegmentId, FeatureStateId, IdentityId, SegmentId};
use offshoot_aggregates::project::{FeatureDefinition, Project, ProjectError};
use serde::Serialize;

use super::batch_size::{fitting, sizes_of};
use super::import::{ImportPlan, ImportedState};
use crate::limits::{CLONE_BATCH_ENVELOPE_BYTES, CLONE_BATCH_SIZE};

/// An id that has as many digits as any that JSON can hold exactly.
const LONGEST_ID: i64 = 9_000_000_000_000_000;

/// Ids for all that an import brings into its environment.
pub(super) struct NewIds {
    pub(super) identity: IdentityId,
    pub(super) state: FeatureStateId,
    pub(super) segment_link: FeatureSegmentId,
}

impl NewIds {
    /// None that anything gets: to find out how long everything is.
    const LONGEST: Self = Self {
        identity: IdentityId(LONGEST_ID),
        state: FeatureStateId(LONGEST_ID),
        segment_link: FeatureSegmentId(LONGEST_ID),
    };
}

/// Items in pieces of at most a batch's size, and of at most so many bytes as JSON, if there is a limit; an item that has more is
/// a piece by itself.
pub(super) fn pieces<T: Serialize>(items: &[T], append_bytes_max: Option<usize>) -> Vec<&[T]> {
    let Some(bytes_max) = append_bytes_max.map(for_content) else {
        return items.chunks(CLONE_BATCH_SIZE as usize).collect();
    };
    let (mut pieces, mut begin, mut bytes) = (Vec::new(), 0, 0);
    for (end, size) in sizes_of(items).enumerate() {
        bytes += size;
        if end > begin && (bytes > bytes_max || end - begin == CLONE_BATCH_SIZE as usize) {
            pieces.push(&items[begin..end]);
            (begin, bytes) = (end, size);
        }
    }
    if begin < items.len() {
        pieces.push(&items[begin..]);
    }
    pieces
}

/// Into how many batches the states and the identity overrides of a plan are to be cut.
pub(super) fn batches_total(
    plan: &ImportPlan,
    project: &Project,
    append_bytes_max: Option<usize>,
) -> Result<usize, ProjectError> {
    let size = match append_bytes_max.map(for_content) {
        None => CLONE_BATCH_SIZE,
        Some(bytes_max) => {
            let (segment, implicit) = (SegmentId(LONGEST_ID), FeatureStateId(LONGEST_ID));
            let states = states(plan, project, |_| Some(segment), |_| Some(implicit), &NewIds::LONGEST)?;
            let overrides = identity_overrides(plan, project, |_| None, &NewIds::LONGEST)?;
            let size_of = |sizes: Vec<usize>| fitting(&sizes, bytes_max);
            size_of(sizes_of(&states).collect()).min(size_of(sizes_of(&overrides).collect()))
        }
    };
    Ok(batches_of(plan, size as usize))
}

/// The size of the batches, of which there are so many: an import that goes on does not ask what the log takes now.
pub(super) fn batch_size_of(plan: &ImportPlan, batches_total: usize) -> usize {
    let halves = std::iter::successors(Some(CLONE_BATCH_SIZE as usize), |size| Some(size / 2).filter(|half| *half > 0));
    let is_it = |size: &usize| batches_of(plan, *size) == batches_total;
    // Two sizes of which there are as many batches cut in the same way: everything is in one batch.
    halves.into_iter().find(is_it).unwrap_or(CLONE_BATCH_SIZE as usize)
}

fn batches_of(plan: &ImportPlan, size: usize) -> usize {
    plan.states().div_ceil(size) + plan.identity_overrides().div_ceil(size)
}

fn for_content(append_bytes_max: usize) -> usize {
    append_bytes_max.saturating_sub(CLONE_BATCH_ENVELOPE_BYTES)
}

/// All default states and segment overrides in order. `segment` knows the id of a segment by its place in the plan, `implicit`
/// the one that a feature's default state has already.
pub(super) fn states(
    plan: &ImportPlan,
    project: &Project,
    segment: impl Fn(usize) -> Option<SegmentId>,
    implicit: impl Fn(FeatureId) -> Option<FeatureStateId>,
    new: &NewIds,
) -> Result<Vec<BatchedState>, ProjectError> {
    let (mut id, mut feature_segment) = (new.state, new.segment_link);
    let mut states = Vec::with_capacity(plan.states());
    for imported in &plan.features {
        let feature = project.feature_named(&imported.feature.name).ok_or(ProjectError::FeatureNotFound)?;
        let feature = &feature.definition;
        let default = implicit(feature.id).ok_or(ProjectError::EnvironmentNotFound)?;
        states.push(batched(feature, None, default, &imported.state));
        for item in &imported.overrides {
            let segment = segment(item.segment).ok_or(ProjectError::SegmentNotFound)?;
            let link = SegmentLink { feature_segment, segment, priority: item.priority };
            states.push(batched(feature, Some(link), id, &item.state));
            id = id.plus(1);
            feature_segment = feature_segment.plus(1);
        }
    }
    states.sort_by_key(BatchedState::key);
    Ok(states)
}

/// All identity overrides in order. Identities that came before the import was interrupted are `known`, by ids that are lower than
/// any new one.
pub(super) fn identity_overrides(
    plan: &ImportPlan,
    project: &Project,
    known: impl Fn(&str) -> Option<IdentityId>,
    new: &NewIds,
) -> Result<Vec<BatchedIdentityOverride>, ProjectError> {
    let (mut new_id, mut id) = (new.identity, new.state);
    let mut batched = Vec::with_capacity(plan.identity_overrides());
    for imported in &plan.identities {
        let identity = known(&imported.identifier).unwrap_or(new_id);
        let identifier = Arc::from(imported.identifier.as_str());
        new_id = new_id.plus(1);
        for (feature, state) in &imported.overrides {
            let feature = plan.features.get(*feature).ok_or(ProjectError::FeatureNotFound)?;
            let feature = project.feature_named(&feature.feature.name).ok_or(ProjectError::FeatureNotFound)?;
            let definition = &feature.definition;
            let (identifier, content) = (Arc::clone(&identifier), content(definition, id, state));
            batched.push(BatchedIdentityOverride { identity, identifier, feature: definition.id, id, content });
            id = id.plus(1);
        }
    }
    batched.sort_by_key(BatchedIdentityOverride::key);
    Ok(batched)
}

fn batched(
    feature: &FeatureDefinition,
    segment: Option<SegmentLink>,
    id: FeatureStateId,
    state: &ImportedState,
) -> BatchedState {
    BatchedState { feature: feature.id, segment, id, content: content(feature, id, state) }
}

/// What a state says that gets this id.
fn content(feature: &FeatureDefinition, id: FeatureStateId, state: &ImportedState) -> Arc<FeatureStateContent> {
    let allocation = |(place, percentage): &(usize, f64)| {
        feature.options.get(*place).map(|option| Allocation { option: option.id, percentage: *percentage })
    };
    let mut multivariate: Vec<_> = state.shares.iter().filter_map(allocation).collect();
    multivariate.sort_by_key(|allocation| allocation.option);
    let (enabled, value) = (state.enabled, state.value.clone());
    Arc::new(FeatureStateContent { enabled, value, multivariate, seed: state.seed.unwrap_or(id) })
}

#[cfg(test)]
mod tests {
    use super::pieces;
    use crate::limits::{CLONE_BATCH_ENVELOPE_BYTES, CLONE_BATCH_SIZE};

    #[test]
    fn pieces_hold_as_much_as_is_taken_at_once_and_everything_in_order() {
        // As JSON, and with the comma between two, each has ten bytes.
        let items: Vec<String> = (0..1_200).map(|number| format!("{number:07}")).collect();
        let lengths = |bytes: Option<usize>| {
            let pieces = pieces(&items, bytes.map(|bytes| bytes + CLONE_BATCH_ENVELOPE_BYTES));
            assert_eq!(pieces.concat(), items);
            pieces.iter().map(|piece| piece.len()).collect::<Vec<_>>()
        };
        let size = CLONE_BATCH_SIZE as usize;
        assert_eq!(lengths(None), [size, size, 200]);
        assert_eq!(lengths(Some(1 << 20)), [size, size, 200]);
        assert_eq!(lengths(Some(4_009)), [400, 400, 400]);
        assert_eq!(lengths(Some(9)), [1; 1_200]);
        assert_eq!(pieces::<String>(&[], Some(9)), [] as [&[String]; 0]);
    }
}
