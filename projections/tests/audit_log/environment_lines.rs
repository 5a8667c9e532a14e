//! Lines about environments and their clones.

use offshoot_aggregates::environment::{EnvironmentEvent, EnvironmentSettings, Origin};
use offshoot_aggregates::ids::{EnvironmentId, OrganisationId, ProjectId};
use offshoot_aggregates::organisation::{ApiKeyRole, OrganisationEvent};
use offshoot_aggregates::permissions::{EnvironmentPermission, Grant};
use offshoot_projections::audit_log::{AuditLog, entries_of_environment};
use serde_json::{Value, json};

use super::{about, changes, last_line, last_lines};
use crate::history::{History, clone_of, key, principal, states, uuid};

fn texts(history: &History) -> Vec<String> {
    last_lines(history).into_iter().map(|line| line.log).collect()
}

#[test]
fn a_new_environment_has_the_line_that_flagsmith_has() {
    let mut history = History::with_project();
    history.new_environment(21, 11, 0, Origin::New);
    let line = last_line(&history);
    assert_eq!(line.log, "New Environment created: env21");
    assert_eq!((about(&line), changes(&line)), (("ENVIRONMENT", Some(21), "CREATE"), vec![]));
    let place = (line.organisation, line.project, line.environment);
    assert_eq!(place, (Some(OrganisationId(1)), Some(ProjectId(11)), Some(EnvironmentId(21))));
    assert_eq!(line.related_object_uuid, None);
}

#[test]
fn a_clone_tells_its_whole_story() {
    let mut history = History::with_project();
    history.new_environment(21, 11, 0, Origin::New);
    history.new_environment(22, 11, 1, clone_of(21));
    history.environment(22, EnvironmentEvent::FeatureStatesBatchCopied { batch: 1, states: states(500) });
    let failed =
        EnvironmentEvent::CloneFailed { batch: 2, code: "store_away".to_owned(), detail: "no answer".to_owned() };
    history.environment(22, failed);
    history.environment(22, EnvironmentEvent::CloneRetried { attempt: 2, from_batch: 2 });
    history.environment(22, EnvironmentEvent::FeatureStatesBatchCopied { batch: 2, states: states(1) });
    history.environment(22, EnvironmentEvent::CloneCompleted { feature_states: 1_200, batches: 3 });
    let lines = entries_of_environment(&history.read_model(&AuditLog), EnvironmentId(22), 100).unwrap();
    let expected = [
        "Environment name reserved: env22",
        "New Environment created: env22",
        "Environment env22 cloned from env21 as of position 3: 1200 feature states in 3 batches",
        "Feature states copied to env22: batch 1 of 3 (500 feature states)",
        "Clone failed: env22 at batch 2: store_away: no answer",
        "Clone retried: env22 from batch 2 (attempt 2)",
        "Feature states copied to env22: batch 2 of 3 (1 feature state)",
        "Clone completed: env22 (1200 feature states in 3 batches)",
    ];
    assert_eq!(lines.iter().map(|line| line.log.as_str()).collect::<Vec<_>>(), expected);
    assert!(
        lines.iter().all(|line| line.project == Some(ProjectId(11)) && line.environment == Some(EnvironmentId(22)))
    );
    let first = entries_of_environment(&history.read_model(&AuditLog), EnvironmentId(22), 2).unwrap();
    assert_eq!(first, lines[..2]);
}

#[test]
fn a_cancelled_clone_says_how_far_it_came() {
    let mut history = History::with_project();
    history.new_environment(22, 11, 0, clone_of(21));
    history.environment(22, EnvironmentEvent::CloneCancelled { batches_copied: 1 });
    assert_eq!(texts(&history), ["Clone cancelled: env22 after 1 batch"]);
    history.environment(22, EnvironmentEvent::EnvironmentDeleted { name: "env22".to_owned() });
    let line = last_line(&history);
    assert_eq!((line.log.as_str(), about(&line)), ("Environment deleted: env22", ("ENVIRONMENT", Some(22), "DELETE")));
}

#[test]
fn an_import_tells_its_story() {
    let mut history = History::with_project();
    let origin = Origin::Import { document: "doc.json".to_owned(), feature_states_total: 600, batches_total: 2 };
    history.new_environment(22, 11, 0, origin);
    let created =
        ["New Environment created: env22", "Environment env22 imported from doc.json: 600 feature states in 2 batches"];
    assert_eq!(texts(&history), created);
    history.environment(22, EnvironmentEvent::FeatureStatesImported { batch: 1, states: states(500) });
    assert_eq!(texts(&history), ["Feature states imported to env22: batch 1 of 2 (500 feature states)"]);
    history.environment(22, EnvironmentEvent::ImportCompleted { feature_states: 600 });
    assert_eq!(texts(&history), ["Import completed: env22 (600 feature states)"]);
}

#[test]
fn changed_settings_show_what_changed_and_later_lines_use_the_new_name() {
    let mut history = History::with_project();
    history.new_environment(21, 11, 0, Origin::New);
    let before = EnvironmentSettings::named("env21");
    let after = EnvironmentSettings {
        description: Some("d2".to_owned()),
        hide_disabled_flags: Some(true),
        ..EnvironmentSettings::named("Production")
    };
    history.environment(21, EnvironmentEvent::EnvironmentSettingsChanged { before, after });
    let line = last_line(&history);
    assert_eq!(
        (line.log.as_str(), about(&line)),
        ("Environment updated: Production", ("ENVIRONMENT", Some(21), "UPDATE"))
    );
    let expected = [
        ("description", Value::Null, json!("d2")),
        ("hide_disabled_flags", Value::Null, json!(true)),
        ("name", json!("env21"), json!("Production")),
    ];
    assert_eq!(changes(&line), expected);
    history.environment(21, EnvironmentEvent::CloneCancelled { batches_copied: 2 });
    assert_eq!(texts(&history), ["Clone cancelled: Production after 2 batches"]);
}

#[test]
fn permissions_in_an_environment_name_the_key_and_where_they_came_from() {
    let mut history = History::with_project();
    history.organisation(1, OrganisationEvent::ApiKeyIssued { key: key(5, ApiKeyRole::Member) });
    history.new_environment(21, 11, 0, Origin::New);
    history.new_environment(22, 11, 1, clone_of(21));
    let permissions = [EnvironmentPermission::ViewEnvironment].into();
    let grant = Grant { principal: principal(5), admin: false, permissions };
    history.environment(21, EnvironmentEvent::EnvironmentPermissionGranted { before: None, after: grant.clone() });
    assert_eq!(texts(&history), ["Permissions granted in environment env21 to API key 'key5': VIEW_ENVIRONMENT"]);
    let inherited = EnvironmentEvent::PermissionsInherited { source: uuid(21), grants: vec![grant.clone()] };
    history.environment(22, inherited);
    let line = last_line(&history);
    assert_eq!(line.log, "Permissions of 1 API key inherited by environment env22 from env21");
    assert_eq!(changes(&line), [("API key 'key5'", Value::Null, json!("VIEW_ENVIRONMENT"))]);
    history.environment(22, EnvironmentEvent::EnvironmentPermissionRevoked { before: grant });
    assert_eq!(texts(&history), ["Permissions revoked in environment env22 from API key 'key5'"]);
}
