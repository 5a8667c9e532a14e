//! The state that an environment has of a feature it never set: its id for ever, and what it says.

use std::collections::BTreeMap;

use offshoot_aggregates::environment::{FeatureStateContent, FeatureValue};
use offshoot_aggregates::ids::{FeatureId, FeatureStateId};
use offshoot_aggregates::project::{FeatureDefinition, Project, ProjectEvent as Event};
use proptest::prelude::{Just, Strategy, prop_oneof};
use proptest::{collection, prop_assert, prop_assert_eq, proptest};

use crate::support::environment::share;
use crate::support::project::{
    environment_reserved, feature, feature_created, feature_deleted, multivariate, option, option_added,
    option_changed, option_removed, project,
};
use crate::support::scenario::fold;
use crate::support::uuid;

/// The shares of the feature `flag` in environment `number` as long as nobody sets them.
fn shares(events: &[Event], number: u64) -> Vec<(i64, f64)> {
    let project: Project = fold(project(events.to_vec()));
    let state = project.implicit_state(uuid(number), FeatureId(1)).unwrap();
    state.content.multivariate.iter().map(|share| (share.option.0, share.percentage)).collect()
}

#[test]
fn a_state_that_nobody_set_says_what_the_feature_says() {
    let flag = FeatureDefinition {
        default_enabled: true,
        initial_value: Some("7".into()),
        ..multivariate(1, "flag", [option(1, 30.0)])
    };
    let project: Project = fold(project([environment_reserved(5, "production", 0, 0), feature_created(flag, 0)]));
    let state = project.implicit_state(uuid(5), FeatureId(1)).unwrap();
    assert_eq!(
        state.content,
        FeatureStateContent {
            enabled: true,
            value: FeatureValue::integer(7),
            multivariate: vec![share(1, 30.0)],
            seed: state.id,
        }
    );
}

#[test]
fn a_state_has_an_id_of_the_block_of_whichever_came_later() {
    let project: Project = fold(project([
        feature_created(feature(1, "a"), 0),
        environment_reserved(5, "first", 0, 1),
        environment_reserved(6, "second", 1, 1),
        feature_created(feature(2, "b"), 1),
        environment_reserved(7, "third", 2, 2),
    ]));
    let id = |number, feature| project.implicit_state(uuid(number), FeatureId(feature)).unwrap().id.0;
    assert_eq!([id(5, 1), id(6, 1), id(7, 1), id(7, 2)], [50_000, 60_000, 70_000, 70_001]);
    assert_eq!([id(5, 2), id(6, 2)], [200, 201]);
}

#[test]
fn there_is_no_state_without_a_feature_and_an_environment() {
    let events = [feature_created(feature(1, "a"), 0), environment_reserved(5, "production", 0, 1)];
    let both: Project = fold(project(events.clone()));
    assert_eq!(both.implicit_state(uuid(6), FeatureId(1)), None);
    assert_eq!(both.implicit_state(uuid(5), FeatureId(2)), None);
    let deleted: Project = fold(project(events.into_iter().chain([feature_deleted(1, "a")])));
    assert_eq!(deleted.implicit_state(uuid(5), FeatureId(1)), None);
}

#[test]
fn an_option_that_comes_later_has_its_default_share_in_every_environment() {
    let events = [
        environment_reserved(5, "before", 0, 0),
        feature_created(feature(1, "flag"), 0),
        option_added(1, option(1, 30.0)),
        environment_reserved(6, "after", 1, 1),
    ];
    assert_eq!(shares(&events, 5), [(1, 30.0)]);
    assert_eq!(shares(&events, 6), [(1, 30.0)]);
}

#[test]
fn a_changed_default_share_is_that_of_environments_to_come() {
    let events = [
        environment_reserved(5, "before", 0, 0),
        feature_created(multivariate(1, "flag", [option(1, 30.0), option(2, 5.0)]), 0),
        option_changed(1, option(1, 30.0), 40.0),
        environment_reserved(6, "between", 1, 1),
        option_changed(1, option(1, 40.0), 50.0),
        environment_reserved(7, "after", 2, 1),
    ];
    assert_eq!(shares(&events, 5), [(1, 30.0), (2, 5.0)]);
    assert_eq!(shares(&events, 6), [(1, 40.0), (2, 5.0)]);
    assert_eq!(shares(&events, 7), [(1, 50.0), (2, 5.0)]);
}

#[test]
fn a_default_share_that_changed_twice_between_two_environments_was_nobodys() {
    let events = [
        feature_created(multivariate(1, "flag", [option(1, 30.0)]), 0),
        environment_reserved(5, "before", 0, 1),
        option_changed(1, option(1, 30.0), 40.0),
        option_changed(1, option(1, 40.0), 50.0),
        environment_reserved(6, "after", 1, 1),
    ];
    assert_eq!(shares(&events, 5), [(1, 30.0)]);
    assert_eq!(shares(&events, 6), [(1, 50.0)]);
    let [created, before, _, _, after] = events.clone();
    let at_once = [created, before, option_changed(1, option(1, 30.0), 50.0), after];
    assert_eq!(fold::<Project>(project(events)), fold::<Project>(project(at_once)));
}

#[test]
fn a_default_share_that_changed_before_the_first_environment_leaves_no_trace() {
    let changed: Project = fold(project([
        feature_created(multivariate(1, "flag", [option(1, 30.0)]), 0),
        option_changed(1, option(1, 30.0), 40.0),
    ]));
    let defined: Project = fold(project([feature_created(multivariate(1, "flag", [option(1, 40.0)]), 0)]));
    assert_eq!(changed, defined);
}

#[test]
fn a_removed_option_has_no_share() {
    let events = [
        feature_created(multivariate(1, "flag", [option(1, 30.0), option(2, 20.0)]), 0),
        environment_reserved(5, "production", 0, 1),
        option_removed(1, option(1, 30.0)),
    ];
    assert_eq!(shares(&events, 5), [(2, 20.0)]);
}

/// What happens to a project, without the numbers.
#[derive(Clone, Copy, Debug)]
enum Step {
    Feature,
    Environment,
    DeleteFeature,
    ChangeShare,
}

/// Plays the steps with blocks of ids as a caller reserves them, one after the other.
fn play(steps: &[Step]) -> Vec<Event> {
    let (mut next_id, mut features, mut environments, mut deleted, mut changes) = (1, 0_u64, 0_u64, 0, 0);
    let mut events = vec![];
    for step in steps {
        match step {
            Step::Feature => {
                let id = features.cast_signed() + 1;
                let feature = multivariate(id, &format!("flag_{id}"), [option(10 * id, 30.0)]);
                let first_feature_state_id = FeatureStateId(next_id);
                events.push(Event::FeatureCreated { feature, ordinal: features, first_feature_state_id });
                next_id += environments.cast_signed();
                features += 1;
            }
            Step::Environment => {
                let mut event =
                    environment_reserved(environments + 1, &format!("e{environments}"), environments, features);
                if let Event::EnvironmentNameReserved {
                    purpose:
                        offshoot_aggregates::project::ReservationPurpose::NewEnvironment { first_feature_state_id, .. },
                    ..
                } = &mut event
                {
                    *first_feature_state_id = FeatureStateId(next_id);
                }
                events.push(event);
                next_id += features.cast_signed();
                environments += 1;
            }
            Step::DeleteFeature if deleted < features.cast_signed() => {
                deleted += 1;
                events.push(feature_deleted(deleted, &format!("flag_{deleted}")));
            }
            Step::ChangeShare if deleted < features.cast_signed() => {
                changes += 1;
                let share = f64::from(changes % 100);
                events.push(option_changed(features.cast_signed(), option(10 * features.cast_signed(), 0.0), share));
            }
            Step::DeleteFeature | Step::ChangeShare => {}
        }
    }
    events
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => Just(Step::Feature),
        3 => Just(Step::Environment),
        1 => Just(Step::DeleteFeature),
        2 => Just(Step::ChangeShare),
    ]
}

proptest! {
    /// Also where features and environments come and go in any order.
    #[test]
    fn the_states_ids_are_unique_and_the_states_never_change(steps in collection::vec(step(), 1..40)) {
        let mut project: Project = fold(project([]));
        let mut known = BTreeMap::new();
        for event in play(&steps) {
            use cqrs_es::Aggregate;
            project.apply(event);
            let mut ids = std::collections::BTreeSet::new();
            for number in 1..=project.environments_ever() {
                for feature in project.features().keys() {
                    let state = project.implicit_state(uuid(number), *feature).unwrap();
                    prop_assert!(ids.insert(state.id), "two states have the id {}", state.id);
                    let first = known.entry((number, *feature)).or_insert_with(|| state.clone());
                    prop_assert_eq!(&*first, &state);
                }
            }
        }
    }
}
