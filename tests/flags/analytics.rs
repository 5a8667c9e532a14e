//! Reports of evaluations: validated, counted, bounded.

use serde_json::{Value, json};

use super::application::Shop;

async fn usage(shop: &Shop) -> Value {
    shop.server.get(&format!("environments/{}/usage/", shop.environment.api_key)).await.expect(200)
}

#[tokio::test]
async fn reports_are_counted_for_features_that_there_are() {
    let shop = Shop::open().await;
    let told = async |path: &str, body: Value| shop.client.post(path, &body).await.told();
    let nothing = Value::Null;
    let body = json!({ "banner": 3, "unknown": 2, "limit": "x", "checkout": -1, "secret": 1.5 });
    assert_eq!(told("analytics/flags/", body).await, (200, nothing.clone()));
    assert_eq!(told("analytics/flags/", json!({ "banner": 4 })).await, (200, nothing.clone()));
    let evaluations = json!({ "evaluations": [
        { "feature_name": "banner", "identity_identifier": "user", "enabled_when_evaluated": true, "count": 2 },
        { "feature_name": "limit", "enabled_when_evaluated": false, "count": 5 },
        { "feature_name": "unknown", "enabled_when_evaluated": true, "count": 5 },
    ] });
    assert_eq!(told("/api/v2/analytics/flags/", evaluations).await, (204, nothing));
    let usage = usage(&shop).await;
    let counted: Vec<_> = usage["features"]
        .as_array()
        .unwrap()
        .iter()
        .map(|feature| {
            (feature["feature"].clone(), feature["evaluations"].clone(), feature["evaluations_enabled"].clone())
        })
        .collect();
    let expected = [(json!("banner"), json!(9), json!(2)), (json!("limit"), json!(5), json!(0))];
    assert_eq!(counted, expected);
    assert!(usage["since"].is_string());
}

#[tokio::test]
async fn a_report_that_is_none_counts_nothing() {
    let shop = Shop::open().await;
    assert_eq!(shop.client.post("analytics/flags/", &json!([1])).await.status, 200, "as Flagsmith answers it");
    let told = shop.client.post("/api/v2/analytics/flags/", &json!({})).await.told();
    assert_eq!(told, (400, json!({ "evaluations": ["This field is required."] })));
    let negative =
        json!({ "evaluations": [{ "feature_name": "banner", "enabled_when_evaluated": true, "count": -1 }] });
    assert_eq!(shop.client.post("/api/v2/analytics/flags/", &negative).await.status, 400);
    let huge = json!({ "banner": u64::MAX });
    assert_eq!(shop.client.post("analytics/flags/", &huge).await.status, 200);
    assert_eq!(shop.client.post("analytics/flags/", &huge).await.status, 200);
    let counted = usage(&shop).await["features"][0]["evaluations"].as_u64().unwrap();
    assert_eq!(counted, 2_000_000_000, "one report cannot name more than a thousand million");
}
