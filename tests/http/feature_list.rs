//! The list of features over HTTP: pages, filters, and what features are in one environment.

use offshoot::commands::{CommandContext, NewFeature, NewOption, OverrideSetting};
use offshoot_aggregates::Actor;
use offshoot_aggregates::environment::{EnvironmentRef, FeatureValue, StateChange};
use offshoot_aggregates::ids::FeatureId;
use offshoot_aggregates::permissions::{EnvironmentPermission, ProjectPermission};
use serde_json::{Value, json};

use crate::support::builders::{Permissions, TestProject};
use crate::support::client::keys;
use crate::support::server::TestServer;

async fn start() -> (TestServer, TestProject, String) {
    let server = TestServer::start().await;
    let project = server.project("shop").await;
    (server, project, format!("projects/{}/features/", project.id))
}

/// Changes a feature's default state in an environment.
async fn set(
    server: &TestServer,
    environment: &EnvironmentRef,
    feature: FeatureId,
    enabled: bool,
    value: FeatureValue,
) {
    let context = CommandContext::new(Actor::operator("test"));
    let change = StateChange { enabled: Some(enabled), value: Some(value), multivariate: None };
    let appended = server.commands().set_feature_state(&context, environment.uuid, feature, change).await.unwrap();
    server.settle(appended.position).await;
}

/// The names in a list.
async fn names(server: &TestServer, path: &str) -> Vec<String> {
    let body = server.get(path).await.expect(200);
    let results = body["results"].as_array().unwrap();
    assert_eq!(body["count"], results.len(), "{path}");
    results.iter().map(|feature| feature["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn features_are_listed_page_by_page_in_the_order_in_which_they_came() {
    let (server, project, path) = start().await;
    for name in ["b", "a", "c"] {
        server.feature(project, name).await;
    }
    assert_eq!(names(&server, &path).await, ["b", "a", "c"]);
    let reply = server.get(&format!("{path}?page_size=2")).await;
    assert_eq!(reply.keys(), ["count", "next", "previous", "results"]);
    let next = reply.body["next"].as_str().unwrap();
    assert!(next.starts_with("http://127.0.0.1:") && next.ends_with(&format!("/api/v1/{path}?page=2&page_size=2")));
    let last = server.get(&format!("{path}?page_size=2&page=2")).await.expect(200);
    assert_eq!((&last["results"][0]["name"], &last["next"], &last["count"]), (&json!("c"), &json!(null), &json!(3)));
    assert_eq!(last["results"][0]["code_references_counts"], json!([]));
    let alone = server.get(&format!("{path}{}/", last["results"][0]["id"])).await.expect(200);
    assert_eq!(last["results"][0], alone);
    for page in ["3", "0", "-1", "x"] {
        let reply = server.get(&format!("{path}?page_size=2&page={page}")).await;
        assert_eq!(reply.told(), (404, json!({ "detail": "Invalid page." })));
    }
}

#[tokio::test]
async fn a_list_is_filtered_and_sorted_by_what_features_are() {
    let (server, project, path) = start().await;
    let context = CommandContext::new(Actor::operator("test"));
    for name in ["beta", "Alpha", "gamma_1"] {
        server.feature(project, name).await;
    }
    let option = NewOption { value: FeatureValue::text(Some("v")), default_percentage_allocation: 10.0, key: None };
    let new = NewFeature { name: "many".to_owned(), options: vec![option], is_archived: true, ..NewFeature::default() };
    let created = server.commands().create_feature(&context, project.uuid, new).await.unwrap();
    server.settle(created.position).await;
    let cases: [(&str, &[&str]); 16] = [
        ("sort_field=name", &["Alpha", "beta", "gamma_1", "many"]),
        ("sort_field=name&sort_direction=DESC", &["many", "gamma_1", "beta", "Alpha"]),
        ("sort_direction=DESC", &["many", "gamma_1", "Alpha", "beta"]),
        ("search=ALPH", &["Alpha"]),
        ("search=%25", &[]),
        ("search=", &["beta", "Alpha", "gamma_1", "many"]),
        ("is_archived=true", &["many"]),
        ("is_archived=false&search=a", &["beta", "Alpha", "gamma_1"]),
        ("type=MULTIVARIATE", &["many"]),
        ("type=STANDARD&sort_direction=DESC", &["gamma_1", "Alpha", "beta"]),
        ("tags=", &["beta", "Alpha", "gamma_1", "many"]),
        ("tags=1,2&tag_strategy=UNION", &[]),
        ("group_owners=3", &[]),
        ("owners=&group_owners=", &["beta", "Alpha", "gamma_1", "many"]),
        ("lifecycle_stage=new&identity=4&what=ever", &["beta", "Alpha", "gamma_1", "many"]),
        ("is_archived=&search=gamma_", &["gamma_1"]),
    ];
    for (query, expected) in cases {
        assert_eq!(names(&server, &format!("{path}?{query}")).await, expected, "{query}");
    }
}

#[tokio::test]
async fn features_are_found_by_the_key_that_made_them() {
    let (server, project, path) = start().await;
    server.feature(project, "by-operator").await;
    let mine = server.post(&path, json!({ "name": "by-admin" })).await.expect(201);
    let permissions = Permissions::default().in_project(project, [ProjectPermission::CreateFeature]);
    let other = server.limited("other", permissions).await.post(&path, json!({ "name": "by-other" })).await.expect(201);
    let owners = [&mine, &other].map(|feature| feature["owners"][0]["id"].as_i64().unwrap());
    assert_eq!(other["owners"][0]["first_name"], "other");
    assert_ne!(owners[0], owners[1]);
    assert_eq!(names(&server, &format!("{path}?owners={}", owners[0])).await, ["by-admin"]);
    assert_eq!(
        names(&server, &format!("{path}?owners={},%20{}", owners[1], owners[0])).await,
        ["by-admin", "by-other"]
    );
    assert_eq!(names(&server, &format!("{path}?owners=999999")).await, [""; 0]);
}

#[tokio::test]
async fn a_filter_that_cannot_be_read_is_refused() {
    let (server, project, path) = start().await;
    let environment = server.environment(project, "production").await;
    let cases = [
        (
            "sort_field=size&sort_direction=up",
            json!({ "sort_field": ["\"size\" is not a valid choice."],
            "sort_direction": ["\"up\" is not a valid choice."] }),
        ),
        ("is_archived=maybe", json!({ "is_archived": ["Must be a valid boolean."] })),
        ("type=FLY", json!({ "type": ["\"FLY\" is not a valid choice."] })),
        ("environment=x", json!({ "environment": ["A valid integer is required."] })),
        ("tags=a", json!({ "tags": ["Tag IDs must be integers."] })),
        ("owners=1,,2", json!({ "owners": ["Owner IDs must be integers."] })),
        ("group_owners=1.5", json!({ "group_owners": ["Group owner IDs must be integers."] })),
        ("search=%00", json!({ "search": ["Null characters are not allowed."] })),
        ("is_enabled=true", json!(["is_enabled and value_search need an environment."])),
        ("value_search=a", json!(["is_enabled and value_search need an environment."])),
    ];
    for (query, expected) in cases {
        assert_eq!(server.get(&format!("{path}?{query}")).await.told(), (400, expected), "{query}");
    }
    let missing = (404, json!({ "detail": "No Environment matches the given query." }));
    let other = server.project("other").await;
    let other = format!("projects/{}/features/?environment={}", other.id, environment.id);
    assert_eq!(server.get(&format!("{path}?environment=999999")).await.told(), missing);
    assert_eq!(server.get(&other).await.told(), missing);
}

#[tokio::test]
async fn with_an_environment_each_feature_shows_its_state_there() {
    let (server, project, path) = start().await;
    let environment = server.environment(project, "production").await;
    let (gold, beta) = (server.segment(project, "gold").await, server.segment(project, "beta").await);
    let banner = server.feature(project, "banner").await;
    server.feature(project, "other").await;
    set(&server, &environment, banner, true, FeatureValue::integer(7)).await;
    let context = CommandContext::new(Actor::operator("test"));
    let change = StateChange { enabled: Some(true), value: Some(FeatureValue::boolean(true)), multivariate: None };
    let setting = OverrideSetting { change, ..OverrideSetting::default() };
    let commands = server.commands();
    let over = commands.set_segment_override(&context, environment.uuid, (banner, gold), setting).await.unwrap();
    server.settle(over.position).await;
    // A place among the overrides without a state is not one.
    let place = commands.add_segment_override(&context, environment.uuid, banner, beta).await.unwrap();
    server.settle(place.position).await;

    let list = server.get(&format!("{path}?environment={}", environment.id)).await;
    let shown = &list.body["results"][0];
    let state = &shown["environment_feature_state"];
    assert_eq!(keys(state), ["id", "feature_state_value", "environment", "identity", "feature_segment", "enabled"]);
    let expected = json!({ "id": state["id"], "feature_state_value": 7, "environment": environment.id.0,
        "identity": null, "feature_segment": null, "enabled": true });
    assert_eq!((state["id"].is_i64(), state), (true, &expected));
    let counts =
        |feature: &Value| [&feature["num_segment_overrides"], &feature["num_identity_overrides"]].map(Value::clone);
    assert_eq!(counts(shown), [json!(1), json!(null)]);
    assert_eq!(shown["segment_feature_state"], json!(null));
    let other = &list.body["results"][1];
    assert_eq!(other["environment_feature_state"]["feature_state_value"], json!(null));
    assert_eq!(counts(other), [json!(0), json!(null)]);

    let for_segment = format!("{path}?environment={}&segment={}", environment.id, gold);
    let results = server.get(&for_segment).await.expect(200)["results"].clone();
    let expected = json!({ "id": over.created.feature_state.unwrap().0, "feature_state_value": true,
        "environment": environment.id.0, "identity": null, "feature_segment": over.created.feature_segment.0,
        "enabled": true });
    assert_eq!((&results[0]["segment_feature_state"], &results[1]["segment_feature_state"]), (&expected, &json!(null)));
    let alone = server.get(&format!("{path}{banner}/?environment={}", environment.id)).await.expect(200);
    assert_eq!(alone["environment_feature_state"], json!(null));
}

#[tokio::test]
async fn features_are_found_by_their_state_in_an_environment() {
    let (server, project, path) = start().await;
    let (production, staging) =
        (server.environment(project, "production").await, server.environment(project, "s").await);
    for (name, enabled, value) in [
        ("text", true, FeatureValue::text(Some("Größe"))),
        ("number", false, FeatureValue::integer(421)),
        ("switch", true, FeatureValue::boolean(true)),
        ("nothing", false, FeatureValue::default()),
    ] {
        let feature = server.feature(project, name).await;
        set(&server, &production, feature, enabled, value).await;
    }
    let cases: [(&str, &[&str]); 7] = [
        ("is_enabled=true", &["text", "switch"]),
        ("is_enabled=false", &["number", "nothing"]),
        ("is_enabled=", &["text", "number", "switch", "nothing"]),
        ("value_search=GR%C3%96", &["text"]),
        ("value_search=42", &["number"]),
        ("value_search=r&is_enabled=true&sort_field=name", &["switch", "text"]),
        ("value_search=true&search=t&is_archived=true", &[]),
    ];
    for (query, expected) in cases {
        assert_eq!(names(&server, &format!("{path}?environment={}&{query}", production.id)).await, expected, "{query}");
    }
    assert_eq!(names(&server, &format!("{path}?environment={}&is_enabled=true", staging.id)).await, [""; 0]);
    let page = format!("{path}?environment={}&is_enabled=true&page_size=1&page=2", production.id);
    let page = server.get(&page).await.expect(200);
    assert_eq!((&page["count"], &page["results"][0]["name"]), (&json!(2), &json!("switch")));
}

#[tokio::test]
async fn an_environment_that_the_caller_may_not_see_shows_no_states() {
    let (server, project, path) = start().await;
    let environment = server.environment(project, "production").await;
    let seen = server.environment(project, "staging").await;
    let permissions = Permissions::default()
        .in_project(project, [ProjectPermission::ViewProject])
        .in_environment(&seen, [EnvironmentPermission::ViewEnvironment]);
    let client = server.limited("limited", permissions).await;
    client.get(&format!("{path}?environment={}", seen.id)).await.expect(200);
    let forbidden = json!({ "detail": "You do not have permission to perform this action." });
    assert_eq!(client.get(&format!("{path}?environment={}", environment.id)).await.told(), (403, forbidden));
}

#[tokio::test]
async fn the_states_of_an_environment_in_creation_are_not_shown() {
    let server = TestServer::start().await;
    let environment = server.creating_environment().await;
    let path = format!("projects/{}/features/", environment.project);
    assert_eq!(names(&server, &path).await, ["flag"]);
    for query in ["", "&is_enabled=true", "&value_search=a"] {
        let reply = server.get(&format!("{path}?environment={}{query}", environment.id)).await;
        assert_eq!((reply.status, reply.header("retry-after")), (503, "1"), "{}", reply.body);
        assert_eq!(reply.body["code"], "environment_is_creating");
    }
}
