//! The read model `access`: API keys and permissions.

use std::collections::BTreeSet;

use offshoot_aggregates::environment::{EnvironmentEvent, Origin};
use offshoot_aggregates::ids::{ApiKeyId, EnvironmentId, OrganisationId, ProjectId};
use offshoot_aggregates::organisation::{ApiKey, ApiKeyRole, OrganisationEvent};
use offshoot_aggregates::permissions::{EnvironmentPermission as E, Grant, ProjectPermission as P};
use offshoot_aggregates::project::ProjectEvent;
use offshoot_projections::access::{
    Access, environment_grants, environment_permissions, key_by_hash, key_by_id, key_by_prefix, keys_of_organisation,
    organisations_of, owners_of_environment, project_grants, project_permissions, visible_environments,
    visible_projects,
};
use rusqlite::Connection;

use crate::history::{
    History, clone_of, key, name_of, organisation_created, principal, project_created, second, states, uuid,
};

fn grant<T: Ord>(id: i64, admin: bool, permissions: impl IntoIterator<Item = T>) -> Grant<T> {
    Grant { principal: principal(id), admin, permissions: permissions.into_iter().collect() }
}

fn granted_in_project(after: Grant<P>) -> ProjectEvent {
    ProjectEvent::ProjectPermissionGranted { before: None, after }
}

fn granted_in_environment(after: Grant<E>) -> EnvironmentEvent {
    EnvironmentEvent::EnvironmentPermissionGranted { before: None, after }
}

fn issued(id: i64, role: ApiKeyRole) -> OrganisationEvent {
    OrganisationEvent::ApiKeyIssued { key: key(id, role) }
}

/// Organisation 1 with key 1 (its administrator) and keys 2 and 3 (members); project 11 with environments 21 and 22;
/// project 12 with environment 23; organisation 2 with project 13.
fn world() -> History {
    let mut history = History::new();
    history.organisation(1, organisation_created(1));
    history.organisation(2, organisation_created(2));
    history.organisation(1, issued(1, ApiKeyRole::OrganisationAdmin));
    history.organisation(1, issued(2, ApiKeyRole::Member));
    history.organisation(1, issued(3, ApiKeyRole::Member));
    history.project(11, project_created(11, 1));
    history.project(12, project_created(12, 1));
    history.project(13, project_created(13, 2));
    history.new_environment(21, 11, 0, Origin::New);
    history.new_environment(22, 11, 1, Origin::New);
    history.new_environment(23, 12, 0, Origin::New);
    history
}

fn project_view(connection: &Connection, id: i64, project: i64) -> (bool, BTreeSet<P>) {
    let found = project_permissions(connection, &principal(id), ProjectId(project)).unwrap();
    (found.admin, found.permissions)
}

fn environment_view(connection: &Connection, id: i64, environment: i64) -> (bool, BTreeSet<E>) {
    let found = environment_permissions(connection, &principal(id), EnvironmentId(environment)).unwrap();
    (found.admin, found.permissions)
}

fn projects_seen(connection: &Connection, id: i64) -> Vec<i64> {
    visible_projects(connection, &principal(id)).unwrap().into_iter().map(|project| project.0).collect()
}

fn environments_seen(connection: &Connection, id: i64, project: i64) -> Vec<i64> {
    let seen = visible_environments(connection, &principal(id), ProjectId(project)).unwrap();
    seen.into_iter().map(|environment| environment.0).collect()
}

#[test]
fn a_key_is_found_by_its_hash_with_all_that_a_request_needs() {
    let mut history = world();
    let expires_at = Some(second(1_000));
    history
        .organisation(2, OrganisationEvent::ApiKeyIssued { key: ApiKey { expires_at, ..key(4, ApiKeyRole::Member) } });
    let issued_at = second(history.events.len() as u64);
    let connection = history.read_model(&Access);
    let found = key_by_hash(&connection, "hash4").unwrap().unwrap();
    assert_eq!((found.id, found.uuid, found.name.as_str()), (ApiKeyId(4), uuid(4), "key4"));
    assert_eq!(
        (found.role, found.organisation, found.organisation_uuid),
        (ApiKeyRole::Member, OrganisationId(2), uuid(2))
    );
    assert_eq!((found.created_at, found.expires_at, found.is_revoked), (issued_at, expires_at, false));
    assert!(found.is_valid_at(second(999)) && !found.is_valid_at(second(1_000)));
    assert_eq!(found.principal(), principal(4));
    assert_eq!(key_by_id(&connection, ApiKeyId(4)).unwrap(), Some(found));
    assert_eq!(key_by_hash(&connection, "hash1").unwrap().unwrap().role, ApiKeyRole::OrganisationAdmin);
    assert_eq!(key_by_hash(&connection, "hash").unwrap(), None);
}

#[test]
fn a_revoked_key_is_still_listed_but_never_valid() {
    let mut history = world();
    history.project(11, granted_in_project(grant(2, true, [])));
    history.organisation(1, OrganisationEvent::ApiKeyRevoked { uuid: uuid(2), name: "key2".to_owned() });
    let connection = history.read_model(&Access);
    let revoked = key_by_hash(&connection, "hash2").unwrap().unwrap();
    assert!(revoked.is_revoked && !revoked.is_valid_at(second(0)));
    let listed = keys_of_organisation(&connection, OrganisationId(1)).unwrap();
    assert_eq!(
        listed.iter().map(|key| (key.id.0, key.is_revoked)).collect::<Vec<_>>(),
        [(1, false), (2, true), (3, false)]
    );
    assert_eq!(project_grants(&connection, ProjectId(11)).unwrap(), []);
}

#[test]
fn a_key_that_was_issued_twice_is_valid_as_long_as_one_of_them_is() {
    let mut history = world();
    let again = ApiKey { hash: "hash1".to_owned(), ..key(9, ApiKeyRole::OrganisationAdmin) };
    history.organisation(2, OrganisationEvent::ApiKeyIssued { key: again });
    assert_eq!(key_by_hash(&history.read_model(&Access), "hash1").unwrap().unwrap().id, ApiKeyId(1));
    history.organisation(1, OrganisationEvent::ApiKeyRevoked { uuid: uuid(1), name: "key1".to_owned() });
    assert_eq!(key_by_hash(&history.read_model(&Access), "hash1").unwrap().unwrap().id, ApiKeyId(9));
}

#[test]
fn a_key_is_found_by_its_prefix_in_its_organisation_only() {
    let connection = world().read_model(&Access);
    assert_eq!(key_by_prefix(&connection, OrganisationId(1), "prefix2").unwrap().unwrap().id, ApiKeyId(2));
    assert_eq!(key_by_prefix(&connection, OrganisationId(2), "prefix2").unwrap(), None);
}

#[test]
fn whoever_creates_an_organisation_administers_it_beside_its_own() {
    let mut history = world();
    let created = OrganisationEvent::OrganisationCreated {
        id: OrganisationId(3),
        name: "c".to_owned(),
        admin: Some(principal(2)),
    };
    history.organisation(3, created);
    let connection = history.read_model(&Access);
    let places = |id| {
        let found = organisations_of(&connection, &principal(id)).unwrap();
        found.into_iter().map(|place| (place.organisation.0, place.is_admin)).collect::<Vec<_>>()
    };
    assert_eq!(places(1), [(1, true)]);
    assert_eq!(places(2), [(1, false), (3, true)]);
    assert_eq!(organisations_of(&connection, &principal(2)).unwrap()[1].organisation_uuid, uuid(3));
    assert_eq!(places(99), []);
}

#[test]
fn an_organisation_admin_may_do_everything_in_its_organisation_and_nothing_in_others() {
    let connection = world().read_model(&Access);
    let permissions = project_permissions(&connection, &principal(1), ProjectId(11)).unwrap();
    assert!(permissions.admin && permissions.allow(&P::DeleteFeature));
    assert!(
        environment_permissions(&connection, &principal(1), EnvironmentId(21)).unwrap().allow(&E::UpdateFeatureState)
    );
    assert_eq!(project_view(&connection, 1, 13), (false, [].into()));
    assert_eq!(projects_seen(&connection, 1), [11, 12]);
    assert_eq!(environments_seen(&connection, 1, 11), [21, 22]);
    assert_eq!(project_view(&connection, 1, 99), (false, [].into()));
    assert_eq!(environment_view(&connection, 1, 99), (false, [].into()));
}

#[test]
fn a_member_may_do_nothing_until_it_is_granted() {
    let mut history = world();
    let connection = history.read_model(&Access);
    assert_eq!(project_view(&connection, 2, 11), (false, [].into()));
    assert_eq!((projects_seen(&connection, 2), environments_seen(&connection, 2, 11)), (vec![], vec![]));

    history.project(11, granted_in_project(grant(2, false, [P::ViewProject, P::CreateFeature])));
    history.project(12, granted_in_project(grant(2, false, [P::CreateFeature])));
    history.environment(22, granted_in_environment(grant(2, false, [E::ViewEnvironment])));
    history.environment(21, granted_in_environment(grant(2, false, [E::UpdateFeatureState])));
    let connection = history.read_model(&Access);
    assert_eq!(project_view(&connection, 2, 11), (false, [P::ViewProject, P::CreateFeature].into()));
    assert!(!project_permissions(&connection, &principal(2), ProjectId(11)).unwrap().allow(&P::EditFeature));
    assert_eq!(projects_seen(&connection, 2), [11], "without VIEW_PROJECT the other is not seen");
    assert_eq!(environments_seen(&connection, 2, 11), [22], "without VIEW_ENVIRONMENT the other is not seen");
    assert_eq!(environment_view(&connection, 2, 22), (false, [E::ViewEnvironment].into()));
    assert_eq!(environment_view(&connection, 3, 22), (false, [].into()));
}

#[test]
fn a_project_admin_may_do_everything_in_the_environments_of_its_project() {
    let mut history = world();
    history.project(11, granted_in_project(grant(2, true, [])));
    let connection = history.read_model(&Access);
    assert_eq!(project_view(&connection, 2, 11), (true, [].into()));
    assert_eq!(environment_view(&connection, 2, 21), (true, [].into()));
    assert_eq!(environment_view(&connection, 2, 23), (false, [].into()));
    assert_eq!((projects_seen(&connection, 2), environments_seen(&connection, 2, 11)), (vec![11], vec![21, 22]));
}

#[test]
fn a_later_grant_replaces_the_earlier_one_and_a_revoked_one_is_gone() {
    let mut history = world();
    let (first, second) = (grant(2, true, []), grant(2, false, [P::EditFeature]));
    history.project(11, granted_in_project(first.clone()));
    history.project(11, ProjectEvent::ProjectPermissionGranted { before: Some(first), after: second.clone() });
    history.environment(21, granted_in_environment(grant(2, true, [])));
    let connection = history.read_model(&Access);
    assert_eq!(project_view(&connection, 2, 11), (false, [P::EditFeature].into()));
    assert_eq!(environment_view(&connection, 2, 21), (true, [].into()));

    history.project(11, ProjectEvent::ProjectPermissionRevoked { before: second });
    history.environment(21, EnvironmentEvent::EnvironmentPermissionRevoked { before: grant(2, true, []) });
    let connection = history.read_model(&Access);
    assert_eq!(project_view(&connection, 2, 11), (false, [].into()));
    assert_eq!(environment_view(&connection, 2, 21), (false, [].into()));
    assert_eq!(environment_grants(&connection, EnvironmentId(21)).unwrap(), []);
}

#[test]
fn a_clone_takes_over_the_grants_of_its_source_and_its_maker_becomes_admin() {
    let mut history = world();
    history.new_environment(24, 11, 2, clone_of(21));
    history.environment(24, granted_in_environment(grant(3, true, [])));
    let grants = vec![grant(2, false, [E::ViewEnvironment, E::ManageIdentities])];
    history.environment(24, EnvironmentEvent::PermissionsInherited { source: uuid(21), grants: grants.clone() });
    history.environment(24, EnvironmentEvent::FeatureStatesBatchCopied { batch: 1, states: states(500) });
    let connection = history.read_model(&Access);
    let holders = environment_grants(&connection, EnvironmentId(24)).unwrap();
    assert_eq!(holders.iter().map(|holder| name_of(&holder.principal)).collect::<Vec<_>>(), ["key2", "key3"]);
    assert_eq!(holders[0], grants[0]);
    assert_eq!(environment_view(&connection, 3, 24), (true, [].into()));
    assert_eq!(environments_seen(&connection, 2, 11), [24]);
}

#[test]
fn nothing_is_left_of_a_deleted_environment() {
    let mut history = world();
    history.environment(21, granted_in_environment(grant(2, true, [])));
    history.environment(21, EnvironmentEvent::EnvironmentDeleted { name: "env21".to_owned() });
    let connection = history.read_model(&Access);
    assert_eq!(owners_of_environment(&connection, EnvironmentId(21)).unwrap(), None);
    assert_eq!(environment_view(&connection, 1, 21), (false, [].into()));
    assert_eq!(environment_grants(&connection, EnvironmentId(21)).unwrap(), []);
    assert_eq!(environments_seen(&connection, 1, 11), [22]);
}

#[test]
fn nothing_is_left_of_a_deleted_project_and_late_events_of_its_environments_change_nothing() {
    let mut history = world();
    history.project(11, granted_in_project(grant(2, true, [])));
    history.environment(21, granted_in_environment(grant(2, true, [])));
    history.project(11, ProjectEvent::ProjectDeleted { name: "project11".to_owned() });
    history.environment(21, granted_in_environment(grant(3, true, [])));
    history.new_environment(25, 11, 2, Origin::New);
    let connection = history.read_model(&Access);
    assert_eq!(project_view(&connection, 1, 11), (false, [].into()));
    assert_eq!((projects_seen(&connection, 1), projects_seen(&connection, 2)), (vec![12], vec![]));
    for environment in [21, 22, 25] {
        assert_eq!(environment_view(&connection, 1, environment), (false, [].into()));
        assert_eq!(environment_grants(&connection, EnvironmentId(environment)).unwrap(), []);
    }
    let owners = owners_of_environment(&connection, EnvironmentId(23)).unwrap();
    assert_eq!(owners, Some((ProjectId(12), OrganisationId(1))));
}

#[test]
fn the_holders_of_grants_in_a_project_are_listed_with_their_names() {
    let mut history = world();
    history.project(11, granted_in_project(grant(3, false, [P::ViewProject])));
    history.project(11, granted_in_project(grant(2, true, [])));
    let holders = project_grants(&history.read_model(&Access), ProjectId(11)).unwrap();
    let shown: Vec<_> = holders.iter().map(|holder| (name_of(&holder.principal), holder.clone())).collect();
    assert_eq!(shown, [("key2", grant(2, true, [])), ("key3", grant(3, false, [P::ViewProject]))]);
}
