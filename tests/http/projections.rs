//! The read models over HTTP: how far they are, and building one anew.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::builders::Permissions;
use crate::support::client::keys;
use crate::support::server::TestServer;

#[tokio::test]
async fn every_read_model_says_how_far_it_is() {
    let server = TestServer::start().await;
    server.project("p").await;
    let head = server.head().await;
    let list = server.get("projections/").await;
    assert_eq!(list.keys(), ["results"]);
    let list = list.expect(200);
    let names: Vec<_> = list["results"].as_array().unwrap().iter().map(|item| item["name"].clone()).collect();
    assert_eq!(names, ["environment_status", "feature_states", "features", "access", "audit_log"]);
    for item in list["results"].as_array().unwrap() {
        let members = ["name", "version", "position", "lag_events", "lag_seconds", "state", "build", "parked"];
        assert_eq!(keys(item), members);
        assert_eq!(item["position"], head.0);
        assert_eq!((&item["lag_events"], &item["lag_seconds"]), (&json!(0), &json!(0.0)));
        assert_eq!((&item["state"], &item["build"], &item["parked"]), (&json!("live"), &Value::Null, &json!([])));
    }
}

#[tokio::test]
async fn a_read_model_is_built_anew_while_it_serves() {
    let server = TestServer::start().await;
    let project = server.project("p").await;
    let read_models = &server.server().node().read_models;
    let files = read_models.named("features").unwrap().files().clone();
    let before = files.list().unwrap().pop().unwrap().number;
    let accepted = server.post("projections/features/rebuild/", Value::Null).await.expect(202);
    assert_eq!(accepted["name"], "features");
    let started = Instant::now();
    loop {
        server.get(&format!("projects/{}/", project.id)).await.expect(200);
        let list = server.get("projections/").await.expect(200);
        let state = list["results"][2]["state"].clone();
        let numbers: Vec<_> = files.list().unwrap().iter().map(|file| file.number).collect();
        if numbers == [before + 1] && state == "live" {
            break;
        }
        assert!(started.elapsed() < Duration::from_secs(60), "{numbers:?} {list}");
    }
    assert_eq!(server.get(&format!("projects/{}/", project.id)).await.expect(200)["name"], "p");
}

#[tokio::test]
async fn read_models_are_for_admins_of_organisations() {
    let server = TestServer::start().await;
    let project = server.project("p").await;
    let limited = server.limited("l", Permissions::default().admin_of_project(project)).await;
    limited.get("projections/").await.expect(403);
    limited.post("projections/features/rebuild/", Value::Null).await.expect(403);
    let unknown = json!({ "detail": "No Projection matches the given query." });
    assert_eq!(server.post("projections/nothing/rebuild/", Value::Null).await.told(), (404, unknown));
}
