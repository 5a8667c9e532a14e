//! Keys that open nothing, methods that are none, and pages of other sites that ask.

use reqwest::Method;
use serde_json::json;

use super::application::{Application, Shop};

#[tokio::test]
async fn a_key_that_is_missing_or_unknown_is_refused_in_flagsmiths_words() {
    let shop = Shop::open().await;
    let missing = (403, json!({ "detail": "Invalid or missing Environment key" }));
    let unknown = (403, json!({ "detail": "Invalid or missing Environment Key" }));
    for path in ["flags/", "identities/?identifier=x", "environment-document/"] {
        assert_eq!(shop.server.without_key().get(path).await.told(), missing);
        for key in ["nope", "ser.nope", &"x".repeat(300)] {
            let wrong = Application::new(&shop.server, key);
            assert_eq!(wrong.get(path).await.told(), unknown);
            assert_eq!(wrong.get(path).await.told(), unknown, "and again");
        }
    }
}

#[tokio::test]
async fn a_key_opens_from_the_moment_it_is_there_also_if_it_was_tried_before() {
    let shop = Shop::open().await;
    let chosen = Application::new(&shop.server, "chosenkey");
    assert_eq!(chosen.get("flags/").await.status, 403);
    let body = json!({ "name": "Chosen", "project": shop.project.id, "api_key": "chosenkey" });
    shop.server.post("environments/", body).await.expect(201);
    assert_eq!(chosen.get("flags/").await.status, 200);
    shop.server.delete("environments/chosenkey/").await.expect(204);
    assert_eq!(chosen.get("flags/").await.status, 403);
}

#[tokio::test]
async fn a_server_key_is_refused_from_the_moment_it_is_revoked_switched_off_or_expired() {
    let shop = Shop::open().await;
    let path = format!("environments/{}/api-keys/", shop.environment.api_key);
    let issue = async |body: serde_json::Value| {
        let created = shop.server.post(&path, body).await.expect(201);
        (created["id"].clone(), Application::new(&shop.server, created["key"].as_str().unwrap()))
    };
    let (id, application) = issue(json!({ "name": "one" })).await;
    assert_eq!(application.get("environment-document/").await.status, 200);
    shop.server.put(&format!("{path}{id}/"), json!({ "name": "one", "active": false })).await.expect(200);
    assert_eq!(application.get("environment-document/").await.status, 403);
    shop.server.put(&format!("{path}{id}/"), json!({ "name": "one", "active": true })).await.expect(200);
    assert_eq!(application.get("flags/").await.status, 200);
    shop.server.delete(&format!("{path}{id}/")).await.expect(204);
    assert_eq!(application.get("flags/").await.status, 403);
    let (_, expired) = issue(json!({ "name": "old", "expires_at": "2001-01-01T00:00:00Z" })).await;
    assert_eq!(expired.get("flags/").await.status, 403);
}

#[tokio::test]
async fn a_project_that_is_deleted_takes_its_environments_along() {
    let shop = Shop::open().await;
    assert_eq!(shop.client.get("flags/").await.status, 200);
    shop.server.delete(&format!("projects/{}/", shop.project.id)).await.expect(204);
    assert_eq!(shop.client.get("flags/").await.status, 403);
    assert_eq!(shop.server_side.get("flags/").await.status, 403);
}

#[tokio::test]
async fn pages_of_any_site_may_ask_and_read_the_headers_that_matter() {
    let shop = Shop::open().await;
    let preflight = shop
        .client
        .request(Method::OPTIONS, "flags/")
        .header("origin", "https://shop.example")
        .header("access-control-request-method", "GET")
        .header("access-control-request-headers", "x-environment-key,flagsmith-sdk-user-agent");
    let reply = shop.client.send(preflight).await;
    assert_eq!(reply.status, 204);
    assert_eq!(reply.header("access-control-allow-origin"), "*");
    assert_eq!(reply.header("access-control-allow-headers"), "x-environment-key,flagsmith-sdk-user-agent");
    assert!(reply.header("access-control-allow-methods").contains("GET"));
    let reply = shop.client.get("flags/").await;
    assert_eq!(reply.header("access-control-allow-origin"), "*");
    let exposed = reply.header("access-control-expose-headers");
    assert!(exposed.contains("etag") && exposed.contains("retry-after"), "{exposed}");
    assert_eq!(reply.header("flagsmith-version"), "2.265.0");
    assert!(reply.header("vary").contains("X-Environment-Key"));
}

#[tokio::test]
async fn a_method_that_the_path_does_not_know_is_told() {
    let shop = Shop::open().await;
    let reply = shop.client.send(shop.client.request(Method::DELETE, "flags/")).await;
    assert_eq!(reply.told(), (405, json!({ "detail": "Method \"DELETE\" not allowed." })));
    assert_eq!(shop.client.get("traits/").await.status, 405);
    let reply = shop.client.get("flags").await;
    assert_eq!((reply.status, reply.header("location")), (301, "/api/v1/flags/"));
}

#[tokio::test]
async fn the_description_of_the_api_has_these_paths() {
    let shop = Shop::open().await;
    let description = shop.server.get("openapi.json").await.expect(200);
    for (path, method) in [
        ("/api/v1/flags/", "get"),
        ("/api/v1/identities/", "post"),
        ("/api/v1/environment-document/", "get"),
        ("/api/v1/traits/bulk/", "put"),
        ("/api/v2/analytics/flags/", "post"),
        ("/ofrep/v1/evaluate/flags/{key}", "post"),
        ("/ofrep/v1/evaluate/flags", "post"),
        ("/sse/environments/{key}/stream", "get"),
    ] {
        assert!(description["paths"][path][method].is_object(), "{method} {path}");
    }
    let metrics = shop.server.request(Method::GET, "/metrics").send().await.unwrap().text().await.unwrap();
    assert!(metrics.contains("offshoot_flag_requests_total{endpoint=\"flags\",status=\"200\"}"), "counted");
}
