//! The read model `environment_status`: environments, their settings, and the names that are reserved for them.

use offshoot_aggregates::environment::{EnvironmentEvent, EnvironmentSettings, Origin};
use offshoot_aggregates::ids::{EnvironmentId, FeatureStateId, ProjectId};
use offshoot_aggregates::project::{ProjectEvent, ReservationPurpose};
use offshoot_projections::Page;
use offshoot_projections::environment_status::{
    Deleted, EnvironmentStatus, EnvironmentView, OriginKind, count_environments, dangling_reservations, environment,
    environment_by_api_key, environment_by_uuid, environments_by_ids, half_done_renames, list_environments,
};
use rusqlite::Connection;

use crate::history::{project_created, second, uuid};
use crate::house::{House, PROJECT, id_of};

fn house(environments: u64) -> House {
    let mut house = House::with_features(1);
    (1..=environments).for_each(|environment| house.new_environment(environment));
    house
}

fn read(house: &House) -> Connection {
    house.history.read_model(&EnvironmentStatus)
}

fn found(connection: &Connection, id: u64) -> EnvironmentView {
    environment(connection, id_of(id), Deleted::Shown).unwrap().unwrap()
}

fn delete(house: &mut House, environment: u64) {
    house.environment(environment, EnvironmentEvent::EnvironmentDeleted { name: format!("env{environment}") });
}

fn rename(house: &mut House, environment: u64, name: &str) {
    let before = EnvironmentSettings::named(format!("env{environment}"));
    let after = EnvironmentSettings { description: Some("new".to_owned()), ..EnvironmentSettings::named(name) };
    house.environment(environment, EnvironmentEvent::EnvironmentSettingsChanged { before, after });
}

fn reserve_rename(house: &mut House, environment: u64, name: &str) {
    house.project(ProjectEvent::EnvironmentNameReserved {
        environment: uuid(environment),
        environment_id: id_of(environment),
        name: name.to_owned(),
        purpose: ReservationPurpose::Rename,
    });
}

fn release(house: &mut House, environment: u64, name: &str) {
    let (environment, name) = (uuid(environment), name.to_owned());
    house.project(ProjectEvent::EnvironmentNameReleased { environment, name });
}

fn now(house: &House) -> jiff::Timestamp {
    second(house.history.events.len() as u64)
}

fn dangling(house: &House, before: jiff::Timestamp) -> Vec<String> {
    let names = dangling_reservations(&read(house), before, 10).unwrap();
    names.into_iter().map(|reservation| reservation.name).collect()
}

fn renames(house: &House, before: jiff::Timestamp) -> Vec<String> {
    let names = half_done_renames(&read(house), before, 10).unwrap();
    names.into_iter().map(|reservation| reservation.name).collect()
}

#[test]
fn an_environment_is_found_by_id_uuid_and_client_key() {
    let house = house(2);
    let connection = read(&house);
    let view = found(&connection, 2);
    assert_eq!((view.id, view.uuid, view.api_key.as_str()), (EnvironmentId(2), uuid(2), "key-of-2"));
    assert_eq!((view.project, view.project_uuid), (ProjectId(11), uuid(PROJECT)));
    assert_eq!((&view.settings, view.origin), (&EnvironmentSettings::named("env2"), OriginKind::New));
    assert_eq!((view.is_creating, view.is_deleted, view.version.0), (false, false, 1));
    assert_eq!((view.created_at, view.updated_at, view.position.0), (now(&house), now(&house), 7));
    assert_eq!(environment_by_uuid(&connection, uuid(2), Deleted::Hidden).unwrap().as_ref(), Some(&view));
    assert_eq!(environment_by_api_key(&connection, "key-of-2", Deleted::Hidden).unwrap(), Some(view));
    assert_eq!(environment_by_api_key(&connection, "key-of-3", Deleted::Shown).unwrap(), None);
}

#[test]
fn an_environment_whose_name_is_only_reserved_is_none_yet() {
    let mut house = house(0);
    house.reserve(1, false);
    let connection = read(&house);
    assert_eq!(environment(&connection, id_of(1), Deleted::Shown).unwrap(), None);
    assert_eq!(count_environments(&connection, ProjectId(11)).unwrap(), 0);
}

#[test]
fn settings_and_version_follow_the_stream() {
    let mut house = house(1);
    rename(&mut house, 1, "new");
    let view = found(&read(&house), 1);
    assert_eq!((view.settings.name.as_str(), view.settings.description.as_deref()), ("new", Some("new")));
    assert_eq!((view.version.0, view.updated_at, view.created_at < view.updated_at), (2, now(&house), true));
}

#[test]
fn a_deleted_environment_is_found_only_where_deleted_ones_are_shown() {
    let mut house = house(2);
    delete(&mut house, 1);
    let connection = read(&house);
    assert!(found(&connection, 1).is_deleted);
    assert_eq!(environment(&connection, id_of(1), Deleted::Hidden).unwrap(), None);
    assert_eq!(environment_by_uuid(&connection, uuid(1), Deleted::Hidden).unwrap(), None);
    assert_eq!(environment_by_api_key(&connection, "key-of-1", Deleted::Hidden).unwrap(), None);
    let ids = [id_of(2), id_of(1), id_of(9)];
    let by_ids = |deleted| -> Vec<i64> {
        environments_by_ids(&connection, &ids, deleted).unwrap().iter().map(|view| view.id.0).collect()
    };
    assert_eq!((by_ids(Deleted::Shown), by_ids(Deleted::Hidden)), (vec![1, 2], vec![2]));
}

#[test]
fn the_environments_of_a_project_are_listed_by_page() {
    let mut house = house(4);
    delete(&mut house, 2);
    let connection = read(&house);
    let page = |limit, offset| -> Vec<i64> {
        let page = Page { limit, offset };
        list_environments(&connection, ProjectId(11), page).unwrap().iter().map(|view| view.id.0).collect()
    };
    assert_eq!((page(9, 0), page(1, 1), page(9, 3)), (vec![1, 3, 4], vec![3], vec![]));
    assert_eq!(count_environments(&connection, ProjectId(11)).unwrap(), 3);
    assert_eq!(count_environments(&connection, ProjectId(12)).unwrap(), 0);
}

#[test]
fn the_environments_of_a_deleted_project_count_as_deleted() {
    let mut house = house(2);
    house.reserve(3, false);
    house.project(ProjectEvent::ProjectDeleted { name: "project11".to_owned() });
    house.create(3, Origin::New);
    let connection = read(&house);
    assert!((1..=3).all(|id| found(&connection, id).is_deleted));
    assert_eq!(count_environments(&connection, ProjectId(11)).unwrap(), 0);
    assert_eq!(dangling(&house, jiff::Timestamp::MAX), [""; 0]);
}

#[test]
fn a_client_key_that_two_environments_have_finds_the_one_that_is_left() {
    let mut house = house(1);
    delete(&mut house, 1);
    house.reserve(2, false);
    let mut again = crate::house::created(2, Origin::New);
    if let EnvironmentEvent::EnvironmentCreated { api_key, .. } = &mut again {
        *api_key = "key-of-1".to_owned();
    }
    house.environment(2, again);
    let connection = read(&house);
    for deleted in [Deleted::Hidden, Deleted::Shown] {
        assert_eq!(environment_by_api_key(&connection, "key-of-1", deleted).unwrap().unwrap().id, id_of(2));
    }
}

#[test]
fn a_name_whose_environment_never_came_is_dangling_after_a_while() {
    let mut house = house(1);
    house.reserve(2, false);
    let reserved_at = now(&house);
    assert_eq!(dangling(&house, reserved_at), [""; 0]);
    let after = reserved_at + jiff::SignedDuration::from_micros(1);
    assert_eq!(dangling(&house, after), ["env2"]);
    let reservation = dangling_reservations(&read(&house), after, 10).unwrap().remove(0);
    assert_eq!((reservation.environment, reservation.environment_id), (uuid(2), id_of(2)));
    assert_eq!((reservation.project, reservation.reserved_at), (uuid(PROJECT), reserved_at));
    house.create(2, Origin::New);
    assert_eq!(dangling(&house, jiff::Timestamp::MAX), [""; 0]);
}

#[test]
fn a_name_whose_environment_is_deleted_is_dangling_until_it_is_released() {
    let mut house = house(1);
    delete(&mut house, 1);
    assert_eq!(dangling(&house, now(&house)), [""; 0]);
    assert_eq!(dangling(&house, jiff::Timestamp::MAX), ["env1"]);
    release(&mut house, 1, "env1");
    assert_eq!(dangling(&house, jiff::Timestamp::MAX), [""; 0]);
}

#[test]
fn a_name_reserved_for_an_environment_of_another_project_is_dangling() {
    let mut house = house(1);
    house.history.project(12, project_created(12, 1));
    let purpose = ReservationPurpose::NewEnvironment {
        ordinal: 0,
        known_features: 0,
        first_feature_state_id: FeatureStateId(9_000),
        in_batches: false,
    };
    let (environment, environment_id, name) = (uuid(1), id_of(4), "foreign".to_owned());
    house.history.project(12, ProjectEvent::EnvironmentNameReserved { environment, environment_id, name, purpose });
    assert_eq!(dangling(&house, jiff::Timestamp::MAX), ["foreign"]);
    assert_eq!(renames(&house, jiff::Timestamp::MAX), [""; 0]);
}

#[test]
fn a_rename_that_stopped_before_the_settings_changed_shows_the_new_name() {
    let mut house = house(1);
    reserve_rename(&mut house, 1, "new");
    assert_eq!(renames(&house, now(&house)), [""; 0]);
    assert_eq!(renames(&house, jiff::Timestamp::MAX), ["new"]);
    release(&mut house, 1, "new");
    assert_eq!(renames(&house, jiff::Timestamp::MAX), [""; 0]);
}

#[test]
fn a_rename_that_stopped_before_the_old_name_was_released_shows_the_old_name() {
    let mut house = house(1);
    reserve_rename(&mut house, 1, "new");
    rename(&mut house, 1, "new");
    assert_eq!(renames(&house, now(&house)), [""; 0]);
    assert_eq!(renames(&house, jiff::Timestamp::MAX), ["env1"]);
    release(&mut house, 1, "env1");
    assert_eq!(renames(&house, jiff::Timestamp::MAX), [""; 0]);
    assert_eq!(dangling(&house, jiff::Timestamp::MAX), [""; 0]);
}
