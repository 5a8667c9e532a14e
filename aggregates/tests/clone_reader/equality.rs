//! A clone of S equals S, whatever happened to S.

use std::sync::Arc;

use offshoot_aggregates::environment::{
    BatchedState, CloneReader, CloneTarget, Environment, FeatureStateContent, StateKey,
};
use offshoot_aggregates::ids::{FeatureSegmentId, FeatureStateId};
use offshoot_aggregates::project::Project;
use proptest::collection::vec;
use proptest::{prop_assert, prop_assert_eq, proptest};

use crate::support::uuid;
use crate::support::world::{SOURCE, World, step};

/// What an environment's states say, without their ids: where each stands, its priority, and its content.
type Said = Vec<(StateKey, Option<u32>, FeatureStateContent)>;

fn said(project: &Project, environment: &Environment, number: u64) -> Said {
    let zero = CloneTarget {
        first_feature_state_id: FeatureStateId(0),
        first_override_state_id: FeatureStateId(0),
        first_feature_segment_id: FeatureSegmentId(0),
    };
    let (environment, project) = (Arc::new(environment.clone()), Arc::new(project.clone()));
    let states = CloneReader::new(uuid(number), environment, project, zero).and_then(|mut all| all.next_batch(10_000));
    let say = |state: &BatchedState| (state.key(), state.segment.map(|link| link.priority), (*state.content).clone());
    states.unwrap().iter().map(say).collect()
}

/// What the source's states say, worked out feature by feature without a `CloneReader`.
fn expected(world: &World) -> Said {
    let World { project, source, .. } = world;
    let mut said = vec![];
    for (id, feature) in project.features() {
        let implicit = project.implicit_state(uuid(SOURCE), *id).unwrap().content;
        let mut default = source.states().get(id).map_or(implicit.clone(), |state| (*state.content).clone());
        for share in implicit.multivariate {
            if default.multivariate.iter().all(|own| own.option != share.option) {
                default.multivariate.push(share);
            }
        }
        default.multivariate.retain(|share| feature.option(share.option).is_some());
        default.multivariate.sort_by_key(|share| share.option);
        said.push(((*id, None), None, default));
        for item in source.overrides_of(*id).filter(|item| project.segments().contains_key(&item.link.segment)) {
            let Some(state) = &item.state else { continue };
            let mut content = (*state.content).clone();
            content.multivariate.retain(|share| feature.option(share.option).is_some());
            said.push(((*id, Some(item.link.segment)), Some(item.link.priority), content));
        }
    }
    said
}

proptest! {
    #[test]
    fn a_clone_says_what_its_source_says(steps in vec(step(), 0..80)) {
        let mut world = World::after(&steps);
        let source = world.source.clone();
        let expected = expected(&world);
        let (clone, _) = world.clone_of(&source, SOURCE, 3);
        prop_assert_eq!(&said(&world.project, &source, SOURCE), &expected);
        prop_assert_eq!(&said(&world.project, &clone, 3), &expected);
        // Nothing in the clone is left to what the feature says.
        prop_assert_eq!(clone.states().len(), world.project.features().len());
    }

    #[test]
    fn a_clone_of_a_clone_says_what_the_first_source_says(steps in vec(step(), 0..40)) {
        let mut world = World::after(&steps);
        let source = world.source.clone();
        let (clone, _) = world.clone_of(&source, SOURCE, 3);
        let (second, origin) = world.clone_of(&clone, 3, 4);
        prop_assert_eq!(said(&world.project, &second, 4), said(&world.project, &source, SOURCE));
        // Content is shared from the first to the last.
        for (feature, state) in second.states() {
            prop_assert!(Arc::ptr_eq(&state.content, &clone.states()[feature].content));
        }
        prop_assert_eq!(origin.feature_states_total, (clone.states().len() + clone.overrides().len()) as u64);
    }

    /// The clone's own states have the ids that the project would give them if it had never set them.
    #[test]
    fn the_default_states_of_a_clone_have_the_ids_that_they_would_have_without_it(steps in vec(step(), 0..40)) {
        let mut world = World::after(&steps);
        let source = world.source.clone();
        let (clone, _) = world.clone_of(&source, SOURCE, 3);
        for (feature, state) in clone.states() {
            prop_assert_eq!(state.id, world.project.implicit_state(uuid(3), *feature).unwrap().id);
        }
    }
}
