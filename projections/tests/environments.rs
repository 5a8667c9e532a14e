//! The read model `environment_status`: environments, their settings, and the names that are reserved for them.

use jiff::{SignedDuration, Timestamp};
use offshoot_aggregates::environment::{EnvironmentSettings, Origin};
use offshoot_aggregates::ids::{EnvironmentId, FeatureStateId, ProjectId};
use offshoot_aggregates::project::{ProjectEvent, ReservationPurpose};
use offshoot_projections::Page;
use offshoot_projections::environment_status::{
    EnvironmentStatus, ForgottenName, StoredEnvironment, count_environments, environment, environment_by_key,
    environment_by_uuid, environment_ever_by_key, environments_by_ids, forgotten_names, list_environments,
};
use rusqlite::Connection;

use crate::history::{project_created, uuid};
use crate::house::{House, PROJECT, id_of};

fn house(environments: u64) -> House {
    let mut house = House::with_features(1);
    (1..=environments).for_each(|environment| house.new_environment(environment));
    house
}

fn read(house: &House) -> Connection {
    house.history.read_model(&EnvironmentStatus)
}

/// An environment, also if it is gone.
fn found(connection: &Connection, id: u64) -> StoredEnvironment {
    environments_by_ids(connection, &[id_of(id)]).unwrap().remove(0)
}

/// How many environments of the project there are among those with the ids 1 to 9.
fn count(connection: &Connection, project: i64) -> u64 {
    let ids: Vec<_> = (1..10).map(id_of).collect();
    count_environments(connection, ProjectId(project), &ids).unwrap()
}

fn just_after(time: Timestamp) -> Timestamp {
    time + SignedDuration::from_micros(1)
}

fn forgotten(house: &House, before: Timestamp) -> Vec<String> {
    forgotten_names(&read(house), before).unwrap().into_iter().map(|forgotten| forgotten.name).collect()
}

#[test]
fn an_environment_is_found_by_id_uuid_and_client_key() {
    let house = house(2);
    let connection = read(&house);
    let stored = environment(&connection, id_of(2)).unwrap().unwrap();
    assert_eq!((stored.id, stored.uuid, stored.api_key.as_str()), (EnvironmentId(2), uuid(2), "key-of-2"));
    assert_eq!((stored.project, stored.project_uuid), (ProjectId(11), uuid(PROJECT)));
    assert_eq!(stored.settings, EnvironmentSettings::named("env2"));
    assert_eq!((stored.is_creating, stored.is_deleted, stored.version.0), (false, false, 1));
    assert_eq!((stored.created_at, stored.updated_at), (house.now(), house.now()));
    assert_eq!(environment_by_uuid(&connection, uuid(2)).unwrap().as_ref(), Some(&stored));
    assert_eq!(environment_by_key(&connection, "key-of-2").unwrap().as_ref(), Some(&stored));
    assert_eq!(environment_ever_by_key(&connection, "key-of-2").unwrap(), Some(stored));
    assert_eq!(environment_ever_by_key(&connection, "key-of-3").unwrap(), None);
}

#[test]
fn an_environment_whose_name_is_only_reserved_is_none_yet() {
    let mut house = house(0);
    house.reserve(1, false);
    let connection = read(&house);
    assert_eq!(environments_by_ids(&connection, &[id_of(1)]).unwrap(), []);
    assert_eq!(count(&connection, 11), 0);
}

#[test]
fn settings_and_version_follow_the_stream() {
    let mut house = house(1);
    house.rename(1, "new");
    let stored = found(&read(&house), 1);
    assert_eq!((stored.settings.name.as_str(), stored.settings.description.as_deref()), ("new", Some("new")));
    assert_eq!((stored.version.0, stored.updated_at, stored.created_at < stored.updated_at), (2, house.now(), true));
}

#[test]
fn a_deleted_environment_is_found_only_where_deleted_ones_are_shown() {
    let mut house = house(2);
    house.delete_environment(1);
    let connection = read(&house);
    assert_eq!(environment(&connection, id_of(1)).unwrap(), None);
    assert_eq!(environment_by_uuid(&connection, uuid(1)).unwrap(), None);
    assert_eq!(environment_by_key(&connection, "key-of-1").unwrap(), None);
    let stored = environment_ever_by_key(&connection, "key-of-1").unwrap().unwrap();
    assert!(stored.is_deleted);
    let by_ids = environments_by_ids(&connection, &[id_of(2), id_of(1), id_of(9)]).unwrap();
    assert_eq!(by_ids, [stored, found(&connection, 2)]);
}

#[test]
fn the_environments_of_a_project_are_listed_by_page() {
    let mut house = house(5);
    house.delete_environment(2);
    let connection = read(&house);
    let ids = [4, 3, 2, 1].map(id_of);
    let page = |limit, offset| -> Vec<i64> {
        let page = Page { limit, offset };
        list_environments(&connection, ProjectId(11), &ids, page).unwrap().iter().map(|stored| stored.id.0).collect()
    };
    assert_eq!((page(9, 0), page(1, 1), page(9, 3)), (vec![1, 3, 4], vec![3], vec![]));
    assert_eq!(count_environments(&connection, ProjectId(11), &ids).unwrap(), 3);
    assert_eq!(list_environments(&connection, ProjectId(12), &ids, Page::ALL).unwrap(), []);
    assert_eq!((count(&connection, 11), count(&connection, 12)), (4, 0));
}

#[test]
fn who_sees_no_environment_gets_an_empty_list() {
    let connection = read(&house(2));
    assert_eq!(list_environments(&connection, ProjectId(11), &[], Page::ALL).unwrap(), []);
    assert_eq!(count_environments(&connection, ProjectId(11), &[]).unwrap(), 0);
}

#[test]
fn the_environments_of_a_deleted_project_count_as_deleted() {
    let mut house = house(2);
    house.reserve(3, false);
    house.project(ProjectEvent::ProjectDeleted { name: "project11".to_owned() });
    house.create(3, Origin::New);
    let connection = read(&house);
    for id in 1..=3 {
        assert!(found(&connection, id).is_deleted, "environment {id}");
    }
    assert_eq!(count(&connection, 11), 0);
    assert_eq!(forgotten(&house, Timestamp::MAX), [""; 0]);
}

#[test]
fn a_name_whose_environment_never_came_is_forgotten_after_a_while() {
    let mut house = house(1);
    house.reserve(2, false);
    let reserved_at = house.now();
    assert_eq!(forgotten(&house, reserved_at), [""; 0]);
    let expected =
        ForgottenName { project: uuid(PROJECT), environment: uuid(2), name: "env2".to_owned(), reservation: 2 };
    assert_eq!(forgotten_names(&read(&house), just_after(reserved_at)).unwrap(), [expected]);
    house.create(2, Origin::New);
    assert_eq!(forgotten(&house, Timestamp::MAX), [""; 0]);
}

#[test]
fn a_name_whose_environment_is_deleted_is_forgotten_until_it_is_released() {
    let mut house = house(1);
    house.delete_environment(1);
    assert_eq!(forgotten(&house, Timestamp::MAX), ["env1"]);
    house.release_name(1, "env1");
    assert_eq!(forgotten(&house, Timestamp::MAX), [""; 0]);
}

#[test]
fn a_name_reserved_for_an_environment_of_another_project_is_forgotten() {
    let mut house = house(1);
    house.history.project(12, project_created(12, 1));
    let purpose = ReservationPurpose::NewEnvironment {
        ordinal: 0,
        known_features: 0,
        first_feature_state_id: FeatureStateId(9_000),
        in_batches: false,
    };
    let (environment, environment_id, name) = (uuid(1), id_of(4), "env1".to_owned());
    let reserved = ProjectEvent::EnvironmentNameReserved { environment, environment_id, name, reservation: 1, purpose };
    house.history.project(12, reserved);
    let expected = ForgottenName { project: uuid(12), environment: uuid(1), name: "env1".to_owned(), reservation: 1 };
    assert_eq!(forgotten_names(&read(&house), Timestamp::MAX).unwrap(), [expected]);
}

#[test]
fn a_rename_that_stopped_before_the_settings_changed_leaves_the_new_name_forgotten() {
    let mut house = house(1);
    house.reserve_rename(1, "new");
    assert_eq!(forgotten(&house, house.now()), [""; 0]);
    assert_eq!(forgotten(&house, just_after(house.now())), ["new"]);
    house.release_name(1, "new");
    assert_eq!(forgotten(&house, Timestamp::MAX), [""; 0]);
}

#[test]
fn a_rename_that_stopped_before_the_old_name_was_released_leaves_the_old_name_forgotten() {
    let mut house = house(1);
    house.reserve_rename(1, "new");
    house.rename(1, "new");
    assert_eq!(forgotten(&house, Timestamp::MAX), ["env1"]);
    house.release_name(1, "env1");
    assert_eq!(forgotten(&house, Timestamp::MAX), [""; 0]);
}
