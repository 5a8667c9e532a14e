//! `/identities/`: the flags of an environment as they are for one identity.

use reqwest::Method;
use serde_json::{Value, json};

use super::application::{Shop, by_name};
use crate::support::client::keys;

fn traits(traits: &Value) -> Value {
    json!({ "identifier": "user", "traits": traits })
}

#[tokio::test]
async fn the_nearest_override_wins_and_the_answer_tells_which_it_was() {
    let shop = Shop::open().await;
    let beta = shop.server.segment(shop.project, "beta").await;
    let of_gold = shop.override_for(shop.gold, shop.banner, false, "for gold").await;
    shop.override_for(beta, shop.banner, true, "for beta").await;
    let (id, state) = shop.override_for_identity("chosen", shop.banner, json!("for you")).await;
    let banner = async |identifier: &str, plan: &str| {
        shop.client.identity(identifier, &json!({ "plan": plan })).await["banner"].clone()
    };
    let nobody = banner("nobody", "free").await;
    assert_eq!((&nobody["feature_state_value"], &nobody["feature_segment"]), (&json!("hello"), &json!(null)));
    let gold = banner("nobody", "gold").await;
    assert_eq!((&gold["feature_state_value"], &gold["enabled"]), (&json!("for gold"), &json!(false)));
    assert_eq!(gold["feature_segment"], of_gold["feature_segment"]["id"]);
    assert_eq!(gold["id"], of_gold["id"]);
    assert_eq!(gold["identity"], json!(null));
    let chosen = banner("chosen", "gold").await;
    assert_eq!((&chosen["feature_state_value"], &chosen["identity"]), (&json!("for you"), &json!(id)));
    assert_eq!((&chosen["id"], &chosen["feature_segment"]), (&state["id"], &json!(null)));
    assert_eq!(keys(&chosen).last(), Some(&"variant"));
    assert_eq!(chosen["variant"], json!(null));
}

#[tokio::test]
async fn traits_are_answered_back_as_transient_but_for_those_that_are_null() {
    let shop = Shop::open().await;
    let sent = json!([
        { "trait_key": "plan", "trait_value": "gold" },
        { "trait_key": "age", "trait_value": 30 },
        { "trait_key": "ratio", "trait_value": 1.5, "transient": false },
        { "trait_key": "beta", "trait_value": true },
        { "trait_key": "gone", "trait_value": null },
    ]);
    let reply = shop.client.post("identities/", &traits(&sent)).await;
    assert!(reply.headers.contains_key("x-flagsmith-document-updated-at"));
    let body = reply.expect(200);
    assert_eq!(keys(&body), ["identifier", "traits", "flags"]);
    assert_eq!(body["identifier"], "user");
    let expected = json!([
        { "id": null, "trait_key": "plan", "trait_value": "gold", "transient": true },
        { "id": null, "trait_key": "age", "trait_value": 30, "transient": true },
        { "id": null, "trait_key": "ratio", "trait_value": 1.5, "transient": true },
        { "id": null, "trait_key": "beta", "trait_value": true, "transient": true },
    ]);
    assert_eq!(body["traits"], expected);
    // Nothing of them was kept.
    let again = shop.client.get("identities/?identifier=user").await.expect(200);
    assert_eq!(again["traits"], json!([]));
    let listed = shop.server.get(&format!("environments/{}/identities/", shop.environment.api_key)).await.expect(200);
    assert_eq!(listed["count"], 0);
}

#[tokio::test]
async fn an_identity_without_identifier_is_named_by_its_traits_as_flagsmith_names_it() {
    let shop = Shop::open().await;
    let name = async |body: Value| shop.client.post("identities/", &body).await.expect(200)["identifier"].clone();
    let plan = json!([{ "trait_key": "plan", "trait_value": "gold" }]);
    // As it was recorded from Flagsmith.
    let expected = "c5501db73aba343c1859b9ec00592baa92ac6371470afd7f723821d07372c8f6";
    assert_eq!(name(json!({ "traits": plan })).await, expected);
    assert_eq!(name(json!({ "identifier": null, "traits": plan })).await, expected);
    assert_eq!(name(json!({ "identifier": "", "traits": plan })).await, expected);
    let one = json!([{ "trait_key": "a", "trait_value": true }, { "trait_key": "b", "trait_value": 1.5 }]);
    let other = json!([{ "trait_key": "b", "trait_value": 1.5 }, { "trait_key": "a", "trait_value": true }]);
    assert_eq!(name(json!({ "traits": one })).await, name(json!({ "traits": other })).await);
    assert_ne!(name(json!({})).await, name(json!({})).await, "without traits it is a name of chance");
}

#[tokio::test]
async fn clients_may_not_tell_traits_where_the_environment_says_so() {
    let shop = Shop::open().await;
    shop.override_for(shop.gold, shop.banner, true, "for gold").await;
    shop.set(json!({ "allow_client_traits": false })).await;
    let sent = traits(&json!([{ "trait_key": "plan", "trait_value": "gold" }]));
    let client = shop.client.post("identities/", &sent).await.expect(200);
    assert_eq!(client["traits"], json!([]));
    assert_eq!(by_name(&client["flags"])["banner"]["feature_state_value"], "hello");
    let server = shop.server_side.post("identities/", &sent).await.expect(200);
    assert_eq!(by_name(&server["flags"])["banner"]["feature_state_value"], "for gold");
}

#[tokio::test]
async fn an_identity_is_asked_for_by_its_identifier_alone() {
    let shop = Shop::open().await;
    let body = shop.client.get("identities/?identifier=user%20one&transient=true").await.expect(200);
    assert_eq!(body["identifier"], "user one");
    assert_eq!(body["flags"].as_array().unwrap().len(), 3);
    let missing = (200, json!({ "detail": "Missing identifier" }));
    assert_eq!(shop.client.get("identities/").await.told(), missing);
    assert_eq!(shop.client.get("identities/?identifier=").await.told(), missing);
    let one = shop.client.get("identities/?identifier=user&feature=Banner").await.expect(200);
    assert_eq!((&one["feature"]["name"], &one["variant"]), (&json!("banner"), &json!(null)));
    let unknown = shop.client.get("identities/?identifier=user&feature=nope").await;
    assert_eq!(unknown.told(), (404, json!({ "detail": "Given feature not found" })));
}

#[tokio::test]
async fn what_is_wrong_with_a_body_is_told_field_by_field() {
    let shop = Shop::open().await;
    let told = async |body: Value| shop.client.post("identities/", &body).await.told();
    let long = "x".repeat(2_001);
    let text = "Value string is too long. Must be less than 2000 character";
    let body = traits(&json!([{ "trait_key": "a", "trait_value": long }]));
    assert_eq!(told(body).await, (400, json!({ "traits": [{ "trait_value": [text] }] })));
    let body = traits(&json!([{ "trait_key": "a", "trait_value": "é".repeat(2_000) }]));
    assert_eq!(told(body).await.0, 200, "it is characters that count");
    let required = json!({ "traits": [{ "trait_key": ["This field is required."] }] });
    assert_eq!(told(traits(&json!([{ "trait_value": 1 }]))).await, (400, required));
    let required = json!({ "traits": [{ "trait_value": ["This field is required."] }] });
    assert_eq!(told(traits(&json!([{ "trait_key": "a" }]))).await, (400, required));
    assert_eq!(told(json!([])).await.0, 400);
    assert_eq!(told(json!({ "identifier": ["a"] })).await, (400, json!({ "identifier": ["Not a valid string."] })));
    assert_eq!(told(json!({ "identifier": "a\u{0}b" })).await.0, 400);
    let broken = shop.client.request(Method::POST, "identities/").header("content-type", "application/json").body("{");
    let reply = shop.client.send(broken).await;
    assert_eq!(reply.status, 400);
    assert!(reply.body["detail"].as_str().unwrap().starts_with("JSON parse error - "), "{}", reply.body);
    let xml = shop.client.request(Method::POST, "identities/").header("content-type", "text/xml").body("<x/>");
    assert_eq!(shop.client.send(xml).await.status, 415);
    let big = shop.client.request(Method::POST, "identities/").header("content-type", "application/json");
    assert_eq!(shop.client.send(big.body(vec![b' '; 2 << 20])).await.status, 413);
}
