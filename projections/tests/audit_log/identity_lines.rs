//! Lines about identities, their overrides, and server-side keys.

use std::sync::Arc;

use offshoot_aggregates::environment::{
    EnvironmentEvent, FeatureStateContent, FeatureValue, Origin, ServerKeySettings,
};
use offshoot_aggregates::ids::{EnvironmentId, FeatureId, FeatureStateId, IdentityId, ServerKeyId};
use serde_json::{Value, json};

use super::{about, changes, last_line, last_lines};
use crate::history::{History, batched_override, content, server_key};

fn history() -> History {
    let mut history = History::with_project();
    history.new_environment(21, 11, 0, Origin::New);
    history
}

fn set(before: Option<Arc<FeatureStateContent>>, after: Arc<FeatureStateContent>) -> EnvironmentEvent {
    EnvironmentEvent::IdentityOverrideSet {
        feature: FeatureId(5),
        feature_name: "banner".to_owned(),
        identity: IdentityId(7),
        identifier: "user_1".to_owned(),
        feature_state: FeatureStateId(500),
        before,
        after,
    }
}

#[test]
fn a_new_override_has_one_line_with_all_that_it_says() {
    let mut history = history();
    history.environment(21, set(None, content(true, FeatureValue::integer(2))));
    let line = last_line(&history);
    assert_eq!(line.log, "Flag state / Remote config value updated for feature 'banner' and identity 'user_1'");
    assert_eq!((about(&line), line.environment), (("FEATURE_STATE", Some(500), "CREATE"), Some(EnvironmentId(21))));
    assert_eq!(changes(&line)[0], ("enabled", Value::Null, json!(true)));
}

#[test]
fn a_changed_override_has_the_lines_that_flagsmith_has() {
    let mut history = history();
    let (before, after) = (content(false, FeatureValue::integer(1)), content(true, FeatureValue::integer(2)));
    history.environment(21, set(Some(before), after));
    let logs: Vec<_> = last_lines(&history).into_iter().map(|line| line.log).collect();
    assert_eq!(
        logs,
        [
            "Flag state / Remote config value updated for feature 'banner' and identity 'user_1'",
            "Remote config value updated for feature 'banner' and identity 'user_1'",
        ]
    );
}

#[test]
fn a_removed_override_has_the_line_that_flagsmith_has() {
    let mut history = history();
    history.environment(
        21,
        EnvironmentEvent::IdentityOverrideRemoved {
            feature: FeatureId(5),
            feature_name: "banner".to_owned(),
            identity: IdentityId(7),
            identifier: "user_1".to_owned(),
            feature_state: FeatureStateId(500),
            before: content(true, FeatureValue::integer(2)),
        },
    );
    let line = last_line(&history);
    assert_eq!(line.log, "Flag state / Remote config value deleted for feature 'banner' and identity 'user_1'");
    assert_eq!(about(&line), ("FEATURE_STATE", Some(500), "DELETE"));
}

#[test]
fn identities_come_and_go_with_a_line() {
    let mut history = history();
    let (identity, identifier) = (IdentityId(7), || "user_1".to_owned());
    history.environment(21, EnvironmentEvent::IdentityAdded { identity, identifier: identifier() });
    let line = last_line(&history);
    assert_eq!((line.log.as_str(), about(&line)), ("Identity created: user_1", ("IDENTITY", Some(7), "CREATE")));
    history.environment(21, EnvironmentEvent::IdentityRemoved { identity, identifier: identifier() });
    let line = last_line(&history);
    assert_eq!((line.log.as_str(), about(&line)), ("Identity deleted: user_1", ("IDENTITY", Some(7), "DELETE")));
}

#[test]
fn a_batch_of_overrides_has_one_line_that_counts_them() {
    let mut history = history();
    let overrides = Arc::new(vec![batched_override(7, "user_1", 1), batched_override(7, "user_1", 2)]);
    history.environment(21, EnvironmentEvent::IdentityOverridesImported { batch: 2, overrides });
    assert_eq!(last_line(&history).log, "Identity overrides imported to env21: batch 2 (2 identity overrides)");
}

#[test]
fn keys_have_lines_that_tell_no_secret() {
    let mut history = history();
    let key = server_key(3);
    let (before, hash) = (key.settings.clone(), key.hash.clone());
    history.environment(21, EnvironmentEvent::ServerKeyIssued { key });
    let line = last_line(&history);
    assert_eq!(line.log, "Server-side key issued: backend (prefix ser.0003)");
    assert_eq!(about(&line), ("SERVER_KEY", Some(3), "CREATE"));
    assert!(!format!("{line:?}").contains(&hash));
    let after = ServerKeySettings { is_active: false, ..before.clone() };
    history.environment(21, EnvironmentEvent::ServerKeyChanged { key: ServerKeyId(3), before, after });
    let line = last_line(&history);
    assert_eq!(line.log, "Server-side key updated: backend");
    assert_eq!(changes(&line), [("is_active", json!(true), json!(false))]);
    history.environment(21, EnvironmentEvent::ServerKeyRevoked { key: ServerKeyId(3), name: "backend".to_owned() });
    let line = last_line(&history);
    assert_eq!((line.log.as_str(), about(&line).2), ("Server-side key revoked: backend", "DELETE"));
}
