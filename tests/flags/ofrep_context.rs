//! OFREP: what the evaluation context changes, and which reason is told for it.

use reqwest::Method;
use serde_json::{Value, json};

use super::application::Shop;

#[tokio::test]
async fn the_targeting_key_is_the_identity_and_all_else_are_its_traits() {
    let shop = Shop::open().await;
    shop.override_for(shop.gold, shop.banner, true, "for gold").await;
    shop.override_for_identity("chosen", shop.banner, json!("for you")).await;
    let told = async |context: Value| {
        let evaluation = shop.evaluate("/banner", &json!({ "context": context })).await.expect(200);
        (evaluation["value"].clone(), evaluation["reason"].as_str().unwrap().to_owned())
    };
    assert_eq!(told(json!({})).await, (json!("hello"), "STATIC".to_owned()));
    assert_eq!(told(json!({ "targetingKey": "other" })).await, (json!("hello"), "STATIC".to_owned()));
    let gold = (json!("for gold"), "TARGETING_MATCH".to_owned());
    assert_eq!(told(json!({ "targetingKey": "other", "plan": "gold" })).await, gold);
    assert_eq!(told(json!({ "plan": "gold" })).await, gold, "traits count without an identity");
    let chosen = (json!("for you"), "TARGETING_MATCH".to_owned());
    assert_eq!(told(json!({ "targetingKey": "chosen", "plan": "gold" })).await, chosen);
    shop.set(json!({ "allow_client_traits": false })).await;
    assert_eq!(told(json!({ "plan": "gold" })).await.0, "hello");
}

#[tokio::test]
async fn a_multivariate_flag_is_split_for_identities_and_is_its_control_value_for_nobody() {
    let shop = Shop::open().await;
    let nobody = shop.evaluate("/checkout", &json!({})).await.expect(200);
    assert_eq!(nobody, json!({ "key": "checkout", "reason": "STATIC", "variant": "control", "value": "control" }));
    let mut seen = std::collections::BTreeSet::new();
    for number in 0..100 {
        let identifier = format!("user_{number}");
        let body = json!({ "context": { "targetingKey": identifier } });
        let evaluation = shop.evaluate("/checkout", &body).await.expect(200);
        let flag = shop.client.identity(&identifier, &json!({})).await["checkout"].clone();
        assert_eq!(evaluation["value"], flag["feature_state_value"], "the same as from Flagsmith's endpoint");
        assert_eq!(evaluation["reason"], "SPLIT");
        let variant = evaluation["variant"].as_str().unwrap();
        match evaluation["value"].as_str().unwrap() {
            "a" => assert!(variant.starts_with("option_"), "{variant}"),
            "b" => assert_eq!(variant, "blue"),
            _ => assert_eq!(variant, "control"),
        }
        seen.insert(variant.to_owned());
    }
    assert_eq!(seen.len(), 3, "{seen:?}");
}

#[tokio::test]
async fn an_answer_with_all_flags_is_sent_again_only_if_flags_or_context_changed() {
    let shop = Shop::open().await;
    let path = "/ofrep/v1/evaluate/flags";
    let body = json!({ "context": { "targetingKey": "user" } });
    let first = shop.evaluate("", &body).await;
    let etag = first.header("etag").to_owned();
    let again = async |body: &Value, query: &str| {
        let request = shop.client.request(Method::POST, &format!("{path}{query}")).json(body);
        shop.client.send(request.header("if-none-match", &etag)).await.status
    };
    assert_eq!(again(&body, "").await, 304);
    assert_eq!(
        again(&body, "?flagConfigEtag=x&flagConfigLastModified=1").await,
        304,
        "what an event told is no matter"
    );
    assert_eq!(again(&json!({ "context": { "targetingKey": "other" } }), "").await, 200);
    assert_eq!(again(&json!({ "context": { "targetingKey": "user", "plan": "gold" } }), "").await, 200);
    let server_side = shop.server_side.request(Method::POST, path).json(&body).header("if-none-match", &etag);
    assert_eq!(shop.server_side.send(server_side).await.status, 200);
    shop.change(shop.banner, json!({ "enabled": false })).await;
    assert_eq!(again(&body, "").await, 200);
    let exposed = first.header("access-control-expose-headers");
    assert!(exposed.contains("etag") && exposed.contains("retry-after"), "{exposed}");
}
