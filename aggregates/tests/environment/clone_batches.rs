//! The batches of a clone: each once, in turn, as planned; and the end, when all are there.

use std::sync::Arc;

use offshoot_aggregates::environment::{
    BatchedState, CreationStatus, Environment, EnvironmentCommand as Command, EnvironmentError as Error,
    EnvironmentEvent as Event, Origin, SegmentOverride,
};
use offshoot_aggregates::ids::{FeatureId, SegmentId};
use offshoot_aggregates::limits::BATCH_SIZE_MAX;

use crate::support::environment::{
    batch_copied, clone_failed, clone_of, environment, environment_created, override_state, state, states,
};
use crate::support::scenario::given;

const INVALID_BATCH: Error = Error::InvalidBatch { max: BATCH_SIZE_MAX };

fn copy(batch: u32, states: Arc<Vec<BatchedState>>) -> Command {
    Command::CopyFeatureStatesBatch { batch, states }
}

fn completed() -> Event {
    Event::CloneCompleted { feature_states: 5, batches: 3 }
}

/// A clone of five states in batches of two, that has the first so many.
fn copied(batches: usize) -> Vec<Event> {
    let all = [batch_copied(1, states([1, 2])), batch_copied(2, states([3, 4])), batch_copied(3, states([5]))];
    clone_of(5, 2, all.into_iter().take(batches))
}

fn and(mut events: Vec<Event>, event: Event) -> Vec<Event> {
    events.push(event);
    events
}

#[test]
fn batches_are_copied_in_turn() {
    for (there, batch) in [states([1, 2]), states([3, 4]), states([5])].into_iter().enumerate() {
        let number = u32::try_from(there).unwrap() + 1;
        let environment =
            given::<Environment>(copied(there)).when(copy(number, batch.clone())).then([batch_copied(number, batch)]);
        assert_eq!(environment.creation().map(|creation| creation.batches), Some(number));
        assert!(environment.is_creating());
    }
}

#[test]
fn a_batch_brings_default_states_and_overrides() {
    let batch = Arc::new(vec![state(1), override_state(1, 5), override_state(1, 6)]);
    let environment =
        given::<Environment>(clone_of(3, 3, [])).when(copy(1, batch.clone())).then([batch_copied(1, batch.clone())]);
    assert_eq!(environment.creation().map(|creation| creation.feature_states), Some(3));
    let copy = &environment.states()[&FeatureId(1)];
    assert_eq!(copy.id, batch[0].id);
    assert!(Arc::ptr_eq(&copy.content, &batch[0].content), "the content is shared with the event");
    let SegmentOverride { link, state } = &environment.overrides()[&(FeatureId(1), SegmentId(6))];
    assert_eq!(Some(*link), batch[2].segment);
    assert_eq!(state.as_ref().map(|state| state.id), Some(batch[2].id));
    assert_eq!(environment.overrides_of(FeatureId(1)).count(), 2);
    assert_eq!(environment.overrides_of(FeatureId(2)).count(), 0);
}

#[test]
fn a_batch_out_of_turn_is_rejected() {
    for batch in [0, 1, 3, 4] {
        given::<Environment>(copied(1))
            .when(copy(batch, states([3, 4])))
            .then_rejected(Error::UnexpectedBatch { expected: 2 });
    }
}

#[test]
fn a_batch_beyond_the_end_is_rejected() {
    given::<Environment>(copied(3)).when(copy(4, states([6, 7]))).then_rejected(Error::UnexpectedBatch { expected: 4 });
}

#[test]
fn the_states_of_a_batch_are_in_order() {
    let in_batch = |states: Vec<BatchedState>| {
        given::<Environment>(clone_of(states.len() as u64, 10, [])).when(copy(1, Arc::new(states)))
    };
    in_batch(vec![state(2), state(1)]).then_rejected(INVALID_BATCH);
    in_batch(vec![state(1), state(1)]).then_rejected(INVALID_BATCH);
    in_batch(vec![override_state(1, 5), state(1)]).then_rejected(INVALID_BATCH);
    in_batch(vec![override_state(1, 6), override_state(1, 5)]).then_rejected(INVALID_BATCH);
    in_batch(vec![override_state(1, 5), override_state(1, 5)]).then_rejected(INVALID_BATCH);
    in_batch(vec![state(1), override_state(1, 5), override_state(1, 6), state(2)]).then_accepted();
}

#[test]
fn a_batch_follows_the_one_before() {
    given::<Environment>(copied(1)).when(copy(2, states([1, 2]))).then_rejected(INVALID_BATCH);
    given::<Environment>(copied(1)).when(copy(2, states([2, 3]))).then_rejected(INVALID_BATCH);
    let split = || clone_of(4, 2, [batch_copied(1, Arc::new(vec![state(1), override_state(1, 5)]))]);
    let second = |segment| Arc::new(vec![override_state(1, segment), state(2)]);
    given::<Environment>(split()).when(copy(2, second(5))).then_rejected(INVALID_BATCH);
    given::<Environment>(split()).when(copy(2, second(6))).then_accepted();
}

#[test]
fn a_batch_is_as_big_as_planned() {
    given::<Environment>(copied(0)).when(copy(1, states([]))).then_rejected(INVALID_BATCH);
    given::<Environment>(copied(0)).when(copy(1, states([1]))).then_rejected(INVALID_BATCH);
    given::<Environment>(copied(0)).when(copy(1, states([1, 2, 3]))).then_rejected(INVALID_BATCH);
    given::<Environment>(copied(2)).when(copy(3, states([5, 6]))).then_rejected(INVALID_BATCH);
}

#[test]
fn a_batch_has_a_limited_size() {
    let most = u32::try_from(BATCH_SIZE_MAX).unwrap();
    let clone = |size: u32| clone_of(u64::from(size), size, []);
    given::<Environment>(clone(most + 1)).when(copy(1, states(1..=i64::from(most) + 1))).then_rejected(INVALID_BATCH);
    given::<Environment>(clone(most)).when(copy(1, states(1..=i64::from(most)))).then_accepted();
}

#[test]
fn a_batch_comes_only_while_the_clone_is_running() {
    given::<Environment>(and(copied(1), clone_failed(2)))
        .when(copy(2, states([3, 4])))
        .then_rejected(Error::WrongStatus { actual: CreationStatus::Failed });
    given::<Environment>(and(copied(3), completed()))
        .when(copy(4, states([6, 7])))
        .then_rejected(Error::WrongStatus { actual: CreationStatus::Completed });
    given::<Environment>(environment([])).when(copy(1, states([1]))).then_rejected(Error::OtherOrigin);
    let import = Origin::Import { document: "doc".to_owned(), feature_states_total: 1, batches_total: 1 };
    given::<Environment>([environment_created(import)]).when(copy(1, states([1]))).then_rejected(Error::OtherOrigin);
}

#[test]
fn a_clone_is_complete_when_all_batches_are_there() {
    let environment = given::<Environment>(copied(3)).when(Command::CompleteClone).then([completed()]);
    assert!(!environment.is_creating());
    assert_eq!(environment.states().len(), 5);
    let creation = environment.creation().unwrap();
    assert_eq!((creation.status, creation.next_batch()), (CreationStatus::Completed, None));
    assert_eq!((creation.feature_states, creation.batches), (5, 3));
}

#[test]
fn a_clone_without_batches_is_complete_when_someone_says_so() {
    given::<Environment>(clone_of(0, 500, []))
        .when(Command::CompleteClone)
        .then([Event::CloneCompleted { feature_states: 0, batches: 0 }]);
}

#[test]
fn a_clone_is_not_complete_too_early() {
    for (batches, actual) in [(0, 0), (1, 2), (2, 4)] {
        given::<Environment>(copied(batches))
            .when(Command::CompleteClone)
            .then_rejected(Error::Incomplete { expected: 5, actual });
    }
}

#[test]
fn a_clone_is_completed_once_and_only_while_it_is_running() {
    given::<Environment>(and(copied(3), completed()))
        .when(Command::CompleteClone)
        .then_rejected(Error::WrongStatus { actual: CreationStatus::Completed });
    given::<Environment>(and(copied(3), clone_failed(4)))
        .when(Command::CompleteClone)
        .then_rejected(Error::WrongStatus { actual: CreationStatus::Failed });
    given::<Environment>(environment([])).when(Command::CompleteClone).then_rejected(Error::OtherOrigin);
}
