//! Server-side keys over HTTP: issued and shown once, changed, revoked.

use offshoot_aggregates::permissions::EnvironmentPermission;
use offshoot_projections::access::server_key_by_hash;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::builders::Permissions;
use crate::support::server::TestServer;

const KEY: [&str; 6] = ["id", "key", "active", "created_at", "name", "expires_at"];

async fn server() -> (TestServer, String) {
    let server = TestServer::start().await;
    let project = server.project("p").await;
    let environment = server.environment(project, "e").await;
    (server, format!("environments/{}/api-keys/", environment.api_key))
}

#[tokio::test]
async fn a_key_is_shown_once_and_masked_ever_after() {
    let (server, path) = server().await;
    assert_eq!(server.get(&path).await.expect(200), json!([]));
    let reply = server.post(&path, json!({ "name": "server", "key": "ser.mine" })).await;
    assert_eq!(reply.keys(), KEY);
    let issued = reply.expect(201);
    let key = issued["key"].as_str().unwrap();
    assert_eq!((&key[..4], key.len()), ("ser.", 26));
    assert_eq!((&issued["active"], &issued["name"]), (&json!(true), &json!("server")));
    assert_eq!(issued["expires_at"], Value::Null);
    let masked = format!("{}******************", &key[..8]);
    let listed = server.get(&path).await.expect(200);
    let mut expected = issued.clone();
    expected["key"] = json!(masked);
    assert_eq!(listed, json!([expected]));
    assert_eq!(server.get(&format!("{path}{}/", issued["id"])).await.expect(200), expected);
    let hash = offshoot::secrets::hash_api_key(key);
    let stored = server.server().node().read_models.access.query(move |file| server_key_by_hash(file, &hash)).await;
    assert_eq!(stored.unwrap().map(|stored| json!(stored.id.0)), Some(issued["id"].clone()));
}

#[tokio::test]
async fn a_key_is_changed_and_revoked() {
    let (server, path) = server().await;
    let issued = server.post(&path, json!({ "name": "server" })).await.expect(201);
    let one = format!("{path}{}/", issued["id"]);
    let changed = server.patch(&one, json!({ "active": false })).await.expect(200);
    assert_eq!((&changed["active"], &changed["name"]), (&json!(false), &json!("server")));
    let body = json!({ "name": "worker", "expires_at": "2030-01-02T03:04:05Z" });
    let changed = server.put(&one, body).await.expect(200);
    assert_eq!((&changed["name"], &changed["active"]), (&json!("worker"), &json!(false)));
    assert_eq!(changed["expires_at"], "2030-01-02T03:04:05.000000Z");
    assert_eq!(server.patch(&one, json!({ "expires_at": null })).await.expect(200)["expires_at"], Value::Null);
    let required = json!({ "name": ["This field is required."] });
    assert_eq!(server.put(&one, json!({ "active": true })).await.told(), (400, required.clone()));
    assert_eq!(server.post(&path, json!({})).await.told(), (400, required));
    let long = json!({ "name": ["Ensure this field has no more than 100 characters."] });
    assert_eq!(server.post(&path, json!({ "name": "x".repeat(101) })).await.told(), (400, long));
    server.delete(&one).await.expect(204);
    let gone = json!({ "detail": "No EnvironmentAPIKey matches the given query." });
    assert_eq!(server.get(&one).await.told(), (404, gone.clone()));
    assert_eq!(server.delete(&one).await.told(), (404, gone.clone()));
    assert_eq!(server.patch(&one, json!({ "active": true })).await.told(), (404, gone));
    assert_eq!(server.get(&path).await.expect(200), json!([]));
}

#[tokio::test]
async fn a_repeated_request_gets_the_same_key_and_issues_no_other() {
    let (server, path) = server().await;
    let ask = || server.request(Method::POST, &path).header("idempotency-key", "k").json(&json!({ "name": "server" }));
    let first = server.send(ask()).await.expect(201);
    let again = server.send(ask()).await;
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!(again.expect(201), first);
    let server = server.restart_without_answers().await;
    let ask = || server.request(Method::POST, &path).header("idempotency-key", "k").json(&json!({ "name": "server" }));
    assert_eq!(server.send(ask()).await.status, 409);
    assert_eq!(server.get(&path).await.expect(200).as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn only_who_administers_the_environment_sees_and_issues_keys() {
    let server = TestServer::start().await;
    let project = server.project("p").await;
    let (mine, other) = (server.environment(project, "mine").await, server.environment(project, "other").await);
    let path = |environment: &str| format!("environments/{environment}/api-keys/");
    let admin = server.limited("admin", Permissions::default().admin_of_environment(&mine)).await;
    let issued = admin.post(&path(&mine.api_key), json!({ "name": "a" })).await.expect(201);
    admin.post(&path(&other.api_key), json!({ "name": "a" })).await.expect(403);
    let all = [EnvironmentPermission::ViewEnvironment, EnvironmentPermission::ManageIdentities];
    let viewer = server.limited("viewer", Permissions::default().in_environment(&mine, all)).await;
    viewer.get(&path(&mine.api_key)).await.expect(403);
    viewer.delete(&format!("{}{}/", path(&mine.api_key), issued["id"])).await.expect(403);
    // A key of one environment is not found in another.
    server.get(&format!("{}{}/", path(&other.api_key), issued["id"])).await.expect(404);
}

#[tokio::test]
async fn keys_are_issued_while_the_environment_is_being_created() {
    let server = TestServer::start().await;
    let environment = server.creating_environment().await;
    let path = format!("environments/{}/api-keys/", environment.api_key);
    server.post(&path, json!({ "name": "early" })).await.expect(201);
}
