//! Features over HTTP: making, seeing, changing and deleting them, and all that is refused.

use offshoot_aggregates::permissions::ProjectPermission as May;
use serde_json::{Value, json};

use crate::support::builders::{Permissions, TestProject};
use crate::support::client::keys;
use crate::support::server::TestServer;

/// The members of a feature that was just made, in Flagsmith's order.
const CREATED: [&str; 23] = [
    "id",
    "name",
    "type",
    "default_enabled",
    "initial_value",
    "created_date",
    "description",
    "tags",
    "multivariate_options",
    "is_archived",
    "owners",
    "group_owners",
    "uuid",
    "project",
    "environment_feature_state",
    "segment_feature_state",
    "num_segment_overrides",
    "num_identity_overrides",
    "is_num_identity_overrides_complete",
    "is_server_key_only",
    "last_modified_in_any_environment",
    "last_modified_in_current_environment",
    "metadata",
];

async fn start() -> (TestServer, TestProject, String) {
    let server = TestServer::start().await;
    let project = server.project("shop").await;
    (server, project, format!("projects/{}/features/", project.id))
}

fn share(percentage: f64) -> Value {
    json!({ "type": "unicode", "string_value": "a", "default_percentage_allocation": percentage })
}

#[tokio::test]
async fn a_new_feature_is_answered_as_flagsmith_does() {
    let (server, project, path) = start().await;
    let body = json!({ "name": "banner", "initial_value": "hello", "default_enabled": true, "description": "d" });
    let reply = server.post(&path, body).await;
    assert_eq!(reply.status, 201, "{}", reply.body);
    assert_eq!(reply.keys(), CREATED);
    assert!(reply.header("offshoot-position").parse::<u64>().unwrap() > 0);
    let created = &reply.body;
    let (id, uuid, date) = (created["id"].clone(), created["uuid"].clone(), created["created_date"].clone());
    assert!(id.is_i64() && uuid.as_str().unwrap().len() == 36);
    let date_text = date.as_str().unwrap();
    assert!(date_text.len() == 27 && date_text.ends_with('Z') && date_text.parse::<jiff::Timestamp>().is_ok());
    let owner = &created["owners"][0];
    assert_eq!(keys(owner), ["id", "email", "first_name", "last_name", "last_login", "uuid"]);
    let expected = json!({
        "id": id, "name": "banner", "type": "STANDARD", "default_enabled": true, "initial_value": "hello",
        "created_date": date, "description": "d", "tags": [], "multivariate_options": [], "is_archived": false,
        "owners": [owner], "group_owners": [], "uuid": uuid, "project": project.id.0,
        "environment_feature_state": null, "segment_feature_state": null, "num_segment_overrides": 0,
        "num_identity_overrides": null, "is_num_identity_overrides_complete": true, "is_server_key_only": false,
        "last_modified_in_any_environment": null, "last_modified_in_current_environment": null, "metadata": [],
    });
    assert_eq!(*created, expected);
}

#[tokio::test]
async fn a_feature_is_shown_with_its_code_references_and_changed_without_the_count_of_identities() {
    let (server, _, path) = start().await;
    let created = server.post(&path, json!({ "name": "banner", "initial_value": "hello" })).await.expect(201);
    let path = format!("{path}{}/", created["id"]);
    let shown = server.get(&path).await;
    assert_eq!(shown.keys(), [&CREATED[..], &["code_references_counts"]].concat());
    assert_eq!(shown.body["code_references_counts"], json!([]));
    for (key, value) in created.as_object().unwrap() {
        assert_eq!(shown.body[key], *value, "{key}");
    }
    let body = json!({ "description": "new", "name": "ignored", "initial_value": "ignored", "default_enabled": true,
        "owners": [], "project": 0, "id": 0, "uuid": "x", "is_archived": true, "is_server_key_only": true });
    for reply in [server.patch(&path, body.clone()).await, server.put(&path, body).await] {
        let mut expected = [&CREATED[..], &["code_references_counts"]].concat();
        expected.retain(|key| *key != "is_num_identity_overrides_complete");
        assert_eq!(reply.keys(), expected);
        assert!(reply.headers.contains_key("offshoot-position"));
        let mut changed = shown.body.clone();
        changed.as_object_mut().unwrap().remove("is_num_identity_overrides_complete");
        changed["description"] = json!("new");
        changed["is_archived"] = json!(true);
        changed["is_server_key_only"] = json!(true);
        assert_eq!(reply.told(), (200, changed));
    }
    let unarchived = server.patch(&path, json!({ "is_archived": false, "description": null })).await.expect(200);
    assert_eq!((&unarchived["is_archived"], &unarchived["description"]), (&json!(false), &json!(null)));
    assert_eq!(server.put(&path, json!({})).await.expect(200), unarchived);
}

#[tokio::test]
async fn options_come_with_their_feature() {
    let (server, _, path) = start().await;
    let options = json!([
        { "type": "unicode", "string_value": "a", "default_percentage_allocation": 30, "key": "ignored" },
        { "type": "int", "integer_value": 7, "default_percentage_allocation": 20 },
        { "boolean_value": true, "type": "bool", "default_percentage_allocation": 0 },
    ]);
    let body = json!({ "name": "mvflag", "initial_value": "control", "multivariate_options": options });
    let reply = server.post(&path, body).await;
    let created = &reply.body;
    assert_eq!((reply.status, &created["type"]), (201, &json!("MULTIVARIATE")));
    let options = created["multivariate_options"].as_array().unwrap();
    let members = [
        "id",
        "uuid",
        "type",
        "integer_value",
        "string_value",
        "boolean_value",
        "default_percentage_allocation",
        "key",
    ];
    for option in options {
        assert_eq!(keys(option), members);
    }
    let plain = |option: &Value| members[2..].iter().map(|key| option[*key].clone()).collect::<Value>();
    assert_eq!(plain(&options[0]), json!(["unicode", null, "a", null, 30.0, null]));
    assert_eq!(plain(&options[1]), json!(["int", 7, null, null, 20.0, null]));
    assert_eq!(plain(&options[2]), json!(["bool", null, null, true, 0.0, null]));
    let shown = server.get(&format!("{path}{}/", created["id"])).await.expect(200);
    assert_eq!(shown["multivariate_options"], created["multivariate_options"]);
}

#[tokio::test]
async fn the_initial_value_is_taken_as_a_text_whatever_it_is() {
    let (server, _, path) = start().await;
    let values = [
        (json!(42), json!("42")),
        (json!(true), json!("True")),
        (json!(" x "), json!(" x ")),
        (json!(""), json!("")),
        (json!(null), json!(null)),
        (json!(1.5), json!("1.5")),
    ];
    for (index, (sent, kept)) in values.into_iter().enumerate() {
        let body = json!({ "name": format!("flag{index}"), "initial_value": sent });
        assert_eq!(server.post(&path, body).await.expect(201)["initial_value"], kept);
    }
}

#[tokio::test]
async fn all_options_of_a_feature_are_replaced_at_once() {
    let (server, _, path) = start().await;
    let options = json!([share(30.0), share(70.0)]);
    let created = server.post(&path, json!({ "name": "mvflag", "multivariate_options": options })).await.expect(201);
    let path = format!("{path}{}/", created["id"]);
    let ids = [0, 1].map(|index| created["multivariate_options"][index]["id"].clone());
    let exchanged = json!({ "description": "exchanged", "multivariate_options": [
        { "id": ids[0], "default_percentage_allocation": 70 },
        { "id": ids[1], "default_percentage_allocation": 30, "string_value": "b" },
    ] });
    let changed = server.put(&path, exchanged).await.expect(200);
    let shares = |feature: &Value| {
        let options = feature["multivariate_options"].as_array().unwrap().clone();
        options
            .iter()
            .map(|option| (option["string_value"].clone(), option["default_percentage_allocation"].clone()))
            .collect::<Vec<_>>()
    };
    assert_eq!(shares(&changed), [(json!("a"), json!(70.0)), (json!("b"), json!(30.0))]);
    assert_eq!(changed["description"], "exchanged");
    let one_new = json!({ "multivariate_options": [{ "id": ids[1] }, share(60.0)] });
    let changed = server.patch(&path, one_new).await.expect(200);
    assert_eq!(shares(&changed), [(json!("b"), json!(30.0)), (json!("a"), json!(60.0))]);
    assert_eq!(changed["multivariate_options"][0]["id"], ids[1]);
    let too_much = json!({ "description": "no", "multivariate_options": [{ "id": ids[1] }, share(71.0)] });
    let refused = json!({ "multivariate_options": ["Invalid percentage allocation"] });
    assert_eq!(server.patch(&path, too_much).await.told(), (400, refused));
    let unknown = json!({ "multivariate_options": [{ "id": ids[1] }, { "id": ids[0] }] });
    let text = format!("Invalid pk \"{}\" - object does not exist.", ids[0]);
    let refused = json!({ "multivariate_options": [{}, { "id": [text] }] });
    assert_eq!(server.patch(&path, unknown).await.told(), (400, refused));
    assert_eq!(server.get(&path).await.expect(200)["description"], "exchanged");
    let none = server.patch(&path, json!({ "multivariate_options": [] })).await.expect(200);
    assert_eq!((&none["type"], &none["multivariate_options"]), (&json!("STANDARD"), &json!([])));
}

#[tokio::test]
async fn a_feature_that_may_not_be_is_refused_and_nothing_is_written() {
    let (server, project, path) = start().await;
    server.post(&path, json!({ "name": "banner" })).await.expect(201);
    let version = server.version_of(project).await;
    let taken = "Feature with that name already exists for this project. Note that feature names are case insensitive.";
    let long = "Ensure this field has no more than 2000 characters.";
    let cases = [
        (json!({}), json!({ "name": ["This field is required."] })),
        (json!({ "name": null }), json!({ "name": ["This field may not be null."] })),
        (json!({ "name": " " }), json!({ "name": ["This field may not be blank."] })),
        (json!({ "name": ["a"] }), json!({ "name": ["Not a valid string."] })),
        (json!({ "name": "a\0" }), json!({ "name": ["Null characters are not allowed."] })),
        (json!({ "name": "x".repeat(2_001) }), json!({ "name": [long] })),
        (json!({ "name": "BANNER" }), json!({ "name": [taken] })),
        (json!({ "name": "a", "type": "FLY" }), json!({ "type": ["\"FLY\" is not a valid choice."] })),
        (json!({ "name": "a", "tags": [5] }), json!({ "tags": ["Invalid pk \"5\" - object does not exist."] })),
        (
            json!({ "default_enabled": "maybe", "initial_value": {}, "description": "d".repeat(20_001) }),
            json!({
                "initial_value": ["Not a valid string."],
                "description": ["Ensure this field has no more than 20000 characters."],
                "name": ["This field is required."],
                "default_enabled": ["Must be a valid boolean."],
            }),
        ),
        (
            json!({ "name": "a", "initial_value": "v".repeat(20_001) }),
            json!({ "initial_value": ["Ensure this field has no more than 20000 characters."] }),
        ),
        (
            json!({ "name": "a", "multivariate_options": [share(80.0), share(30.0)] }),
            json!({ "multivariate_options": ["Invalid percentage allocation"] }),
        ),
        (
            json!({ "name": "a", "multivariate_options": [share(-1.0)] }),
            json!({ "multivariate_options": ["Invalid percentage allocation"] }),
        ),
        (
            json!({ "name": "a", "multivariate_options": vec![share(0.5); 101] }),
            json!({ "multivariate_options": ["A feature may not have more than 100 options."] }),
        ),
        (
            json!({ "name": "a", "multivariate_options": [share(1.0), { "type": "float", "integer_value": 2_147_483_648_i64 }] }),
            json!({ "multivariate_options": [{}, {
                "integer_value": ["Ensure this value is less than or equal to 2147483647."],
                "type": ["\"float\" is not a valid choice."],
            }] }),
        ),
        (
            json!({ "name": "a", "multivariate_options": 1 }),
            json!({ "multivariate_options": { "non_field_errors": ["Expected a list of items but got type \"int\"."] } }),
        ),
    ];
    for (body, expected) in cases {
        assert_eq!(server.post(&path, body).await.told(), (400, expected));
    }
    assert_eq!(server.version_of(project).await, version);
    let big = json!({ "name": "a", "description": "x".repeat(1 << 20) });
    assert_eq!(server.post(&path, big).await.status, 413);
}

#[tokio::test]
async fn a_name_that_the_projects_rule_does_not_allow_is_refused() {
    let server = TestServer::start().await;
    let (organisation, _) = server.organisation().await;
    let context = offshoot::commands::CommandContext::new(offshoot_aggregates::Actor::operator("test"));
    let mut settings = offshoot_aggregates::project::ProjectSettings::named("ruled");
    settings.feature_name_regex = Some("[a-z]+".to_owned());
    let created = server.commands().create_project(&context, organisation, settings, None).await.unwrap();
    server.settle(created.position).await;
    let path = format!("projects/{}/features/", created.created.1);
    let expected = json!({ "name": ["Feature name must match regex: [a-z]+"] });
    assert_eq!(server.post(&path, json!({ "name": "flag1" })).await.told(), (400, expected));
    server.post(&path, json!({ "name": "flag" })).await.expect(201);
}

#[tokio::test]
async fn a_change_that_may_not_be_is_refused_and_nothing_is_written() {
    let (server, project, path) = start().await;
    let id = server.feature(project, "banner").await;
    let path = format!("{path}{id}/");
    let version = server.version_of(project).await;
    let cases = [
        (
            json!({ "is_archived": "perhaps", "is_server_key_only": null }),
            json!({ "is_archived": ["Must be a valid boolean."], "is_server_key_only": ["This field may not be null."] }),
        ),
        (json!({ "description": "\0" }), json!({ "description": ["Null characters are not allowed."] })),
        (
            json!({ "description": "d".repeat(20_001) }),
            json!({ "description": ["Ensure this field has no more than 20000 characters."] }),
        ),
    ];
    for (body, expected) in cases {
        assert_eq!(server.patch(&path, body.clone()).await.told(), (400, expected.clone()));
        assert_eq!(server.put(&path, body).await.told(), (400, expected));
    }
    assert_eq!(server.version_of(project).await, version);
}

#[tokio::test]
async fn a_deleted_feature_is_gone_and_its_name_is_free() {
    let (server, project, path) = start().await;
    let id = server.feature(project, "banner").await;
    let path_of_one = format!("{path}{id}/");
    let reply = server.delete(&path_of_one).await;
    assert!(reply.headers.contains_key("offshoot-position"));
    assert_eq!(reply.told(), (204, Value::Null));
    let missing = (404, json!({ "detail": "No Feature matches the given query." }));
    assert_eq!(server.get(&path_of_one).await.told(), missing);
    assert_eq!(server.patch(&path_of_one, json!({})).await.told(), missing);
    assert_eq!(server.delete(&path_of_one).await.told(), missing);
    server.post(&path, json!({ "name": "banner" })).await.expect(201);
}

#[tokio::test]
async fn a_feature_is_found_in_its_own_project_only() {
    let (server, project, path) = start().await;
    let other = server.project("other").await;
    let id = server.feature(other, "banner").await;
    let missing = (404, json!({ "detail": "No Feature matches the given query." }));
    for path in [format!("{path}{id}/"), format!("projects/{}/features/{}/", project.id, i64::MAX)] {
        assert_eq!(server.get(&path).await.told(), missing);
        assert_eq!(server.put(&path, json!({ "description": "x" })).await.told(), missing);
        assert_eq!(server.delete(&path).await.told(), missing);
    }
    let no_project = (404, json!({ "detail": "No Project matches the given query." }));
    assert_eq!(server.get(&format!("projects/999999/features/{id}/")).await.told(), no_project);
    assert_eq!(server.post("projects/999999/features/", json!({ "name": "a" })).await.told(), no_project);
    assert_eq!(server.get(&format!("{path}x/")).await.told(), (404, json!({ "detail": "Not found." })));
}

#[tokio::test]
async fn each_thing_that_is_done_to_features_needs_its_own_permission() {
    let (server, project, path) = start().await;
    let id = server.feature(project, "banner").await;
    let path_of_one = format!("{path}{id}/");
    let all = [May::ViewProject, May::CreateFeature, May::EditFeature, May::DeleteFeature];
    for allowed in
        [None, Some(May::ViewProject), Some(May::CreateFeature), Some(May::EditFeature), Some(May::DeleteFeature)]
    {
        let permissions = Permissions::default().in_project(project, allowed);
        let client = server.limited("limited", permissions).await;
        let name = format!("by-{allowed:?}");
        let replies = [
            client.get(&path_of_one).await,
            client.post(&path, json!({ "name": name })).await,
            client.patch(&path_of_one, json!({ "description": name })).await,
            client.delete(&path_of_one).await,
        ];
        for (needed, reply) in all.iter().zip(replies) {
            let is_allowed = allowed == Some(*needed);
            assert_eq!(reply.status < 300, is_allowed, "{needed:?} with {allowed:?}: {}", reply.body);
            if !is_allowed {
                let forbidden = json!({ "detail": "You do not have permission to perform this action." });
                assert_eq!(reply.told(), (403, forbidden));
            }
        }
        let listed = client.get(&path).await.status;
        assert_eq!(listed == 200, allowed == Some(May::ViewProject));
    }
}

#[tokio::test]
async fn a_request_that_is_repeated_with_its_key_makes_one_feature() {
    let (server, _, path) = start().await;
    let send = async || {
        let request = server.request(reqwest::Method::POST, &path).header("idempotency-key", "once");
        server.send(request.json(&json!({ "name": "banner" }))).await
    };
    let (first, second) = (send().await, send().await);
    assert_eq!(second.header("offshoot-position"), first.header("offshoot-position"));
    assert_eq!(first.expect(201), second.expect(201));
    assert_eq!(server.get(&path).await.expect(200)["count"], 1);
}
