//! Whoever has the answer is not sent it again.

use reqwest::Method;
use serde_json::json;

use super::application::{Application, Shop};
use crate::support::client::Reply;

async fn again(application: &Application, path: &str, header: &str, value: &str) -> Reply {
    application.send(application.request(Method::GET, path).header(header, value)).await
}

#[tokio::test]
async fn an_answer_is_sent_again_only_after_a_change() {
    let shop = Shop::open().await;
    for path in ["flags/", "environment-document/"] {
        let first = shop.server_side.get(path).await;
        let etag = first.header("etag").to_owned();
        let same = again(&shop.server_side, path, "if-none-match", &etag).await;
        assert_eq!(same.status, 304, "{path}");
        assert!(same.body.is_null());
        assert_eq!(same.header("etag"), etag);
        assert_eq!(again(&shop.server_side, path, "if-none-match", "\"other\"").await.status, 200);
        shop.change(shop.banner, json!({ "feature_state_value": path })).await;
        let changed = again(&shop.server_side, path, "if-none-match", &etag).await;
        assert_eq!(changed.status, 200, "{path}");
        assert_ne!(changed.header("etag"), etag);
    }
}

#[tokio::test]
async fn what_does_not_change_an_answer_does_not_change_its_tag() {
    let shop = Shop::open().await;
    let other = shop.server.environment(shop.project, "Other").await;
    let etag = shop.client.get("flags/").await.header("etag").to_owned();
    let path = format!("environments/{}/featurestates/", other.api_key);
    let state = shop.server.get(&path).await.expect(200)["results"][0]["id"].clone();
    shop.server.put(&format!("{path}{state}/"), json!({ "enabled": false })).await.expect(200);
    assert_eq!(again(&shop.client, "flags/", "if-none-match", &etag).await.status, 304, "it was another environment");
    let description = json!({ "description": "new" });
    shop.server
        .patch(&format!("projects/{}/features/{}/", shop.project.id, shop.banner), description)
        .await
        .expect(200);
    let changed = again(&shop.client, "flags/", "if-none-match", &etag).await;
    assert_eq!(changed.expect(200)[0]["feature"]["description"], "new", "what the project says is in the answer too");
}

#[tokio::test]
async fn the_keys_of_servers_and_of_clients_have_tags_of_their_own() {
    let shop = Shop::open().await;
    let etag = shop.client.get("flags/").await.header("etag").to_owned();
    assert_eq!(again(&shop.server_side, "flags/", "if-none-match", &etag).await.status, 200);
}

#[tokio::test]
async fn the_document_is_sent_again_if_it_was_modified_since() {
    let shop = Shop::open().await;
    let path = "environment-document/";
    // The second in which the environment changed last must be over, before a time in seconds says anything.
    let modified = loop {
        let reply = shop.server_side.get(path).await;
        let modified = reply.header("last-modified").to_owned();
        if again(&shop.server_side, path, "if-modified-since", &modified).await.status == 304 {
            break modified;
        }
    };
    assert!(modified.ends_with(" GMT"), "{modified}");
    let late = again(&shop.server_side, path, "if-modified-since", "Sun, 22 Nov 2099 05:21:38 GMT").await;
    assert_eq!(late.status, 304);
    shop.change(shop.banner, json!({ "enabled": false })).await;
    assert_eq!(again(&shop.server_side, path, "if-modified-since", &modified).await.status, 200);
    let odd = again(&shop.server_side, path, "if-modified-since", "yesterday").await;
    assert_eq!(odd.status, 200);
}
