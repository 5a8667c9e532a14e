//! The read model `environment_status`: how clones get on.

use offshoot_aggregates::environment::{CreationStatus, EnvironmentEvent, FeatureValue, Origin};
use offshoot_aggregates::project::ProjectEvent;
use offshoot_projections::Page;
use offshoot_projections::environment_status::{
    CloneError, CloneStatus, Deleted, EnvironmentStatus, OriginKind, clone_status, environment, running_clones,
};

use crate::history::{second, uuid};
use crate::house::{House, batched, clone_origin, content, id_of};

/// Environment 1, and a clone of it (environment 2) that is to get four states in two batches.
fn house() -> House {
    let mut house = House::with_features(4);
    house.new_environment(1);
    house.begin_clone(2);
    house
}

fn copy(house: &mut House, batch: u32) {
    let first = i64::from(batch) * 2 - 1;
    let state = |feature| batched(feature, None, 1_999 + feature, content(feature, FeatureValue::integer(1)));
    house.copy(2, batch, vec![state(first), state(first + 1)]);
}

fn fail(house: &mut House) {
    let (code, detail) = ("unavailable".to_owned(), "the store is away".to_owned());
    house.environment(2, EnvironmentEvent::CloneFailed { batch: 2, code, detail });
}

fn now(house: &House) -> jiff::Timestamp {
    second(house.history.events.len() as u64)
}

fn status(house: &House) -> CloneStatus {
    clone_status(&house.history.read_model(&EnvironmentStatus), uuid(2)).unwrap().unwrap()
}

fn is_creating(house: &House) -> bool {
    let connection = house.history.read_model(&EnvironmentStatus);
    environment(&connection, id_of(2), Deleted::Shown).unwrap().unwrap().is_creating
}

fn running(house: &House) -> Vec<i64> {
    let connection = house.history.read_model(&EnvironmentStatus);
    running_clones(&connection, Page::ALL).unwrap().iter().map(|clone| clone.environment_id.0).collect()
}

#[test]
fn a_clone_that_was_asked_for_has_a_plan_and_no_progress() {
    let house = house();
    let clone = status(&house);
    assert_eq!((clone.environment, clone.environment_id, clone.api_key.as_str()), (uuid(2), id_of(2), "key-of-2"));
    assert_eq!((clone.status, clone.attempts), (CreationStatus::Creating, 1));
    assert_eq!(Origin::Clone(Box::new(clone.origin)), clone_origin(2, 8, 4, 2));
    assert_eq!((clone.feature_states_copied, clone.batches_copied), (0, 0));
    assert_eq!((clone.requested_at, clone.updated_at), (now(&house), now(&house)));
    assert_eq!((clone.started_at, clone.completed_at, clone.error), (None, None, None));
    assert_eq!((is_creating(&house), running(&house)), (true, vec![2]));
}

#[test]
fn every_batch_shows_as_progress() {
    let mut house = house();
    copy(&mut house, 1);
    let started_at = now(&house);
    copy(&mut house, 2);
    let clone = status(&house);
    assert_eq!((clone.feature_states_copied, clone.batches_copied), (4, 2));
    assert_eq!((clone.started_at, clone.updated_at), (Some(started_at), now(&house)));
    assert_eq!(clone.position.0, house.history.events.len() as u64);
    assert_eq!(clone.status, CreationStatus::Creating);
}

#[test]
fn other_events_of_the_environment_are_no_progress() {
    let mut house = house();
    copy(&mut house, 1);
    let before = status(&house);
    let settings = offshoot_aggregates::environment::EnvironmentSettings::named("env2");
    let event = EnvironmentEvent::EnvironmentSettingsChanged { before: settings.clone(), after: settings };
    house.environment(2, event);
    assert_eq!(status(&house), before);
}

#[test]
fn a_complete_clone_says_when() {
    let mut house = house();
    copy(&mut house, 1);
    copy(&mut house, 2);
    house.complete_clone(2);
    let clone = status(&house);
    assert_eq!((clone.status, clone.completed_at), (CreationStatus::Completed, Some(now(&house))));
    assert_eq!((is_creating(&house), running(&house)), (false, vec![]));
}

#[test]
fn a_failed_clone_says_why_and_a_retry_begins_anew() {
    let mut house = house();
    copy(&mut house, 1);
    fail(&mut house);
    let clone = status(&house);
    let error = CloneError { code: "unavailable".to_owned(), detail: "the store is away".to_owned(), batch: 2 };
    assert_eq!((clone.status, clone.error, clone.batches_copied), (CreationStatus::Failed, Some(error), 1));
    assert_eq!((is_creating(&house), running(&house)), (true, vec![]));
    house.environment(2, EnvironmentEvent::CloneRetried { attempt: 2, from_batch: 2 });
    let retried_at = now(&house);
    let clone = status(&house);
    assert_eq!((clone.status, clone.error, clone.attempts), (CreationStatus::Creating, None, 2));
    assert_eq!(clone.started_at, Some(retried_at));
    assert_eq!(running(&house), [2]);
    copy(&mut house, 2);
    let clone = status(&house);
    assert_eq!((clone.started_at, clone.batches_copied), (Some(retried_at), 2));
}

#[test]
fn a_cancelled_clone_can_still_be_asked_about() {
    let mut house = house();
    copy(&mut house, 1);
    house.environment(2, EnvironmentEvent::CloneCancelled { batches_copied: 1 });
    house.environment(2, EnvironmentEvent::EnvironmentDeleted { name: "env2".to_owned() });
    let clone = status(&house);
    assert_eq!((clone.status, clone.batches_copied), (CreationStatus::Cancelled, 1));
    assert_eq!(running(&house), [0; 0]);
}

#[test]
fn a_clone_whose_project_is_deleted_is_cancelled_whatever_its_worker_still_says() {
    let mut house = house();
    copy(&mut house, 1);
    house.project(ProjectEvent::ProjectDeleted { name: "project11".to_owned() });
    assert_eq!((status(&house).status, running(&house)), (CreationStatus::Cancelled, vec![]));
    copy(&mut house, 2);
    house.complete_clone(2);
    let clone = status(&house);
    assert_eq!((clone.status, clone.completed_at), (CreationStatus::Cancelled, None));
}

#[test]
fn the_oldest_clone_is_worked_on_first() {
    let mut house = house();
    house.begin_clone(4);
    house.begin_clone(3);
    assert_eq!(running(&house), [2, 4, 3]);
    let connection = house.history.read_model(&EnvironmentStatus);
    let page = Page { limit: 1, offset: 1 };
    assert_eq!(running_clones(&connection, page).unwrap().remove(0).environment_id, id_of(4));
}

#[test]
fn times_of_a_clone_never_go_back() {
    let mut house = house();
    copy(&mut house, 1);
    let latest = now(&house);
    copy(&mut house, 2);
    house.history.events.last_mut().unwrap().recorded_at = second(1);
    let connection = house.history.read_model(&EnvironmentStatus);
    assert_eq!(clone_status(&connection, uuid(2)).unwrap().unwrap().updated_at, latest);
    assert_eq!(environment(&connection, id_of(2), Deleted::Hidden).unwrap().unwrap().updated_at, latest);
}

#[test]
fn an_import_is_creating_until_it_is_complete_and_is_no_clone() {
    let mut house = House::with_features(1);
    house.reserve(2, true);
    house.create(2, Origin::Import { document: "d".to_owned(), feature_states_total: 1, batches_total: 1 });
    assert!(is_creating(&house));
    let connection = house.history.read_model(&EnvironmentStatus);
    assert_eq!(environment(&connection, id_of(2), Deleted::Hidden).unwrap().unwrap().origin, OriginKind::Import);
    assert_eq!(clone_status(&connection, uuid(2)).unwrap(), None);
    assert_eq!(running(&house), [0; 0]);
    house.environment(2, EnvironmentEvent::ImportCompleted { feature_states: 1 });
    assert!(!is_creating(&house));
}
