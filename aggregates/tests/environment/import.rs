//! Environments that come from a document, batch by batch.

use std::sync::Arc;

use offshoot_aggregates::environment::{
    BatchedState, CreationStatus, Environment, EnvironmentCommand as Command, EnvironmentError as Error,
    EnvironmentEvent as Event, Origin,
};
use offshoot_aggregates::limits::{BATCH_SIZE_MAX, NAME_CHARACTERS_MAX};

use crate::support::environment::{clone_of, environment, environment_created, new_environment, states};
use crate::support::scenario::{given, given_nothing};
use crate::support::{admin, bad_texts, holder, problem};

const INVALID_BATCH: Error = Error::InvalidBatch { max: BATCH_SIZE_MAX };

fn origin(feature_states_total: u64, batches_total: u32) -> Origin {
    Origin::Import { document: "production".to_owned(), feature_states_total, batches_total }
}

fn request(feature_states_total: u64, batches_total: u32) -> Command {
    let document = "production".to_owned();
    Command::RequestEnvironmentImport { environment: new_environment(), document, feature_states_total, batches_total }
}

fn imported(batch: u32, states: Arc<Vec<BatchedState>>) -> Event {
    Event::FeatureStatesImported { batch, states }
}

fn import(batch: u32, states: Arc<Vec<BatchedState>>) -> Command {
    Command::ImportFeatureStates { batch, states }
}

/// An environment of three states in two batches, and what happened to it then.
fn running(events: impl IntoIterator<Item = Event>) -> Vec<Event> {
    std::iter::once(environment_created(origin(3, 2))).chain(events).collect()
}

#[test]
fn an_import_begins_without_its_states() {
    let granted = Event::EnvironmentPermissionGranted { before: None, after: admin(holder(1)) };
    let environment =
        given_nothing::<Environment>().when(request(3, 2)).then([environment_created(origin(3, 2)), granted]);
    let creation = environment.creation().unwrap();
    assert!(environment.is_creating());
    assert_eq!((creation.next_batch(), creation.batches_total, creation.feature_states_total), (Some(1), 2, 3));
    assert_eq!(creation.clone, None);
}

#[test]
fn the_batches_that_are_planned_must_hold_the_states() {
    let max = BATCH_SIZE_MAX as u64;
    for (states, batches) in [(1, 2), (1, 0), (0, 1), (max + 1, 1)] {
        given_nothing::<Environment>().when(request(states, batches)).then_rejected(INVALID_BATCH);
    }
    for (states, batches) in [(0, 0), (2, 2), (max, 1)] {
        given_nothing::<Environment>().when(request(states, batches)).then_accepted();
    }
}

#[test]
fn what_a_document_calls_itself_has_a_limit() {
    for (document, wrong) in bad_texts(NAME_CHARACTERS_MAX) {
        let environment = new_environment();
        given_nothing::<Environment>()
            .when(Command::RequestEnvironmentImport {
                environment,
                document,
                feature_states_total: 0,
                batches_total: 0,
            })
            .then_rejected(problem("document", wrong));
    }
}

#[test]
fn batches_come_in_turn_and_may_differ_in_size() {
    given::<Environment>(running([])).when(import(1, states([1]))).then([imported(1, states([1]))]);
    let environment = given::<Environment>(running([imported(1, states([1]))]))
        .when(import(2, states([2, 3])))
        .then([imported(2, states([2, 3]))]);
    assert_eq!(environment.states().len(), 3);
}

#[test]
fn a_batch_out_of_turn_is_rejected() {
    for batch in [0, 1, 3] {
        given::<Environment>(running([imported(1, states([1]))]))
            .when(import(batch, states([2])))
            .then_rejected(Error::UnexpectedBatch { expected: 2 });
    }
    given::<Environment>(running([imported(1, states([1])), imported(2, states([2]))]))
        .when(import(3, states([3])))
        .then_rejected(Error::UnexpectedBatch { expected: 3 });
}

#[test]
fn a_batch_is_in_order_and_neither_empty_nor_too_big() {
    let before = || running([imported(1, states([1]))]);
    for batch in [states([]), states([3, 2]), states([1]), states([2, 3, 4])] {
        given::<Environment>(before()).when(import(2, batch)).then_rejected(INVALID_BATCH);
    }
    let most = i64::try_from(BATCH_SIZE_MAX).unwrap();
    given::<Environment>([environment_created(origin(10_000, 2))])
        .when(import(1, states(1..=most + 1)))
        .then_rejected(INVALID_BATCH);
}

#[test]
fn an_import_is_complete_when_all_states_are_there() {
    let environment = given::<Environment>(running([imported(1, states([1, 2])), imported(2, states([3]))]))
        .when(Command::CompleteImport)
        .then([Event::ImportCompleted { feature_states: 3 }]);
    assert!(!environment.is_creating());
}

#[test]
fn an_import_is_not_complete_too_early() {
    given::<Environment>(running([imported(1, states([1, 2]))]))
        .when(Command::CompleteImport)
        .then_rejected(Error::Incomplete { expected: 3, actual: 2 });
    given::<Environment>(running([imported(1, states([1])), imported(2, states([2]))]))
        .when(Command::CompleteImport)
        .then_rejected(Error::Incomplete { expected: 3, actual: 2 });
}

#[test]
fn batches_come_only_while_the_import_is_running() {
    let completed = Error::WrongStatus { actual: CreationStatus::Completed };
    let done = || {
        running([imported(1, states([1, 2])), imported(2, states([3])), Event::ImportCompleted { feature_states: 3 }])
    };
    for events in [done(), environment([])] {
        given::<Environment>(events.clone()).when(import(3, states([4]))).then_rejected(completed.clone());
        given::<Environment>(events).when(Command::CompleteImport).then_rejected(completed.clone());
    }
    given::<Environment>(clone_of(3, 2, [])).when(import(1, states([1, 2]))).then_rejected(Error::OtherOrigin);
    given::<Environment>(clone_of(3, 2, [])).when(Command::CompleteImport).then_rejected(Error::OtherOrigin);
}

#[test]
fn an_import_that_is_deleted_was_no_clone() {
    given::<Environment>(running([imported(1, states([1]))]))
        .when(Command::DeleteEnvironment)
        .then([Event::EnvironmentDeleted { name: "staging".to_owned() }]);
}
