//! Many change one flag at once while the server dies around a commit: what was acknowledged is there, and every change was
//! decided on the one before it.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use offshoot_aggregates::Event;
use offshoot_aggregates::environment::EnvironmentEvent;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::crash::api::Api;
use crate::crash::verdict::events_in;
use crate::support::prepared::Prepared;
use crate::support::process::ServerProcess;

const CLIENTS: usize = 8;

#[tokio::test]
async fn changes_of_many_that_are_killed_around_a_commit_are_whole_and_unbroken() {
    let prepared = Prepared::new(5).await;
    let mut acknowledged = 0;
    for fault_point in ["before-commit:1", "before-commit:7", "before-commit:20", "after-commit:3", "after-commit:15"] {
        let directory = prepared.copy();
        let told = change_until_killed(directory.path(), &prepared.source.api_key, fault_point).await;
        let recorded = check_changes(directory.path(), &prepared).await;
        assert!(told.is_subset(&recorded), "{fault_point}: an acknowledged change is lost");
        // Each client waits for its answer: no more than one change of each can be there without one.
        assert!(recorded.len() <= told.len() + CLIENTS, "{fault_point}");
        acknowledged += told.len();
    }
    assert!(acknowledged > CLIENTS, "only {acknowledged} changes were acknowledged");
}

/// Lets many change a flag until the server kills itself. Returns the values that were acknowledged.
async fn change_until_killed(directory: &Path, environment: &str, fault_point: &str) -> HashSet<String> {
    let server = ServerProcess::spawn_armed(directory, fault_point);
    let api = Arc::new(Api::at(server.address().expect("it serves")));
    let states = format!("/api/v1/environments/{environment}/featurestates/");
    let state = api.get(&states).await.unwrap().body["results"][0]["id"].as_u64().expect("a feature state");
    let path = format!("{states}{state}/");
    let mut clients = JoinSet::new();
    for client in 0..CLIENTS {
        let (api, path) = (api.clone(), path.clone());
        clients.spawn(async move {
            let mut told = Vec::new();
            loop {
                let value = format!("client {client} change {}", told.len());
                match api.patch(&path, &json!({ "feature_state_value": value })).await {
                    Ok(answer) if answer.status == 200 => told.push(value),
                    Ok(answer) => panic!("{answer:?}"),
                    Err(_) => return told,
                }
            }
        });
    }
    let told = clients.join_all().await.into_iter().flatten().collect();
    let ended = server.wait();
    assert!(ended.was_killed(), "{ended:?}");
    told
}

/// The values that the log says were set. Each change must have been decided on the one before it.
async fn check_changes(directory: &Path, prepared: &Prepared) -> HashSet<String> {
    let events = events_in(directory).await;
    let source = events.iter().filter(|event| event.stream.uuid() == prepared.source.uuid);
    let (mut recorded, mut last) = (HashSet::new(), None);
    for (version, event) in (1..).zip(source) {
        assert_eq!(event.version.0, version);
        let Ok(Event::Environment(EnvironmentEvent::FeatureStateChanged { before, after, .. })) = event.event() else {
            continue;
        };
        assert!(last.is_none_or(|last| last == before.clone()), "a change was decided on something else");
        let value: Value = serde_json::to_value(&after.value).unwrap();
        assert!(recorded.insert(value["string_value"].as_str().unwrap().to_owned()), "twice: {value}");
        last = Some(after.clone());
    }
    recorded
}
