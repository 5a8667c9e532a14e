//! `/traits/` and `/traits/bulk/`: checked, answered back, not kept.

use reqwest::Method;
use serde_json::json;

use super::application::Shop;

#[tokio::test]
async fn a_trait_is_answered_back_as_it_was_sent() {
    let shop = Shop::open().await;
    let sent = json!({ "identity": { "identifier": "user" }, "trait_key": "plan", "trait_value": "gold" });
    assert_eq!(shop.client.post("traits/", &sent).await.told(), (200, sent.clone()));
    let many = json!([sent, { "identity": { "identifier": "user" }, "trait_key": "age", "trait_value": 1.5 }]);
    let put = shop.client.request(Method::PUT, "traits/bulk/").json(&many);
    assert_eq!(shop.client.send(put).await.told(), (200, many));
    // Nothing of it counts later.
    shop.override_for(shop.gold, shop.banner, true, "for gold").await;
    assert_eq!(shop.client.identity("user", &json!({})).await["banner"]["feature_state_value"], "hello");
}

#[tokio::test]
async fn what_is_wrong_with_a_trait_is_told() {
    let shop = Shop::open().await;
    let required = json!(["This field is required."]);
    let told = shop.client.post("traits/", &json!({})).await.told();
    let expected = json!({ "identity": required, "trait_key": required, "trait_value": required });
    assert_eq!(told, (400, expected));
    let put = shop.client.request(Method::PUT, "traits/bulk/").json(&json!({}));
    assert_eq!(shop.client.send(put).await.status, 400);
    shop.set(json!({ "allow_client_traits": false })).await;
    let sent = json!({ "identity": { "identifier": "user" }, "trait_key": "plan", "trait_value": "gold" });
    assert_eq!(shop.client.post("traits/", &sent).await.status, 403);
    assert_eq!(shop.server_side.post("traits/", &sent).await.status, 200);
}
