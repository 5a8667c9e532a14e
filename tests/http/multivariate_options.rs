//! Options of multivariate features over HTTP, and the rules for their shares.

use offshoot::commands::{CommandContext, NewOption};
use offshoot::http::idempotency::command_id;
use offshoot_aggregates::environment::{Allocation, FeatureValue, StateChange};
use offshoot_aggregates::ids::{FeatureId, MultivariateOptionId};
use offshoot_aggregates::permissions::ProjectPermission as May;
use offshoot_aggregates::{Actor, ActorKind};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::builders::{Permissions, TestProject};
use crate::support::server::TestServer;

const MEMBERS: [&str; 9] = [
    "id",
    "uuid",
    "type",
    "integer_value",
    "string_value",
    "boolean_value",
    "default_percentage_allocation",
    "key",
    "feature",
];

async fn start() -> (TestServer, TestProject, FeatureId, String) {
    let server = TestServer::start().await;
    let project = server.project("shop").await;
    let feature = server.feature(project, "mvflag").await;
    (server, project, feature, format!("projects/{}/features/{feature}/mv-options/", project.id))
}

fn option(feature: FeatureId, text: &str, share: f64) -> Value {
    json!({ "feature": feature.0, "type": "unicode", "string_value": text, "default_percentage_allocation": share })
}

#[tokio::test]
async fn an_option_is_made_shown_listed_changed_and_deleted() {
    let (server, project, feature, path) = start().await;
    let mut body = option(feature, "c", 10.0);
    body["key"] = json!("variant_c");
    let reply = server.post(&path, body).await;
    assert_eq!(reply.status, 201);
    assert_eq!(reply.keys(), MEMBERS);
    assert!(reply.headers.contains_key("offshoot-position"));
    let created = reply.body;
    let expected = json!({ "id": created["id"], "uuid": created["uuid"], "type": "unicode", "integer_value": null,
        "string_value": "c", "boolean_value": null, "default_percentage_allocation": 10.0, "key": "variant_c",
        "feature": feature.0 });
    assert_eq!(created, expected);
    let second = server.post(&path, option(feature, "d", 20.0)).await.expect(201);
    assert_eq!(second["key"], json!(null));
    let list = server.get(&path).await.expect(200);
    assert_eq!(list, json!({ "count": 2, "next": null, "previous": null, "results": [created, second] }));
    let page = server.get(&format!("{path}?page_size=1&page=2")).await.expect(200);
    assert_eq!((&page["results"], &page["next"]), (&json!([second]), &json!(null)));
    assert_eq!(server.get(&format!("{path}?page=-1")).await.status, 404);

    let path_of_one = format!("{path}{}/", created["id"]);
    assert_eq!(server.get(&path_of_one).await.told(), (200, created.clone()));
    let shown = server.get(&format!("projects/{}/features/{feature}/", project.id)).await.expect(200);
    assert_eq!(
        (&shown["type"], &shown["multivariate_options"][0]["key"]),
        (&json!("MULTIVARIATE"), &json!("variant_c"))
    );

    let reply = server.patch(&path_of_one, json!({ "default_percentage_allocation": "80" })).await;
    assert!(reply.headers.contains_key("offshoot-position"));
    let mut changed = created;
    changed["default_percentage_allocation"] = json!(80.0);
    assert_eq!(reply.told(), (200, changed.clone()));
    let body = json!({ "feature": feature.0, "type": "int", "integer_value": 5, "key": null });
    for (member, value) in [("type", json!("int")), ("integer_value", json!(5)), ("key", json!(null))] {
        changed[member] = value;
    }
    assert_eq!(server.put(&path_of_one, body).await.told(), (200, changed));

    assert_eq!(server.delete(&path_of_one).await.told(), (204, Value::Null));
    let missing = (404, json!({ "detail": "No MultivariateFeatureOption matches the given query." }));
    assert_eq!(server.get(&path_of_one).await.told(), missing);
    assert_eq!(server.delete(&path_of_one).await.told(), missing);
    server.delete(&format!("{path}{}/", second["id"])).await.expect(204);
    let shown = server.get(&format!("projects/{}/features/{feature}/", project.id)).await.expect(200);
    assert_eq!(shown["type"], "STANDARD");
}

#[tokio::test]
async fn a_change_of_one_value_leaves_the_others_as_they_are() {
    let (server, _, feature, path) = start().await;
    let created = server.post(&path, option(feature, "text", 1.0)).await.expect(201);
    let path = format!("{path}{}/", created["id"]);
    let values =
        |option: &Value| ["type", "string_value", "integer_value", "boolean_value"].map(|key| option[key].clone());
    for (body, expected) in [
        (json!({ "integer_value": 3 }), json!(["unicode", "text", 3, null])),
        (json!({ "type": "bool" }), json!(["bool", "text", 3, null])),
        (json!({ "boolean_value": false }), json!(["bool", "text", 3, false])),
        (json!({ "type": "unicode" }), json!(["unicode", "text", 3, false])),
        (json!({ "string_value": " a " }), json!(["unicode", " a ", 3, false])),
        (json!({ "string_value": null }), json!(["unicode", null, 3, false])),
    ] {
        let changed = server.patch(&path, body).await.expect(200);
        assert_eq!(json!(values(&changed)), expected);
    }
}

#[tokio::test]
async fn an_option_that_may_not_be_is_refused_and_nothing_is_written() {
    let (server, project, feature, path) = start().await;
    let first =
        server.post(&path, json!({ "feature": feature.0, "default_percentage_allocation": 60, "key": "a" })).await;
    let path_of_one = format!("{path}{}/", first.expect(201)["id"]);
    let second = server.post(&path, option(feature, "b", 30.0)).await.expect(201);
    let path_of_second = format!("{path}{}/", second["id"]);
    let other = server.feature(project, "other").await;
    let version = server.version_of(project).await;
    let invalid = json!({ "default_percentage_allocation": ["Invalid percentage allocation"] });
    let unknown = json!({ "feature": [format!("Invalid pk \"{other}\" - object does not exist.")] });
    let taken = "Another option of the feature has this key, or it is \"control\", which names the control value.";
    let cases = [
        (json!({ "feature": feature.0, "default_percentage_allocation": 70 }), invalid.clone()),
        (json!({ "feature": feature.0, "default_percentage_allocation": -0.5 }), invalid.clone()),
        (json!({ "feature": other.0, "default_percentage_allocation": 1 }), unknown),
        (
            json!({ "feature": feature.0, "default_percentage_allocation": "NaN" }),
            json!({ "default_percentage_allocation": ["A valid number is required."] }),
        ),
        (
            json!({ "feature": feature.0, "string_value": "a\0" }),
            json!({ "string_value": ["Null characters are not allowed."] }),
        ),
        (
            json!({ "feature": feature.0, "string_value": "v".repeat(20_001), "boolean_value": "perhaps" }),
            json!({ "string_value": ["Ensure this field has no more than 20000 characters."],
                "boolean_value": ["Must be a valid boolean."] }),
        ),
        (json!({ "feature": feature.0, "type": "float" }), json!({ "type": ["\"float\" is not a valid choice."] })),
        (
            json!({ "feature": feature.0, "integer_value": "x" }),
            json!({ "integer_value": ["A valid integer is required."] }),
        ),
        (
            json!({ "feature": feature.0, "default_percentage_allocation": 1, "key": "not a slug" }),
            json!({ "key": ["This field must match ^[-a-zA-Z0-9_]+$."] }),
        ),
        (
            json!({ "feature": feature.0, "default_percentage_allocation": 1, "key": "k".repeat(256) }),
            json!({ "key": ["Ensure this field has no more than 255 characters."] }),
        ),
        (
            json!({ "feature": feature.0, "default_percentage_allocation": 1, "key": "control" }),
            json!({ "key": [taken] }),
        ),
        (json!({ "feature": feature.0, "default_percentage_allocation": 1, "key": "a" }), json!({ "key": [taken] })),
    ];
    for (body, expected) in cases {
        assert_eq!(server.post(&path, body.clone()).await.told(), (400, expected.clone()), "{body}");
        assert_eq!(server.put(&path_of_second, body.clone()).await.told(), (400, expected), "{body}");
    }
    let required = (400, json!({ "feature": ["This field is required."] }));
    assert_eq!(server.post(&path, json!({})).await.told(), required);
    assert_eq!(server.put(&path_of_one, json!({})).await.told(), required);
    let without_share = json!({ "feature": feature.0, "type": "unicode", "string_value": "all" });
    assert_eq!(server.post(&path, without_share).await.told(), (400, invalid.clone()));
    assert_eq!(
        server.patch(&path_of_one, json!({ "default_percentage_allocation": 70.5 })).await.told(),
        (400, invalid)
    );
    assert_eq!(server.version_of(project).await, version);
    server.patch(&path_of_one, json!({ "default_percentage_allocation": 70 })).await.expect(200);
}

#[tokio::test]
async fn an_option_that_comes_gets_no_more_than_what_is_left_in_an_environment() {
    let (server, project, feature, path) = start().await;
    let untouched = server.environment(project, "staging").await;
    let environment = server.environment(project, "production").await;
    let first = server.post(&path, option(feature, "a", 30.0)).await.expect(201)["id"].as_i64().unwrap();
    let context = CommandContext::new(Actor::operator("test"));
    let shares = vec![Allocation { option: MultivariateOptionId(first), percentage: 95.0 }];
    let change = StateChange { multivariate: Some(shares), ..StateChange::default() };
    let set = server.commands().set_feature_state(&context, environment.uuid, feature, change).await.unwrap();
    server.settle(set.position).await;
    let second = server.post(&path, option(feature, "b", 40.0)).await.expect(201)["id"].as_i64().unwrap();
    let shares = async |key: &str| {
        let states = server.get(&format!("environments/{key}/featurestates/")).await.expect(200);
        let shares = states["results"][0]["multivariate_feature_state_values"].as_array().unwrap().clone();
        let pair = |share: serde_json::Value| {
            let option = share["multivariate_feature_option"].as_i64().unwrap();
            (option, share["percentage_allocation"].as_f64().unwrap())
        };
        shares.into_iter().map(pair).collect::<Vec<_>>()
    };
    assert_eq!(shares(&environment.api_key).await, [(first, 95.0), (second, 5.0)]);
    assert_eq!(shares(&untouched.api_key).await, [(first, 30.0), (second, 40.0)]);
    // Once there is room again, a share that nobody has set is the default.
    server.delete(&format!("{path}{first}/")).await.expect(204);
    assert_eq!(shares(&environment.api_key).await, [(second, 40.0)]);
}

#[tokio::test]
async fn an_option_is_found_in_its_own_feature_and_project_only() {
    let (server, project, feature, path) = start().await;
    let id = server.post(&path, option(feature, "a", 1.0)).await.expect(201)["id"].clone();
    let other_feature = server.feature(project, "other").await;
    let other_project = server.project("other").await;
    let no_option = "No MultivariateFeatureOption matches the given query.";
    let no_feature = "No Feature matches the given query.";
    for (path, detail) in [
        (format!("projects/{}/features/{other_feature}/mv-options/{id}/", project.id), no_option),
        (format!("{path}999999/"), no_option),
        (format!("projects/{}/features/{feature}/mv-options/{id}/", other_project.id), no_feature),
        (format!("projects/{}/features/999999/mv-options/{id}/", project.id), no_feature),
        (format!("projects/999999/features/{feature}/mv-options/{id}/"), "No Project matches the given query."),
    ] {
        let missing = (404, json!({ "detail": detail }));
        assert_eq!(server.get(&path).await.told(), missing);
        assert_eq!(server.put(&path, option(feature, "b", 1.0)).await.told(), missing);
        assert_eq!(server.delete(&path).await.told(), missing);
    }
    let missing = (404, json!({ "detail": no_feature }));
    let path = format!("projects/{}/features/{feature}/mv-options/", other_project.id);
    assert_eq!(server.get(&path).await.told(), missing);
    assert_eq!(server.post(&path, option(feature, "b", 1.0)).await.told(), missing);
}

#[tokio::test]
async fn options_are_seen_with_view_project_and_changed_with_edit_feature() {
    let (server, project, feature, path) = start().await;
    let id = server.post(&path, option(feature, "a", 1.0)).await.expect(201)["id"].clone();
    let path_of_one = format!("{path}{id}/");
    for allowed in [May::ViewProject, May::EditFeature] {
        let client = server.limited("limited", Permissions::default().in_project(project, [allowed])).await;
        let may_edit = allowed == May::EditFeature;
        for (reply, is_allowed) in [
            (client.get(&path).await, !may_edit),
            (client.get(&path_of_one).await, !may_edit),
            (client.post(&path, option(feature, "b", 1.0)).await, may_edit),
            (client.put(&path_of_one, option(feature, "c", 1.0)).await, may_edit),
            (client.patch(&path_of_one, json!({})).await, may_edit),
            (client.delete(&path_of_one).await, may_edit),
        ] {
            assert_eq!(reply.status == 403, !is_allowed, "{allowed:?}: {reply:?}");
        }
    }
}

#[tokio::test]
async fn a_request_that_is_repeated_because_its_answer_was_lost_finds_the_option_that_it_made() {
    let (server, project, feature, path) = start().await;
    server.environment(project, "production").await;
    let owner = server.post(&format!("projects/{}/features/", project.id), json!({ "name": "mine" })).await.expect(201);
    let owner = owner["owners"][0]["uuid"].as_str().unwrap().to_owned();
    let actor = Actor { kind: ActorKind::ApiKey, id: owner, name: "admin".to_owned() };
    let command = command_id(&actor.id, &Method::POST, &format!("/api/v1/{path}"), "once");
    let new = NewOption { value: FeatureValue::text(Some("a")), default_percentage_allocation: 60.0, key: None };
    let context = CommandContext::repeatable(actor, command);
    let made = server.commands().add_option(&context, project.uuid, feature, new).await.unwrap();
    server.settle(made.position).await;
    let request = server.request(Method::POST, &path).header("idempotency-key", "once");
    let reply = server.send(request.json(&option(feature, "a", 60.0))).await;
    assert_eq!((reply.status, &reply.body["id"]), (201, &json!(made.created.0)), "{}", reply.body);
    assert_eq!(server.get(&path).await.expect(200)["count"], 1);
}
