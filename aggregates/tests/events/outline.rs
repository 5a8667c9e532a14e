//! Batches of states that are only counted: the outline says what the whole event says, or that it cannot be read.

use offshoot_aggregates::Category;
use offshoot_aggregates::environment::BatchOutline;

use super::recorded;

const COPIED: &str = r#"{"FeatureStatesBatchCopied": {"batch": 3, "states": [
    {"feature": 1, "id": 11, "content": {"enabled": true, "value": {"type": "unicode"}, "seed": 11}},
    {"feature": 2, "id": 12, "content": {"enabled": false, "value": {"type": "unicode"}, "seed": 12}}
]}}"#;

fn outline(event_type: &str, payload: &str) -> Option<BatchOutline> {
    BatchOutline::of(&recorded(Category::Environment, event_type, payload)).map(Result::unwrap)
}

#[test]
fn a_batch_is_counted_without_its_states_being_read() {
    let event = recorded(Category::Environment, "FeatureStatesBatchCopied", COPIED);
    let outline = BatchOutline::of(&event).unwrap().unwrap();
    assert_eq!(outline, BatchOutline { is_copied: true, batch: 3, states: 2 });
    assert!(event.decoded.get().is_none());
}

#[test]
fn an_imported_batch_is_told_from_a_copied_one() {
    let payload = r#"{"FeatureStatesImported": {"batch": 1, "states": []}}"#;
    let expected = BatchOutline { is_copied: false, batch: 1, states: 0 };
    assert_eq!(outline("FeatureStatesImported", payload), Some(expected));
}

#[test]
fn other_events_have_no_outline() {
    assert_eq!(outline("CloneCompleted", r#"{"CloneCompleted": {"feature_states": 5, "batches": 3}}"#), None);
}

#[test]
fn a_batch_that_someone_has_read_says_the_same() {
    let event = recorded(Category::Environment, "FeatureStatesBatchCopied", COPIED);
    let before = BatchOutline::of(&event).unwrap().unwrap();
    event.event().unwrap();
    assert_eq!(BatchOutline::of(&event).unwrap().unwrap(), before);
}

#[test]
fn a_batch_that_cannot_be_read_has_no_outline_but_an_error() {
    let damaged = [
        ("FeatureStatesBatchCopied", r#"{"FeatureStatesBatchCopied": {"batch": 3}}"#),
        ("FeatureStatesBatchCopied", r#"{"FeatureStatesBatchCopied": {"batch": 3, "states": [{]}}"#),
        ("FeatureStatesBatchCopied", r#"{"FeatureStatesImported": {"batch": 3, "states": []}}"#),
        ("FeatureStatesImported", r#"{"CloneCompleted": {"feature_states": 5, "batches": 3}}"#),
    ];
    for (event_type, payload) in damaged {
        let outline = BatchOutline::of(&recorded(Category::Environment, event_type, payload));
        assert!(outline.is_some_and(|outline| outline.is_err()), "{payload}");
    }
    let mut unknown = recorded(Category::Environment, "FeatureStatesBatchCopied", COPIED);
    unknown.event_version = "2".to_owned();
    assert!(BatchOutline::of(&unknown).unwrap().is_err());
}
