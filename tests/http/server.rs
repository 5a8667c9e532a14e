//! What the whole server does with requests before a resource sees them.

use std::collections::BTreeSet;

use serde_json::json;

use crate::support::server::TestServer;

#[tokio::test]
async fn a_request_without_a_known_key_is_not_let_in() {
    let server = TestServer::start().await;
    let missing = json!({ "detail": "Authentication credentials were not provided." });
    assert_eq!(server.without_key().get("organisations/").await.told(), (401, missing));
    let unknown = json!({ "detail": "Invalid token." });
    assert_eq!(server.with_key("unknown.key").get("organisations/").await.told(), (401, unknown));
}

#[tokio::test]
async fn every_operation_is_described_under_an_id_of_its_own() {
    let server = TestServer::start().await;
    let description = server.get("openapi.json").await.expect(200);
    let mut ids = BTreeSet::new();
    for (path, item) in description["paths"].as_object().unwrap() {
        for operation in item.as_object().unwrap().values() {
            let id = operation["operationId"].as_str().unwrap_or_else(|| panic!("{path}: {item}"));
            assert!(ids.insert(id.to_owned()), "{path}: {id}");
        }
    }
    for id in ["get_projects_id", "post_organisations_id_master_api_keys", "get_health", "put_environments_key"] {
        assert!(ids.contains(id), "{id} in {ids:?}");
    }
}
