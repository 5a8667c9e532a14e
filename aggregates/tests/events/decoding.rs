//! Events that cannot be read: each is an error that says so, never a guess and never silence.

use offshoot_aggregates::environment::EnvironmentEvent;
use offshoot_aggregates::{Actor, Category, DecodeError, Event, Metadata};

use super::recorded;
use crate::support::uuid;

const COMPLETED: &str = r#"{"CloneCompleted": {"feature_states": 5, "batches": 3}}"#;

/// Why an event of an environment's stream cannot be read.
fn unreadable(event_type: &str, event_version: &str, payload: &str) -> DecodeError {
    let mut event = recorded(Category::Environment, event_type, payload);
    event.event_version = event_version.to_owned();
    let error = event.event().unwrap_err().clone();
    assert_eq!((error.event_type.as_str(), error.event_version.as_str()), (event_type, event_version));
    error
}

#[test]
fn an_event_is_read_once_however_often_it_is_asked_for() {
    let event = recorded(Category::Environment, "CloneCompleted", COMPLETED);
    let expected = Event::Environment(EnvironmentEvent::CloneCompleted { feature_states: 5, batches: 3 });
    let first = event.event().unwrap();
    assert_eq!(*first, expected);
    assert!(std::ptr::eq(first, event.event().unwrap()));
}

#[test]
fn a_version_that_the_program_does_not_know_cannot_be_read() {
    for version in ["0", "2", "1.0", ""] {
        let error = unreadable("CloneCompleted", version, COMPLETED);
        assert!(error.detail.contains("does not know that version"), "{error}");
    }
}

#[test]
fn a_type_that_the_program_does_not_know_cannot_be_read() {
    let error = unreadable("CloneApplauded", "1", r#"{"CloneApplauded": {"hands": 2}}"#);
    assert!(error.detail.contains("unknown variant `CloneApplauded`"), "{error}");
}

#[test]
fn a_payload_of_another_type_cannot_be_read() {
    let error = unreadable("CloneFailed", "1", COMPLETED);
    assert_eq!(error.to_string(), "CloneFailed version 1 cannot be read: the payload is that of CloneCompleted");
}

#[test]
fn a_damaged_payload_cannot_be_read() {
    let damaged = [
        "",
        "null",
        "{}",
        "[]",
        "\"CloneCompleted\"",
        r#"{"CloneCompleted": {"feature_states": 5, "batches": 3}"#,
        r#"{"CloneCompleted": {"feature_states": 5, "batches": 3}} x"#,
        r#"{"CloneCompleted": {"feature_states": 5}}"#,
        r#"{"CloneCompleted": {"feature_states": "5", "batches": 3}}"#,
        r#"{"CloneCompleted": {"feature_states": -5, "batches": 3}}"#,
        r#"{"CloneCompleted": {"feature_states": 5, "batches": 4294967296}}"#,
        r#"{"CloneCompleted": {"feature_states": 5, "feature_states": 5, "batches": 3}}"#,
        r#"{"CloneCompleted": {"feature_states": 5, "batches": 3}, "CloneFailed": {}}"#,
    ];
    for payload in damaged {
        unreadable("CloneCompleted", "1", payload);
    }
}

#[test]
fn damage_deep_in_a_batch_is_found() {
    let batch = |value: &str| {
        format!(
            r#"{{"FeatureStatesBatchCopied": {{"batch": 1, "states": [
                {{"feature": 1, "id": 2, "content": {{"enabled": true, "value": {value}, "seed": 2}}}}]}}}}"#
        )
    };
    let fine = batch(r#"{"type": "int", "integer_value": 7}"#);
    assert!(recorded(Category::Environment, "FeatureStatesBatchCopied", &fine).event().is_ok());
    let damaged =
        [r#"{"type": "int", "integer_value": 2147483648}"#, r#"{"type": "float"}"#, r#"{"integer_value": 7}"#, "7"];
    for value in damaged {
        unreadable("FeatureStatesBatchCopied", "1", &batch(value));
    }
}

#[test]
fn an_event_can_be_read_as_one_of_its_aggregate() {
    let event = recorded(Category::Environment, "CloneCompleted", COMPLETED);
    let expected = EnvironmentEvent::CloneCompleted { feature_states: 5, batches: 3 };
    assert_eq!(event.decode_as::<EnvironmentEvent>(), Ok(expected));
}

#[test]
fn metadata_that_every_event_has_is_needed_and_the_rest_is_not() {
    let least = Metadata {
        actor: Actor::system("clone_worker"),
        command_id: uuid(1),
        correlation_id: uuid(2),
        causation_id: None,
        request_id: None,
        remote_address: None,
        clone_mode_reason: None,
    };
    let map = least.to_map();
    assert_eq!(map.len(), 5);
    assert_eq!(Metadata::from_map(&map), Some(least.clone()));
    for member in map.keys() {
        let mut without = map.clone();
        without.remove(member);
        assert_eq!(Metadata::from_map(&without), None, "without {member}");
    }
    for (member, wrong) in [("actor_kind", "user"), ("command_id", "7"), ("correlation_id", "")] {
        let mut damaged = map.clone();
        damaged.insert(member.to_owned(), wrong.to_owned());
        assert_eq!(Metadata::from_map(&damaged), None, "{member} is {wrong:?}");
    }
    let full = Metadata {
        actor: Actor::operator("import"),
        causation_id: Some("position 7".to_owned()),
        request_id: Some("ü\n".to_owned()),
        remote_address: Some("::1".to_owned()),
        clone_mode_reason: None,
        ..least
    };
    assert_eq!(Metadata::from_map(&full.to_map()), Some(full));
}

#[test]
fn metadata_that_is_damaged_is_none() {
    for metadata in ["", "{}", "[]", r#"{"actor_kind": 7}"#] {
        let mut event = recorded(Category::Environment, "CloneCompleted", COMPLETED);
        event.metadata = metadata.into();
        assert_eq!(event.metadata(), None, "{metadata}");
    }
}
