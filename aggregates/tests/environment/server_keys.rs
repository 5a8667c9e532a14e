//! Server-side keys: issued, changed, revoked.

use offshoot_aggregates::environment::{
    Environment, EnvironmentCommand as Command, EnvironmentError as Error, EnvironmentEvent as Event, ServerKey,
    ServerKeyChange, ServerKeySettings,
};
use offshoot_aggregates::ids::ServerKeyId;
use offshoot_aggregates::limits::{SERVER_KEY_NAME_CHARACTERS_MAX, SERVER_KEYS_MAX};

use crate::support::environment::{clone_of, environment};
use crate::support::scenario::{given, given_nothing};
use crate::support::{bad_names, problem};

fn settings(name: &str) -> ServerKeySettings {
    ServerKeySettings { name: name.to_owned(), is_active: true, expires_at: None }
}

fn key(id: i64, name: &str) -> ServerKey {
    let (prefix, hash) = (format!("ser.{id:04}"), format!("{id:064}"));
    ServerKey { id: ServerKeyId(id), prefix, hash, settings: settings(name) }
}

fn issued(id: i64) -> Event {
    Event::ServerKeyIssued { key: key(id, "backend") }
}

fn change(id: i64, change: ServerKeyChange) -> Command {
    Command::ChangeServerKey { key: ServerKeyId(id), change }
}

fn renamed(name: &str) -> ServerKeyChange {
    ServerKeyChange { name: Some(name.to_owned()), ..ServerKeyChange::default() }
}

fn revoke(id: i64) -> Command {
    Command::RevokeServerKey { key: ServerKeyId(id) }
}

fn revoked(id: i64) -> Event {
    Event::ServerKeyRevoked { key: ServerKeyId(id), name: "backend".to_owned() }
}

#[test]
fn a_key_is_issued() {
    let environment = given::<Environment>(environment([]))
        .when(Command::IssueServerKey { key: key(3, "backend") })
        .then([issued(3)]);
    assert_eq!(environment.server_keys()[&ServerKeyId(3)], key(3, "backend"));
}

#[test]
fn a_key_is_issued_once() {
    for again in [key(3, "other"), ServerKey { id: ServerKeyId(4), ..key(3, "other") }] {
        given::<Environment>(environment([issued(3)]))
            .when(Command::IssueServerKey { key: again })
            .then_rejected(Error::ServerKeyAlreadyIssued);
    }
}

#[test]
fn a_key_has_a_name() {
    for (name, wrong) in bad_names(SERVER_KEY_NAME_CHARACTERS_MAX) {
        given::<Environment>(environment([]))
            .when(Command::IssueServerKey { key: key(3, &name) })
            .then_rejected(problem("name", wrong));
        given::<Environment>(environment([issued(3)]))
            .when(change(3, renamed(&name)))
            .then_rejected(problem("name", wrong));
    }
}

#[test]
fn there_are_only_so_many_keys_at_a_time() {
    let most = i64::try_from(SERVER_KEYS_MAX).unwrap();
    let full = || environment((1..=most).map(issued));
    let one_more = || Command::IssueServerKey { key: key(most + 1, "backend") };
    given::<Environment>(full()).when(one_more()).then_rejected(Error::TooManyServerKeys { max: SERVER_KEYS_MAX });
    given::<Environment>(full().into_iter().chain([revoked(1)])).when(one_more()).then([issued(most + 1)]);
}

#[test]
fn a_key_is_changed_in_what_is_named() {
    let expires_at = Some("2027-01-02T03:04:05Z".parse().unwrap());
    let changed = |before, after| Event::ServerKeyChanged { key: ServerKeyId(3), before, after };
    let cases = [
        (renamed("worker"), settings("worker")),
        (
            ServerKeyChange { is_active: Some(false), ..ServerKeyChange::default() },
            ServerKeySettings { is_active: false, ..settings("backend") },
        ),
        (
            ServerKeyChange { expires_at: Some(expires_at), ..ServerKeyChange::default() },
            ServerKeySettings { expires_at, ..settings("backend") },
        ),
    ];
    for (asked, after) in cases {
        let environment = given::<Environment>(environment([issued(3)]))
            .when(change(3, asked))
            .then([changed(settings("backend"), after.clone())]);
        assert_eq!(environment.server_keys()[&ServerKeyId(3)].settings, after);
    }
    let expiring = ServerKeySettings { expires_at, ..settings("backend") };
    given::<Environment>(environment([issued(3), changed(settings("backend"), expiring.clone())]))
        .when(change(3, ServerKeyChange { expires_at: Some(None), ..ServerKeyChange::default() }))
        .then([changed(expiring, settings("backend"))]);
}

#[test]
fn a_key_that_is_changed_to_what_it_is_stays() {
    for same in [ServerKeyChange::default(), renamed("backend")] {
        given::<Environment>(environment([issued(3)])).when(change(3, same)).then_nothing();
    }
}

#[test]
fn a_key_is_revoked_and_gone() {
    let environment = given::<Environment>(environment([issued(3), issued(4)])).when(revoke(3)).then([revoked(3)]);
    assert_eq!(environment.server_keys().keys().collect::<Vec<_>>(), [&ServerKeyId(4)]);
}

#[test]
fn a_key_that_is_not_there_is_neither_changed_nor_revoked() {
    for events in [environment([issued(4)]), environment([issued(3), revoked(3)])] {
        given::<Environment>(events.clone()).when(revoke(3)).then_rejected(Error::ServerKeyNotFound);
        given::<Environment>(events).when(change(3, renamed("b"))).then_rejected(Error::ServerKeyNotFound);
    }
}

#[test]
fn keys_are_issued_changed_and_revoked_while_the_environment_is_being_created() {
    let half_copied = |events: Vec<Event>| given::<Environment>(clone_of(3, 2, events));
    half_copied(vec![]).when(Command::IssueServerKey { key: key(3, "backend") }).then([issued(3)]);
    half_copied(vec![issued(3)]).when(change(3, renamed("b"))).then_accepted();
    half_copied(vec![issued(3)]).when(revoke(3)).then([revoked(3)]);
}

#[test]
fn an_environment_that_is_not_there_has_no_keys() {
    let gone = || environment([issued(3), Event::EnvironmentDeleted { name: "staging".to_owned() }]);
    let commands = || [Command::IssueServerKey { key: key(4, "b") }, change(3, renamed("b")), revoke(3)];
    for command in commands() {
        given_nothing::<Environment>().when(command).then_rejected(Error::NotFound);
    }
    for command in commands() {
        given::<Environment>(gone()).when(command).then_rejected(Error::NotFound);
    }
}
