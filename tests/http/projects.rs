//! Projects over HTTP, in the shapes that Flagsmith answers.

use offshoot_aggregates::permissions::ProjectPermission;
use serde_json::{Value, json};

use crate::support::builders::Permissions;
use crate::support::client::keys;
use crate::support::server::TestServer;

const LISTED: [&str; 17] = [
    "id",
    "uuid",
    "name",
    "organisation",
    "hide_disabled_flags",
    "enable_dynamo_db",
    "migration_status",
    "use_edge_identities",
    "prevent_flag_defaults",
    "enable_realtime_updates",
    "only_allow_lower_case_feature_names",
    "feature_name_regex",
    "show_edge_identity_overrides_for_feature",
    "stale_flags_limit_days",
    "edge_v2_migration_status",
    "minimum_change_request_approvals",
    "enforce_feature_owners",
];

const TOTALS: [&str; 5] = [
    "max_segments_allowed",
    "max_features_allowed",
    "max_segment_overrides_allowed",
    "total_features",
    "total_segments",
];

async fn create(server: &TestServer, name: &str) -> Value {
    let (_, organisation) = server.organisation().await;
    server.post("projects/", json!({ "name": name, "organisation": organisation.0 })).await.expect(201)
}

fn path(project: &Value) -> String {
    format!("projects/{}/", project["id"])
}

#[tokio::test]
async fn a_project_is_created_listed_and_shown_with_totals() {
    let server = TestServer::start().await;
    let (_, organisation) = server.organisation().await;
    let created = create(&server, "probe").await;
    assert_eq!(keys(&created), LISTED);
    let mut expected = json!({
        "id": created["id"], "uuid": created["uuid"], "name": "probe", "organisation": organisation.0,
        "hide_disabled_flags": false, "enable_dynamo_db": false, "migration_status": "NOT_APPLICABLE",
        "use_edge_identities": false, "prevent_flag_defaults": false, "enable_realtime_updates": false,
        "only_allow_lower_case_feature_names": true, "feature_name_regex": null,
        "show_edge_identity_overrides_for_feature": false, "stale_flags_limit_days": 30,
        "edge_v2_migration_status": "NOT_STARTED", "minimum_change_request_approvals": null,
        "enforce_feature_owners": false,
    });
    assert_eq!(created, expected);
    assert_eq!(server.get("projects/").await.expect(200), json!([created]));
    let shown = server.get(&path(&created)).await;
    assert_eq!(shown.keys(), [&LISTED[..], &TOTALS[..]].concat());
    for (name, value) in TOTALS.iter().zip([i64::from(i32::MAX), i64::from(i32::MAX), i64::from(i32::MAX), 0, 0]) {
        expected[*name] = value.into();
    }
    assert_eq!(shown.expect(200), expected);
}

#[tokio::test]
async fn totals_count_what_the_project_has() {
    let server = TestServer::start().await;
    let project = server.project("p").await;
    for name in ["a", "b"] {
        server.feature(project, name).await;
    }
    server.segment(project, "s").await;
    let shown = server.get(&format!("projects/{}/", project.id)).await.expect(200);
    assert_eq!((&shown["total_features"], &shown["total_segments"]), (&json!(2), &json!(1)));
}

#[tokio::test]
async fn the_list_can_be_narrowed() {
    let server = TestServer::start().await;
    let (_, organisation) = server.organisation().await;
    let [first, second] = [create(&server, "a").await, create(&server, "b").await];
    let other = server.post("organisations/", json!({ "name": "Other" })).await.expect(201);
    let third = json!({ "name": "a", "organisation": other["id"] });
    let third = server.post("projects/", third).await.expect(201);
    let cases = [
        (format!("?organisation={organisation}"), json!([first, second])),
        (format!("?organisation={}", other["id"]), json!([third])),
        ("?organisation=999999".to_owned(), json!([])),
        ("?organisation=".to_owned(), json!([first, second, third])),
        (format!("?uuid={}", second["uuid"].as_str().unwrap()), json!([second])),
    ];
    for (query, expected) in cases {
        assert_eq!(server.get(&format!("projects/{query}")).await.told(), (200, expected), "{query}");
    }
    let expected = json!({ "organisation": "Must be a valid integer." });
    assert_eq!(server.get("projects/?organisation=x").await.told(), (400, expected));
    let expected = json!({ "uuid": ["Must be a valid UUID."] });
    assert_eq!(server.get("projects/?uuid=x").await.told(), (400, expected));
}

#[tokio::test]
async fn a_body_that_is_wrong_creates_no_project() {
    let server = TestServer::start().await;
    let (_, organisation) = server.organisation().await;
    create(&server, "taken").await;
    let head = server.head().await;
    let required = json!(["This field is required."]);
    let with = |name: &str, value: Value| {
        let mut body = json!({ "name": "p", "organisation": organisation.0 });
        body[name] = value;
        body
    };
    let cases = [
        (json!({}), json!({ "name": required, "organisation": required })),
        (with("name", json!("")), json!({ "name": ["This field may not be blank."] })),
        (with("name", json!("a\0")), json!({ "name": ["Null characters are not allowed."] })),
        (
            with("name", json!("x".repeat(2_001))),
            json!({ "name": ["Ensure this field has no more than 2000 characters."] }),
        ),
        (
            with("organisation", json!("x")),
            json!({ "organisation": ["Incorrect type. Expected pk value, received str."] }),
        ),
        (with("organisation", Value::Null), json!({ "organisation": ["This field may not be null."] })),
        (with("hide_disabled_flags", json!(2)), json!({ "hide_disabled_flags": ["Must be a valid boolean."] })),
        (
            with("stale_flags_limit_days", json!("x")),
            json!({ "stale_flags_limit_days": ["A valid integer is required."] }),
        ),
        (
            with("stale_flags_limit_days", json!(-1)),
            json!({ "stale_flags_limit_days": ["Ensure this value is greater than or equal to 0."] }),
        ),
        (with("name", json!("taken")), json!({ "non_field_errors": ["A project with this name already exists."] })),
    ];
    for (body, expected) in cases {
        assert_eq!(server.post("projects/", body).await.told(), (400, expected));
    }
    let answer = server.post("projects/", with("feature_name_regex", json!("("))).await.expect(400);
    assert!(answer["feature_name_regex"][0].as_str().unwrap().starts_with("This field must be a regular expression"));
    assert_eq!(server.head().await, head);
}

#[tokio::test]
async fn only_an_admin_of_the_organisation_creates_projects_in_it() {
    let server = TestServer::start().await;
    let (_, organisation) = server.organisation().await;
    let limited = server.limited("l", Permissions::default()).await;
    let forbidden = json!({ "detail": "You do not have permission to perform this action." });
    let body = json!({ "name": "p", "organisation": organisation.0 });
    assert_eq!(limited.post("projects/", body).await.told(), (403, forbidden.clone()));
    let body = json!({ "name": "p", "organisation": 999_999 });
    assert_eq!(server.post("projects/", body).await.told(), (403, forbidden));
}

#[tokio::test]
async fn a_project_is_changed_field_by_field_and_as_a_whole() {
    let server = TestServer::start().await;
    let created = create(&server, "before").await;
    let path = path(&created);
    let change = json!({
        "name": "after", "organisation": 999_999, "feature_name_regex": "^[a-z]+$", "stale_flags_limit_days": 7,
        "hide_disabled_flags": true, "minimum_change_request_approvals": 2, "migration_status": "X", "id": 5,
    });
    let changed = server.patch(&path, change).await;
    assert!(changed.headers.contains_key("offshoot-position"));
    let changed = changed.expect(200);
    let mut expected = server.get(&path).await.expect(200);
    assert_eq!(changed, expected);
    for (name, value) in [
        ("name", json!("after")),
        ("organisation", created["organisation"].clone()),
        ("feature_name_regex", json!("^[a-z]+$")),
        ("stale_flags_limit_days", json!(7)),
        ("hide_disabled_flags", json!(true)),
        ("minimum_change_request_approvals", json!(2)),
        ("migration_status", json!("NOT_APPLICABLE")),
        ("id", created["id"].clone()),
    ] {
        assert_eq!(changed[name], value, "{name}");
    }
    let body = json!({ "name": "again", "feature_name_regex": "", "minimum_change_request_approvals": null });
    let replaced = server.put(&path, body).await.expect(200);
    expected["name"] = json!("again");
    expected["feature_name_regex"] = Value::Null;
    expected["minimum_change_request_approvals"] = Value::Null;
    assert_eq!(replaced, expected);
    let head = server.head().await;
    let required = json!({ "name": ["This field is required."] });
    assert_eq!(server.put(&path, json!({ "hide_disabled_flags": false })).await.told(), (400, required));
    create(&server, "before").await;
    let taken = json!({ "non_field_errors": ["A project with this name already exists."] });
    assert!(server.head().await > head, "the old name was free");
    assert_eq!(server.patch(&path, json!({ "name": "before" })).await.told(), (400, taken));
}

#[tokio::test]
async fn a_deleted_project_is_gone_and_its_name_is_free() {
    let server = TestServer::start().await;
    let created = create(&server, "p").await;
    let path = path(&created);
    assert_eq!(server.delete(&path).await.told(), (204, Value::Null));
    let gone = json!({ "detail": "No Project matches the given query." });
    assert_eq!(server.get(&path).await.told(), (404, gone.clone()));
    assert_eq!(server.delete(&path).await.told(), (404, gone.clone()));
    assert_eq!(server.patch(&path, json!({ "name": "q" })).await.told(), (404, gone.clone()));
    assert_eq!(server.get("projects/999999/").await.told(), (404, gone));
    assert_eq!(server.get("projects/x/").await.told(), (404, json!({ "detail": "Not found." })));
    assert_eq!(server.get("projects/").await.expect(200), json!([]));
    create(&server, "p").await;
}

#[tokio::test]
async fn a_limited_key_sees_the_projects_that_it_may_view_and_changes_those_that_it_administers() {
    let server = TestServer::start().await;
    let [seen, own, hidden] = [server.project("a").await, server.project("b").await, server.project("c").await];
    let permissions = Permissions::default()
        .in_project(seen, [ProjectPermission::ViewProject])
        .admin_of_project(own)
        .in_project(hidden, [ProjectPermission::CreateFeature]);
    let limited = server.limited("l", permissions).await;
    let list = limited.get("projects/").await.expect(200);
    let ids: Vec<_> = list.as_array().unwrap().iter().map(|project| project["id"].as_i64().unwrap()).collect();
    assert_eq!(ids, [seen.id.0, own.id.0]);
    let path = |project: crate::support::builders::TestProject| format!("projects/{}/", project.id);
    limited.get(&path(hidden)).await.expect(403);
    for project in [seen, hidden] {
        limited.patch(&path(project), json!({ "name": "x" })).await.expect(403);
        limited.put(&path(project), json!({ "name": "x" })).await.expect(403);
        limited.delete(&path(project)).await.expect(403);
    }
    limited.patch(&path(own), json!({ "name": "x" })).await.expect(200);
    limited.delete(&path(own)).await.expect(204);
}
