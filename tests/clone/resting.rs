//! A clone that rests before each batch, as an operator asks for who has a busy store.

use std::time::Duration;

use offshoot::config::WorkerConfig;
use offshoot_aggregates::{StreamId, Version};
use serde_json::json;

use crate::support::process::{Ended, offshoot};
use crate::support::server::TestServer;

fn resting(pause: Duration) -> WorkerConfig {
    WorkerConfig { clone_batch_pause: Some(pause), ..WorkerConfig::default() }
}

#[tokio::test]
async fn a_clone_rests_before_each_batch_if_it_is_told_to() {
    let pause = Duration::from_millis(40);
    let server = TestServer::start_with(resting(pause)).await;
    let (_, source) = server.sample(1_000).await;
    let clone = server.clone_async(&source, "copy").await;
    server.wait_until_complete(&clone).await;
    let key = clone.key.clone();
    let query = move |file: &_| offshoot_projections::environment_status::environment_by_key(file, &key);
    let stored = server.server().node().read_models.environment_status.query(query).await.unwrap().unwrap();
    let stream = StreamId::environment(stored.uuid);
    let events = server.commands().log().read_stream(&stream, Version::NONE, 100).await.unwrap();
    let times: Vec<_> = events
        .iter()
        .filter(|event| matches!(event.event_type.as_str(), "EnvironmentCreated" | "FeatureStatesBatchCopied"))
        .map(|event| event.recorded_at)
        .collect();
    assert_eq!(times.len(), 4, "three batches: {events:?}");
    for pair in times.windows(2) {
        assert!(pair[1].duration_since(pair[0]).unsigned_abs() >= pause, "{times:?}");
    }
}

#[tokio::test]
async fn a_server_whose_clone_rests_stops_at_once_and_the_next_one_completes_it() {
    let server = TestServer::start_with(resting(Duration::from_secs(60))).await;
    let (_, source) = server.sample(100).await;
    let clone = server.clone_async(&source, "copy").await;
    assert_eq!(server.clone_status(&clone).await["status"], "creating");
    let refused = server.get(&format!("environments/{}/featurestates/", clone.key)).await;
    assert_eq!(refused.status, 503, "{}", refused.body);
    let restarted = tokio::time::timeout(Duration::from_secs(30), server.restart()).await;
    let server = restarted.expect("a resting clone holds up nobody");
    let status = server.wait_until_complete(&clone).await;
    assert_eq!(status["batches_copied"], json!(1));
}

#[test]
fn a_pause_that_is_none_or_too_long_is_refused_at_the_start() {
    for pause in ["soon", "-1s", "61s", "5"] {
        let mut command = offshoot();
        command.arg("serve").arg(format!("--clone-batch-pause={pause}"));
        let ended = Ended::of(command);
        assert_eq!(ended.status.code(), Some(2), "{pause}: {}", ended.stderr);
        assert!(ended.stderr.contains("--clone-batch-pause"), "{}", ended.stderr);
    }
}
