//! Environments over HTTP, in the shapes that Flagsmith answers.

use offshoot_aggregates::permissions::{EnvironmentPermission, ProjectPermission};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::builders::{Permissions, TestProject};
use crate::support::client::{Client, Reply};
use crate::support::server::TestServer;

const LIGHT: [&str; 17] = [
    "id",
    "uuid",
    "name",
    "api_key",
    "description",
    "project",
    "minimum_change_request_approvals",
    "allow_client_traits",
    "banner_text",
    "banner_colour",
    "hide_disabled_flags",
    "use_mv_v2_evaluation",
    "use_identity_composite_key_for_hashing",
    "hide_sensitive_data",
    "use_v2_feature_versioning",
    "use_identity_overrides_in_local_eval",
    "is_creating",
];

async fn create(client: &Client, project: TestProject, name: &str) -> Reply {
    client.post("environments/", json!({ "name": name, "project": project.id.0 })).await
}

fn path(environment: &Value) -> String {
    format!("environments/{}/", environment["api_key"].as_str().unwrap())
}

#[tokio::test]
async fn an_environment_is_created_listed_and_shown() {
    let server = TestServer::start().await;
    let project = server.project("p").await;
    let created = create(&server, project, "Production").await;
    assert_eq!(created.keys(), [&LIGHT[..], &["metadata"]].concat());
    let etag = created.header("etag").to_owned();
    let created = created.expect(201);
    let key = created["api_key"].as_str().unwrap();
    assert_eq!(key.len(), 22);
    let expected = json!({
        "id": created["id"], "uuid": created["uuid"], "name": "Production", "api_key": key, "description": null,
        "project": project.id.0, "minimum_change_request_approvals": null, "allow_client_traits": true,
        "banner_text": null, "banner_colour": null, "hide_disabled_flags": null, "use_mv_v2_evaluation": true,
        "use_identity_composite_key_for_hashing": true, "hide_sensitive_data": false,
        "use_v2_feature_versioning": false, "use_identity_overrides_in_local_eval": true, "is_creating": false,
        "metadata": [],
    });
    assert_eq!(created, expected);
    let list = server.get(&format!("environments/?project={}", project.id)).await.expect(200);
    assert_eq!(list, json!({ "count": 1, "next": null, "previous": null, "results": [created] }));
    let mut light = created.clone();
    light.as_object_mut().unwrap().shift_remove("metadata");
    let listed = server.get(&format!("projects/{}/environments/", project.id)).await.expect(200);
    assert_eq!(listed, json!([light]));
    let shown = server.get(&path(&created)).await;
    assert_eq!(shown.header("etag"), etag);
    assert_eq!(shown.keys(), [&LIGHT[..], &["metadata", "total_segment_overrides"]].concat());
    let by_uuid = server.get(&format!("environments/get-by-uuid/{}/", created["uuid"].as_str().unwrap())).await;
    assert_eq!(by_uuid.header("etag"), etag);
    assert_eq!(by_uuid.body, shown.body);
    assert_eq!(shown.expect(200)["total_segment_overrides"], 0);
}

#[tokio::test]
async fn a_body_that_is_wrong_creates_no_environment() {
    let server = TestServer::start().await;
    let project = server.project("p").await;
    create(&server, project, "Taken").await.expect(201);
    let head = server.head().await;
    let with = |name: &str, value: Value| {
        let mut body = json!({ "name": "e", "project": project.id.0 });
        body[name] = value;
        body
    };
    let too_long = |max: usize| json!([format!("Ensure this field has no more than {max} characters.")]);
    let cases = [
        (json!({ "project": project.id.0 }), json!({ "name": ["This field is required."] })),
        (with("name", json!(" ")), json!({ "name": ["This field may not be blank."] })),
        (with("name", Value::Null), json!({ "name": ["This field may not be null."] })),
        (with("name", json!({})), json!({ "name": ["Not a valid string."] })),
        (with("name", json!("x".repeat(2_001))), json!({ "name": too_long(2_000) })),
        (
            with("name", json!("Taken")),
            json!({ "non_field_errors": ["An environment with this name already exists."] }),
        ),
        (with("description", json!("\0")), json!({ "description": ["Null characters are not allowed."] })),
        (with("description", json!("x".repeat(20_001))), json!({ "description": too_long(20_000) })),
        (with("banner_text", json!("x".repeat(256))), json!({ "banner_text": too_long(255) })),
        (with("banner_colour", json!("#0000000")), json!({ "banner_colour": too_long(7) })),
        (with("hide_disabled_flags", json!("x")), json!({ "hide_disabled_flags": ["Must be a valid boolean."] })),
        (
            with("minimum_change_request_approvals", json!(1.5)),
            json!({ "minimum_change_request_approvals": ["A valid integer is required."] }),
        ),
        (
            json!({ "project": project.id.0, "allow_client_traits": 3, "banner_text": [] }),
            json!({
                "name": ["This field is required."], "banner_text": ["Not a valid string."],
                "allow_client_traits": ["Must be a valid boolean."],
            }),
        ),
    ];
    for (body, expected) in cases {
        assert_eq!(server.post("environments/", body).await.told(), (400, expected));
    }
    let forbidden = json!({ "detail": "You do not have permission to perform this action." });
    for body in [json!({ "name": "x" }), with("project", json!(999_999)), with("project", json!("x")), json!({})] {
        assert_eq!(server.post("environments/", body).await.told(), (403, forbidden.clone()));
    }
    assert_eq!(server.head().await, head);
}

#[tokio::test]
async fn a_list_needs_a_project() {
    let server = TestServer::start().await;
    for query in ["", "?project=", "?project=x", "?project=999999", "?project=-1"] {
        let answer = server.get(&format!("environments/{query}")).await;
        assert_eq!(answer.told(), (400, json!(["Invalid or missing value for project parameter."])), "{query}");
    }
    let project = server.project("p").await;
    create(&server, project, "a").await.expect(201);
    let second = create(&server, project, "b").await.expect(201);
    let page = server.get(&format!("environments/?project={}&page_size=1&page=2", project.id)).await.expect(200);
    assert_eq!((&page["count"], &page["results"]), (&json!(2), &json!([second])));
    for page in ["0", "-1", "3"] {
        let answer = server.get(&format!("environments/?project={}&page_size=1&page={page}", project.id)).await;
        assert_eq!(answer.told(), (404, json!({ "detail": "Invalid page." })));
    }
}

#[tokio::test]
async fn an_environment_is_changed_field_by_field_and_as_a_whole() {
    let server = TestServer::start().await;
    let project = server.project("p").await;
    let mut expected = create(&server, project, "Production").await.expect(201);
    let path = path(&expected);
    let body = json!({ "description": "hello", "banner_text": "b", "hide_disabled_flags": false });
    let changed = server.patch(&path, body).await;
    let etag = changed.header("etag").to_owned();
    assert_eq!(server.get(&path).await.header("etag"), etag);
    for (name, value) in
        [("description", json!("hello")), ("banner_text", json!("b")), ("hide_disabled_flags", json!(false))]
    {
        expected[name] = value;
    }
    assert_eq!(changed.told(), (200, expected.clone()));
    let body = json!({
        "name": "Live", "project": 999_999, "description": "", "is_creating": true, "use_v2_feature_versioning": true,
        "use_identity_composite_key_for_hashing": false, "api_key": "other", "hide_disabled_flags": null,
    });
    for (name, value) in [
        ("name", json!("Live")),
        ("description", json!("")),
        ("use_mv_v2_evaluation", json!(false)),
        ("use_identity_composite_key_for_hashing", json!(false)),
        ("hide_disabled_flags", Value::Null),
    ] {
        expected[name] = value;
    }
    assert_eq!(server.put(&path, body).await.told(), (200, expected.clone()));
    let required = json!({ "name": ["This field is required."] });
    assert_eq!(server.put(&path, json!({ "description": "no name" })).await.told(), (400, required));
    create(&server, project, "Production").await.expect(201);
    let taken = json!({ "non_field_errors": ["An environment with this name already exists."] });
    assert_eq!(server.patch(&path, json!({ "name": "Production" })).await.told(), (400, taken));
    assert_eq!(server.get(&path).await.expect(200)["name"], "Live");
}

#[tokio::test]
async fn settings_are_not_changed_on_the_ground_of_an_old_version() {
    let server = TestServer::start().await;
    let project = server.project("p").await;
    let created = create(&server, project, "e").await;
    let old = created.header("etag").to_owned();
    let path = path(&created.body);
    let send = async |method: Method, etag: &str| {
        let request = server.request(method, &path).header("if-match", etag);
        server.send(request.json(&json!({ "description": etag, "name": "f" }))).await
    };
    let new = send(Method::PATCH, &old).await;
    assert_eq!(new.status, 200);
    for method in [Method::PATCH, Method::PUT, Method::DELETE] {
        let refused = send(method, &old).await;
        assert_eq!(refused.header("etag"), new.header("etag"));
        refused.expect(412);
    }
    assert_eq!(server.get(&path).await.expect(200)["description"], old);
    create(&server, project, "e").await.expect(201);
    send(Method::DELETE, new.header("etag")).await.expect(204);
}

#[tokio::test]
async fn a_deleted_environment_is_gone_and_its_name_is_free() {
    let server = TestServer::start().await;
    let project = server.project("p").await;
    let created = create(&server, project, "e").await.expect(201);
    let path = path(&created);
    assert_eq!(server.delete(&path).await.told(), (204, Value::Null));
    let gone = json!({ "detail": "No Environment matches the given query." });
    let by_uuid = format!("environments/get-by-uuid/{}/", created["uuid"].as_str().unwrap());
    for path in [&path, &by_uuid, &"environments/doesnotexist/".to_owned()] {
        assert_eq!(server.get(path).await.told(), (404, gone.clone()));
    }
    assert_eq!(server.delete(&path).await.told(), (404, gone.clone()));
    assert_eq!(server.put(&path, json!({})).await.told(), (404, gone));
    server.get("environments/get-by-uuid/x/").await.expect(404);
    create(&server, project, "e").await.expect(201);
}

#[tokio::test]
async fn a_limited_key_gets_at_what_it_was_granted() {
    let server = TestServer::start().await;
    let project = server.project("p").await;
    let seen = server.environment(project, "a").await;
    let own = server.environment(project, "b").await;
    let hidden = server.environment(project, "c").await;
    let permissions = Permissions::default()
        .in_environment(&seen, [EnvironmentPermission::ViewEnvironment])
        .in_environment(&hidden, [EnvironmentPermission::UpdateFeatureState])
        .admin_of_environment(&own);
    let limited = server.limited("l", permissions).await;
    let list = limited.get(&format!("environments/?project={}", project.id)).await.expect(200);
    assert_eq!((&list["count"], &list["results"][1]["name"]), (&json!(2), &json!("b")));
    limited.get(&format!("projects/{}/environments/", project.id)).await.expect(403);
    create(&limited, project, "d").await.expect(403);
    let path = |key: &str| format!("environments/{key}/");
    limited.get(&path(&seen.api_key)).await.expect(200);
    limited.get(&path(&hidden.api_key)).await.expect(403);
    limited.get(&format!("environments/get-by-uuid/{}/", hidden.uuid)).await.expect(403);
    for environment in [&seen, &hidden] {
        limited.put(&path(&environment.api_key), json!({ "name": "x" })).await.expect(403);
        limited.patch(&path(&environment.api_key), json!({})).await.expect(403);
        limited.delete(&path(&environment.api_key)).await.expect(403);
    }
    limited.patch(&path(&own.api_key), json!({ "name": "x" })).await.expect(200);
    limited.delete(&path(&own.api_key)).await.expect(204);
    let in_project = [ProjectPermission::ViewProject, ProjectPermission::CreateEnvironment];
    let seeing = Permissions::default().in_environment(&seen, [EnvironmentPermission::ViewEnvironment]);
    let creator = server.limited("m", seeing.in_project(project, in_project)).await;
    let listed = creator.get(&format!("projects/{}/environments/", project.id)).await.expect(200);
    assert_eq!(listed.as_array().unwrap().len(), 1);
    let created = create(&creator, project, "d").await.expect(201);
    creator.patch(&path(created["api_key"].as_str().unwrap()), json!({ "name": "mine" })).await.expect(200);
}
