//! Following a clone by server-sent events.

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use offshoot::limits::CLONE_STREAMS_MAX;
use serde_json::Value;

use crate::support::gated_log::Gate;
use crate::support::server::TestServer;

/// The events of a stream that has ended: the id and the data of each.
fn parse(stream: &str) -> Vec<(u64, Value)> {
    let field = |event: &str, name: &str| {
        event.lines().find_map(|line| line.strip_prefix(name)).map(|value| value.trim().to_owned())
    };
    let events = stream.split("\n\n").filter(|event| field(event, "data:").is_some());
    events
        .map(|event| {
            let data = serde_json::from_str(&field(event, "data:").unwrap()).unwrap();
            (field(event, "id:").unwrap().parse().unwrap(), data)
        })
        .collect()
}

#[tokio::test]
async fn a_clone_is_told_at_every_batch_and_the_stream_ends_with_it() {
    let gate = Gate::closed();
    let server = TestServer::start_on(|log| gate.before(log)).await;
    let (_, source) = server.sample(2_000).await;
    let clone = server.clone_async(&source, "copy").await;
    let path = format!("environments/{}/clone/events/", clone.key);
    let request = server.request(reqwest::Method::GET, &path);
    let stream = request.send().await.unwrap();
    assert_eq!(stream.headers()["content-type"], "text/event-stream");
    gate.open();
    let text = tokio::time::timeout(std::time::Duration::from_secs(60), stream.text()).await.unwrap().unwrap();
    let events = parse(&text);
    let copied: Vec<_> = events.iter().map(|(_, status)| status["batches_copied"].as_u64().unwrap()).collect();
    assert_eq!(copied, [0, 1, 2, 3, 4, 5, 5], "{text}");
    assert!(events.is_sorted_by(|(one, _), (next, _)| one < next), "ids are log positions");
    assert_eq!(events.last().unwrap().1["status"], "completed");
    assert_eq!(events.last().unwrap().1, server.clone_status(&clone).await);

    // Who was cut off after the second batch hears the rest, and nothing twice.
    let resumed = server.request(reqwest::Method::GET, &path).header("last-event-id", events[2].0.to_string());
    let text = resumed.send().await.unwrap().text().await.unwrap();
    assert_eq!(parse(&text), events[3..]);

    // Who has heard everything is told not to come back.
    let known = events.last().unwrap().0.to_string();
    let over = server.send(server.request(reqwest::Method::GET, &path).header("last-event-id", known)).await;
    assert_eq!(over.status, 204);
    let wrong = server.send(server.request(reqwest::Method::GET, &path).header("last-event-id", "soon")).await;
    assert_eq!(wrong.status, 400);
}

#[tokio::test]
async fn there_is_a_limit_to_the_streams_and_who_leaves_makes_room() {
    // Each stream has a socket at either end.
    let (_, most_files) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    setrlimit(Resource::RLIMIT_NOFILE, most_files, most_files).unwrap();
    let gate = Gate::closed();
    let server = TestServer::start_on(|log| gate.before(log)).await;
    let (_, source) = server.sample(10).await;
    let clone = server.clone_async(&source, "copy").await;
    let path = format!("environments/{}/clone/events/", clone.key);
    let open = || async { server.request(reqwest::Method::GET, &path).send().await.unwrap() };
    let mut streams = Vec::new();
    for _ in 0..CLONE_STREAMS_MAX {
        let stream = open().await;
        assert_eq!(stream.status(), 200);
        streams.push(stream);
    }
    let refused = open().await;
    assert_eq!(refused.status(), 503);
    assert!(refused.headers().contains_key("retry-after"));
    streams.clear();
    let room = async { while open().await.status() != 200 {} };
    tokio::time::timeout(std::time::Duration::from_secs(60), room).await.expect("there is room again");
    gate.open();
}
