//! API keys over HTTP: issued with a role or with permissions, shown once, refused when revoked or expired.

use offshoot_aggregates::permissions::ProjectPermission;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::builders::Permissions;
use crate::support::client::{Client, keys};
use crate::support::server::TestServer;

const ISSUED: [&str; 10] =
    ["id", "prefix", "created", "name", "revoked", "expiry_date", "key", "is_admin", "has_expired", "created_by"];

async fn path(server: &TestServer) -> String {
    let (_, id) = server.organisation().await;
    format!("organisations/{id}/master-api-keys/")
}

fn client(server: &TestServer, issued: &Value) -> Client {
    server.with_key(issued["key"].as_str().unwrap())
}

#[tokio::test]
async fn a_key_is_shown_once_and_opens_the_door_at_once() {
    let server = TestServer::start().await;
    let path = path(&server).await;
    let issued = server.post(&path, json!({ "name": "mk", "is_admin": true })).await;
    assert_eq!(issued.keys(), ISSUED);
    let issued = issued.expect(201);
    let (key, prefix) = (issued["key"].as_str().unwrap(), issued["prefix"].as_str().unwrap());
    assert!(key.starts_with(&format!("{prefix}.")), "{key}");
    assert!(issued["id"].is_string());
    assert_eq!((&issued["is_admin"], &issued["revoked"]), (&json!(true), &json!(false)));
    assert_eq!((&issued["has_expired"], &issued["expiry_date"]), (&json!(false), &Value::Null));
    client(&server, &issued).post("organisations/", json!({ "name": "By the new key" })).await.expect(201);
    let list = server.get(&path).await.expect(200);
    assert_eq!(list["count"], 2);
    let listed = &list["results"][1];
    assert_eq!(keys(listed), ISSUED.iter().filter(|name| **name != "key").copied().collect::<Vec<_>>());
    assert_eq!(listed["id"], issued["id"]);
}

#[tokio::test]
async fn a_key_with_permissions_may_do_that_and_no_more() {
    let server = TestServer::start().await;
    let (path, project) = (path(&server).await, server.project("p").await);
    let seen = server.environment(project, "a").await;
    let by_id = server.environment(project, "b").await;
    let unseen = server.environment(project, "c").await;
    let permissions = json!({
        "projects": [
            { "project": project.id.0, "permissions": ["VIEW_PROJECT"] },
            { "project": project.id.0, "permissions": ["CREATE_ENVIRONMENT"] },
        ],
        "environments": [
            { "environment": seen.api_key, "permissions": ["VIEW_ENVIRONMENT"] },
            { "environment": by_id.id.0, "admin": true },
        ],
    });
    let issued = server.post(&path, json!({ "name": "limited", "permissions": permissions })).await.expect(201);
    assert_eq!(issued["is_admin"], false);
    let limited = client(&server, &issued);
    let list = limited.get(&format!("environments/?project={}", project.id)).await.expect(200);
    let names: Vec<_> = list["results"].as_array().unwrap().iter().map(|item| item["name"].clone()).collect();
    assert_eq!(names, ["a", "b"]);
    let patch = |key: &str| (format!("environments/{key}/"), json!({ "description": "d" }));
    let (url, body) = patch(&by_id.api_key);
    limited.patch(&url, body).await.expect(200);
    for key in [&seen.api_key, &unseen.api_key] {
        let (url, body) = patch(key);
        limited.patch(&url, body).await.expect(403);
    }
    limited.get(&format!("environments/{}/", unseen.api_key)).await.expect(403);
    limited.post("environments/", json!({ "name": "mine", "project": project.id.0 })).await.expect(201);
    limited.patch(&format!("projects/{}/", project.id), json!({ "name": "q" })).await.expect(403);
    limited.get(&path).await.expect(403);
    limited.post(&path, json!({ "name": "more" })).await.expect(403);
}

#[tokio::test]
async fn a_request_for_a_key_that_is_wrong_anywhere_issues_none() {
    let server = TestServer::start().await;
    let (path, project) = (path(&server).await, server.project("p").await);
    let other = server.post("organisations/", json!({ "name": "Other" })).await.expect(201);
    let foreign = server.project_of(other["uuid"].as_str().unwrap().parse().unwrap(), "theirs").await;
    let foreign_environment = server.environment(foreign, "e").await;
    let head = server.head().await;
    let unknown = |id: &dyn std::fmt::Display| json!([format!("Invalid pk \"{id}\" - object does not exist.")]);
    let format = "YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z]";
    let bad_time = format!("Datetime has wrong format. Use one of these formats instead: {format}.");
    let cases = [
        (json!({}), json!({ "name": ["This field is required."] })),
        (json!({ "name": "k", "expiry_date": "soon" }), json!({ "expiry_date": [bad_time] })),
        (json!({ "name": "k", "is_admin": "perhaps" }), json!({ "is_admin": ["Must be a valid boolean."] })),
        (
            json!({ "name": "k", "is_admin": true, "permissions": {} }),
            json!({ "permissions": ["An admin of the organisation has every permission already."] }),
        ),
        (json!({ "name": "k", "permissions": null }), json!({ "permissions": ["This field may not be null."] })),
        (
            json!({ "name": "k", "permissions": { "projects": [
                { "project": project.id.0 }, { "project": foreign.id.0 }, { "project": 999_999 },
            ] } }),
            json!({ "permissions": { "projects": [
                {}, { "project": unknown(&foreign.id) }, { "project": unknown(&999_999) },
            ] } }),
        ),
        (
            json!({ "name": "k", "permissions": { "environments": [
                { "environment": foreign_environment.api_key }, { "environment": "nope" },
            ] } }),
            json!({ "permissions": { "environments": [
                { "environment": unknown(&foreign_environment.api_key) }, { "environment": unknown(&"nope") },
            ] } }),
        ),
        (
            json!({ "name": "k", "permissions": { "projects": [{ "project": 1, "permissions": ["FLY"] }] } }),
            json!({ "permissions": { "projects": [
                { "permissions": { "0": ["\"FLY\" is not a valid choice."] } },
            ] } }),
        ),
    ];
    for (body, expected) in cases {
        assert_eq!(server.post(&path, body).await.told(), (400, expected));
    }
    let many: Vec<_> = (0..1_001).map(|_| json!({ "project": project.id.0 })).collect();
    let answer = server.post(&path, json!({ "name": "k", "permissions": { "projects": many } })).await;
    assert_eq!(answer.told(), (400, json!({ "permissions": ["An API key is issued with at most 1000 of these."] })));
    assert_eq!(server.head().await, head);
}

#[tokio::test]
async fn a_revoked_key_is_refused_and_no_longer_listed() {
    let server = TestServer::start().await;
    let path = path(&server).await;
    for name in ["prefix", "id"] {
        let issued = server.post(&path, json!({ "name": "k" })).await.expect(201);
        let url = format!("{path}{}/", issued[name].as_str().unwrap());
        let revoked = server.delete(&url).await;
        assert!(revoked.headers.contains_key("offshoot-position"));
        assert_eq!(revoked.told(), (204, Value::Null));
        let refused = client(&server, &issued).get("organisations/").await;
        assert_eq!(refused.told(), (401, json!({ "detail": "Invalid token." })));
        let gone = json!({ "detail": "No MasterAPIKey matches the given query." });
        assert_eq!(server.delete(&url).await.told(), (404, gone));
    }
    assert_eq!(server.get(&path).await.expect(200)["count"], 1);
}

#[tokio::test]
async fn a_key_revokes_neither_itself_nor_those_of_others() {
    let server = TestServer::start().await;
    let path = path(&server).await;
    let own = server.get(&path).await.expect(200)["results"][0]["id"].as_str().unwrap().to_owned();
    let detail = "An API key cannot revoke itself. Use another one.";
    let expected = json!({ "detail": detail, "code": "api_key_in_use" });
    assert_eq!(server.delete(&format!("{path}{own}/")).await.told(), (409, expected));
    let other = server.post("organisations/", json!({ "name": "Other" })).await.expect(201)["id"].clone();
    let other_path = format!("organisations/{other}/master-api-keys/");
    let theirs = server.post(&other_path, json!({ "name": "k" })).await.expect(201);
    for name in ["prefix", "id"] {
        server.delete(&format!("{path}{}/", theirs[name].as_str().unwrap())).await.expect(404);
    }
    let theirs = client(&server, &theirs);
    theirs.get(&path).await.expect(404);
    theirs.post(&path, json!({ "name": "k" })).await.expect(404);
    theirs.delete(&format!("{path}{own}/")).await.expect(404);
}

#[tokio::test]
async fn a_key_is_refused_once_its_time_is_over() {
    let server = TestServer::start().await;
    let path = path(&server).await;
    let body = |date: &str| json!({ "name": "k", "expiry_date": date });
    let expired = server.post(&path, body("2020-01-02T03:04:05")).await.expect(201);
    assert_eq!(expired["expiry_date"], "2020-01-02T03:04:05.000000Z");
    assert_eq!(expired["has_expired"], true);
    client(&server, &expired).get("organisations/").await.expect(401);
    let valid = server.post(&path, body("2999-01-01T00:00:00.5+01:00")).await.expect(201);
    assert_eq!(valid["expiry_date"], "2998-12-31T23:00:00.500000Z");
    client(&server, &valid).get("organisations/").await.expect(200);
}

#[tokio::test]
async fn a_key_that_nobody_remembers_is_not_issued_again() {
    let server = TestServer::start().await;
    let path = path(&server).await;
    let project = server.project("p").await;
    let permissions = json!({ "projects": [{ "project": project.id.0, "permissions": ["VIEW_PROJECT"] }] });
    let body = json!({ "name": "once", "permissions": permissions });
    let send = async |server: &TestServer| {
        let request = server.request(Method::POST, &path).header("idempotency-key", "key-1").json(&body);
        server.send(request).await
    };
    let first = send(&server).await.expect(201);
    assert_eq!(send(&server).await.told(), (201, first.clone()));
    // Keys are not written to disk, so a new process does not know it.
    let server = server.restart().await;
    assert_eq!(send(&server).await.expect(409)["code"], "api_key_issued");
    assert_eq!(server.get(&path).await.expect(200)["count"], 2);
    client(&server, &first).get(&format!("projects/{}/", project.id)).await.expect(200);
}

#[tokio::test]
async fn only_admins_of_the_organisation_see_its_keys() {
    let server = TestServer::start().await;
    let (path, project) = (path(&server).await, server.project("p").await);
    let all = [ProjectPermission::ViewProject, ProjectPermission::ManageTags];
    let limited = server.limited("l", Permissions::default().in_project(project, all).admin_of_project(project)).await;
    limited.get(&path).await.expect(403);
    limited.delete(&format!("{path}1/")).await.expect(403);
    server.get("organisations/999999/master-api-keys/").await.expect(404);
}
