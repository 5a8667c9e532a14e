//! A change is served at once, and times never go back.

use serde_json::{Value, json};

use super::application::{Application, Shop};

/// The time that an answer says it is of.
async fn updated_at(application: &Application) -> f64 {
    application.get("flags/").await.header("x-flagsmith-document-updated-at").parse().unwrap()
}

#[tokio::test]
async fn whatever_changes_is_served_with_the_answer_of_the_change() {
    let shop = Shop::open().await;
    let (client, server) = (&shop.client, &shop.server);
    let value = async |name: &str| client.flags().await[name]["feature_state_value"].clone();
    for number in 0..20 {
        shop.change(shop.banner, json!({ "feature_state_value": format!("value {number}") })).await;
        assert_eq!(value("banner").await, format!("value {number}"));
    }
    let features = format!("projects/{}/features/", shop.project.id);
    let new = server.post(&features, json!({ "name": "new", "initial_value": "7" })).await.expect(201);
    assert_eq!(value("new").await, 7);
    server.patch(&format!("{features}{}/", new["id"]), json!({ "is_server_key_only": true })).await.expect(200);
    assert!(client.flags().await.get("new").is_none());
    server.delete(&format!("{features}{}/", new["id"])).await.expect(204);
    assert!(shop.server_side.flags().await.get("new").is_none());
    let options = format!("{features}{}/mv-options/", shop.checkout);
    let option = json!({
        "feature": shop.checkout, "type": "unicode", "string_value": "d", "default_percentage_allocation": 0
    });
    server.post(&options, option).await.expect(201);
    let document = shop.server_side.get("environment-document/").await.expect(200);
    let shares = document["feature_states"][1]["multivariate_feature_state_values"].as_array().unwrap();
    assert_eq!(shares.len(), 4);
}

#[tokio::test]
async fn a_changed_segment_and_changed_priorities_count_at_once() {
    let shop = Shop::open().await;
    let traits = json!({ "plan": "gold" });
    let value = async || shop.client.identity("user", &traits).await["banner"]["feature_state_value"].clone();
    let everybody = shop.server.segment(shop.project, "gold 2").await;
    let path = |segment| format!("projects/{}/segments/{segment}/", shop.project.id);
    let of_gold = shop.override_for(shop.gold, shop.banner, true, "first").await;
    let of_everybody = shop.override_for(everybody, shop.banner, true, "second").await;
    assert_eq!(value().await, "first");
    let rule = |value: &str| {
        let condition = json!({ "property": "plan", "operator": "EQUAL", "value": value });
        json!([{ "type": "ALL", "rules": [{ "type": "ANY", "conditions": [condition] }] }])
    };
    let change = json!({ "name": "gold 2", "project": shop.project.id, "rules": rule("gold") });
    shop.server.put(&path(everybody), change).await.expect(200);
    assert_eq!(value().await, "first", "the first has the lower number");
    let id = |over: &Value| over["feature_segment"]["id"].clone();
    let priorities = json!([{ "id": id(&of_gold), "priority": 1 }, { "id": id(&of_everybody), "priority": 0 }]);
    shop.server.post("features/feature-segments/update-priorities/", priorities).await.expect(200);
    assert_eq!(value().await, "second");
    let change = json!({ "name": "gold 2", "project": shop.project.id, "rules": rule("other") });
    shop.server.put(&path(everybody), change).await.expect(200);
    assert_eq!(value().await, "first");
    shop.server.delete(&path(shop.gold)).await.expect(204);
    assert_eq!(value().await, "hello");
    let document = shop.server_side.get("environment-document/").await.expect(200);
    let segments = document["project"]["segments"].as_array().unwrap();
    assert_eq!(segments.len(), 1);
}

#[tokio::test]
async fn an_identity_override_comes_and_goes_at_once() {
    let shop = Shop::open().await;
    let value = async || shop.client.identity("chosen", &json!({})).await["banner"]["feature_state_value"].clone();
    assert_eq!(value().await, "hello");
    let (identity, state) = shop.override_for_identity("chosen", shop.banner, json!("for you")).await;
    assert_eq!(value().await, "for you");
    let path = format!("environments/{}/identities/{identity}/", shop.environment.api_key);
    let state = format!("{path}featurestates/{}/", state["id"]);
    shop.server.put(&state, json!({ "enabled": true, "feature_state_value": "again" })).await.expect(200);
    assert_eq!(value().await, "again");
    // A change of the feature itself leaves the override.
    let features = format!("projects/{}/features/{}/", shop.project.id, shop.banner);
    shop.server.patch(&features, json!({ "description": "new" })).await.expect(200);
    let flag = shop.client.identity("chosen", &json!({})).await["banner"].clone();
    assert_eq!((&flag["feature"]["description"], &flag["feature_state_value"]), (&json!("new"), &json!("again")));
    shop.server.delete(&state).await.expect(204);
    assert_eq!(value().await, "hello");
    let (other, _) = shop.override_for_identity("other", shop.banner, json!("for them")).await;
    let path = format!("environments/{}/identities/{other}/", shop.environment.api_key);
    shop.server.delete(&path).await.expect(204);
    let value = shop.client.identity("other", &json!({})).await["banner"]["feature_state_value"].clone();
    assert_eq!(value, "hello");
}

#[tokio::test]
async fn the_time_of_an_answer_never_goes_back_not_even_that_of_a_clone() {
    let shop = Shop::open().await;
    let mut last = updated_at(&shop.client).await;
    for number in 0..10 {
        let value = json!({ "feature_state_value": number });
        shop.change(if number % 2 == 0 { shop.banner } else { shop.limit }, value).await;
        let now = updated_at(&shop.client).await;
        assert!(now > last, "{now} after {last}");
        last = now;
    }
    let path = format!("environments/{}/clone/", shop.environment.api_key);
    let clone = shop.server.post(&path, json!({ "name": "clone" })).await.expect(200);
    let clone = Application::new(&shop.server, clone["api_key"].as_str().unwrap());
    let first = updated_at(&clone).await;
    assert!(first > last, "a clone is younger than its source");
    let path = format!("environments/{}/", clone.key);
    shop.server.patch(&path, json!({ "description": "new" })).await.expect(200);
    assert!(updated_at(&clone).await > first);
}

#[tokio::test]
async fn a_restarted_server_serves_the_same_under_the_same_tag() {
    let shop = Shop::open().await;
    shop.change(shop.banner, json!({ "feature_state_value": "kept" })).await;
    shop.override_for_identity("chosen", shop.banner, json!("for you")).await;
    let before = shop.server_side.get("environment-document/").await;
    let (key, etag) = (shop.server_side.key.clone(), before.header("etag").to_owned());
    let server = shop.server.restart().await;
    let after = Application::new(&server, key).get("environment-document/").await;
    assert_eq!(after.header("etag"), etag);
    assert_eq!(after.body, before.body);
}
