//! `/metrics`: what an operator watches is there, and moves.

use serde_json::json;

use crate::support::server::TestServer;

/// The sum of all series of a metric whose labels have these texts in them; `None` if there is no such series.
fn sum(metrics: &str, name: &str, labels: &[&str]) -> Option<f64> {
    let is_of = |line: &&str| {
        let (series, _) = line.rsplit_once(' ').unwrap_or_default();
        let (found, set) = series.split_once('{').unwrap_or((series, ""));
        found == name && labels.iter().all(|label| set.contains(label))
    };
    let values: Vec<f64> =
        metrics.lines().filter(is_of).map(|line| line.rsplit_once(' ').unwrap().1.parse().unwrap()).collect();
    (!values.is_empty()).then(|| values.iter().sum())
}

async fn metrics(server: &TestServer) -> String {
    let request = server.request(reqwest::Method::GET, "/metrics");
    request.send().await.unwrap().text().await.unwrap()
}

#[tokio::test]
async fn what_an_operator_watches_is_there_and_moves() {
    let server = TestServer::start().await;
    let (_, source) = server.sample(1_200).await;
    let before = metrics(&server).await;
    let clone = server.clone_async(&source, "async").await;
    server.wait_until_complete(&clone).await;
    server.clone_like(&source, json!({ "name": "sync" })).await;
    // One that a project rejects, not the door.
    server.post(&format!("environments/{}/clone/", source.api_key), json!({ "name": "sync" })).await.expect(400);
    let after = metrics(&server).await;
    for (name, labels) in [
        ("offshoot_commands_total", &["type=\"RequestEnvironmentClone\"", "outcome=\"done\""][..]),
        ("offshoot_commands_total", &["type=\"CopyFeatureStatesBatch\"", "outcome=\"done\""]),
        ("offshoot_commands_total", &["type=\"ReserveEnvironmentName\"", "outcome=\"rejected\""]),
        ("offshoot_command_seconds_count", &["type=\"CompleteClone\""]),
        ("offshoot_appends_total", &[]),
        ("offshoot_append_group_size_count", &[]),
        ("offshoot_append_group_size_sum", &[]),
        ("offshoot_clones_total", &["mode=\"async\"", "outcome=\"completed\""]),
        ("offshoot_clones_total", &["mode=\"sync\"", "outcome=\"completed\""]),
        ("offshoot_clone_request_seconds_count", &["mode=\"async\""]),
        ("offshoot_clone_request_seconds_count", &["mode=\"sync\""]),
        ("offshoot_clone_duration_seconds_count", &["mode=\"async\""]),
        ("offshoot_clone_duration_seconds_count", &["mode=\"sync\""]),
        ("offshoot_http_request_seconds_count", &["clone"]),
    ] {
        let (was, is) = (sum(&before, name, labels).unwrap_or_default(), sum(&after, name, labels));
        assert!(is.is_some_and(|is| is > was), "{name} {labels:?}: {was} -> {is:?}\n{after}");
    }
    // By mode, and as histograms, so that both modes can be compared.
    for name in ["offshoot_clone_request_seconds_bucket", "offshoot_clone_duration_seconds_bucket"] {
        for mode in ["async", "sync"] {
            assert!(sum(&after, name, &[&format!("mode=\"{mode}\""), "le=\"+Inf\""]).is_some(), "{name} {mode}");
        }
    }
    assert_eq!(sum(&after, "offshoot_clones_running", &[]), Some(0.0), "{after}");
}

#[tokio::test]
async fn every_read_model_tells_where_it_is_and_how_far_behind() {
    let server = TestServer::start().await;
    server.project("p").await;
    let head = server.head().await.0;
    let waiting = async {
        loop {
            let text = metrics(&server).await;
            let names = server.server().node().read_models.all().map(|read_model| read_model.name());
            let is_told = names.iter().all(|name| {
                let label = format!("\"{name}\"");
                let of = |metric| sum(&text, metric, &[&label]);
                #[allow(clippy::cast_precision_loss, reason = "a test's log is short")]
                let is_there = of("offshoot_projection_position") >= Some(head as f64);
                is_there
                    && of("offshoot_projection_lag_events") == Some(0.0)
                    && of("offshoot_projection_lag_seconds").is_some()
            });
            if is_told {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(30), waiting).await.expect("positions and lags are told");
}
