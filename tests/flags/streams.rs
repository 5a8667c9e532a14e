//! Following an environment by server-sent events, as Flagsmith's SDKs do.

use std::time::Duration;

use reqwest::{Method, RequestBuilder, Response};
use serde_json::{Value, json};

use super::application::Shop;

/// A reader of a stream.
pub struct Stream {
    response: Response,
    buffer: String,
}

/// One event of a stream.
#[derive(Debug, PartialEq)]
pub struct Event {
    pub name: Option<String>,
    pub id: u64,
    pub data: Value,
}

impl Stream {
    pub async fn open(request: RequestBuilder) -> Self {
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { response, buffer: String::new() }
    }

    /// The next event; none if the stream ends.
    pub async fn next(&mut self) -> Option<Event> {
        loop {
            while let Some((event, rest)) = self.buffer.split_once("\n\n") {
                let event = parse(event);
                self.buffer = rest.to_owned();
                if event.is_some() {
                    return event;
                }
            }
            let chunk = tokio::time::timeout(Duration::from_secs(60), self.response.chunk()).await.unwrap().unwrap();
            self.buffer.push_str(std::str::from_utf8(&chunk?).unwrap());
        }
    }
}

fn parse(event: &str) -> Option<Event> {
    let field =
        |name: &str| event.lines().find_map(|line| line.strip_prefix(name)).map(|value| value.trim().to_owned());
    let data = serde_json::from_str(&field("data:")?).unwrap();
    Some(Event { name: field("event:"), id: field("id:").unwrap().parse().unwrap(), data })
}

fn path(shop: &Shop) -> String {
    format!("/sse/environments/{}/stream", shop.environment.api_key)
}

#[tokio::test]
async fn a_reader_is_told_at_once_and_at_every_change() {
    let shop = Shop::open().await;
    let mut stream = Stream::open(shop.server.without_key().request(Method::GET, &path(&shop))).await;
    let document = async || shop.server_side.get("environment-document/").await;
    let first = stream.next().await.unwrap();
    assert_eq!(first.name.as_deref(), Some("environment_updated"));
    let told = |event: &Event| event.data["updated_at"].to_string();
    assert_eq!(told(&first), document().await.header("x-flagsmith-document-updated-at").trim_end_matches('0'));
    shop.change(shop.banner, json!({ "feature_state_value": "new" })).await;
    let second = stream.next().await.unwrap();
    assert!(second.id > first.id);
    assert!(second.data["updated_at"].as_f64() > first.data["updated_at"].as_f64());
    assert_eq!(shop.client.flags().await["banner"]["feature_state_value"], "new");
    let etag = shop.client.get("flags/").await.header("etag").to_owned();
    assert_eq!(etag, format!("\"{}\"", second.id), "ids are the positions that entity tags are");
}

#[tokio::test]
async fn whoever_comes_back_is_told_only_what_is_new() {
    let shop = Shop::open().await;
    let open = async |known: u64| {
        let request = shop.server.without_key().request(Method::GET, &path(&shop));
        Stream::open(request.header("last-event-id", known.to_string())).await
    };
    let mut stream = Stream::open(shop.server.without_key().request(Method::GET, &path(&shop))).await;
    let known = stream.next().await.unwrap().id;
    drop(stream);
    shop.change(shop.banner, json!({ "feature_state_value": "missed" })).await;
    let missed = open(known).await.next().await.unwrap();
    assert!(missed.id > known);
    let mut stream = open(missed.id).await;
    shop.change(shop.banner, json!({ "feature_state_value": "next" })).await;
    assert!(stream.next().await.unwrap().id > missed.id, "what was known is not told again");
}

#[tokio::test]
async fn a_stream_ends_with_its_environment_and_with_the_server() {
    let shop = Shop::open().await;
    let mut stream = Stream::open(shop.server.without_key().request(Method::GET, &path(&shop))).await;
    stream.next().await.unwrap();
    shop.server.delete(&format!("environments/{}/", shop.environment.api_key)).await.expect(204);
    assert_eq!(stream.next().await, None);
    assert_eq!(shop.server.without_key().get(&path(&shop)).await.status, 403);
    let other = shop.server.environment(shop.project, "Other").await;
    let path = format!("/sse/environments/{}/stream", other.api_key);
    let mut stream = Stream::open(shop.server.without_key().request(Method::GET, &path)).await;
    stream.next().await.unwrap();
    let _restarted = shop.server.restart().await;
    assert_eq!(stream.next().await, None);
}
