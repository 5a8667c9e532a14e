//! The order of a clone's states, their ids, and any way of taking them in batches.

use std::collections::BTreeSet;
use std::sync::Arc;

use offshoot_aggregates::environment::{BatchedState, CloneOrigin, CloneReader, CloneTarget, clone_size};
use proptest::collection::vec;
use proptest::{prop_assert, prop_assert_eq, proptest};

use super::{Source, source};
use crate::support::environment::{content, link, override_set, state_changed};
use crate::support::project::{
    environment_reserved, feature, feature_created, feature_deleted, segment_created, segment_deleted,
};
use crate::support::uuid;
use crate::support::world::{SOURCE, World, step};

/// Features 1 to 3, of which the second was deleted, and overrides of the first and the third for three segments, of
/// which the second was deleted.
fn three_features() -> Source {
    let overridden = |feature_segment, segment, state| {
        override_set(link(feature_segment, segment, 0), state, content("segment", state))
    };
    let third = |feature_segment, segment, state| match overridden(feature_segment, segment, state) {
        offshoot_aggregates::environment::EnvironmentEvent::SegmentOverrideSet {
            feature_name,
            segment_name,
            link,
            feature_state,
            before,
            after,
            ..
        } => offshoot_aggregates::environment::EnvironmentEvent::SegmentOverrideSet {
            feature: offshoot_aggregates::ids::FeatureId(3),
            feature_name,
            segment_name,
            link,
            feature_state,
            before,
            after,
        },
        other => other,
    };
    source(
        [
            feature_created(feature(1, "a"), 0),
            feature_created(feature(2, "b"), 1),
            feature_created(feature(3, "c"), 2),
            segment_created(5, "gold"),
            segment_created(6, "silver"),
            segment_created(7, "bronze"),
            environment_reserved(2, "staging", 0, 3),
            feature_deleted(2, "b"),
            segment_deleted(6, "silver"),
        ],
        [
            third(35, 5, 305),
            overridden(17, 7, 107),
            overridden(15, 5, 105),
            overridden(16, 6, 106),
            state_changed(20_000, content("value", 20_000), content("set", 20_000)),
        ],
    )
}

fn key(state: &BatchedState) -> (i64, Option<i64>) {
    (state.feature.0, state.segment.map(|link| link.segment.0))
}

#[test]
fn states_come_by_feature_the_default_first_and_then_by_segment() {
    let keys: Vec<_> = three_features().states().iter().map(key).collect();
    assert_eq!(keys, [(1, None), (1, Some(5)), (1, Some(7)), (3, None), (3, Some(5))]);
}

#[test]
fn default_states_have_ids_by_the_ordinals_of_their_features() {
    let states = three_features().states();
    let ids: Vec<_> = states.iter().filter(|state| state.segment.is_none()).map(|state| state.id.0).collect();
    assert_eq!(ids, [70_000, 70_002]);
}

#[test]
fn overrides_have_consecutive_ids() {
    let states = three_features().states();
    let ids = states.iter().filter_map(|state| Some((state.id.0, state.segment?.feature_segment.0)));
    assert_eq!(ids.collect::<Vec<_>>(), [(80_000, 90_000), (80_001, 90_001), (80_002, 90_002)]);
}

#[test]
fn the_size_is_counted_beforehand() {
    let source = three_features();
    assert_eq!(clone_size(&source.environment, &source.project), (2, 3));
}

#[test]
fn the_last_batch_may_be_smaller_and_nothing_comes_after_it() {
    let mut reader = three_features().reader().unwrap();
    let sizes: Vec<_> = (0..4).map(|_| reader.next_batch(2).unwrap().len()).collect();
    assert_eq!(sizes, [2, 2, 1, 0]);
    assert_eq!(reader.states(), 5);
}

#[test]
fn a_copy_goes_on_in_the_middle_of_a_features_overrides() {
    let source = three_features();
    let all = source.states();
    for skipped in 0..=all.len() {
        let mut reader = source.reader().unwrap();
        reader.skip_states(skipped as u64).unwrap();
        assert_eq!(reader.states(), skipped as u64);
        assert_eq!(reader.next_batch(10).unwrap(), all[skipped..], "after {skipped}");
    }
}

#[test]
fn nothing_is_left_after_more_states_than_there_are() {
    let mut reader = three_features().reader().unwrap();
    reader.skip_states(u64::MAX).unwrap();
    assert_eq!(reader.states(), 5);
    assert_eq!(reader.next_batch(10).unwrap(), []);
}

#[test]
fn states_are_skipped_also_after_some_were_read() {
    let source = three_features();
    let mut reader = source.reader().unwrap();
    reader.next_batch(2).unwrap();
    reader.skip_states(2).unwrap();
    assert_eq!(reader.next_batch(10).unwrap(), source.states()[4..]);
}

fn reader(world: &World, origin: &CloneOrigin) -> CloneReader {
    let (environment, project) = (Arc::new(world.source.clone()), Arc::new(world.project.clone()));
    CloneReader::new(uuid(SOURCE), environment, project, CloneTarget::from(origin)).unwrap()
}

fn read(mut reader: CloneReader, sizes: impl IntoIterator<Item = usize>) -> Vec<BatchedState> {
    sizes.into_iter().flat_map(|size| reader.next_batch(size).unwrap()).collect()
}

proptest! {
    #[test]
    fn any_batches_give_the_same_states(steps in vec(step(), 0..60), sizes in vec(1..9_usize, 1..8)) {
        let mut world = World::after(&steps);
        let origin = world.plan(&world.source.clone(), SOURCE, 3, 3);
        let all = read(reader(&world, &origin), [10_000]);
        prop_assert_eq!(all.len() as u64, origin.feature_states_total);
        let (batches, total) = (sizes.iter().copied().cycle(), all.len());
        prop_assert_eq!(&read(reader(&world, &origin), batches.take(total + 1)), &all);
    }

    #[test]
    fn a_copy_that_goes_on_at_any_batch_gives_the_same_states(
        steps in vec(step(), 0..60),
        size in 1..9_usize,
        batches in 0..20_usize,
    ) {
        let mut world = World::after(&steps);
        let origin = world.plan(&world.source.clone(), SOURCE, 3, 3);
        let all = read(reader(&world, &origin), [10_000]);
        let mut resumed = reader(&world, &origin);
        resumed.skip_states((size * batches) as u64).unwrap();
        let left = all.get(size * batches..).unwrap_or_default();
        prop_assert_eq!(resumed.states() as usize, all.len() - left.len());
        prop_assert_eq!(&read(resumed, std::iter::repeat_n(size, all.len())), left);
    }

    #[test]
    fn states_are_in_order_and_their_ids_unique(steps in vec(step(), 0..60)) {
        let mut world = World::after(&steps);
        let origin = world.plan(&world.source.clone(), SOURCE, 3, 3);
        let all = read(reader(&world, &origin), [10_000]);
        prop_assert!(all.is_sorted_by(|one, next| one.key() < next.key()));
        let ids: BTreeSet<_> = all.iter().map(|state| state.id).collect();
        prop_assert_eq!(ids.len(), all.len());
        let links: BTreeSet<_> = all.iter().filter_map(|state| Some(state.segment?.feature_segment)).collect();
        prop_assert_eq!(links.len(), all.iter().filter(|state| state.segment.is_some()).count());
    }
}
