//! How a clone fails, goes on, is given up or is deleted.

use offshoot_aggregates::environment::{
    CreationStatus, Environment, EnvironmentCommand as Command, EnvironmentError as Error, EnvironmentEvent as Event,
    Origin,
};

use crate::support::environment::{batch_copied, clone_failed, clone_of, environment, environment_created, states};
use crate::support::scenario::{fold, given};

fn fail(batch: u32) -> Command {
    Command::FailClone { batch, code: "disk_full".to_owned(), detail: "no space left".to_owned() }
}

fn deleted() -> Event {
    Event::EnvironmentDeleted { name: "staging".to_owned() }
}

fn cancelled(batches_copied: u32) -> Event {
    Event::CloneCancelled { batches_copied }
}

fn retried(attempt: u32, from_batch: u32) -> Event {
    Event::CloneRetried { attempt, from_batch }
}

/// A clone of three states in batches of two, of which the first is there; and what happened to it then.
fn running(events: impl IntoIterator<Item = Event>) -> Vec<Event> {
    clone_of(3, 2, [batch_copied(1, states([1, 2]))].into_iter().chain(events))
}

fn completed() -> Vec<Event> {
    running([batch_copied(2, states([3])), Event::CloneCompleted { feature_states: 3, batches: 2 }])
}

fn import() -> Vec<Event> {
    vec![environment_created(Origin::Import { document: "doc".to_owned(), feature_states_total: 3, batches_total: 2 })]
}

fn wrong(actual: CreationStatus) -> Error {
    Error::WrongStatus { actual }
}

#[test]
fn a_running_clone_fails_at_its_next_batch() {
    let environment = given::<Environment>(running([])).when(fail(2)).then([clone_failed(2)]);
    let creation = environment.creation().unwrap();
    assert_eq!((creation.status, creation.next_batch()), (CreationStatus::Failed, Some(2)));
    assert!(environment.is_creating());
    assert_eq!(environment.states().len(), 2);
}

#[test]
fn a_clone_does_not_fail_at_a_batch_that_is_there() {
    given::<Environment>(running([])).when(fail(1)).then_rejected(Error::UnexpectedBatch { expected: 2 });
}

#[test]
fn a_clone_that_has_all_its_batches_can_still_fail_before_it_is_complete() {
    given::<Environment>(running([batch_copied(2, states([3]))])).when(fail(3)).then([clone_failed(3)]);
}

#[test]
fn only_a_running_clone_fails() {
    given::<Environment>(running([clone_failed(2)])).when(fail(2)).then_rejected(wrong(CreationStatus::Failed));
    given::<Environment>(completed()).when(fail(3)).then_rejected(wrong(CreationStatus::Completed));
    given::<Environment>(running([cancelled(1), deleted()])).when(fail(2)).then_rejected(Error::NotFound);
    given::<Environment>(environment([])).when(fail(1)).then_rejected(Error::OtherOrigin);
    given::<Environment>(import()).when(fail(1)).then_rejected(Error::OtherOrigin);
}

#[test]
fn a_failed_clone_goes_on_from_the_batch_at_which_it_failed() {
    let environment = given::<Environment>(running([clone_failed(2)])).when(Command::RetryClone).then([retried(2, 2)]);
    let creation = environment.creation().unwrap();
    assert_eq!((creation.status, creation.attempts), (CreationStatus::Creating, 2));
    assert_eq!(creation.next_batch(), Some(2));
    given::<Environment>(running([clone_failed(2), retried(2, 2)]))
        .when(Command::CopyFeatureStatesBatch { batch: 2, states: states([3]) })
        .then([batch_copied(2, states([3]))]);
}

#[test]
fn attempts_are_counted() {
    given::<Environment>(running([clone_failed(2), retried(2, 2), clone_failed(2)]))
        .when(Command::RetryClone)
        .then([retried(3, 2)]);
}

#[test]
fn only_a_failed_clone_goes_on() {
    let retry = || Command::RetryClone;
    given::<Environment>(running([])).when(retry()).then_rejected(wrong(CreationStatus::Creating));
    given::<Environment>(running([clone_failed(2), retried(2, 2)]))
        .when(retry())
        .then_rejected(wrong(CreationStatus::Creating));
    given::<Environment>(completed()).when(retry()).then_rejected(wrong(CreationStatus::Completed));
    given::<Environment>(running([cancelled(1), deleted()])).when(retry()).then_rejected(Error::NotFound);
    given::<Environment>(environment([])).when(retry()).then_rejected(Error::OtherOrigin);
    given::<Environment>(import()).when(retry()).then_rejected(Error::OtherOrigin);
}

#[test]
fn a_running_clone_is_given_up_and_deleted() {
    let environment = given::<Environment>(running([])).when(Command::CancelClone).then([cancelled(1), deleted()]);
    assert!(!environment.exists());
    assert!(environment.states().is_empty());
    assert_eq!(environment.creation().map(|creation| creation.status), Some(CreationStatus::Cancelled));
}

#[test]
fn a_failed_clone_is_given_up_and_deleted() {
    given::<Environment>(running([clone_failed(2)])).when(Command::CancelClone).then([cancelled(1), deleted()]);
}

#[test]
fn only_a_clone_that_is_not_complete_is_given_up() {
    let cancel = || Command::CancelClone;
    given::<Environment>(completed()).when(cancel()).then_rejected(wrong(CreationStatus::Completed));
    given::<Environment>(running([cancelled(1), deleted()])).when(cancel()).then_rejected(Error::NotFound);
    given::<Environment>(environment([])).when(cancel()).then_rejected(Error::OtherOrigin);
    given::<Environment>(import()).when(cancel()).then_rejected(Error::OtherOrigin);
}

#[test]
fn to_delete_a_clone_that_is_not_complete_is_to_give_it_up() {
    for events in [running([]), running([clone_failed(2)])] {
        given::<Environment>(events).when(Command::DeleteEnvironment).then([cancelled(1), deleted()]);
    }
}

#[test]
fn a_complete_clone_is_deleted_like_any_environment() {
    given::<Environment>(completed()).when(Command::DeleteEnvironment).then([deleted()]);
}

#[test]
fn what_a_clone_was_a_copy_of_is_known_for_ever() {
    let environment: Environment = fold(running([cancelled(1), deleted()]));
    let origin = environment.creation().and_then(|creation| creation.clone.as_deref()).unwrap();
    assert_eq!(origin.source.name, "production");
}
