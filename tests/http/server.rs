//! What the whole server does with requests before a resource sees them.

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
