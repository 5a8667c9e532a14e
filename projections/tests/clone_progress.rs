//! The read model `environment_status`: how clones get on.

use offshoot_aggregates::environment::{CreationStatus, EnvironmentEvent, FeatureValue, Origin};
use offshoot_aggregates::project::ProjectEvent;
use offshoot_projections::environment_status::{
    CloneError, CloneStatus, EnvironmentStatus, clone_status, creating_clones, environments_by_ids,
};

use crate::history::uuid;
use crate::house::{House, batched, clone_origin, content, id_of};

/// Environment 1, and a clone of it (environment 2) that is to get eight states in four batches.
fn house() -> House {
    let mut house = House::with_features(8);
    house.new_environment(1);
    house.reserve(2, true);
    house.create(2, clone_origin(2, 12, 8, 4));
    house
}

fn copy(house: &mut House, batch: u32) {
    let first = i64::from(batch) * 2 - 1;
    let state = |feature| batched(feature, None, 1_999 + feature, content(feature, FeatureValue::integer(1)));
    house.copy(2, batch, vec![state(first), state(first + 1)]);
}

fn retry(house: &mut House) {
    house.environment(2, EnvironmentEvent::CloneRetried { attempt: 2, from_batch: 2 });
}

/// Lets a second go by, in which something else happens.
fn wait(house: &mut House) {
    house.create_feature(crate::house::feature_of(house.history.events.len() as i64, &[]));
}

fn status(house: &House) -> CloneStatus {
    clone_status(&house.history.read_model(&EnvironmentStatus), uuid(2)).unwrap().unwrap()
}

/// Whether environment 2 is one that nobody edits yet, and whether it is gone.
fn creating_and_deleted(house: &House) -> (bool, bool) {
    let connection = house.history.read_model(&EnvironmentStatus);
    let found = environments_by_ids(&connection, &[id_of(2)]).unwrap().remove(0);
    (found.is_creating, found.is_deleted)
}

fn creating(house: &House) -> Vec<uuid::Uuid> {
    creating_clones(&house.history.read_model(&EnvironmentStatus)).unwrap()
}

#[test]
fn a_clone_that_was_asked_for_has_a_plan_and_no_progress() {
    let house = house();
    let clone = status(&house);
    assert_eq!((clone.environment, clone.status, clone.attempts), (uuid(2), CreationStatus::Creating, 1));
    assert_eq!((clone.feature_states_copied, clone.batches_copied), (0, 0));
    assert_eq!((clone.requested_at, clone.updated_at), (house.now(), house.now()));
    assert_eq!((clone.started_at, clone.completed_at, &clone.error), (None, None, &None));
    assert_eq!((clone.estimated_remaining_ms(), clone.is_at_rest()), (None, false));
    assert_eq!(Origin::Clone(Box::new(clone.origin)), clone_origin(2, 12, 8, 4));
    assert_eq!((creating_and_deleted(&house), creating(&house)), ((true, false), vec![uuid(2)]));
}

#[test]
fn every_batch_shows_as_progress() {
    let mut house = house();
    copy(&mut house, 1);
    let started_at = house.now();
    copy(&mut house, 2);
    let clone = status(&house);
    assert_eq!((clone.feature_states_copied, clone.batches_copied), (4, 2));
    assert_eq!((clone.started_at, clone.updated_at), (Some(started_at), house.now()));
    assert_eq!(clone.position.0, house.history.events.len() as u64);
    assert_eq!(clone.status, CreationStatus::Creating);
}

#[test]
fn what_remains_is_estimated_from_the_batches_after_the_first() {
    let mut house = house();
    copy(&mut house, 1);
    assert_eq!(status(&house).estimated_remaining_ms(), None);
    copy(&mut house, 2);
    // One batch took a second, and two are left.
    assert_eq!(status(&house).estimated_remaining_ms(), Some(2_000));
    wait(&mut house);
    copy(&mut house, 3);
    // Two took three seconds, and one is left.
    assert_eq!(status(&house).estimated_remaining_ms(), Some(1_500));
    copy(&mut house, 4);
    assert_eq!(status(&house).estimated_remaining_ms(), Some(0));
}

#[test]
fn what_remains_after_a_retry_is_estimated_from_the_retry_on() {
    let mut house = house();
    copy(&mut house, 1);
    copy(&mut house, 2);
    house.fail_clone(2, 3);
    assert_eq!(status(&house).estimated_remaining_ms(), None);
    (0..9).for_each(|_| wait(&mut house));
    retry(&mut house);
    assert_eq!(status(&house).estimated_remaining_ms(), None);
    copy(&mut house, 3);
    assert_eq!(status(&house).estimated_remaining_ms(), Some(1_000));
}

#[test]
fn other_events_of_the_environment_are_no_progress() {
    let mut house = house();
    copy(&mut house, 1);
    let before = status(&house);
    house.rename(2, "new");
    assert_eq!(status(&house), before);
}

#[test]
fn a_complete_clone_says_when() {
    let mut house = house();
    (1..=4).for_each(|batch| copy(&mut house, batch));
    house.complete_clone(2);
    let clone = status(&house);
    assert_eq!((clone.status, clone.completed_at), (CreationStatus::Completed, Some(house.now())));
    assert_eq!((clone.estimated_remaining_ms(), clone.is_at_rest()), (Some(0), true));
    assert_eq!((creating_and_deleted(&house), creating(&house)), ((false, false), vec![]));
}

#[test]
fn a_failed_clone_says_why_and_a_retry_begins_anew() {
    let mut house = house();
    copy(&mut house, 1);
    house.fail_clone(2, 2);
    let clone = status(&house);
    let error = CloneError { code: "unavailable".to_owned(), detail: "the store is away".to_owned(), batch: 2 };
    assert!(clone.is_at_rest());
    assert_eq!((clone.status, clone.error, clone.batches_copied), (CreationStatus::Failed, Some(error), 1));
    assert_eq!((creating_and_deleted(&house), creating(&house)), ((true, false), vec![]));
    retry(&mut house);
    let retried_at = house.now();
    let clone = status(&house);
    assert_eq!((clone.status, clone.error, clone.attempts), (CreationStatus::Creating, None, 2));
    assert_eq!(clone.started_at, Some(retried_at));
    assert_eq!(creating(&house), [uuid(2)]);
    copy(&mut house, 2);
    let clone = status(&house);
    assert_eq!((clone.started_at, clone.batches_copied), (Some(retried_at), 2));
}

#[test]
fn a_cancelled_clone_can_still_be_asked_about() {
    let mut house = house();
    copy(&mut house, 1);
    house.environment(2, EnvironmentEvent::CloneCancelled { batches_copied: 1 });
    let cancelled_at = house.now();
    house.delete_environment(2);
    let clone = status(&house);
    assert!(clone.is_at_rest());
    assert_eq!((clone.status, clone.batches_copied), (CreationStatus::Cancelled, 1));
    assert_eq!((clone.completed_at, clone.estimated_remaining_ms()), (Some(cancelled_at), None));
    assert_eq!((creating_and_deleted(&house), creating(&house)), ((false, true), vec![]));
}

#[test]
fn a_clone_whose_project_is_deleted_is_gone_whatever_its_worker_still_says() {
    let mut house = house();
    copy(&mut house, 1);
    house.project(ProjectEvent::ProjectDeleted { name: "project11".to_owned() });
    assert_eq!((creating_and_deleted(&house), creating(&house)), ((false, true), vec![]));
    copy(&mut house, 2);
    house.fail_clone(2, 3);
    retry(&mut house);
    assert_eq!((creating_and_deleted(&house), creating(&house)), ((false, true), vec![]));
    house.complete_clone(2);
    assert_eq!((creating_and_deleted(&house), creating(&house)), ((false, true), vec![]));
}

#[test]
fn a_clone_that_begins_after_its_project_was_deleted_is_not_worked_on() {
    let mut house = House::with_features(8);
    house.new_environment(1);
    house.reserve(2, true);
    house.project(ProjectEvent::ProjectDeleted { name: "project11".to_owned() });
    house.create(2, clone_origin(2, 12, 8, 4));
    assert_eq!((creating_and_deleted(&house), creating(&house)), ((false, true), vec![]));
}

#[test]
fn the_oldest_clone_is_worked_on_first() {
    let mut house = house();
    house.begin_clone(4);
    house.begin_clone(3);
    assert_eq!(creating(&house), [uuid(2), uuid(4), uuid(3)]);
}

#[test]
fn an_import_is_creating_until_it_is_complete_and_is_no_clone() {
    let mut house = House::with_features(1);
    house.reserve(2, true);
    house.create(2, Origin::Import { document: "d".to_owned(), feature_states_total: 1, batches_total: 1 });
    assert_eq!((creating_and_deleted(&house), creating(&house)), ((true, false), vec![]));
    let connection = house.history.read_model(&EnvironmentStatus);
    assert_eq!(clone_status(&connection, uuid(2)).unwrap(), None);
    house.environment(2, EnvironmentEvent::ImportCompleted { feature_states: 1 });
    assert_eq!(creating_and_deleted(&house), (false, false));
}
