//! What must hold of the read models `feature_states` and `environment_status` whatever happened: the same events give the
//! same rows in whatever batches they come, once and again, and what cannot be read is parked.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, OnceLock};

use cqrs_es::Aggregate;
use offshoot_aggregates::Event;
use offshoot_aggregates::environment::{Environment, EnvironmentEvent, FeatureStateContent, FeatureValue, SegmentLink};
use offshoot_aggregates::ids::{FeatureId, FeatureStateId};
use offshoot_aggregates::project::{Project, ProjectEvent};
use offshoot_projections::digest::digest;
use offshoot_projections::environment_status::{CloneStatus, EnvironmentStatus, clone_status};
use offshoot_projections::feature_states::{FeatureStates, IdentityRef};
use offshoot_projections::{Projection, apply, open, parked, position};
use proptest::prelude::*;
use rusqlite::Connection;

use crate::history::{option, uuid};
use crate::house::{
    House, all_states, assert_counted, batched, content, feature_of, features_in, link, read_in_batches, with_shares,
};

const PROJECTIONS: [&dyn Projection; 2] = [&FeatureStates, &EnvironmentStatus];

/// Something that happens while environment 2 is cloned from environment 1 and environment 3 is there already.
#[derive(Clone, Debug)]
enum Step {
    Copy(i64),
    CreateFeature,
    DeleteFeature(i64),
    AddOption(i64),
    RemoveOption(i64),
    DeleteSegment(i64),
    Set(i64),
    SetOverride(i64, i64),
    AddOrRemoveIdentity(i64),
    SetIdentityOverride(i64, i64),
    RemoveIdentityOverride(i64, i64),
    Complete,
    Fail,
    Retry,
    Cancel,
    ReserveOrReleaseName(u64),
    TakeName(u64),
    DeleteEnvironment(u64),
    DeleteProject,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (1..8i64).prop_map(Step::Copy),
        2 => Just(Step::CreateFeature),
        2 => (1..10i64).prop_map(Step::DeleteFeature),
        2 => (1..8i64).prop_map(Step::AddOption),
        1 => (1..8i64).prop_map(Step::RemoveOption),
        1 => (1..4i64).prop_map(Step::DeleteSegment),
        3 => (1..10i64).prop_map(Step::Set),
        3 => (1..10i64, 1..4i64).prop_map(|(feature, segment)| Step::SetOverride(feature, segment)),
        2 => (1..4i64).prop_map(Step::AddOrRemoveIdentity),
        3 => (1..10i64, 1..4i64).prop_map(|(feature, identity)| Step::SetIdentityOverride(feature, identity)),
        1 => (1..10i64, 1..4i64).prop_map(|(feature, identity)| Step::RemoveIdentityOverride(feature, identity)),
        1 => Just(Step::Complete),
        2 => Just(Step::Fail),
        2 => Just(Step::Retry),
        1 => Just(Step::Cancel),
        2 => (1..4u64).prop_map(Step::ReserveOrReleaseName),
        1 => (1..4u64).prop_map(Step::TakeName),
        1 => (2..4u64).prop_map(Step::DeleteEnvironment),
    ]
}

/// Two copies of what a feature may say in a batch: its default and an override.
fn batch(feature: i64) -> Vec<offshoot_aggregates::environment::BatchedState> {
    let said = with_shares(content(feature, FeatureValue::integer(1)), &[(feature * 10, 30.5)]);
    let place = link(2_000 + feature, feature % 3 + 1, 0);
    vec![batched(feature, None, 1_999 + feature, said.clone()), batched(feature, Some(place), 2_499 + feature, said)]
}

fn new_name(environment: u64) -> String {
    format!("renamed{environment}")
}

fn house_of(steps: &[Step]) -> House {
    let mut house = House::with_features(0);
    (1..8).for_each(|feature| house.create_feature(feature_of(feature, &[feature * 10])));
    house.new_environment(1);
    house.begin_clone(2);
    house.new_environment(3);
    let (mut next_feature, mut reserved, mut identities) = (8, HashSet::new(), HashSet::new());
    for (index, step) in (0i64..).zip(steps) {
        match *step {
            // Nobody could have said anything of a feature that was not there.
            Step::DeleteFeature(feature)
            | Step::Set(feature)
            | Step::SetOverride(feature, _)
            | Step::SetIdentityOverride(feature, _)
                if feature >= next_feature => {}
            Step::Copy(feature) => house.copy(2, 1, batch(feature)),
            Step::CreateFeature => {
                house.create_feature(feature_of(next_feature, &[next_feature * 10]));
                next_feature += 1;
            }
            Step::DeleteFeature(feature) => house.delete_feature(feature),
            Step::AddOption(feature) => house.add_option(feature, option(500 + index, "late")),
            Step::RemoveOption(feature) => house.remove_option(feature, option(feature * 10, "variant")),
            Step::DeleteSegment(segment) => house.delete_segment(segment),
            Step::Set(feature) => house.set(3, feature, 2_999 + feature, content(feature, FeatureValue::integer(2))),
            Step::SetOverride(feature, segment) => {
                let (id, said) = (feature * 10 + segment, content(feature, FeatureValue::boolean(true)));
                house.set_override(3, feature, link(3_000 + id, segment, 0), 3_500 + id, said);
            }
            Step::AddOrRemoveIdentity(identity) if identities.insert(identity) => {
                house.add_identity(3, identity, &format!("user_{identity}"));
            }
            Step::AddOrRemoveIdentity(identity) => {
                identities.remove(&identity);
                house.remove_identity(3, identity);
            }
            // Nobody is overridden for who is not known.
            Step::SetIdentityOverride(_, identity) | Step::RemoveIdentityOverride(_, identity)
                if !identities.contains(&identity) => {}
            Step::SetIdentityOverride(feature, identity) => {
                let id = 3_900 + feature * 10 + identity;
                house.set_identity_override(
                    3,
                    feature,
                    identity,
                    id,
                    content(feature, FeatureValue::boolean(index % 2 == 0)),
                );
            }
            Step::RemoveIdentityOverride(feature, identity) => {
                house.remove_identity_override(3, feature, identity, 3_900 + feature * 10 + identity);
            }
            Step::Complete => house.complete_clone(2),
            Step::Fail => house.fail_clone(2, 2),
            Step::Retry => house.environment(2, EnvironmentEvent::CloneRetried { attempt: 2, from_batch: 2 }),
            Step::Cancel => house.environment(2, EnvironmentEvent::CloneCancelled { batches_copied: 1 }),
            // No name is reserved twice, and none released that nobody holds.
            Step::ReserveOrReleaseName(environment) if reserved.insert(environment) => {
                house.reserve_rename(environment, &new_name(environment));
            }
            Step::ReserveOrReleaseName(environment) => {
                reserved.remove(&environment);
                house.release_name(environment, &new_name(environment));
            }
            Step::TakeName(environment) => house.rename(environment, &new_name(environment)),
            Step::DeleteProject => house.project(ProjectEvent::ProjectDeleted { name: "project11".to_owned() }),
            Step::DeleteEnvironment(environment) => house.delete_environment(environment),
        }
    }
    house
}

/// A state as the aggregates have it: feature, segment, identity, id, what it says.
type Expected = (FeatureId, Option<SegmentLink>, Option<IdentityRef>, FeatureStateId, FeatureStateContent);

/// The states that an environment has by the aggregates, which decide on what there is.
fn expected(house: &House, environment: u64) -> Vec<Expected> {
    let (mut project, mut environments) = (Project::default(), HashMap::<_, Environment>::new());
    for recorded in &house.history.events {
        match recorded.event().unwrap() {
            Event::Project(event) => project.apply(event.clone()),
            Event::Environment(event) => environments.entry(recorded.stream.uuid()).or_default().apply(event.clone()),
            _ => {}
        }
    }
    let uuid = uuid(environment);
    let environment = &environments[&uuid];
    let mut states = Vec::new();
    for (id, feature) in project.features() {
        if !environment.exists() {
            break;
        }
        let ordinal = project.environment(uuid).unwrap().ordinal;
        let implicit = project.implicit_state(uuid, *id).unwrap();
        states.push(match environment.states().get(id) {
            None => (*id, None, None, implicit.id, implicit.content),
            Some(state) => {
                let multivariate = feature.resolved_allocations(&state.content.multivariate, ordinal);
                (*id, None, None, state.id, FeatureStateContent { multivariate, ..(*state.content).clone() })
            }
        });
        for item in environment.overrides_of(*id) {
            let Some(state) = item.state.as_ref().filter(|_| !project.is_deleted_segment(item.link.segment)) else {
                continue;
            };
            let multivariate = feature.kept_allocations(&state.content.multivariate);
            let said = FeatureStateContent { multivariate, ..(*state.content).clone() };
            states.push((*id, Some(item.link), None, state.id, said));
        }
        for item in environment.identities().overrides().filter(|item| item.feature == *id) {
            let multivariate = feature.kept_allocations(&item.state.content.multivariate);
            let said = FeatureStateContent { multivariate, ..(*item.state.content).clone() };
            let identifier = environment.identities().identifier(item.identity).unwrap().to_string();
            states.push((*id, None, Some(IdentityRef { id: item.identity, identifier }), item.state.id, said));
        }
    }
    states
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn any_batching_of_the_same_events_gives_the_same_rows(
        mut steps in proptest::collection::vec(step(), 0..40),
        sizes in proptest::collection::vec(1..12usize, 0..60),
        deletion in proptest::option::of(0..40usize),
    ) {
        if let Some(index) = deletion {
            steps.insert(index.min(steps.len()), Step::DeleteProject);
        }
        let house = house_of(&steps);
        for projection in PROJECTIONS {
            let whole = digest(&house.history.read_model(projection)).unwrap();
            let split = digest(&read_in_batches(&house.history, projection, &sizes)).unwrap();
            prop_assert_eq!(whole, split, "{}", projection.name());
        }
    }

    #[test]
    fn a_fold_event_by_event_stands_where_the_stored_status_does(
        steps in proptest::collection::vec(step(), 0..40),
    ) {
        let house = house_of(&steps);
        let mut connection = Connection::open_in_memory().unwrap();
        open(&mut connection, &EnvironmentStatus).unwrap();
        let mut folded: HashMap<_, Option<CloneStatus>> = HashMap::new();
        for recorded in &house.history.events {
            apply(&mut connection, &EnvironmentStatus, [recorded]).unwrap();
            if let Event::Environment(event) = recorded.event().unwrap() {
                let status = folded.entry(recorded.stream.uuid()).or_default();
                *status = CloneStatus::after(status.take(), recorded, event);
            }
            for (environment, status) in &folded {
                prop_assert_eq!(&clone_status(&connection, *environment).unwrap(), status);
            }
        }
        prop_assert!(folded[&uuid(2)].is_some() && folded[&uuid(1)].is_none() && folded[&uuid(3)].is_none());
    }

    #[test]
    fn states_are_what_the_aggregates_say(steps in proptest::collection::vec(step(), 0..40)) {
        let mut house = house_of(&steps);
        house.complete_clone(2);
        let connection = house.states();
        for environment in 1..4 {
            let states = all_states(&connection, environment).into_iter();
            let states: Vec<_> =
                states.map(|state| (state.feature, state.segment, state.identity, state.id, state.content)).collect();
            prop_assert_eq!(states, expected(&house, environment), "environment {}", environment);
        }
    }

    #[test]
    fn whatever_happens_counters_are_right_and_deleted_features_stay_away(
        steps in proptest::collection::vec(step(), 0..40),
    ) {
        let mut house = house_of(&steps);
        let connection = house.states();
        assert_counted(&connection);
        for step in &steps {
            // Features from 8 on may not have been there yet when they were to be deleted.
            if let Step::DeleteFeature(feature @ 1..8) = step {
                prop_assert!((1..4).all(|environment| !features_in(&connection, environment).contains(feature)));
            }
        }
        // Whatever the clone missed, it has once it is complete.
        house.complete_clone(2);
        let connection = house.states();
        let clone = features_in(&connection, 2);
        prop_assert!(clone.is_empty() || clone == features_in(&connection, 1));
    }
}

#[test]
fn events_that_were_applied_before_change_nothing() {
    let house = house_of(&[Step::Copy(1), Step::AddOption(1), Step::SetOverride(2, 1), Step::Complete]);
    for projection in PROJECTIONS {
        let mut connection = house.history.read_model(projection);
        let (before, head) = (digest(&connection).unwrap(), position(&connection).unwrap());
        assert_eq!(apply(&mut connection, projection, &house.history.events).unwrap(), head);
        assert_eq!(digest(&connection).unwrap(), before);
    }
}

#[test]
fn an_event_that_cannot_be_read_is_parked_and_the_rest_goes_on() {
    let mut house = house_of(&[Step::Copy(1), Step::Copy(2), Step::Complete]);
    let index = house.history.events.len() - 2;
    let broken = &mut house.history.events[index];
    broken.payload = "{\"FeatureStatesBatchCopied\":{\"batch\":1}}".into();
    broken.decoded = OnceLock::new();
    let broken_position = broken.position;
    for projection in PROJECTIONS {
        let connection = read_in_batches(&house.history, projection, &[]);
        let parked = parked(&connection).unwrap();
        assert_eq!(parked.iter().map(|event| event.position).collect::<Vec<_>>(), [broken_position]);
        assert_eq!(parked[0].event_type, "FeatureStatesBatchCopied");
        assert_eq!(position(&connection).unwrap(), house.history.events.last().unwrap().position);
    }
    let connection = read_in_batches(&house.history, &FeatureStates, &[]);
    assert_eq!(features_in(&connection, 2), [1, 2, 3, 4, 5, 6, 7]);
}

#[test]
fn a_digest_tells_files_apart() {
    let one = house_of(&[Step::Set(1)]);
    let other = house_of(&[Step::Set(2)]);
    let digests = [&one, &other].map(|house| digest(&house.history.read_model(&FeatureStates)).unwrap());
    assert_ne!(digests[0], digests[1]);
}

#[test]
fn events_of_streams_that_nobody_created_change_nothing() {
    let mut house = House::with_features(0);
    house.copy(9, 1, batch(1));
    house.complete_clone(9);
    house.environment(9, EnvironmentEvent::FeatureStatesImported { batch: 1, states: Arc::new(batch(1)) });
    let nothing = House::with_features(0);
    for projection in PROJECTIONS {
        let digests = [&house, &nothing].map(|house| digest(&house.history.read_model(projection)).unwrap());
        assert_eq!(digests[0], digests[1], "{}", projection.name());
    }
}
