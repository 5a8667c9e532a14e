//! Requests for a clone: planned, with its permissions; in synchronous mode all of it at once.

use std::sync::Arc;

use offshoot_aggregates::environment::{
    BatchedState, CloneMode, CloneOrigin, CloneRequest, CreationStatus, Environment, EnvironmentCommand as Command,
    EnvironmentError as Error, EnvironmentEvent as Event, NewEnvironment, Origin,
};
use offshoot_aggregates::limits::BATCH_SIZE_MAX;
use offshoot_aggregates::permissions::EnvironmentPermission::{UpdateFeatureState, ViewEnvironment};

use crate::support::environment::{
    batch_copied, clone_origin, clone_request, environment_created, new_environment, override_state, state, states,
};
use crate::support::scenario::{Outcome, given_nothing};
use crate::support::{admin, grant, holder, uuid};

const INVALID_BATCH: Error = Error::InvalidBatch { max: BATCH_SIZE_MAX };

fn request(request: CloneRequest) -> Outcome<Environment> {
    given_nothing().when(Command::RequestEnvironmentClone(Box::new(request)))
}

/// A request for all of these batches at once.
fn sync(total: u64, size: u32, batches: impl IntoIterator<Item = Arc<Vec<BatchedState>>>) -> CloneRequest {
    CloneRequest { batches: batches.into_iter().collect(), ..clone_request(total, size, CloneMode::Sync) }
}

fn created(total: u64, size: u32, mode: CloneMode) -> Event {
    environment_created(Origin::Clone(Box::new(clone_origin(total, size, mode))))
}

fn granted() -> Event {
    Event::EnvironmentPermissionGranted { before: None, after: admin(holder(1)) }
}

fn completed(feature_states: u64, batches: u32) -> Event {
    Event::CloneCompleted { feature_states, batches }
}

#[test]
fn a_clone_begins_without_its_states() {
    let environment = request(clone_request(5, 2, CloneMode::Async)).then([created(5, 2, CloneMode::Async), granted()]);
    let creation = environment.creation().unwrap();
    assert!(environment.is_creating());
    assert_eq!(creation.status, CreationStatus::Creating);
    assert_eq!((creation.batches, creation.batches_total, creation.next_batch()), (0, 3, Some(1)));
    assert_eq!((creation.feature_states, creation.feature_states_total, creation.attempts), (0, 5, 1));
    assert_eq!(creation.clone.as_deref(), Some(&clone_origin(5, 2, CloneMode::Async)));
}

#[test]
fn a_clone_inherits_the_permissions_of_its_source_but_not_those_of_the_caller() {
    let inherited = vec![admin(holder(2)), grant(holder(3), [ViewEnvironment])];
    let of_the_caller = grant(holder(1), [ViewEnvironment, UpdateFeatureState]);
    let grants = [of_the_caller].into_iter().chain(inherited.clone()).collect();
    let environment = request(CloneRequest { grants, ..clone_request(5, 2, CloneMode::Async) }).then([
        created(5, 2, CloneMode::Async),
        granted(),
        Event::PermissionsInherited { source: uuid(7), grants: inherited },
    ]);
    assert_eq!(environment.grants()[&holder(1)], admin(holder(1)));
    assert_eq!(environment.grants()[&holder(2)], admin(holder(2)));
    assert_eq!(environment.grants()[&holder(3)], grant(holder(3), [ViewEnvironment]));
}

#[test]
fn a_clone_of_nobody_inherits_everything() {
    let grants = vec![grant(holder(1), [ViewEnvironment])];
    let environment = NewEnvironment { admin: None, ..new_environment() };
    let inherited = Event::PermissionsInherited { source: uuid(7), grants: grants.clone() };
    request(CloneRequest { environment, grants, ..clone_request(5, 2, CloneMode::Async) })
        .then([created(5, 2, CloneMode::Async), inherited]);
}

#[test]
fn a_source_whose_only_grant_is_the_callers_leaves_nothing_to_inherit() {
    let grants = vec![grant(holder(1), [ViewEnvironment])];
    request(CloneRequest { grants, ..clone_request(5, 2, CloneMode::Async) })
        .then([created(5, 2, CloneMode::Async), granted()]);
}

#[test]
fn a_synchronous_clone_is_complete_at_once() {
    let (first, second) = (Arc::new(vec![state(1), override_state(1, 5)]), states([2]));
    let grants = vec![admin(holder(2))];
    let environment = request(CloneRequest { grants: grants.clone(), ..sync(3, 2, [first.clone(), second.clone()]) })
        .then([
            created(3, 2, CloneMode::Sync),
            granted(),
            Event::PermissionsInherited { source: uuid(7), grants },
            batch_copied(1, first),
            batch_copied(2, second),
            completed(3, 2),
        ]);
    assert!(!environment.is_creating());
    assert_eq!((environment.states().len(), environment.overrides().len()), (2, 1));
}

#[test]
fn a_synchronous_clone_has_all_its_states_or_does_not_come_to_be() {
    let incomplete = |actual| Error::Incomplete { expected: 3, actual };
    request(sync(3, 2, [])).then_rejected(incomplete(0));
    request(sync(3, 2, [states([1, 2])])).then_rejected(incomplete(2));
    request(sync(3, 2, [states([1, 2]), states([3, 4])])).then_rejected(incomplete(4));
    request(sync(3, 2, [states([1, 2, 3])])).then_rejected(incomplete(3));
    request(sync(3, 2, [states([1]), states([2]), states([3])])).then_rejected(incomplete(3));
}

#[test]
fn the_batches_of_a_synchronous_clone_are_in_order() {
    request(sync(3, 2, [states([2, 1]), states([3])])).then_rejected(INVALID_BATCH);
    request(sync(3, 2, [states([1, 3]), states([2])])).then_rejected(INVALID_BATCH);
    request(sync(3, 2, [states([1, 2]), states([2])])).then_rejected(INVALID_BATCH);
    request(sync(3, 2, [states([1, 2, 3]), states([])])).then_rejected(INVALID_BATCH);
}

#[test]
fn the_batches_of_an_asynchronous_clone_come_later() {
    let batches = vec![states([1, 2]), states([3])];
    request(CloneRequest { batches, ..clone_request(3, 2, CloneMode::Async) }).then_rejected(INVALID_BATCH);
}

#[test]
fn a_source_without_states_makes_a_clone_without_batches() {
    request(sync(0, 500, [])).then([created(0, 500, CloneMode::Sync), granted(), completed(0, 0)]);
    let environment =
        request(clone_request(0, 500, CloneMode::Async)).then([created(0, 500, CloneMode::Async), granted()]);
    assert!(environment.is_creating());
}

#[test]
fn the_batches_that_are_planned_must_hold_the_states() {
    let plan = |batch_size, batches_total| {
        let origin = CloneOrigin { batch_size, batches_total, ..clone_origin(1_000, 500, CloneMode::Async) };
        request(CloneRequest { origin, ..clone_request(1_000, 500, CloneMode::Async) })
    };
    let max = u32::try_from(BATCH_SIZE_MAX).unwrap();
    plan(500, 1).then_rejected(INVALID_BATCH);
    plan(500, 3).then_rejected(INVALID_BATCH);
    plan(0, 2).then_rejected(INVALID_BATCH);
    plan(max + 1, 1).then_rejected(INVALID_BATCH);
    plan(500, 2).then_accepted();
    plan(499, 3).then_accepted();
    plan(max, 1).then_accepted();
}
