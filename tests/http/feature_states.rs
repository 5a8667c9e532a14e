//! Feature states and segment overrides over HTTP: the shapes that Flagsmith recorded, and what is refused.

use serde_json::{Value, json};

use crate::support::builders::{Permissions, TestProject};
use crate::support::client::keys;
use crate::support::server::TestServer;
use offshoot_aggregates::environment::EnvironmentRef;
use offshoot_aggregates::permissions::EnvironmentPermission;

const STATE: [&str; 15] = [
    "id",
    "feature_state_value",
    "multivariate_feature_state_values",
    "deleted_at",
    "uuid",
    "enabled",
    "created_at",
    "updated_at",
    "live_from",
    "version",
    "feature",
    "environment",
    "identity",
    "feature_segment",
    "change_request",
];

async fn server() -> (TestServer, TestProject, EnvironmentRef, i64) {
    let server = TestServer::start().await;
    let project = server.project("p").await;
    let environment = server.environment(project, "e").await;
    let feature = server.feature(project, "banner").await;
    (server, project, environment, feature.0)
}

async fn nested(server: &TestServer, environment: &EnvironmentRef) -> Value {
    server.get(&format!("environments/{}/featurestates/", environment.api_key)).await.expect(200)["results"][0].clone()
}

#[tokio::test]
async fn a_state_is_read_and_changed_in_its_environment() {
    let (server, project, environment, feature) = server().await;
    let other = server.feature(project, "other").await;
    let state = nested(&server, &environment).await;
    assert_eq!((&state["feature"], &state["enabled"]), (&json!(feature), &json!(false)));
    let path = format!("environments/{}/featurestates/{}/", environment.api_key, state["id"]);
    let reply = server.get(&path).await;
    let found = reply.body.clone();
    assert_eq!(reply.status, 200);
    assert_eq!(keys(&found)[..15], STATE);
    let etag = reply.header("etag").to_owned();
    let changed = server.put(&path, json!({ "enabled": true, "feature_state_value": "on" })).await.expect(200);
    assert_eq!((&changed["enabled"], &changed["feature_state_value"]), (&json!(true), &json!("on")));
    let short = server.patch(&path, json!({ "feature_state_value": 7 })).await.expect(200);
    assert_eq!(short, json!({ "feature": feature, "enabled": true }));
    assert_eq!(nested(&server, &environment).await["feature_state_value"], 7);
    let stale = server.request(reqwest::Method::PUT, &path).header("if-match", etag).json(&json!({ "enabled": false }));
    let refused = server.send(stale).await;
    assert_eq!(refused.status, 412);
    assert!(refused.body["version"].as_u64().is_some(), "{}", refused.body);
    let expected = json!({ "feature": ["Cannot change the feature of a feature state"] });
    assert_eq!(server.put(&path, json!({ "feature": other })).await.told(), (400, expected));
    let missing = format!("environments/{}/featurestates/99999999/", environment.api_key);
    let expected = json!({ "detail": "No FeatureState matches the given query." });
    assert_eq!(server.get(&missing).await.told(), (404, expected));
}

#[tokio::test]
async fn the_flat_list_has_value_objects_and_needs_an_environment() {
    let (server, _, environment, feature) = server().await;
    let state = nested(&server, &environment).await;
    let path = format!("features/featurestates/{}/", state["id"]);
    let body = json!({
        "feature": feature, "environment": environment.id, "enabled": true,
        "feature_state_value": { "type": "int", "integer_value": 42 },
    });
    let changed = server.put(&path, body).await.expect(200);
    let value = json!({ "type": "int", "string_value": null, "integer_value": 42, "boolean_value": null });
    assert_eq!(changed["feature_state_value"], value);
    let list = server.get(&format!("features/featurestates/?environment={}", environment.id)).await.expect(200);
    assert_eq!((&list["count"], &list["results"][0]["feature_state_value"]), (&json!(1), &value));
    server.get("features/featurestates/").await.expect(403);
    let required = json!({ "feature": ["This field is required."], "environment": ["This field is required."] });
    assert_eq!(server.put(&path, json!({ "enabled": true })).await.told(), (400, required));
    let plain = json!({ "feature": feature, "environment": environment.id, "feature_state_value": "plain" });
    let text = "Invalid data. Expected a dictionary, but got str.";
    let expected = json!({ "feature_state_value": { "non_field_errors": [text] } });
    assert_eq!(server.put(&path, plain).await.told(), (400, expected));
}

#[tokio::test]
async fn segment_overrides_are_made_ordered_and_removed() {
    let (server, project, environment, feature) = server().await;
    let (gold, beta) = (server.segment(project, "gold").await, server.segment(project, "beta").await);
    let link = json!({ "feature": feature, "segment": gold, "environment": environment.id });
    let first = server.post("features/feature-segments/", link.clone()).await.expect(201);
    assert_eq!(keys(&first), ["id", "uuid", "feature", "segment", "environment", "priority"]);
    assert_eq!(first["priority"], 0);
    server.post("features/feature-segments/", link).await.expect(400);
    let body = json!({
        "enabled": true, "feature_segment": { "segment": beta },
        "feature_state_value": { "type": "unicode", "string_value": "for beta" },
    });
    let path = format!("environments/{}/features/{feature}/create-segment-override/", environment.api_key);
    let second = server.post(&path, body).await.expect(201);
    assert_eq!(second["feature_segment"]["priority"], 1);
    let state = json!({
        "feature": feature, "environment": environment.id, "feature_segment": first["id"], "enabled": true,
        "feature_state_value": { "type": "unicode", "string_value": "for gold" },
    });
    server.post("features/featurestates/", state).await.expect(201);
    let order = json!([{ "id": second["feature_segment"]["id"], "priority": 0 }, { "id": first["id"], "priority": 1 }]);
    server.post("features/feature-segments/update-priorities/", order).await.expect(200);
    let list_path = format!("features/feature-segments/?environment={}&feature={feature}", environment.id);
    let list = server.get(&list_path).await.expect(200);
    let names: Vec<_> = list["results"].as_array().unwrap().iter().map(|item| item["segment_name"].clone()).collect();
    assert_eq!(names, ["beta", "gold"]);
    let required = json!({ "environment": ["This field is required."], "feature": ["This field is required."] });
    assert_eq!(server.get("features/feature-segments/").await.told(), (400, required));
    server.delete(&format!("features/feature-segments/{}/", first["id"])).await.expect(204);
    assert_eq!(server.get(&list_path).await.expect(200)["count"], 1);
    let flat = format!("features/featurestates/?environment={}", environment.id);
    assert_eq!(server.get(&flat).await.expect(200)["count"], 2);
}

#[tokio::test]
async fn who_may_only_look_changes_nothing() {
    let (server, _, environment, _) = server().await;
    let state = nested(&server, &environment).await;
    let view = [EnvironmentPermission::ViewEnvironment];
    let viewer = server.limited("viewer", Permissions::default().in_environment(&environment, view)).await;
    let path = format!("environments/{}/featurestates/{}/", environment.api_key, state["id"]);
    viewer.get(&path).await.expect(200);
    viewer.put(&path, json!({ "enabled": true })).await.expect(403);
    let stranger = server.limited("stranger", Permissions::default()).await;
    stranger.get(&path).await.expect(403);
}
