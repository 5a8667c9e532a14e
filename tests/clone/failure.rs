//! A clone survives what goes wrong, says what it does not survive, and can be retried or cancelled.

use offshoot_aggregates::environment::{EnvironmentEvent, EnvironmentRef};
use offshoot_aggregates::{RecordedEvent, StreamId, Version};
use serde_json::json;

use super::observed::Requested;
use crate::support::gated_log::Gate;
use crate::support::sample::sample_states;
use crate::support::server::TestServer;

async fn events(server: &TestServer, clone: &Requested) -> Vec<RecordedEvent> {
    let environment = server.get(&format!("environments/{}/", clone.key)).await.body;
    let stream = StreamId::environment(environment["uuid"].as_str().unwrap().parse().unwrap());
    server.commands().log().read_stream(&stream, Version::NONE, 1_000).await.unwrap()
}

async fn gated(features: usize) -> (TestServer, Gate, EnvironmentRef) {
    let gate = Gate::closed();
    let server = TestServer::start_on(|log| gate.before(log)).await;
    let (_, source) = server.sample(features).await;
    (server, gate, source)
}

fn of_type(events: &[RecordedEvent], event_type: &str) -> usize {
    events.iter().filter(|event| event.event_type == event_type).count()
}

#[tokio::test]
async fn a_store_that_is_away_for_a_moment_only_delays_the_copy() {
    let (server, gate, source) = gated(1_200).await;
    // More often than anything else may fail.
    gate.fail(9);
    gate.open();
    let clone = server.clone_async(&source, "copy").await;
    let status = server.wait_until_complete(&clone).await;
    assert_eq!((&status["attempts"], &status["error"]), (&json!(1), &json!(null)));
    assert_eq!(server.digest(clone.id).await, server.digest(source.id).await);
}

#[tokio::test]
async fn a_store_that_stays_away_fails_the_attempt_and_a_retry_goes_on_with_the_failed_batch() {
    let (server, gate, source) = gated(1_200).await;
    let clone = server.clone_async(&source, "copy").await;
    gate.let_through(1);
    server.wait_for_clone(&clone, |status| status["batches_copied"] == 1).await;
    // The second batch waits at the gate; it goes through, and all attempts at the third fail.
    gate.crowded(1).await;
    gate.fail(u32::MAX);
    gate.let_through(1);
    let status = server.wait_for_clone(&clone, |status| status["status"] == "failed").await;
    assert_eq!((&status["error"]["code"], &status["error"]["batch"]), (&json!("store_unavailable"), &json!(3)));
    assert_eq!(status["batches_copied"], 2);
    assert_eq!(server.get(&format!("environments/{}/", clone.key)).await.body["is_creating"], true);

    gate.fail(0);
    gate.open();
    let retried = server.post(&format!("environments/{}/clone/retry/", clone.key), json!({})).await.expect(202);
    assert_eq!((&retried["status"], &retried["attempts"]), (&json!("creating"), &json!(2)));
    let status = server.wait_until_complete(&clone).await;
    assert_eq!((&status["attempts"], &status["error"]), (&json!(2), &json!(null)));
    assert_eq!(server.digest(clone.id).await, server.digest(source.id).await);
    let events = events(&server, &clone).await;
    assert_eq!(of_type(&events, "FeatureStatesBatchCopied"), 3, "a batch was copied twice");
    assert_eq!(of_type(&events, "CloneCompleted"), 1);
    server.post(&format!("environments/{}/clone/retry/", clone.key), json!({})).await.expect(409);
}

#[tokio::test]
async fn a_clone_goes_on_by_itself_when_a_store_that_was_away_for_everything_is_back() {
    let (server, gate, source) = gated(1_200).await;
    let clone = server.clone_async(&source, "copy").await;
    gate.let_through(1);
    server.wait_for_clone(&clone, |status| status["batches_copied"] == 1).await;
    gate.go_away();
    gate.open();
    // With pauses of 5 to 40 ms, the patience is long at its end by then, and the failure could not be recorded.
    gate.wait_for_refusals(200).await;
    gate.come_back();
    let status = server.wait_until_complete(&clone).await;
    assert_eq!((&status["attempts"], &status["error"]), (&json!(1), &json!(null)));
    assert_eq!(server.digest(clone.id).await, server.digest(source.id).await);
    let events = events(&server, &clone).await;
    assert_eq!(of_type(&events, "FeatureStatesBatchCopied"), 3, "a batch was copied twice");
    assert_eq!(of_type(&events, "CloneFailed"), 0);
}

#[tokio::test]
async fn a_running_clone_is_cancelled_and_its_name_is_free_again() {
    let (server, gate, source) = gated(1_200).await;
    let clone = server.clone_async(&source, "copy").await;
    gate.let_through(1);
    server.wait_for_clone(&clone, |status| status["batches_copied"] == 1).await;
    // The second batch goes through; the third is tried again and again, so the clone is running.
    gate.crowded(1).await;
    gate.fail(u32::MAX);
    gate.let_through(1);
    server.wait_for_clone(&clone, |status| status["batches_copied"] == 2).await;
    server.post(&format!("environments/{}/clone/retry/", clone.key), json!({})).await.expect(409);
    let cancelled = server.post(&format!("environments/{}/clone/cancel/", clone.key), json!({})).await.expect(202);
    assert_eq!(cancelled["status"], "cancelled");
    server.get(&format!("environments/{}/", clone.key)).await.expect(404);
    assert_eq!(server.clone_status(&clone).await["status"], "cancelled");
    server.post(&format!("environments/{}/clone/cancel/", clone.key), json!({})).await.expect(409);
    gate.fail(0);
    gate.open();
    let again = server.clone_async(&source, "copy").await;
    server.wait_until_complete(&again).await;
    assert_eq!(server.count(clone.id).await, 0, "a cancelled clone shows states");
}

#[tokio::test]
async fn a_failed_clone_can_be_cancelled_and_a_complete_one_not() {
    let (server, gate, source) = gated(20).await;
    gate.fail(u32::MAX);
    let failed = server.clone_async(&source, "fails").await;
    server.wait_for_clone(&failed, |status| status["status"] == "failed").await;
    server.post(&format!("environments/{}/clone/cancel/", failed.key), json!({})).await.expect(202);
    gate.fail(0);
    gate.open();
    let complete = server.clone_async(&source, "completes").await;
    server.wait_until_complete(&complete).await;
    let reply = server.post(&format!("environments/{}/clone/cancel/", complete.key), json!({})).await.expect(409);
    assert_eq!(reply["code"], "clone_is_completed");
}

#[tokio::test]
async fn several_clones_take_turns_batch_by_batch() {
    let (server, gate, source) = gated(5_000).await;
    let big = server.clone_async(&source, "big").await;
    let (_, small_source) = {
        let project = server.project("small").await;
        let environment = server.environment(project, "source").await;
        server.feature(project, "one").await;
        (project, environment)
    };
    let small = server.clone_async(&small_source, "small").await;
    // The big one has eleven batches. Whichever comes first, the small one is not behind them all.
    gate.crowded(2).await;
    gate.let_through(4);
    server.wait_until_complete(&small).await;
    let status = server.clone_status(&big).await;
    assert_eq!(status["status"], "creating");
    assert!(status["batches_copied"].as_u64().unwrap() <= 4, "{status}");
    gate.open();
    server.wait_until_complete(&big).await;
    assert_eq!(server.count(big.id).await, sample_states(5_000));
}

#[tokio::test]
async fn a_clone_goes_on_after_a_restart_without_anyone_asking() {
    let server = TestServer::start().await;
    let (_, source) = server.sample(20_000).await;
    let clone = server.clone_async(&source, "copy").await;
    let server = server.restart().await;
    server.wait_until_complete(&clone).await;
    assert_eq!(server.digest(clone.id).await, server.digest(source.id).await);
    let events = events(&server, &clone).await;
    let batches: Vec<u32> = events
        .iter()
        .filter_map(|event| match event.event() {
            Ok(offshoot_aggregates::Event::Environment(EnvironmentEvent::FeatureStatesBatchCopied {
                batch, ..
            })) => Some(*batch),
            _ => None,
        })
        .collect();
    assert_eq!(batches, (1..=44).collect::<Vec<_>>());
}
