//! OFREP: the stream of changes, whose address has its own key in it.

use reqwest::Method;
use serde_json::json;

use super::application::Shop;
use super::streams::Stream;

/// The address that an answer with all flags names, without scheme and host.
async fn address(shop: &Shop) -> String {
    let body = shop.evaluate("", &json!({})).await.expect(200);
    let streams = body["eventStreams"].as_array().unwrap();
    assert_eq!(streams.len(), 1);
    assert_eq!((&streams[0]["type"], streams[0]["inactivityDelaySec"].is_u64()), (&json!("sse"), true));
    let url = reqwest::Url::parse(streams[0]["url"].as_str().unwrap()).unwrap();
    assert_eq!(url.host_str(), Some("127.0.0.1"));
    format!("{}?{}", url.path(), url.query().unwrap())
}

#[tokio::test]
async fn the_address_tells_of_changes_without_any_header() {
    let shop = Shop::open().await;
    let address = address(&shop).await;
    assert!(!address.contains(&shop.environment.api_key), "the address holds no key but its own");
    let mut stream = Stream::open(shop.server.without_key().request(Method::GET, &address)).await;
    let first = stream.next().await.unwrap();
    assert_eq!(first.name, None, "OFREP's events have no name but the usual");
    assert_eq!(first.data["type"], "refetchEvaluation");
    assert!(first.data["lastModified"].is_i64() && first.data["etag"].is_string());
    shop.change(shop.banner, json!({ "feature_state_value": "new" })).await;
    let second = stream.next().await.unwrap();
    assert!(second.id > first.id);
    let evaluated = shop.evaluate("/banner", &json!({})).await.expect(200);
    assert_eq!(evaluated["value"], "new", "whoever is told can ask for it at once");
    drop(stream);
    let resumed =
        shop.server.without_key().request(Method::GET, &address).header("last-event-id", first.id.to_string());
    assert_eq!(Stream::open(resumed).await.next().await.unwrap().id, second.id);
}

#[tokio::test]
async fn a_token_that_was_tampered_with_opens_nothing_and_a_good_one_nothing_else() {
    let shop = Shop::open().await;
    let address = address(&shop).await;
    let (path, token) = address.split_once("?token=").unwrap();
    let client = shop.server.without_key();
    for wrong in [path.to_owned(), format!("{path}?token={token}0"), format!("{path}?token=x.1.y")] {
        assert_eq!(client.get(&wrong).await.status, 403, "{wrong}");
    }
    let elsewhere = client.request(Method::GET, "flags/").header("x-environment-key", token);
    assert_eq!(client.send(elsewhere).await.status, 403);
    let other = shop.server.environment(shop.project, "Other").await;
    let uuid = other.uuid.simple().to_string();
    let (_, rest) = token.split_once('.').unwrap();
    assert_eq!(client.get(&format!("{path}?token={uuid}.{rest}")).await.status, 403);
}
