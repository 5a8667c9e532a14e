//! The names of a project's environments.

use offshoot_aggregates::ids::{EnvironmentId, FeatureStateId};
use offshoot_aggregates::limits::{ENVIRONMENTS_MAX, NAME_CHARACTERS_MAX};
use offshoot_aggregates::project::{
    Project, ProjectCommand as Command, ProjectError as Error, ProjectEvent as Event, ReservationPurpose,
};

use crate::support::project::{environment_reserved, feature, feature_created, feature_deleted, project};
use crate::support::scenario::{fold, given};
use crate::support::{bad_names, problem, text, uuid};

fn reserve(number: u64, name: &str) -> Command {
    reserve_with_ids(number, name, 10)
}

fn reserve_with_ids(number: u64, name: &str, feature_state_ids: u64) -> Command {
    Command::ReserveEnvironmentName {
        environment: uuid(number),
        environment_id: EnvironmentId(number.cast_signed()),
        name: name.to_owned(),
        first_feature_state_id: FeatureStateId(10_000 * number.cast_signed()),
        feature_state_ids,
        in_batches: false,
    }
}

fn rename(number: u64, name: &str) -> Command {
    Command::ReserveEnvironmentRename { environment: uuid(number), name: name.to_owned() }
}

fn reserved_for(purpose: ReservationPurpose, number: u64, name: &str, reservation: u64) -> Event {
    Event::EnvironmentNameReserved {
        environment: uuid(number),
        environment_id: EnvironmentId(number.cast_signed()),
        name: name.to_owned(),
        reservation,
        purpose,
    }
}

fn renamed(number: u64, name: &str, reservation: u64) -> Event {
    reserved_for(ReservationPurpose::Rename, number, name, reservation)
}

fn renewed(number: u64, name: &str, reservation: u64) -> Event {
    reserved_for(ReservationPurpose::Renewal, number, name, reservation)
}

fn release(number: u64, name: &str, reservation: u64) -> Command {
    Command::ReleaseEnvironmentName { environment: uuid(number), name: name.to_owned(), reservation }
}

fn released(number: u64, name: &str) -> Event {
    Event::EnvironmentNameReleased { environment: uuid(number), name: name.to_owned() }
}

#[test]
fn a_name_is_set_apart_for_a_new_environment() {
    let project = given::<Project>(project([feature_created(feature(1, "flag"), 0)]))
        .when(reserve(5, "production"))
        .then([environment_reserved(5, "production", 0, 1)]);
    assert_eq!(project.environment_names().holder("production"), Some(uuid(5)));
    assert_eq!(project.environments_ever(), 1);
    let reservation = project.environment(uuid(5)).unwrap();
    assert_eq!((reservation.id, reservation.ordinal, reservation.known_features), (EnvironmentId(5), 0, 1));
}

#[test]
fn environments_are_counted_also_when_they_are_gone() {
    given::<Project>(project([environment_reserved(5, "production", 0, 0), released(5, "production")]))
        .when(reserve(6, "staging"))
        .then([environment_reserved(6, "staging", 1, 0)]);
}

#[test]
fn whether_the_states_come_in_batches_is_recorded() {
    let in_batches = |purpose| match purpose {
        Command::ReserveEnvironmentName {
            environment,
            environment_id,
            name,
            first_feature_state_id,
            feature_state_ids,
            ..
        } => Command::ReserveEnvironmentName {
            environment,
            environment_id,
            name,
            first_feature_state_id,
            feature_state_ids,
            in_batches: true,
        },
        other => other,
    };
    let reserved = Event::EnvironmentNameReserved {
        environment: uuid(5),
        environment_id: EnvironmentId(5),
        name: "copy".to_owned(),
        reservation: 1,
        purpose: ReservationPurpose::NewEnvironment {
            ordinal: 0,
            known_features: 0,
            first_feature_state_id: FeatureStateId(50_000),
            in_batches: true,
        },
    };
    given::<Project>(project([])).when(in_batches(reserve(5, "copy"))).then([reserved]);
}

#[test]
fn the_name_of_an_environment_is_unique_in_its_case() {
    let project = || given::<Project>(project([environment_reserved(5, "production", 0, 0)]));
    project().when(reserve(6, "production")).then_rejected(Error::EnvironmentNameTaken);
    project().when(reserve(6, "Production")).then([environment_reserved(6, "Production", 1, 0)]);
}

#[test]
fn a_name_that_is_set_apart_again_stays_under_a_new_reservation() {
    let before = given::<Project>(project([environment_reserved(5, "production", 0, 0)]));
    let project = before.when(reserve(5, "production")).then([renewed(5, "production", 2)]);
    assert_eq!(project.environment_names().reservation("production", uuid(5)), Some(2));
    assert_eq!((project.environments_ever(), project.environment(uuid(5)).unwrap().ordinal), (1, 0));
}

#[test]
fn an_environment_does_not_come_to_be_under_a_second_name() {
    given::<Project>(project([environment_reserved(5, "production", 0, 0)]))
        .when(reserve(5, "staging"))
        .then_rejected(Error::EnvironmentAlreadyNamed);
}

#[test]
fn an_environment_needs_a_proper_name() {
    for (name, wrong) in bad_names(NAME_CHARACTERS_MAX) {
        given::<Project>(project([])).when(reserve(5, &name)).then_rejected(problem("name", wrong));
        given::<Project>(project([environment_reserved(5, "production", 0, 0)]))
            .when(rename(5, &name))
            .then_rejected(problem("name", wrong));
    }
    given::<Project>(project([])).when(reserve(5, &text(NAME_CHARACTERS_MAX))).then_accepted();
}

#[test]
fn an_environment_needs_an_id_for_its_state_of_each_feature_there_ever_was() {
    let events =
        project([feature_created(feature(1, "a"), 0), feature_deleted(1, "a"), feature_created(feature(2, "b"), 1)]);
    given::<Project>(events.clone())
        .when(reserve_with_ids(5, "production", 1))
        .then_rejected(Error::TooFewIds { needed: 2 });
    given::<Project>(events).when(reserve_with_ids(5, "production", 2)).then([environment_reserved(
        5,
        "production",
        0,
        2,
    )]);
}

#[test]
fn a_project_has_a_limited_number_of_environments_at_a_time() {
    let max = ENVIRONMENTS_MAX;
    let count = u64::try_from(max).unwrap();
    let full: Vec<_> =
        (0..count).map(|ordinal| environment_reserved(ordinal + 1, &format!("e{ordinal}"), ordinal, 0)).collect();
    given::<Project>(project(full.clone()))
        .when(reserve(5_000, "more"))
        .then_rejected(Error::TooManyEnvironments { max });
    given::<Project>(project(full.into_iter().chain([released(1, "e0")])))
        .when(reserve(5_000, "more"))
        .then([environment_reserved(5_000, "more", count, 0)]);
}

#[test]
fn an_environment_that_is_being_renamed_has_two_names() {
    let project = given::<Project>(project([environment_reserved(5, "production", 0, 0)]))
        .when(rename(5, "live"))
        .then([renamed(5, "live", 2)]);
    let names: Vec<_> = project.environment_names().iter().collect();
    assert_eq!(names, [("live", uuid(5)), ("production", uuid(5))]);
    assert_eq!(project.environments_ever(), 1);
    assert!(project.environment_names().is_taken("live", uuid(6)));
    assert!(!project.environment_names().is_taken("live", uuid(5)));
}

#[test]
fn an_environment_is_renamed_to_a_free_name() {
    let events = || project([environment_reserved(5, "production", 0, 0), environment_reserved(6, "staging", 1, 0)]);
    given::<Project>(events()).when(rename(5, "staging")).then_rejected(Error::EnvironmentNameTaken);
    given::<Project>(events()).when(rename(5, "production")).then([renewed(5, "production", 3)]);
    given::<Project>(events()).when(rename(7, "live")).then_rejected(Error::EnvironmentNotFound);
}

#[test]
fn the_old_name_of_a_renamed_environment_is_free_again() {
    let events = project([environment_reserved(5, "production", 0, 0), renamed(5, "live", 2)]);
    let project = given::<Project>(events).when(release(5, "production", 1)).then([released(5, "production")]);
    assert!(project.environment(uuid(5)).is_some());
    assert_eq!(project.environment_names().holder("production"), None);
}

#[test]
fn an_environment_without_a_name_is_no_longer_one_of_the_project() {
    let project = given::<Project>(project([environment_reserved(5, "production", 0, 0)]))
        .when(release(5, "production", 1))
        .then([released(5, "production")]);
    assert_eq!(project.environment(uuid(5)), None);
    let events =
        crate::support::project::project([environment_reserved(5, "production", 0, 0), released(5, "production")]);
    assert_eq!(fold::<Project>(events.clone()), project);
    given::<Project>(events).when(reserve(6, "production")).then([environment_reserved(6, "production", 1, 0)]);
}

#[test]
fn only_the_holder_of_a_name_releases_it() {
    given::<Project>(project([])).when(release(5, "production", 1)).then_nothing();
    given::<Project>(project([environment_reserved(5, "production", 0, 0)]))
        .when(release(6, "production", 1))
        .then_nothing();
}

#[test]
fn a_name_that_its_environment_takes_back_is_not_released_as_the_old_one() {
    // A rename to `live` stopped before it released `production`. The environment is being renamed back, while someone
    // finds the old name forgotten.
    let events =
        || project([environment_reserved(5, "production", 0, 0), renamed(5, "live", 2), renewed(5, "production", 3)]);
    given::<Project>(events()).when(release(5, "production", 1)).then_nothing();
    given::<Project>(events()).when(release(5, "production", 3)).then([released(5, "production")]);
}
