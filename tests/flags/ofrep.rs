//! OFREP: flags for any client that speaks OpenFeature's protocol.

use reqwest::Method;
use serde_json::{Value, json};

use super::application::Shop;
use crate::support::client::Reply;

impl Shop {
    /// Evaluates one flag, or all of them if no key is given.
    pub async fn evaluate(&self, key: &str, body: &Value) -> Reply {
        self.client.post(&format!("/ofrep/v1/evaluate/flags{key}"), body).await
    }
}

#[tokio::test]
async fn every_kind_of_flag_is_evaluated_to_a_value_of_its_kind() {
    let shop = Shop::open().await;
    let evaluated = async |value: Value| {
        shop.change(shop.banner, json!({ "enabled": true, "feature_state_value": value })).await;
        let evaluation = shop.evaluate("/banner", &json!({})).await.expect(200);
        assert_eq!((&evaluation["key"], &evaluation["variant"]), (&json!("banner"), &json!("enabled")));
        assert_eq!(evaluation["reason"], "STATIC");
        evaluation["value"].clone()
    };
    assert_eq!(evaluated(json!("text")).await, "text");
    assert_eq!(evaluated(json!(7)).await, json!(7));
    assert_eq!(evaluated(json!(true)).await, json!(true));
    assert_eq!(evaluated(json!("1.5")).await, json!(1.5));
    assert!(evaluated(json!("3.0")).await.is_f64());
    assert_eq!(evaluated(json!("{\"a\":[1]}")).await, json!({ "a": [1] }));
    assert_eq!(evaluated(json!(null)).await, json!(true), "without a value it is a switch");
    shop.change(shop.banner, json!({ "enabled": false, "feature_state_value": null })).await;
    let off = json!({ "key": "banner", "reason": "DISABLED", "variant": "disabled", "value": false });
    assert_eq!(shop.evaluate("/banner", &json!({})).await.told(), (200, off));
    let unset = json!({ "key": "limit", "reason": "DISABLED", "variant": "disabled" });
    assert_eq!(shop.evaluate("/limit", &json!({})).await.told(), (200, unset), "the client's default counts");
}

#[tokio::test]
async fn all_flags_are_evaluated_at_once() {
    let shop = Shop::open().await;
    let reply = shop.evaluate("", &json!({ "context": { "targetingKey": "user" } })).await;
    assert_eq!(reply.header("content-type"), "application/json");
    let body = reply.expect(200);
    let keys: Vec<_> = body["flags"].as_array().unwrap().iter().map(|flag| flag["key"].clone()).collect();
    assert_eq!(keys, ["banner", "checkout", "limit"]);
    for flag in body["flags"].as_array().unwrap() {
        let path = format!("/{}", flag["key"].as_str().unwrap());
        let one = shop.evaluate(&path, &json!({ "context": { "targetingKey": "user" } })).await;
        assert_eq!(&one.expect(200), flag);
    }
    assert!(body["metadata"]["position"].is_u64());
    let server_side = shop.server_side.post("/ofrep/v1/evaluate/flags", &json!({})).await.expect(200);
    assert_eq!(server_side["flags"].as_array().unwrap().len(), 4);
}

#[tokio::test]
async fn the_key_may_come_in_any_of_three_headers() {
    let shop = Shop::open().await;
    let key = &shop.environment.api_key;
    let status = async |name: &str, value: String| {
        let request = shop.server.without_key().request(Method::POST, "/ofrep/v1/evaluate/flags/banner");
        shop.server.send(request.header(name, value)).await.status
    };
    assert_eq!(status("authorization", format!("Bearer {key}")).await, 200);
    assert_eq!(status("authorization", format!("bearer {key}")).await, 200);
    assert_eq!(status("x-api-key", key.clone()).await, 200);
    assert_eq!(status("x-environment-key", key.clone()).await, 200);
    assert_eq!(status("x-other", key.clone()).await, 401);
    assert_eq!(status("x-api-key", "nope".to_owned()).await, 401);
}

#[tokio::test]
async fn what_is_wrong_is_told_with_a_code_and_details() {
    let shop = Shop::open().await;
    let sent = async |path: &str, body: &str| {
        let request = shop.client.request(Method::POST, path).body(body.to_owned());
        let reply = shop.client.send(request).await;
        assert!(reply.body["errorDetails"].is_string(), "{}", reply.body);
        assert_eq!(reply.header("access-control-allow-origin"), "*");
        (reply.status, reply.body["errorCode"].as_str().unwrap().to_owned(), reply.body["key"].clone())
    };
    let one = "/ofrep/v1/evaluate/flags/banner";
    let all = "/ofrep/v1/evaluate/flags";
    let key = json!("banner");
    assert_eq!(sent(one, "{").await, (400, "PARSE_ERROR".to_owned(), key.clone()));
    assert_eq!(sent(one, r#"{"context":3}"#).await, (400, "INVALID_CONTEXT".to_owned(), key.clone()));
    assert_eq!(sent(all, "{\"context\"").await, (400, "PARSE_ERROR".to_owned(), Value::Null));
    assert_eq!(sent(all, r#"{"context":{"targetingKey":{}}}"#).await, (400, "INVALID_CONTEXT".to_owned(), Value::Null));
    let nope = "/ofrep/v1/evaluate/flags/nope%20%2F";
    assert_eq!(sent(nope, "{}").await, (404, "FLAG_NOT_FOUND".to_owned(), json!("nope /")));
    let secret = "/ofrep/v1/evaluate/flags/secret";
    assert_eq!(sent(secret, "").await, (404, "FLAG_NOT_FOUND".to_owned(), json!("secret")), "it is for servers only");
    assert_eq!(sent(one, &" ".repeat(2 << 20)).await.0, 413);
    let wrong = super::application::Application::new(&shop.server, "nope");
    let reply = wrong.post(all, &json!({})).await;
    assert_eq!((reply.status, &reply.body["errorCode"]), (401, &json!("GENERAL")));
}
