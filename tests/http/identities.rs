//! Identities and their overrides over HTTP: the shapes that Flagsmith recorded, and what is refused.

use offshoot::commands::{NewFeature, NewOption};
use offshoot_aggregates::environment::{EnvironmentRef, FeatureValue};
use offshoot_aggregates::permissions::EnvironmentPermission;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::builders::{Permissions, TestProject};
use crate::support::server::TestServer;

const STATE: [&str; 16] = [
    "id",
    "feature_state_value",
    "multivariate_feature_state_values",
    "deleted_at",
    "uuid",
    "enabled",
    "created_at",
    "updated_at",
    "live_from",
    "version",
    "feature",
    "environment",
    "identity",
    "feature_segment",
    "change_request",
    "environment_feature_version",
];

async fn server() -> (TestServer, TestProject, EnvironmentRef) {
    let server = TestServer::start().await;
    let project = server.project("p").await;
    let environment = server.environment(project, "e").await;
    (server, project, environment)
}

fn path(environment: &EnvironmentRef) -> String {
    format!("environments/{}/identities/", environment.api_key)
}

async fn identity(server: &TestServer, environment: &EnvironmentRef, identifier: &str) -> i64 {
    let made = server.post(&path(environment), json!({ "identifier": identifier })).await.expect(201);
    made["id"].as_i64().unwrap()
}

#[tokio::test]
async fn an_identity_is_made_once_found_and_forgotten() {
    let (server, _, environment) = server().await;
    let path = path(&environment);
    let empty = json!({ "count": 0, "next": null, "previous": null, "results": [] });
    assert_eq!(server.get(&path).await.expect(200), empty);
    let body = json!({ "identifier": "user_1", "environment": environment.id });
    let made = server.post(&path, body).await;
    assert_eq!(made.keys(), ["id", "identifier", "environment"]);
    let made = made.expect(201);
    assert_eq!((&made["identifier"], &made["environment"]), (&json!("user_1"), &json!(environment.id)));
    let again = json!({ "identifier": "Identity with identifier 'user_1' already exists in this environment" });
    assert_eq!(server.post(&path, json!({ "identifier": "user_1" })).await.told(), (400, again));
    let required = json!({ "identifier": ["This field is required."] });
    assert_eq!(server.post(&path, json!({})).await.told(), (400, required));
    let one = format!("{path}{}/", made["id"]);
    assert_eq!(server.get(&one).await.expect(200), made);
    server.delete(&one).await.expect(204);
    let gone = json!({ "detail": "No Identity matches the given query." });
    assert_eq!(server.get(&one).await.told(), (404, gone.clone()));
    assert_eq!(server.delete(&one).await.told(), (404, gone));
    assert_eq!(server.get(&path).await.expect(200), empty);
}

#[tokio::test]
async fn identities_are_searched_by_a_part_or_in_quotes_by_all_of_it() {
    let (server, _, environment) = server().await;
    for identifier in ["user_1", "user_10", "other"] {
        identity(&server, &environment, identifier).await;
    }
    let search = async |q: &str| {
        let list = server.get(&format!("{}?q={q}", path(&environment))).await.expect(200);
        let results = list["results"].as_array().unwrap().clone();
        assert_eq!(list["count"], results.len());
        results.into_iter().map(|found| found["identifier"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(search("user").await, ["user_1", "user_10"]);
    assert_eq!(search("%22user_1%22").await, ["user_1"]);
    assert_eq!(search("%22user%22").await, Vec::<String>::new());
    assert_eq!(search("").await, ["user_1", "user_10", "other"]);
    let second = server.get(&format!("{}?page=2&page_size=2", path(&environment))).await.expect(200);
    assert_eq!((&second["count"], &second["results"][0]["identifier"]), (&json!(3), &json!("other")));
}

#[tokio::test]
async fn an_override_is_made_read_changed_and_removed() {
    let (server, project, environment) = server().await;
    let feature = server.feature(project, "banner").await;
    let id = identity(&server, &environment, "user_1").await;
    let states = format!("{}{id}/featurestates/", path(&environment));
    let body = json!({ "feature": feature, "enabled": true, "feature_state_value": "idval" });
    let made = server.post(&states, body.clone()).await;
    assert_eq!(made.keys(), STATE);
    let made = made.expect(201);
    assert_eq!((&made["feature_state_value"], &made["identity"]), (&json!("idval"), &json!(id)));
    assert_eq!((&made["enabled"], &made["feature_segment"]), (&json!(true), &Value::Null));
    let twice = "Feature state already exists for this feature and identity in this environment.";
    assert_eq!(server.post(&states, body).await.told(), (400, json!({ "non_field_errors": [twice] })));
    assert_eq!(server.post(&states, json!({})).await.told(), (400, json!({ "detail": "Feature not provided" })));
    let one = format!("{states}{}/", made["id"]);
    assert_eq!(server.get(&one).await.expect(200), made);
    let listed = server.get(&states).await.expect(200);
    assert_eq!(listed["count"], 1);
    assert_eq!(listed["results"][0]["identity"], json!({ "id": id, "identifier": "user_1" }));
    let changed = server.put(&one, json!({ "feature_state_value": 7 })).await.expect(200);
    assert_eq!((&changed["feature_state_value"], &changed["enabled"]), (&json!(7), &json!(true)));
    let short = server.patch(&one, json!({ "enabled": false })).await.expect(200);
    assert_eq!(short, json!({ "feature": feature, "enabled": false }));
    server.delete(&one).await.expect(204);
    let gone = json!({ "detail": "No FeatureState matches the given query." });
    assert_eq!(server.get(&one).await.told(), (404, gone));
    assert_eq!(server.get(&states).await.expect(200)["count"], 0);
}

#[tokio::test]
async fn the_flat_resource_makes_lists_and_changes_identity_overrides() {
    let (server, project, environment) = server().await;
    let (banner, other) = (server.feature(project, "banner").await, server.feature(project, "other").await);
    let id = identity(&server, &environment, "user_1").await;
    let value = json!({ "type": "unicode", "string_value": "mine" });
    let body = json!({
        "feature": banner, "environment": environment.id, "identity": id, "enabled": true, "feature_state_value": value,
    });
    let by_id = server.post("features/featurestates/", body).await.expect(201);
    assert_eq!((&by_id["identity"], &by_id["feature_state_value"]["string_value"]), (&json!(id), &json!("mine")));
    let body = json!({ "feature": other, "environment": environment.id, "identifier": "user_1", "enabled": true });
    let by_identifier = server.post("features/featurestates/", body).await.expect(201);
    assert_eq!(by_identifier["identity"], id);
    let list = server.get(&format!("features/featurestates/?environment={}", environment.id)).await.expect(200);
    let identities: Vec<_> =
        list["results"].as_array().unwrap().iter().map(|state| state["identity"].clone()).collect();
    assert_eq!(identities, [Value::Null, json!(id), Value::Null, json!(id)]);
    let one = format!("features/featurestates/{}/", by_id["id"]);
    let changed = server.patch(&one, json!({ "enabled": false })).await.expect(200);
    assert_eq!((&changed["enabled"], &changed["identity"]), (&json!(false), &json!(id)));
    let expected = json!({ "identity": ["Cannot change the identity of a feature state"] });
    assert_eq!(server.patch(&one, json!({ "identity": null })).await.told(), (400, expected));
    let of = |member: &str, value: Value| {
        let mut body = json!({ "feature": banner, "environment": environment.id });
        body[member] = value;
        body
    };
    let unknown = json!({ "identity": ["Invalid pk \"999\" - object does not exist."] });
    assert_eq!(server.post("features/featurestates/", of("identity", json!(999))).await.told(), (400, unknown));
    let unknown = json!({ "identifier": ["Invalid identifier"] });
    assert_eq!(server.post("features/featurestates/", of("identifier", json!("nobody"))).await.told(), (400, unknown));
}

#[tokio::test]
async fn lists_that_count_or_name_identities_do_so() {
    let (server, project, environment) = server().await;
    let (banner, _) = (server.feature(project, "banner").await, server.feature(project, "other").await);
    let id = identity(&server, &environment, "user_1").await;
    let states = format!("{}{id}/featurestates/", path(&environment));
    server.post(&states, json!({ "feature": banner, "enabled": true })).await.expect(201);
    let nested = format!("environments/{}/featurestates/", environment.api_key);
    assert_eq!(server.get(&nested).await.expect(200)["count"], 2);
    let with_identities = server.get(&format!("{nested}?anyIdentity")).await.expect(200);
    let identities: Vec<_> =
        with_identities["results"].as_array().unwrap().iter().map(|state| state["identity"].clone()).collect();
    assert_eq!(identities, [Value::Null, json!({ "id": id, "identifier": "user_1" }), Value::Null]);
    let list = server.get(&format!("projects/{}/features/?environment={}", project.id, environment.id)).await;
    let counts: Vec<_> = list.expect(200)["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|feature| feature["num_identity_overrides"].clone())
        .collect();
    assert_eq!(counts, [json!(1), Value::Null]);
}

#[tokio::test]
async fn shares_of_an_override_are_those_that_were_set() {
    let (server, project, environment) = server().await;
    let option = |value: &str| NewOption {
        value: FeatureValue::text(Some(value)),
        default_percentage_allocation: 20.0,
        key: None,
    };
    let options = vec![option("a"), option("b")];
    let feature =
        server.feature_like(project, NewFeature { name: "mv".to_owned(), options, ..NewFeature::default() }).await;
    let found = server.get(&format!("projects/{}/features/{feature}/", project.id)).await.expect(200);
    let options: Vec<_> = found["multivariate_options"].as_array().unwrap().iter().map(|o| o["id"].clone()).collect();
    let id = identity(&server, &environment, "user_1").await;
    let states = format!("{}{id}/featurestates/", path(&environment));
    let shares = |shares: &[(usize, f64)]| -> Value {
        shares
            .iter()
            .map(|(place, share)| {
                json!({ "multivariate_feature_option": options[*place], "percentage_allocation": share })
            })
            .collect()
    };
    let too_much = json!({ "feature": feature, "multivariate_feature_state_values": shares(&[(0, 60.0), (1, 41.0)]) });
    let expected = json!({ "non_field_errors": ["Multivariate percentage values exceed 100%."] });
    assert_eq!(server.post(&states, too_much).await.told(), (400, expected));
    let all = json!({ "feature": feature, "multivariate_feature_state_values": shares(&[(1, 100.0)]) });
    let made = server.post(&states, all).await.expect(201);
    let values = made["multivariate_feature_state_values"].as_array().unwrap();
    assert_eq!(values.len(), 1);
    assert_eq!(
        (&values[0]["multivariate_feature_option"], &values[0]["percentage_allocation"]),
        (&options[1], &json!(100.0))
    );
}

#[tokio::test]
async fn a_request_that_is_repeated_or_too_late_changes_nothing() {
    let (server, project, environment) = server().await;
    let feature = server.feature(project, "banner").await;
    let make = || {
        server
            .request(Method::POST, &path(&environment))
            .header("idempotency-key", "k")
            .json(&json!({ "identifier": "user_1" }))
    };
    let first = server.send(make()).await.expect(201);
    assert_eq!(server.send(make()).await.expect(201), first);
    let server = server.restart_without_answers().await;
    let make = || {
        server
            .request(Method::POST, &path(&environment))
            .header("idempotency-key", "k")
            .json(&json!({ "identifier": "user_1" }))
    };
    assert_eq!(server.send(make()).await.expect(201), first);
    let states = format!("{}{}/featurestates/", path(&environment), first["id"]);
    let made = server.post(&states, json!({ "feature": feature })).await;
    let etag = made.header("etag").to_owned();
    let one = format!("{states}{}/", made.expect(201)["id"]);
    server.patch(&one, json!({ "enabled": true })).await.expect(200);
    let stale = server.request(Method::DELETE, &one).header("if-match", etag.clone());
    assert_eq!(server.send(stale).await.status, 412);
    let identity = format!("{}{}/", path(&environment), first["id"]);
    let stale = server.request(Method::DELETE, &identity).header("if-match", etag);
    assert_eq!(server.send(stale).await.status, 412);
    server.get(&one).await.expect(200);
}

#[tokio::test]
async fn identities_are_for_those_who_may_see_and_manage_them() {
    let (server, project, environment) = server().await;
    let feature = server.feature(project, "banner").await;
    let id = identity(&server, &environment, "user_1").await;
    let states = format!("{}{id}/featurestates/", path(&environment));
    let made = server.post(&states, json!({ "feature": feature })).await.expect(201);
    let with = |permission| Permissions::default().in_environment(&environment, [permission]);
    let viewer = server.limited("viewer", with(EnvironmentPermission::ViewIdentities)).await;
    viewer.get(&path(&environment)).await.expect(200);
    viewer.get(&states).await.expect(200);
    viewer.post(&path(&environment), json!({ "identifier": "user_2" })).await.expect(403);
    viewer.post(&states, json!({ "feature": feature })).await.expect(403);
    viewer.put(&format!("{states}{}/", made["id"]), json!({ "enabled": true })).await.expect(403);
    viewer.delete(&format!("{}{id}/", path(&environment))).await.expect(403);
    let manager = server.limited("manager", with(EnvironmentPermission::ManageIdentities)).await;
    manager.get(&path(&environment)).await.expect(403);
    manager.put(&format!("{states}{}/", made["id"]), json!({ "enabled": true })).await.expect(200);
    manager.patch(&format!("features/featurestates/{}/", made["id"]), json!({ "enabled": false })).await.expect(200);
    let editor = server.limited("editor", with(EnvironmentPermission::UpdateFeatureState)).await;
    editor.patch(&format!("features/featurestates/{}/", made["id"]), json!({ "enabled": true })).await.expect(403);
    let flat = json!({ "feature": feature, "environment": environment.id, "identity": id });
    editor.post("features/featurestates/", flat).await.expect(403);
    // What is in one environment is not found in another.
    let other = server.environment(project, "other").await;
    server.get(&format!("{}{id}/", path(&other))).await.expect(404);
    server.get(&format!("{}{id}/featurestates/", path(&other))).await.expect(404);
    let second = identity(&server, &environment, "user_2").await;
    server.get(&format!("{}{second}/featurestates/{}/", path(&environment), made["id"])).await.expect(404);
}

#[tokio::test]
async fn an_environment_that_is_being_created_takes_identities_but_no_overrides() {
    let server = TestServer::start().await;
    let environment = server.creating_environment().await;
    let path = format!("environments/{}/identities/", environment.api_key);
    let made = server.post(&path, json!({ "identifier": "user_1" })).await.expect(201);
    assert_eq!(server.get(&path).await.expect(200)["count"], 1);
    let states = format!("{path}{}/featurestates/", made["id"]);
    let refused = server.post(&states, json!({ "feature": 1 })).await;
    assert_eq!((refused.status, &refused.body["code"]), (409, &json!("environment_is_creating")));
    assert_eq!(server.get(&states).await.status, 503);
}

#[tokio::test]
async fn all_features_of_an_identity_say_what_they_are_and_who_overrides_them() {
    let (server, project, environment) = server().await;
    let (banner, other) = (server.feature(project, "banner").await, server.feature(project, "other").await);
    let options = vec![NewOption { value: FeatureValue::integer(7), default_percentage_allocation: 100.0, key: None }];
    let split =
        server.feature_like(project, NewFeature { name: "split".to_owned(), options, ..NewFeature::default() }).await;
    let gold = server.segment(project, "gold").await;
    let body = json!({
        "enabled": true, "feature_segment": { "segment": gold },
        "feature_state_value": { "type": "unicode", "string_value": "for gold" },
    });
    let create = format!("environments/{}/features/{other}/create-segment-override/", environment.api_key);
    server.post(&create, body).await.expect(201);
    let id = identity(&server, &environment, "user_1").await;
    let states = format!("{}{id}/featurestates/", path(&environment));
    let mine = json!({ "feature": banner, "enabled": true, "feature_state_value": "mine" });
    server.post(&states, mine).await.expect(201);
    let all = server.get(&format!("{states}all/")).await.expect(200);
    assert_eq!(
        all[0],
        json!({
            "feature": { "id": banner, "name": "banner", "type": "STANDARD" }, "enabled": true,
            "feature_state_value": "mine", "overridden_by": "IDENTITY", "segment": null,
            "multivariate_feature_state_values": [],
        })
    );
    // No traits are kept, so nobody is known to be in the segment.
    assert_eq!((&all[1]["feature"]["id"], &all[1]["overridden_by"]), (&json!(other), &Value::Null));
    assert_eq!((&all[2]["feature"]["id"], &all[2]["feature_state_value"]), (&json!(split), &json!(7)));
    let share = json!({ "multivariate_feature_option": { "value": 7 }, "percentage_allocation": 100.0 });
    assert_eq!(all[2]["multivariate_feature_state_values"], json!([share]));
    let stranger = server.limited("stranger", Permissions::default()).await;
    stranger.get(&format!("{states}all/")).await.expect(403);
}
