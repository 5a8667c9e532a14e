//! What a clone does to others, others to it, and what it leaves behind.

use offshoot::commands::NewFeature;
use offshoot::workers::CloneWorker;
use offshoot_aggregates::{Position, StreamId, Version};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::observed::Requested;
use crate::support::gated_log::Gate;
use crate::support::sample::sample_states;
use crate::support::server::TestServer;

/// The types of the events of a clone, in order.
async fn event_types(server: &TestServer, clone: &Requested) -> Vec<String> {
    let environment = server.get(&format!("environments/{}/", clone.key)).await.expect(200);
    let stream = StreamId::environment(environment["uuid"].as_str().unwrap().parse().unwrap());
    let events = server.commands().log().read_stream(&stream, Version::NONE, 1_000).await.unwrap();
    events.into_iter().map(|event| event.event_type.to_string()).collect()
}

fn batches(types: &[String]) -> usize {
    types.iter().filter(|name| *name == "FeatureStatesBatchCopied").count()
}

#[tokio::test]
async fn a_feature_created_before_the_first_batch_does_no_harm() {
    let gate = Gate::closed();
    let server = TestServer::start_on(|log| gate.before(log)).await;
    let (project, source) = server.sample(1_200).await;
    let clone = server.clone_async(&source, "copy").await;
    server.feature_like(project, NewFeature { name: "newcomer".to_owned(), ..NewFeature::default() }).await;
    gate.open();
    server.wait_until_complete(&clone).await;
    assert_eq!(server.count(clone.id).await, sample_states(1_200) + 1);
    assert_eq!(server.count(source.id).await, sample_states(1_200) + 1);
}

#[tokio::test]
async fn a_clone_has_the_description_that_was_asked_for() {
    let server = TestServer::start().await;
    let (_, source) = server.sample(20).await;
    for (name, is_async) in [("one", true), ("two", false)] {
        let body = json!({ "name": name, "description": "for the launch", "clone_feature_states_async": is_async });
        let clone = server.clone_like(&source, body).await;
        server.wait_until_complete(&clone).await;
        let shown = server.get(&format!("environments/{}/", clone.key)).await.expect(200);
        assert_eq!(shown["description"], "for the launch");
    }
}

#[tokio::test]
async fn two_workers_at_one_clone_copy_every_batch_once() {
    let gate = Gate::closed();
    let server = TestServer::start_on(|log| gate.before(log)).await;
    let (_, source) = server.sample(2_000).await;
    let node = server.server().node();
    let stop = CancellationToken::new();
    let status = node.read_models.environment_status.clone();
    let second = CloneWorker::new(node.commands.clone(), node.feed.clone(), status, stop.clone());
    let second = tokio::spawn(second.run());
    let clone = server.clone_async(&source, "copy").await;
    gate.open();
    server.wait_until_complete(&clone).await;
    let types = event_types(&server, &clone).await;
    assert_eq!((batches(&types), types.iter().filter(|name| *name == "CloneCompleted").count()), (5, 1), "{types:?}");
    assert_eq!(server.digest(clone.id).await, server.digest(source.id).await);
    stop.cancel();
    second.await.unwrap();
}

#[tokio::test]
async fn of_two_retries_at_once_one_is_refused_and_no_batch_is_copied_twice() {
    let gate = Gate::closed();
    let server = TestServer::start_on(|log| gate.before(log)).await;
    let (_, source) = server.sample(1_200).await;
    gate.fail(u32::MAX);
    let clone = server.clone_async(&source, "copy").await;
    server.wait_for_clone(&clone, |status| status["status"] == "failed").await;
    gate.fail(0);
    // Not later: whoever is refused because of a batch that is on its way hears so when that one is on disk.
    gate.open();
    let path = format!("environments/{}/clone/retry/", clone.key);
    let retries = [(); 4].map(|()| server.post(&path, json!({})));
    let mut statuses: Vec<_> =
        futures_util::future::join_all(retries).await.into_iter().map(|reply| reply.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [202, 409, 409, 409]);
    assert_eq!(server.wait_until_complete(&clone).await["attempts"], 2);
    assert_eq!(batches(&event_types(&server, &clone).await), 3);
}

#[tokio::test]
async fn a_synchronous_clone_that_cannot_be_recorded_leaves_nothing() {
    let gate = Gate::closed();
    let server = TestServer::start_on(|log| gate.before(log)).await;
    let (project, source) = server.sample(1_200).await;
    let path = format!("environments/{}/clone/", source.api_key);
    gate.refuse_environments(true);
    let failed = server.post(&path, json!({ "name": "copy" })).await;
    assert_eq!(failed.status, 503, "{}", failed.body);
    let list = server.get(&format!("environments/?project={}", project.id)).await.expect(200);
    assert_eq!(list["count"], 1, "{list}");
    gate.refuse_environments(false);
    let clone = server.clone_like(&source, json!({ "name": "another" })).await;
    assert_eq!(server.digest(clone.id).await, server.digest(source.id).await);
}

#[tokio::test]
async fn a_clone_leaves_an_event_a_batch_and_holds_up_nobody() {
    let gate = Gate::closed();
    let server = TestServer::start_on(|log| gate.before(log)).await;
    let (_, source) = server.sample(1_200).await;
    let clone = server.clone_async(&source, "copy").await;
    // While it waits, everybody else works on: in the source, in the clone's settings, elsewhere.
    let states = server.get(&format!("environments/{}/featurestates/?page_size=1", source.api_key)).await.expect(200);
    let state = format!("environments/{}/featurestates/{}/", source.api_key, states["results"][0]["id"]);
    server.put(&state, json!({ "enabled": true })).await.expect(200);
    // Where commands to one environment wait for each other's commit, this one would wait for the batch at the gate.
    if server.commands().log().takes_followers() {
        server.patch(&format!("environments/{}/", clone.key), json!({ "banner_text": "soon" })).await.expect(200);
    }
    server.project("elsewhere").await;
    gate.open();
    server.wait_until_complete(&clone).await;
    let types = event_types(&server, &clone).await;
    assert_eq!(batches(&types), 3);
    assert!(types.len() <= 3 + 4, "created, granted, changed, completed, and a batch each: {types:?}");
    // Nothing comes after the end.
    let head = server.head().await;
    server.settle(head).await;
    let after: Vec<_> = server.commands().log().read_all(Position(head.0), 10).await.unwrap();
    assert!(after.is_empty(), "{after:?}");
}

#[tokio::test]
async fn the_audit_log_says_what_was_cloned_by_whom_and_how_much() {
    let server = TestServer::start().await;
    let (_, source) = server.sample(20).await;
    let clone = server.clone_async(&source, "copy").await;
    server.wait_until_complete(&clone).await;
    let lines = server.get(&format!("audit/?environments={}&page_size=100", clone.id)).await.expect(200);
    let lines: Vec<_> = lines["results"].as_array().unwrap().iter().rev().collect();
    let said = |start: &str| {
        let line = lines.iter().find(|line| line["log"].as_str().unwrap().starts_with(start));
        let line = line.unwrap_or_else(|| panic!("no {start}: {lines:?}"));
        (line["log"].as_str().unwrap().to_owned(), line["author"]["first_name"].clone())
    };
    let (cloned, author) = said("Environment copy cloned from source as of position ");
    assert!(cloned.ends_with(": 22 feature states in 1 batch, asynchronously (as configured)"), "{cloned}");
    assert_eq!(author, "Administrator");
    assert_eq!(said("Clone completed: ").0, "Clone completed: copy (22 feature states in 1 batch)");
}
