//! `/environment-document/`: all that a server needs which evaluates flags by itself.

use serde_json::{Value, json};

use super::application::Shop;
use crate::support::client::keys;

#[tokio::test]
async fn the_document_has_the_members_that_flagsmith_gives_it() {
    let shop = Shop::open().await;
    let over = shop.override_for(shop.gold, shop.banner, false, "for gold").await;
    let (identity, _) = shop.override_for_identity("chosen", shop.banner, json!("for you")).await;
    let reply = shop.server_side.get("environment-document/").await;
    assert!(reply.headers.contains_key("last-modified") && reply.headers.contains_key("etag"));
    let updated_at = reply.header("x-flagsmith-document-updated-at").to_owned();
    let document = reply.expect(200);
    assert_eq!(
        keys(&document),
        [
            "id",
            "api_key",
            "project",
            "feature_states",
            "identity_overrides",
            "name",
            "allow_client_traits",
            "hide_sensitive_data",
            "hide_disabled_flags",
            "use_identity_composite_key_for_hashing",
            "use_identity_overrides_in_local_eval",
            "updated_at"
        ]
    );
    let project = &document["project"];
    assert_eq!(
        keys(project),
        [
            "id",
            "name",
            "organisation",
            "hide_disabled_flags",
            "segments",
            "enable_realtime_updates",
            "server_key_only_feature_ids"
        ]
    );
    let organisation = &project["organisation"];
    assert_eq!(keys(organisation), ["id", "name", "feature_analytics", "stop_serving_flags", "persist_trait_data"]);
    assert_eq!(organisation["persist_trait_data"], false, "traits are not kept");
    assert_eq!(project["server_key_only_feature_ids"], json!([shop.secret]));
    check_states(&shop, &document, &over);
    let chosen = &document["identity_overrides"][0];
    assert_eq!((&chosen["identifier"], &chosen["django_id"]), (&json!("chosen"), &json!(identity)));
    assert_eq!(chosen["composite_key"], format!("{}_chosen", shop.environment.api_key));
    assert_eq!(chosen["identity_features"][0]["feature_state_value"], "for you");
    assert_eq!(chosen["identity_traits"], json!([]));
    let time = document["updated_at"].as_str().unwrap();
    assert!(time.ends_with("+00:00") && time.len() == 32, "{time}");
    let seconds: f64 = updated_at.parse().unwrap();
    let time: jiff::Timestamp = time.parse().unwrap();
    assert!((time.as_microsecond() as f64 / 1e6 - seconds).abs() < 1e-6);
}

fn check_states(shop: &Shop, document: &Value, over: &Value) {
    let states = document["feature_states"].as_array().unwrap();
    assert_eq!(states.len(), 4);
    assert_eq!(
        keys(&states[0]),
        [
            "feature",
            "enabled",
            "django_id",
            "feature_segment",
            "featurestate_uuid",
            "feature_state_value",
            "multivariate_feature_state_values"
        ]
    );
    assert_eq!(states[0]["feature"], json!({ "id": shop.banner, "name": "banner", "type": "STANDARD" }));
    let shares = states[1]["multivariate_feature_state_values"].as_array().unwrap();
    let share = |index: usize| &shares[index];
    assert_eq!(keys(share(0)), ["multivariate_feature_option", "percentage_allocation", "id", "mv_fs_value_uuid"]);
    assert_eq!(share(0)["multivariate_feature_option"]["value"], "a");
    assert_eq!(share(1)["multivariate_feature_option"]["key"], "blue");
    assert_eq!(share(0)["percentage_allocation"], json!(60.0));
    let segment = &document["project"]["segments"][0];
    assert_eq!(keys(segment), ["id", "name", "rules", "feature_states"]);
    let condition = &segment["rules"][0]["rules"][0]["conditions"][0];
    assert_eq!(condition, &json!({ "operator": "EQUAL", "value": "gold", "property_": "plan" }));
    let state = &segment["feature_states"][0];
    assert_eq!(state["feature_segment"], json!({ "priority": 0 }));
    assert_eq!(state["featurestate_uuid"], over["uuid"]);
    assert_eq!((&state["feature_state_value"], &state["enabled"]), (&json!("for gold"), &json!(false)));
}

#[tokio::test]
async fn only_a_server_key_opens_the_document_and_the_dashboard_has_the_same() {
    let shop = Shop::open().await;
    let refused = (403, json!({ "detail": "Invalid or missing Environment key" }));
    assert_eq!(shop.client.get("environment-document/").await.told(), refused);
    let document = shop.server_side.get("environment-document/").await.expect(200);
    let path = format!("environments/{}/document/", shop.environment.api_key);
    assert_eq!(shop.server.get(&path).await.expect(200), document);
    assert_eq!(shop.server.without_key().get(&path).await.status, 401);
    let limited = shop.server.limited("nobody", Default::default()).await;
    assert_eq!(limited.get(&path).await.status, 403);
}

#[tokio::test]
async fn identity_overrides_are_left_out_where_the_environment_says_so() {
    let shop = Shop::open().await;
    shop.override_for_identity("chosen", shop.banner, json!("for you")).await;
    shop.set(json!({ "use_identity_overrides_in_local_eval": false })).await;
    let document = shop.server_side.get("environment-document/").await.expect(200);
    assert_eq!(document["identity_overrides"], json!([]));
    assert_eq!(shop.client.identity("chosen", &json!({})).await["banner"]["feature_state_value"], "for you");
}
