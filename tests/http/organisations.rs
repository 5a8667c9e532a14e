//! Organisations over HTTP, in the shapes that Flagsmith answers.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::builders::Permissions;
use crate::support::client::keys;
use crate::support::server::TestServer;

const ORGANISATION: [&str; 12] = [
    "id",
    "uuid",
    "name",
    "created_date",
    "webhook_notification_email",
    "num_seats",
    "subscription",
    "role",
    "persist_trait_data",
    "block_access_to_admin",
    "restrict_project_create_to_admin",
    "force_2fa",
];

const SUBSCRIPTION: [&str; 14] = [
    "id",
    "has_active_billing_periods",
    "deleted_at",
    "uuid",
    "subscription_id",
    "subscription_date",
    "plan",
    "max_seats",
    "max_api_calls",
    "cancellation_date",
    "customer_id",
    "billing_status",
    "payment_method",
    "notes",
];

fn check_shape(organisation: &Value) {
    assert_eq!(keys(organisation), ORGANISATION);
    assert_eq!(keys(&organisation["subscription"]), SUBSCRIPTION);
    assert!(organisation["created_date"].as_str().unwrap().ends_with('Z'));
    assert_eq!(organisation["subscription"]["plan"], "free");
    assert!(organisation["subscription"]["max_seats"].is_i64());
}

#[tokio::test]
async fn the_organisation_of_a_new_store_is_listed_and_shown() {
    let server = TestServer::start().await;
    let list = server.get("organisations/").await;
    assert_eq!(list.keys(), ["count", "next", "previous", "results"]);
    let list = list.expect(200);
    assert_eq!((&list["count"], &list["next"], &list["previous"]), (&json!(1), &Value::Null, &Value::Null));
    let organisation = &list["results"][0];
    check_shape(organisation);
    assert_eq!((&organisation["name"], &organisation["role"]), (&json!("Default"), &json!("ADMIN")));
    let id = &organisation["id"];
    assert_eq!(server.get(&format!("organisations/{id}/")).await.told(), (200, organisation.clone()));
}

#[tokio::test]
async fn whoever_creates_an_organisation_administers_it() {
    let server = TestServer::start().await;
    let created = server.post("organisations/", json!({ "name": " Second " })).await;
    let position: u64 = created.header("offshoot-position").parse().unwrap();
    assert!(position > 0);
    let created = created.expect(201);
    check_shape(&created);
    assert_eq!((&created["name"], &created["role"]), (&json!("Second"), &json!("ADMIN")));
    let project = json!({ "name": "p", "organisation": created["id"] });
    server.post("projects/", project).await.expect(201);
    assert_eq!(server.get("organisations/").await.expect(200)["results"][1], created);
    let page = server.get("organisations/?page=2&page_size=1").await.expect(200);
    assert_eq!((&page["count"], &page["results"]), (&json!(2), &json!([created])));
    assert!(page["previous"].as_str().unwrap().ends_with("/api/v1/organisations/?page_size=1"));
}

#[tokio::test]
async fn a_name_that_breaks_a_rule_creates_no_organisation() {
    let server = TestServer::start().await;
    let head = server.head().await;
    let long = "x".repeat(2_001);
    let cases = [
        (json!({}), "This field is required."),
        (json!({ "name": null }), "This field may not be null."),
        (json!({ "name": "  " }), "This field may not be blank."),
        (json!({ "name": ["a"] }), "Not a valid string."),
        (json!({ "name": true }), "Not a valid string."),
        (json!({ "name": "a\0b" }), "Null characters are not allowed."),
        (json!({ "name": long }), "Ensure this field has no more than 2000 characters."),
    ];
    for (body, text) in cases {
        assert_eq!(server.post("organisations/", body).await.told(), (400, json!({ "name": [text] })));
    }
    let big = server.post("organisations/", json!({ "name": "x".repeat(1 << 20) })).await;
    assert_eq!(big.status, 413);
    let malformed = server.request(Method::POST, "organisations/").header("content-type", "application/json");
    let malformed = server.send(malformed.body("{\"name\":")).await.expect(400);
    assert!(malformed["detail"].as_str().unwrap().starts_with("JSON parse error - "), "{malformed}");
    assert_eq!(server.head().await, head);
}

#[tokio::test]
async fn an_organisation_is_neither_changed_nor_deleted() {
    let server = TestServer::start().await;
    let (_, id) = server.organisation().await;
    let path = format!("organisations/{id}/");
    for method in [Method::PUT, Method::PATCH, Method::DELETE] {
        let answer = server.send(server.request(method.clone(), &path)).await;
        assert_eq!(answer.header("allow"), "GET, HEAD, OPTIONS");
        assert_eq!(answer.told(), (405, json!({ "detail": format!("Method \"{method}\" not allowed.") })));
    }
}

#[tokio::test]
async fn a_key_without_a_role_sees_its_organisation_and_creates_none() {
    let server = TestServer::start().await;
    let (_, own) = server.organisation().await;
    let other = server.post("organisations/", json!({ "name": "Other" })).await.expect(201)["id"].clone();
    let limited = server.limited("limited", Permissions::default()).await;
    let shown = limited.get(&format!("organisations/{own}/")).await.expect(200);
    assert_eq!(shown["role"], "USER");
    assert_eq!(limited.get("organisations/").await.expect(200)["results"], json!([shown]));
    let unknown = json!({ "detail": "No Organisation matches the given query." });
    assert_eq!(limited.get(&format!("organisations/{other}/")).await.told(), (404, unknown.clone()));
    assert_eq!(server.get("organisations/999999/").await.told(), (404, unknown));
    let forbidden = json!({ "detail": "You do not have permission to perform this action." });
    assert_eq!(limited.post("organisations/", json!({ "name": "Mine" })).await.told(), (403, forbidden));
}

#[tokio::test]
async fn a_page_that_is_not_there_is_not_found() {
    let server = TestServer::start().await;
    for page in ["0", "-1", "2", "x", "99999999999999999999"] {
        let answer = server.get(&format!("organisations/?page={page}")).await;
        assert_eq!(answer.told(), (404, json!({ "detail": "Invalid page." })), "{page}");
    }
    assert_eq!(server.get("organisations/?page_size=-1").await.expect(200)["count"], 1);
}

#[tokio::test]
async fn a_creation_that_is_repeated_creates_one_organisation() {
    let server = TestServer::start().await;
    let body = json!({ "name": "Once" });
    let request = || server.request(Method::POST, "organisations/").header("idempotency-key", "key-1").json(&body);
    let first = server.send(request()).await.expect(201);
    let again = server.send(request()).await;
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!(again.told(), (201, first));
    assert_eq!(server.get("organisations/").await.expect(200)["count"], 2);
}
