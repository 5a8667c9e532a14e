//! The answers to a request for a clone.

use offshoot::limits::SYNC_CLONE_FEATURE_STATES_MAX;
use offshoot_aggregates::permissions::{EnvironmentPermission, ProjectPermission};
use serde_json::json;

use crate::support::builders::Permissions;
use crate::support::client::keys;
use crate::support::gated_log::Gate;
use crate::support::sample::sample_states;
use crate::support::server::TestServer;

#[tokio::test]
async fn a_clone_is_answered_with_flagsmiths_four_members_and_where_to_look() {
    let server = TestServer::start().await;
    let (_, source) = server.sample(20).await;
    let body = json!({ "name": "copy", "clone_feature_states_async": true });
    let reply = server.post(&format!("environments/{}/clone/", source.api_key), body).await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.keys(), ["id", "name", "api_key", "project"]);
    let key = reply.body["api_key"].as_str().unwrap();
    assert_eq!(reply.header("location"), format!("/api/v1/environments/{key}/clone/"));
    assert!(reply.header("offshoot-position").parse::<u64>().unwrap() > 0);
}

#[tokio::test]
async fn a_synchronous_clone_is_complete_when_the_answer_arrives() {
    let server = TestServer::start().await;
    let (_, source) = server.sample(1_200).await;
    let clone = server.clone_like(&source, json!({ "name": "copy" })).await;
    let status = server.clone_status(&clone).await;
    assert_eq!((&status["status"], &status["mode"]), (&json!("completed"), &json!("sync")));
    assert_eq!(server.count(clone.id).await, sample_states(1_200));
    assert_eq!(server.digest(clone.id).await, server.digest(source.id).await);
}

#[tokio::test]
async fn the_status_of_a_clone_says_everything() {
    let server = TestServer::start().await;
    let (_, source) = server.sample(600).await;
    let clone = server.clone_async(&source, "copy").await;
    let status = server.wait_until_complete(&clone).await;
    let expected = [
        "status",
        "mode",
        "mode_reason",
        "source",
        "as_of",
        "feature_states_total",
        "feature_states_copied",
        "batches_total",
        "batches_copied",
        "attempts",
        "requested_at",
        "started_at",
        "updated_at",
        "completed_at",
        "estimated_remaining_ms",
        "error",
    ];
    assert_eq!(keys(&status), expected);
    assert_eq!(keys(&status["source"]), ["uuid", "name", "api_key"]);
    assert_eq!(status["feature_states_total"], sample_states(600));
    assert_eq!(status["feature_states_copied"], sample_states(600));
    assert_eq!((&status["batches_total"], &status["batches_copied"]), (&json!(2), &json!(2)));
    assert_eq!((&status["attempts"], &status["error"]), (&json!(1), &json!(null)));
    assert_eq!(status["estimated_remaining_ms"], 0);
    let order = ["requested_at", "started_at", "completed_at"].map(|time| status[time].as_str().unwrap());
    assert!(order.is_sorted(), "{order:?}");
}

#[tokio::test]
async fn what_is_no_clone_has_no_status() {
    let server = TestServer::start().await;
    let project = server.project("p").await;
    let environment = server.environment(project, "e").await;
    server.get(&format!("environments/{}/clone/", environment.api_key)).await.expect(404);
    server.get("environments/nope/clone/").await.expect(404);
}

#[tokio::test]
async fn a_request_that_is_wrong_is_told_which_field_and_creates_nothing() {
    let server = TestServer::start().await;
    let project = server.project("p").await;
    let source = server.environment(project, "e").await;
    let path = format!("environments/{}/clone/", source.api_key);
    let before = server.commands().log().head().await.unwrap();
    let cases = [
        (json!({}), json!({ "name": ["This field is required."] })),
        (json!({ "name": "" }), json!({ "name": ["This field may not be blank."] })),
        (json!({ "name": "a\u{0}b" }), json!({ "name": ["Null characters are not allowed."] })),
        (
            json!({ "name": "c", "clone_feature_states_async": "maybe" }),
            json!({ "clone_feature_states_async": ["Must be a valid boolean."] }),
        ),
        (
            json!({ "name": "x".repeat(2_001) }),
            json!({ "name": ["Ensure this field has no more than 2000 characters."] }),
        ),
        (
            json!({ "name": "c", "as_of": "yesterday" }),
            json!({ "as_of": ["Must be a log position or a time as in RFC 3339."] }),
        ),
        (json!({ "name": "c", "as_of": 1 }), json!({ "as_of": ["The environment did not exist at that moment."] })),
        (json!({ "name": "c", "as_of": 1_000_000 }), json!({ "as_of": ["That moment has not come yet."] })),
        (
            json!({ "name": "c", "as_of": "2100-01-01T00:00:00Z" }),
            json!({ "as_of": ["That moment has not come yet."] }),
        ),
    ];
    for (body, expected) in cases {
        assert_eq!(server.post(&path, body).await.told(), (400, expected));
    }
    assert_eq!(server.commands().log().head().await.unwrap(), before);
    let taken = json!({ "non_field_errors": ["An environment with this name already exists."] });
    assert_eq!(server.post(&path, json!({ "name": "e" })).await.told(), (400, taken));
}

#[tokio::test]
async fn a_caller_needs_to_see_the_source_and_to_be_allowed_to_create() {
    let server = TestServer::start().await;
    let project = server.project("p").await;
    let source = server.environment(project, "e").await;
    let path = format!("environments/{}/clone/", source.api_key);
    let create = [ProjectPermission::ViewProject, ProjectPermission::CreateEnvironment];
    let blind = server.limited("blind", Permissions::default().in_project(project, create)).await;
    blind.post(&path, json!({ "name": "copy" })).await.expect(403);
    let view = [EnvironmentPermission::ViewEnvironment];
    let viewer = server.limited("viewer", Permissions::default().in_environment(&source, view)).await;
    viewer.post(&path, json!({ "name": "copy" })).await.expect(403);
    let permissions = Permissions::default().in_project(project, create).in_environment(&source, view);
    let both = server.limited("both", permissions).await;
    both.post(&path, json!({ "name": "copy" })).await.expect(200);
    server.without_key().post(&path, json!({ "name": "another" })).await.expect(401);
}

#[tokio::test]
async fn the_permissions_of_the_source_come_along_and_the_caller_administers_the_clone() {
    let server = TestServer::start().await;
    let project = server.project("p").await;
    let source = server.environment(project, "e").await;
    let view = [EnvironmentPermission::ViewEnvironment];
    let viewer = server.limited("viewer", Permissions::default().in_environment(&source, view)).await;
    let create = [ProjectPermission::ViewProject, ProjectPermission::CreateEnvironment];
    let permissions = Permissions::default().in_project(project, create).in_environment(&source, view);
    let maker = server.limited("maker", permissions).await;
    let path = format!("environments/{}/clone/", source.api_key);
    let with = maker.post(&path, json!({ "name": "with" })).await.expect(200);
    let without = maker.post(&path, json!({ "name": "without", "clone_permissions": false })).await.expect(200);
    let clone_of = |answer: &serde_json::Value| format!("environments/{}/clone/", answer["api_key"].as_str().unwrap());
    viewer.get(&clone_of(&with)).await.expect(200);
    viewer.get(&clone_of(&without)).await.expect(403);
    for clone in [&with, &without] {
        maker.post(&format!("{}cancel/", clone_of(clone)), json!({})).await.expect(409);
    }
}

#[tokio::test]
async fn a_repeated_request_with_the_same_key_makes_one_clone() {
    let server = TestServer::start().await;
    let (_, source) = server.sample(20).await;
    let path = format!("environments/{}/clone/", source.api_key);
    let request = |name: &str| {
        let body = json!({ "name": name, "clone_feature_states_async": true });
        server.request(reqwest::Method::POST, &path).header("idempotency-key", "once").json(&body)
    };
    let first = server.send(request("copy")).await.expect(200);
    assert_eq!(server.send(request("copy")).await.expect(200), first);
    server.send(request("another")).await.expect(422);
}

#[tokio::test]
async fn a_source_that_is_being_created_cannot_be_cloned() {
    let gate = Gate::closed();
    let server = TestServer::start_on(|log| gate.before(log)).await;
    let (_, source) = server.sample(20).await;
    gate.fail(u32::MAX);
    let clone = server.clone_async(&source, "copy").await;
    server.wait_for_clone(&clone, |status| status["status"] == "failed").await;
    let path = format!("environments/{}/clone/", clone.key);
    let reply = server.post(&path, json!({ "name": "copy of the copy" })).await.expect(409);
    assert_eq!(reply["code"], "environment_is_creating");
    gate.fail(0);
    gate.open();
    server.post(&format!("{path}retry/"), json!({})).await.expect(202);
    server.wait_until_complete(&clone).await;
    server.post(&path, json!({ "name": "copy of the copy" })).await.expect(200);
}

#[tokio::test]
async fn a_synchronous_clone_that_is_too_big_is_told_to_be_asynchronous() {
    let server = TestServer::start().await;
    let features = usize::try_from(SYNC_CLONE_FEATURE_STATES_MAX).unwrap();
    let (_, source) = server.sample(features).await;
    let path = format!("environments/{}/clone/", source.api_key);
    let reply = server.post(&path, json!({ "name": "copy" })).await.expect(400);
    let text = reply["clone_feature_states_async"][0].as_str().unwrap();
    assert!(text.contains("at most 50000") && text.contains("send true"), "{text}");
    let clone = server.clone_async(&source, "copy").await;
    server.wait_until_complete(&clone).await;
    assert_eq!(server.count(clone.id).await, sample_states(features));
}
