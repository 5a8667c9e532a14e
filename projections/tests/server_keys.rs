//! The read model `access`: server-side keys of environments.

use offshoot_aggregates::environment::{EnvironmentEvent, Origin, ServerKeySettings};
use offshoot_aggregates::ids::{EnvironmentId, ServerKeyId};
use offshoot_aggregates::project::ProjectEvent;
use offshoot_projections::access::{
    Access, StoredServerKey, server_key_by_hash, server_key_by_id, server_keys_of_environment,
};

use crate::history::{History, second, server_key, uuid};

/// Environments 21 and 22, the first with keys 3 and 4, the second with key 5.
fn world() -> History {
    let mut history = History::with_project();
    history.new_environment(21, 11, 0, Origin::New);
    history.new_environment(22, 11, 1, Origin::New);
    for (environment, key) in [(21, 3), (21, 4), (22, 5)] {
        history.environment(environment, EnvironmentEvent::ServerKeyIssued { key: server_key(key) });
    }
    history
}

fn found(history: &History, id: i64) -> Option<StoredServerKey> {
    let connection = history.read_model(&Access);
    let found = server_key_by_hash(&connection, &server_key(id).hash).unwrap();
    assert_eq!(server_key_by_id(&connection, ServerKeyId(id)).unwrap(), found);
    found
}

fn keys_of(history: &History, environment: i64) -> Vec<i64> {
    let keys = server_keys_of_environment(&history.read_model(&Access), EnvironmentId(environment)).unwrap();
    keys.into_iter().map(|key| key.id.0).collect()
}

#[test]
fn a_key_opens_its_environment() {
    let history = world();
    let issued = second(history.events.len() as u64 - 2);
    let expected = StoredServerKey {
        id: ServerKeyId(3),
        environment: EnvironmentId(21),
        environment_uuid: uuid(21),
        prefix: "ser.0003".to_owned(),
        settings: server_key(3).settings,
        created_at: issued,
    };
    assert_eq!(found(&history, 3), Some(expected));
    assert_eq!((keys_of(&history, 21), keys_of(&history, 22), keys_of(&history, 23)), (vec![3, 4], vec![5], vec![]));
    assert_eq!(found(&history, 9), None);
}

#[test]
fn a_key_is_valid_while_it_is_active_and_has_not_expired() {
    let mut history = world();
    assert!(found(&history, 3).unwrap().is_valid_at(second(1_000_000)));
    let before = server_key(3).settings;
    let after = ServerKeySettings { expires_at: Some(second(500)), ..before.clone() };
    let key = ServerKeyId(3);
    history.environment(21, EnvironmentEvent::ServerKeyChanged { key, before, after: after.clone() });
    let expiring = found(&history, 3).unwrap();
    assert!(expiring.is_valid_at(second(499)) && !expiring.is_valid_at(second(500)));
    let off = ServerKeySettings { is_active: false, name: "renamed".to_owned(), expires_at: None };
    history.environment(21, EnvironmentEvent::ServerKeyChanged { key, before: after, after: off.clone() });
    let inactive = found(&history, 3).unwrap();
    assert!(!inactive.is_valid_at(second(1)));
    assert_eq!(inactive.settings, off);
}

#[test]
fn a_revoked_key_opens_nothing() {
    let mut history = world();
    history.environment(21, EnvironmentEvent::ServerKeyRevoked { key: ServerKeyId(3), name: "backend".to_owned() });
    assert_eq!((found(&history, 3), keys_of(&history, 21)), (None, vec![4]));
}

#[test]
fn the_keys_of_a_deleted_environment_or_project_open_nothing() {
    let mut history = world();
    history.environment(21, EnvironmentEvent::EnvironmentDeleted { name: "env21".to_owned() });
    assert_eq!((found(&history, 3), found(&history, 5).is_some()), (None, true));
    history.project(11, ProjectEvent::ProjectDeleted { name: "p".to_owned() });
    assert_eq!(found(&history, 5), None);
    let rows: u64 =
        history.read_model(&Access).query_row("SELECT count(*) FROM server_key", [], |row| row.get(0)).unwrap();
    assert_eq!(rows, 0);
}

#[test]
fn a_clone_has_no_keys_of_its_source() {
    let mut history = world();
    history.new_environment(23, 11, 2, crate::history::clone_of(21));
    history.environment(23, EnvironmentEvent::CloneCompleted { feature_states: 0, batches: 0 });
    assert_eq!(keys_of(&history, 23), Vec::<i64>::new());
}
