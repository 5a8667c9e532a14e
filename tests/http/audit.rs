//! The audit log over HTTP.

use serde_json::json;

use crate::support::builders::Permissions;
use crate::support::client::keys;
use crate::support::server::TestServer;

const ITEM: [&str; 10] = [
    "id",
    "created_date",
    "log",
    "author",
    "environment",
    "project",
    "related_object_id",
    "related_object_uuid",
    "related_object_type",
    "is_system_event",
];

#[tokio::test]
async fn what_happened_is_listed_newest_first_and_can_be_narrowed() {
    let server = TestServer::start().await;
    let project = server.project("p").await;
    let environment = server.environment(project, "e").await;
    let path = format!("projects/{}/features/", project.id);
    server.post(&path, json!({ "name": "banner" })).await.expect(201);
    let list = server.get(&format!("audit/?project={}", project.id)).await.expect(200);
    let results = list["results"].as_array().unwrap();
    assert_eq!(keys(&results[0]), ITEM);
    let ids: Vec<_> = results.iter().map(|item| item["id"].as_u64().unwrap()).collect();
    assert!(ids.is_sorted_by(|newer, older| newer > older), "{ids:?}");
    let path = format!("audit/?project={}&environments={}&search=BANNER", project.id, environment.id);
    let found = server.get(&path).await.expect(200);
    assert_eq!(found["count"], 1);
    let line = &found["results"][0];
    assert_eq!(line["log"], "New Flag / Remote Config created: banner");
    assert_eq!((&line["related_object_type"], &line["is_system_event"]), (&json!("FEATURE_STATE"), &json!(false)));
    let item = server.get(&format!("audit/{}/", line["id"])).await.expect(200);
    assert_eq!(item["change_details"], json!([{ "field": "enabled", "old": null, "new": false }]));
    assert_eq!(item["change_type"], "CREATE");
    assert_eq!(server.get(&format!("{path}&actor=nobody")).await.expect(200)["count"], 0);
    assert_eq!(server.get(&format!("{path}&actor=test")).await.expect(200)["count"], 0, "that is who made the project");
    assert_eq!(server.get(&format!("{path}&actor=ADMIN")).await.expect(200)["count"], 1);
    for scope in [format!("projects/{}", project.id), "organisations/1".to_owned()] {
        assert!(server.get(&format!("{scope}/audit/?search=banner")).await.expect(200)["count"].as_u64() > Some(0));
    }
}

#[tokio::test]
async fn the_audit_log_refuses_what_makes_no_sense_and_who_may_not_look() {
    let server = TestServer::start().await;
    let project = server.project("p").await;
    let expected = json!({ "project": ["A valid integer is required."] });
    assert_eq!(server.get("audit/?project=abc").await.told(), (400, expected));
    assert_eq!(server.get("audit/?page=999").await.told(), (404, json!({ "detail": "Invalid page." })));
    server.get("audit/99999999999/").await.expect(404);
    let stranger = server.limited("stranger", Permissions::default()).await;
    stranger.get(&format!("projects/{}/audit/", project.id)).await.expect(403);
}
