//! Permissions over HTTP: granted to API keys in projects and environments, changed, taken away, and one's own.

use offshoot_aggregates::permissions::{EnvironmentPermission, ProjectPermission};
use serde_json::{Value, json};

use crate::support::builders::Permissions;
use crate::support::client::{Client, keys};
use crate::support::server::TestServer;

/// A new key of the first organisation without any permission: its id and a client with it.
async fn new_key(server: &TestServer, name: &str) -> (i64, Client) {
    let (_, organisation) = server.organisation().await;
    let path = format!("organisations/{organisation}/master-api-keys/");
    let issued = server.post(&path, json!({ "name": name, "is_admin": false })).await.expect(201);
    let id = issued["id"].as_str().unwrap().parse().unwrap();
    (id, server.with_key(issued["key"].as_str().unwrap()))
}

/// A project and an environment in it: their paths, and a permission that lets whoever has it view them.
async fn places(server: &TestServer) -> [(String, &'static str); 2] {
    let project = server.project("p").await;
    let environment = server.environment(project, "e").await;
    [
        (format!("projects/{}/", project.id), "VIEW_PROJECT"),
        (format!("environments/{}/", environment.api_key), "VIEW_ENVIRONMENT"),
    ]
}

#[tokio::test]
async fn permissions_are_granted_listed_changed_and_taken_away() {
    let server = TestServer::start().await;
    let (id, client) = new_key(&server, "reader").await;
    for (place, view) in places(&server).await {
        let path = format!("{place}user-permissions/");
        client.get(&place).await.expect(403);
        let granted = server.post(&path, json!({ "user": id, "permissions": [view] })).await;
        assert!(granted.headers.contains_key("offshoot-position"));
        let expected = json!({ "id": id, "permissions": [view], "admin": false, "user": id });
        assert_eq!(granted.told(), (201, expected));
        client.get(&place).await.expect(200);
        let list = server.get(&path).await.expect(200);
        let held = list.as_array().unwrap().iter().find(|held| held["id"] == id).unwrap();
        assert_eq!(keys(held), ["id", "permissions", "admin", "user"]);
        assert_eq!((&held["permissions"], &held["admin"]), (&json!([view]), &json!(false)));
        assert_eq!(keys(&held["user"]), ["id", "email", "first_name", "last_name", "last_login", "uuid"]);
        assert_eq!((&held["user"]["first_name"], &held["user"]["id"]), (&json!("reader"), &json!(id)));
        let own = format!("{path}{id}/");
        client.put(&own, json!({ "admin": true })).await.expect(403);
        let changed = server.put(&own, json!({ "admin": true })).await;
        assert_eq!(changed.told(), (200, json!({ "id": id, "permissions": [], "admin": true, "user": id })));
        client.patch(&place, json!({})).await.expect(200);
        assert_eq!(server.delete(&own).await.told(), (204, Value::Null));
        client.get(&place).await.expect(403);
        for answer in [server.delete(&own).await, server.put(&own, json!({})).await] {
            let detail = answer.expect(404)["detail"].as_str().unwrap().to_owned();
            assert!(detail.starts_with("No User") && detail.contains("Permission matches"), "{detail}");
        }
    }
}

#[tokio::test]
async fn whoever_creates_a_project_or_an_environment_is_granted_everything_there() {
    let server = TestServer::start().await;
    let (_, organisation) = server.organisation().await;
    let project = json!({ "name": "p", "organisation": organisation.0 });
    let project = server.post("projects/", project).await.expect(201)["id"].clone();
    let environment = server.post("environments/", json!({ "name": "e", "project": project })).await.expect(201);
    let environment = environment["api_key"].as_str().unwrap();
    for place in [format!("projects/{project}"), format!("environments/{environment}")] {
        let held = server.get(&format!("{place}/user-permissions/")).await.expect(200);
        assert_eq!((&held[0]["admin"], &held[0]["permissions"]), (&json!(true), &json!([])));
        assert_eq!(held[0]["user"]["first_name"], "Administrator");
        assert_eq!(held.as_array().unwrap().len(), 1);
    }
}

#[tokio::test]
async fn everyone_in_the_organisation_knows_what_they_may_do() {
    let server = TestServer::start().await;
    let project = server.project("p").await;
    let environment = server.environment(project, "e").await;
    let permissions = Permissions::default()
        .in_project(project, [ProjectPermission::CreateFeature, ProjectPermission::ViewProject])
        .in_environment(&environment, [EnvironmentPermission::ViewEnvironment]);
    let [limited, nobody] = [server.limited("l", permissions).await, server.limited("n", Permissions::default()).await];
    let place = format!("projects/{}/my-permissions/", project.id);
    let own = limited.get(&place).await;
    assert_eq!(own.keys(), ["permissions", "admin", "tag_based_permissions"]);
    let expected = |permissions: Value, admin: bool| {
        (200, json!({ "permissions": permissions, "admin": admin, "tag_based_permissions": [] }))
    };
    assert_eq!(own.told(), expected(json!(["VIEW_PROJECT", "CREATE_FEATURE"]), false));
    assert_eq!(nobody.get(&place).await.told(), expected(json!([]), false));
    assert_eq!(server.get(&place).await.told(), expected(json!([]), true));
    let place = format!("environments/{}/my-permissions/", environment.api_key);
    assert_eq!(limited.get(&place).await.told(), expected(json!(["VIEW_ENVIRONMENT"]), false));
    assert_eq!(nobody.get(&place).await.told(), expected(json!([]), false));
    assert_eq!(server.get(&place).await.told(), expected(json!([]), true));
    let stranger = server.post("organisations/", json!({ "name": "Other" })).await.expect(201)["id"].clone();
    let stranger = server.post(&format!("organisations/{stranger}/master-api-keys/"), json!({ "name": "s" })).await;
    let stranger = server.with_key(stranger.expect(201)["key"].as_str().unwrap());
    stranger.get(&place).await.expect(403);
    stranger.get(&format!("projects/{}/my-permissions/", project.id)).await.expect(403);
    server.get("projects/999999/my-permissions/").await.expect(404);
    server.get("environments/nope/my-permissions/").await.expect(404);
}

#[tokio::test]
async fn a_grant_that_is_wrong_anywhere_is_refused() {
    let server = TestServer::start().await;
    let (revoked, _) = new_key(&server, "revoked").await;
    let (_, organisation) = server.organisation().await;
    server.delete(&format!("organisations/{organisation}/master-api-keys/{revoked}/")).await.expect(204);
    let other = server.post("organisations/", json!({ "name": "Other" })).await.expect(201)["id"].clone();
    let foreign = server.post(&format!("organisations/{other}/master-api-keys/"), json!({ "name": "f" })).await;
    let foreign: i64 = foreign.expect(201)["id"].as_str().unwrap().parse().unwrap();
    let (known, _) = new_key(&server, "known").await;
    let places = places(&server).await;
    let head = server.head().await;
    for (place, _) in places {
        let path = format!("{place}user-permissions/");
        for id in [revoked, foreign, 999_999] {
            let text = format!("Invalid pk \"{id}\" - object does not exist.");
            assert_eq!(server.post(&path, json!({ "user": id })).await.told(), (400, json!({ "user": [text] })));
        }
        let cases = [
            (json!({}), json!({ "user": ["This field is required."] })),
            (json!({ "user": "x" }), json!({ "user": ["Incorrect type. Expected pk value, received str."] })),
            (
                json!({ "user": known, "permissions": ["FLY"] }),
                json!({ "permissions": { "0": ["\"FLY\" is not a valid choice."] } }),
            ),
            (
                json!({ "user": known, "permissions": "FLY" }),
                json!({ "permissions": ["Expected a list of items but got type \"str\"."] }),
            ),
            (json!({ "user": known, "admin": "x" }), json!({ "admin": ["Must be a valid boolean."] })),
        ];
        for (body, expected) in cases {
            assert_eq!(server.post(&path, body).await.told(), (400, expected));
        }
        server.put(&format!("{path}{known}/"), json!({ "admin": true })).await.expect(404);
    }
    assert_eq!(server.head().await, head);
    server.get("projects/999999/user-permissions/").await.expect(404);
    server.post("environments/nope/user-permissions/", json!({ "user": known })).await.expect(404);
}

#[tokio::test]
async fn only_who_administers_a_place_sees_and_grants_permissions_there() {
    let server = TestServer::start().await;
    let project = server.project("p").await;
    let environment = server.environment(project, "e").await;
    let permissions = Permissions::default()
        .in_project(project, [ProjectPermission::ViewProject])
        .in_environment(&environment, [EnvironmentPermission::ViewEnvironment]);
    let limited = server.limited("l", permissions).await;
    let (id, _) = new_key(&server, "k").await;
    for place in [format!("projects/{}", project.id), format!("environments/{}", environment.api_key)] {
        let path = format!("{place}/user-permissions/");
        limited.get(&path).await.expect(403);
        limited.post(&path, json!({ "user": id })).await.expect(403);
        limited.put(&format!("{path}{id}/"), json!({})).await.expect(403);
        limited.delete(&format!("{path}{id}/")).await.expect(403);
    }
    let admin = server.limited("a", Permissions::default().admin_of_project(project)).await;
    admin.get(&format!("environments/{}/user-permissions/", environment.api_key)).await.expect(200);
}
