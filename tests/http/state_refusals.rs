//! What is refused when feature states and segment overrides are written: with Flagsmith's words, and nothing is written.

use offshoot_aggregates::environment::EnvironmentRef;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::builders::TestProject;
use crate::support::server::TestServer;

/// A project with two environments, a plain and a multivariate feature, two segments, and another project beside it.
struct House {
    server: TestServer,
    project: TestProject,
    environment: EnvironmentRef,
    other: EnvironmentRef,
    plain: i64,
    multivariate: i64,
    options: Vec<i64>,
    gold: i64,
    foreign: Foreign,
}

/// Things of another project.
struct Foreign {
    environment: EnvironmentRef,
    feature: i64,
    segment: i64,
    option: i64,
}

fn options(feature: &Value) -> Vec<i64> {
    let options = feature["multivariate_options"].as_array().unwrap().iter();
    options.map(|option| option["id"].as_i64().unwrap()).collect()
}

async fn multivariate(server: &TestServer, project: TestProject, name: &str) -> Value {
    let option = |value| json!({ "type": "unicode", "string_value": value, "default_percentage_allocation": 30 });
    let body = json!({ "name": name, "multivariate_options": [option("a"), option("b")] });
    server.post(&format!("projects/{}/features/", project.id), body).await.expect(201)
}

impl House {
    async fn new() -> Self {
        let server = TestServer::start().await;
        let project = server.project("p").await;
        let environment = server.environment(project, "e").await;
        let other = server.environment(project, "other").await;
        let plain = server.feature(project, "plain").await.0;
        let feature = multivariate(&server, project, "multivariate").await;
        let gold = server.segment(project, "gold").await.0;
        let elsewhere = server.project("elsewhere").await;
        let foreign_feature = multivariate(&server, elsewhere, "foreign").await;
        let foreign = Foreign {
            environment: server.environment(elsewhere, "foreign").await,
            feature: foreign_feature["id"].as_i64().unwrap(),
            segment: server.segment(elsewhere, "foreign").await.0,
            option: options(&foreign_feature)[0],
        };
        let (multivariate, options) = (feature["id"].as_i64().unwrap(), options(&feature));
        Self { server, project, environment, other, plain, multivariate, options, gold, foreign }
    }

    /// The default state of a feature in the environment.
    async fn state(&self, feature: i64) -> i64 {
        let path = format!("environments/{}/featurestates/?feature={feature}", self.environment.api_key);
        self.server.get(&path).await.expect(200)["results"][0]["id"].as_i64().unwrap()
    }

    /// A request that must be refused, and leaves the log as it was.
    async fn refused(&self, method: Method, path: &str, body: Value, status: u16, expected: Value) {
        let before = self.server.head().await;
        let reply = self.server.send(self.server.request(method, path).json(&body)).await;
        assert_eq!(reply.told(), (status, expected), "{path} {}", &body.to_string()[..body.to_string().len().min(300)]);
        assert_eq!(self.server.head().await, before, "{path} wrote something");
    }

    fn flat(&self, feature: i64, more: Value) -> Value {
        let mut body = json!({ "feature": feature, "environment": self.environment.id, "enabled": true });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    }
}

#[tokio::test]
async fn a_value_that_may_not_be_is_refused_in_its_own_environment() {
    let house = House::new().await;
    let path = format!("environments/{}/featurestates/{}/", house.environment.api_key, house.state(house.plain).await);
    let long = "x".repeat(20_001);
    for (body, expected) in [
        (json!({ "enabled": "maybe" }), json!({ "enabled": ["Must be a valid boolean."] })),
        (json!({ "enabled": null }), json!({ "enabled": ["This field may not be null."] })),
        (
            json!({ "feature_state_value": "a\0b" }),
            json!({ "feature_state_value": ["Null characters are not allowed."] }),
        ),
        (
            json!({ "feature_state_value": long }),
            json!({ "feature_state_value": ["Ensure this field has no more than 20000 characters."] }),
        ),
    ] {
        house.refused(Method::PUT, &path, body.clone(), 400, expected.clone()).await;
        house.refused(Method::PATCH, &path, body, 400, expected).await;
    }
    // What fits is taken.
    let fits = json!({ "feature_state_value": "x".repeat(20_000) });
    house.server.put(&path, fits).await.expect(200);
}

#[tokio::test]
async fn a_state_is_found_in_its_own_environment_only() {
    let house = House::new().await;
    let state = house.state(house.plain).await;
    let missing = json!({ "detail": "No FeatureState matches the given query." });
    for key in [&house.other.api_key, &house.foreign.environment.api_key] {
        let path = format!("environments/{key}/featurestates/{state}/");
        house.server.get(&path).await.expect(404);
        house.refused(Method::PUT, &path, json!({ "enabled": true }), 404, missing.clone()).await;
    }
    let path = format!("features/featurestates/{state}/");
    let other = json!({ "feature": house.plain, "environment": house.other.id, "enabled": true });
    let moved = json!({ "environment": ["Cannot change the environment of a feature state"] });
    house.refused(Method::PUT, &path, other, 400, moved).await;
    let other = house.flat(house.multivariate, json!({}));
    let moved = json!({ "feature": ["Cannot change the feature of a feature state"] });
    house.refused(Method::PUT, &path, other, 400, moved).await;
}

#[tokio::test]
async fn shares_sum_to_100_at_most_and_belong_to_the_features_own_options() {
    let house = House::new().await;
    let path = format!("features/featurestates/{}/", house.state(house.multivariate).await);
    let shares = |shares: &[(i64, Value)]| {
        let share = |(option, percentage): &(i64, Value)| json!({ "multivariate_feature_option": option, "percentage_allocation": percentage });
        let list: Vec<_> = shares.iter().map(share).collect();
        house.flat(house.multivariate, json!({ "multivariate_feature_state_values": list }))
    };
    let (a, b) = (house.options[0], house.options[1]);
    let exceeds = json!({ "non_field_errors": ["Multivariate percentage values exceed 100%."] });
    house.refused(Method::PUT, &path, shares(&[(a, json!(70)), (b, json!(30.1))]), 400, exceeds.clone()).await;
    // The other keeps its 30 %.
    house.refused(Method::PUT, &path, shares(&[(a, json!(70.1))]), 400, exceeds).await;
    for wrong in [json!(-1), json!(100.5), json!("much"), json!(null)] {
        let before = house.server.head().await;
        let reply = house.server.put(&path, shares(&[(a, wrong.clone())])).await;
        assert_eq!(reply.status, 400, "{wrong}: {}", reply.body);
        assert!(reply.body.to_string().contains("multivariate_feature_state_values"), "{}", reply.body);
        assert_eq!(house.server.head().await, before);
    }
    for option in [999_999, house.foreign.option] {
        let before = house.server.head().await;
        let reply = house.server.put(&path, shares(&[(option, json!(1))])).await;
        let named = format!("Invalid pk \\\"{option}\\\" - object does not exist.");
        assert!(reply.status == 400 && reply.body.to_string().contains(&named), "{}", reply.body);
        assert_eq!(house.server.head().await, before);
    }
    let changed = house.server.put(&path, shares(&[(a, json!(70)), (b, json!(30))])).await.expect(200);
    let shares: Vec<_> = changed["multivariate_feature_state_values"].as_array().unwrap().iter().collect();
    assert!(shares.iter().all(|share| share["percentage_allocation"].is_f64()), "{changed}");
}

#[tokio::test]
async fn overrides_are_of_features_and_segments_of_the_environments_project() {
    let house = House::new().await;
    let link = |feature: i64, segment: i64| json!({ "feature": feature, "segment": segment, "environment": house.environment.id });
    let unknown = |field: &str, id: i64| json!({ field: [format!("Invalid pk \"{id}\" - object does not exist.")] });
    for (feature, segment, expected) in [
        (house.foreign.feature, house.gold, unknown("feature", house.foreign.feature)),
        (house.plain, house.foreign.segment, unknown("segment", house.foreign.segment)),
        (999_999, house.gold, unknown("feature", 999_999)),
        (house.plain, 999_999, unknown("segment", 999_999)),
    ] {
        let before = house.server.head().await;
        let reply = house.server.post("features/feature-segments/", link(feature, segment)).await;
        assert!((400..405).contains(&reply.status), "{}", reply.body);
        assert_eq!(house.server.head().await, before);
        if reply.status == 400 {
            assert_eq!(reply.body.as_object().unwrap().keys().next(), expected.as_object().unwrap().keys().next());
        }
    }
    let path = format!("environments/{}/features/{}/create-segment-override/", house.environment.api_key, house.plain);
    let required = json!({
        "enabled": ["This field is required."],
        "feature_segment": ["This field is required."],
        "feature_state_value": ["This field is required."],
    });
    let before = house.server.head().await;
    let reply = house.server.post(&path, json!({})).await;
    assert_eq!(reply.status, 400);
    for field in reply.body.as_object().unwrap().keys() {
        assert!(required.get(field).is_some(), "{}", reply.body);
    }
    let foreign = format!(
        "environments/{}/features/{}/create-segment-override/",
        house.environment.api_key, house.foreign.feature
    );
    let body = json!({
        "enabled": true, "feature_segment": { "segment": house.gold },
        "feature_state_value": { "type": "int", "integer_value": 1 },
    });
    house.server.post(&foreign, body.clone()).await.expect(404);
    assert_eq!(house.server.head().await, before);
    house.server.post(&path, body.clone()).await.expect(201);
    let before = house.server.head().await;
    house.server.post(&path, body).await.expect(400);
    assert_eq!(house.server.head().await, before, "a second override for the segment was made");
}

#[tokio::test]
async fn priorities_are_numbers_of_links_that_are_there() {
    let house = House::new().await;
    let link = json!({ "feature": house.plain, "segment": house.gold, "environment": house.environment.id });
    let link = house.server.post("features/feature-segments/", link).await.expect(201)["id"].clone();
    let path = "features/feature-segments/update-priorities/";
    for body in [
        json!({}),
        json!([{ "id": link }]),
        json!([{ "priority": 1 }]),
        json!([{ "id": link, "priority": -1 }]),
        json!([{ "id": link, "priority": "first" }]),
        json!([{ "id": link, "priority": 5_000_000_000_u64 }]),
        json!([{ "id": "gold", "priority": 0 }]),
        json!([{ "id": link, "priority": 3 }, { "id": 999_999, "priority": 0 }]),
    ] {
        let before = house.server.head().await;
        let reply = house.server.post(path, body.clone()).await;
        assert!([400, 404].contains(&reply.status), "{body}: {} {}", reply.status, reply.body);
        assert_eq!(house.server.head().await, before, "{body}");
    }
    house.server.post(path, json!([{ "id": link, "priority": 3 }])).await.expect(200);
    house.server.delete("features/feature-segments/999999/").await.expect(404);
}

#[tokio::test]
async fn a_write_on_the_ground_of_an_old_version_is_refused_whatever_it_writes() {
    let house = House::new().await;
    let environment = format!("environments/{}/", house.environment.api_key);
    let old = house.server.get(&environment).await.header("etag").to_owned();
    let state = format!("{environment}featurestates/{}/", house.state(house.plain).await);
    house.server.put(&state, json!({ "enabled": true })).await.expect(200);
    let current = house.server.get(&environment).await.header("etag").to_owned();
    let link = json!({ "feature": house.plain, "segment": house.gold, "environment": house.environment.id });
    let flat = format!("features/featurestates/{}/", house.state(house.plain).await);
    for (method, path, body) in [
        (Method::PUT, state.as_str(), json!({ "enabled": false })),
        (Method::PATCH, &state, json!({ "enabled": false })),
        (Method::PUT, &flat, house.flat(house.plain, json!({ "enabled": false }))),
        (Method::POST, "features/feature-segments/", link),
    ] {
        let request = house.server.request(method, path).header("if-match", &old).json(&body);
        let reply = house.server.send(request).await;
        assert_eq!(reply.status, 412, "{path}: {}", reply.body);
        // Ids may have been taken for it; the environment is what it was.
        let actual = house.server.commands().load_environment(house.environment.uuid).await.unwrap().version;
        assert_eq!(reply.body["version"], json!(actual.0), "{}", reply.body);
        assert_eq!(house.server.get(&environment).await.header("etag"), current, "{path}");
    }
    let request = house.server.request(Method::PUT, &state).header("if-match", &current);
    house.server.send(request.json(&json!({ "enabled": false }))).await.expect(200);
}

#[tokio::test]
async fn a_repeated_write_is_done_once_and_its_key_is_for_no_other() {
    let house = House::new().await;
    let state = format!("environments/{}/featurestates/{}/", house.environment.api_key, house.state(house.plain).await);
    let send = async |body: Value| {
        let request = house.server.request(Method::PUT, &state).header("idempotency-key", "once");
        house.server.send(request.json(&body)).await
    };
    let first = send(json!({ "enabled": true, "feature_state_value": 1 })).await.expect(200);
    let after = house.server.head().await;
    assert_eq!(send(json!({ "enabled": true, "feature_state_value": 1 })).await.expect(200), first);
    assert_eq!(send(json!({ "enabled": false })).await.status, 422);
    assert_eq!(house.server.head().await, after);
}

#[tokio::test]
async fn bodies_that_are_too_big_and_pages_that_are_not_there_are_refused() {
    let house = House::new().await;
    let state = format!("environments/{}/featurestates/{}/", house.environment.api_key, house.state(house.plain).await);
    let before = house.server.head().await;
    let big = json!({ "feature_state_value": "x".repeat(1 << 20) });
    house.server.put(&state, big).await.expect(413);
    assert_eq!(house.server.head().await, before);
    let invalid = (404, json!({ "detail": "Invalid page." }));
    for page in ["-1", "0", "2", "x"] {
        for path in [
            format!("environments/{}/featurestates/?page={page}", house.environment.api_key),
            format!("features/featurestates/?environment={}&page={page}", house.environment.id),
            format!("projects/{}/segments/?page={page}", house.project.id),
            format!("projects/{}/features/?page={page}", house.project.id),
            format!("projects/{}/audit/?page={page}", house.project.id),
        ] {
            // The audit log has a second page only if it is asked for smaller ones.
            assert_eq!(house.server.get(&path).await.told(), invalid, "{path}");
        }
    }
}
