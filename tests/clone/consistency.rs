//! A clone is a consistent cut of its source, whatever happens to the source, the project or the clone meanwhile.

use offshoot::commands::{CommandContext, NewFeature};
use offshoot_aggregates::Actor;
use offshoot_aggregates::environment::{Allocation, EnvironmentRef, FeatureValue, StateChange};
use offshoot_aggregates::ids::{EnvironmentId, FeatureId};
use offshoot_aggregates::project::ProjectCommand;
use offshoot_projections::feature_states;
use serde_json::json;

use crate::support::builders::TestProject;
use crate::support::gated_log::Gate;
use crate::support::sample::sample_states;
use crate::support::server::TestServer;

fn context() -> CommandContext {
    CommandContext::new(Actor::operator("test"))
}

/// The features of a project, in order.
async fn features(server: &TestServer, project: TestProject) -> Vec<FeatureId> {
    let project = server.commands().load_project(project.uuid).await.unwrap().aggregate;
    project.features().keys().copied().collect()
}

async fn state(
    server: &TestServer,
    environment: EnvironmentId,
    feature: FeatureId,
) -> Option<feature_states::FeatureStateView> {
    let query = move |file: &_| feature_states::default_states_of(file, environment, &[feature]);
    server.server().node().read_models.feature_states.query(query).await.unwrap().remove(&feature)
}

async fn set(server: &TestServer, environment: &EnvironmentRef, feature: FeatureId, change: StateChange) {
    let commands = server.commands();
    let changed = commands.set_feature_state(&context(), environment.uuid, feature, change).await.unwrap();
    server.settle(changed.position).await;
}

/// A server whose clones wait, a source of 1,200 features, and a clone that has one of its three batches.
async fn half_copied() -> (TestServer, Gate, TestProject, EnvironmentRef, super::observed::Requested) {
    let gate = Gate::closed();
    let server = TestServer::start_on(|log| gate.before(log)).await;
    let (project, source) = server.sample(1_200).await;
    let clone = server.clone_async(&source, "copy").await;
    gate.let_through(1);
    server.wait_for_clone(&clone, |status| status["batches_copied"] == 1).await;
    (server, gate, project, source, clone)
}

#[tokio::test]
async fn what_changes_in_the_source_after_the_request_is_not_in_the_clone() {
    let (server, gate, project, source, clone) = half_copied().await;
    let before = server.digest(source.id).await;
    let all = features(&server, project).await;
    // One that was copied already, one that was not, and the shares of a multivariate one that was not.
    for feature in [all[0], all[1_100]] {
        let change = StateChange {
            enabled: Some(feature == all[0]),
            value: Some(FeatureValue::text(Some("changed"))),
            multivariate: None,
        };
        set(&server, &source, feature, change).await;
    }
    let multivariate = all[1_101];
    let loaded = server.commands().load_project(project.uuid).await.unwrap().aggregate;
    let option = loaded.features()[&multivariate].definition.options[0].id;
    let shares = vec![Allocation { option, percentage: 70.0 }];
    set(&server, &source, multivariate, StateChange { multivariate: Some(shares), ..StateChange::default() }).await;
    assert_ne!(server.digest(source.id).await, before);
    gate.open();
    server.wait_until_complete(&clone).await;
    assert_eq!(server.digest(clone.id).await, before, "the clone is not the source as of the request");
}

#[tokio::test]
async fn a_half_copied_environment_is_neither_served_nor_edited() {
    let (server, gate, project, _, clone) = half_copied().await;
    let environment = server.get(&format!("environments/{}/", clone.key)).await.expect(200);
    assert_eq!(environment["is_creating"], true);
    for path in [
        format!("environments/{}/featurestates/", clone.key),
        format!("features/featurestates/?environment={}", clone.id),
        format!("projects/{}/features/?environment={}", project.id, clone.id),
    ] {
        let reply = server.get(&path).await;
        assert_eq!((reply.status, reply.header("retry-after")), (503, "1"), "{path}: {}", reply.body);
    }
    let feature = features(&server, project).await[0];
    let id = state(&server, clone.id, feature).await.map(|state| state.id);
    if let Some(id) = id {
        let path = format!("environments/{}/featurestates/{id}/", clone.key);
        let reply = server.put(&path, json!({ "enabled": true })).await.expect(409);
        assert_eq!(reply["code"], "environment_is_creating");
    }
    gate.open();
    server.wait_until_complete(&clone).await;
    let list = server.get(&format!("environments/{}/featurestates/?page_size=1", clone.key)).await.expect(200);
    assert_eq!(list["count"], 1_200);
}

#[tokio::test]
async fn settings_edited_before_the_copy_is_complete_survive_it() {
    let (server, gate, _, _, clone) = half_copied().await;
    // The second batch is on its way; the copy stops at the third, and goes on after the settings were edited.
    gate.fail(u32::MAX);
    gate.let_through(1);
    server.wait_for_clone(&clone, |status| status["status"] == "failed").await;
    let path = format!("environments/{}/", clone.key);
    let edited = json!({ "name": "renamed", "description": "edited meanwhile", "banner_text": "b" });
    server.patch(&path, edited).await.expect(200);
    gate.fail(0);
    gate.open();
    server.post(&format!("{path}clone/retry/"), json!({})).await.expect(202);
    server.wait_until_complete(&clone).await;
    let environment = server.get(&path).await.expect(200);
    assert_eq!(environment["name"], "renamed");
    assert_eq!(environment["description"], "edited meanwhile");
    assert_eq!((&environment["banner_text"], &environment["is_creating"]), (&json!("b"), &json!(false)));
}

#[tokio::test]
async fn a_feature_deleted_during_the_copy_is_not_shown_by_the_clone() {
    let (server, gate, project, _, clone) = half_copied().await;
    let all = features(&server, project).await;
    let deleted = [all[0], all[1_100]];
    for feature in deleted {
        let command = ProjectCommand::DeleteFeature { feature };
        server.commands().project(&context(), project.uuid, command).await.unwrap();
    }
    gate.open();
    server.wait_until_complete(&clone).await;
    for feature in deleted {
        assert!(state(&server, clone.id, feature).await.is_none(), "the clone shows a deleted feature");
    }
    // Both features had an override too.
    assert_eq!(server.count(clone.id).await, sample_states(1_200) - 4);
}

#[tokio::test]
async fn a_feature_created_during_the_copy_is_in_the_clone_with_its_defaults() {
    let (server, gate, project, source, clone) = half_copied().await;
    let new = NewFeature {
        name: "newcomer".to_owned(),
        default_enabled: true,
        initial_value: Some("42".to_owned()),
        ..NewFeature::default()
    };
    let feature = server.feature_like(project, new).await;
    gate.open();
    server.wait_until_complete(&clone).await;
    let in_clone = state(&server, clone.id, feature).await.unwrap();
    assert!(in_clone.content.enabled);
    assert_eq!(in_clone.content.value, FeatureValue::integer(42));
    assert_ne!(in_clone.id, state(&server, source.id, feature).await.unwrap().id);
    assert_eq!(server.count(clone.id).await, sample_states(1_200) + 1);
}

#[tokio::test]
async fn the_time_of_the_last_change_never_goes_back() {
    let (server, gate, project, _, clone) = half_copied().await;
    let feature = features(&server, project).await[0];
    let updated = async |server: &TestServer| {
        let query = {
            let key = clone.key.clone();
            move |file: &_| offshoot_projections::environment_status::environment_by_key(file, &key)
        };
        let status = &server.server().node().read_models.environment_status;
        status.query(query).await.unwrap().unwrap().updated_at
    };
    let during = updated(&server).await;
    gate.open();
    server.wait_until_complete(&clone).await;
    let after = updated(&server).await;
    assert!(after > during);
    assert!(state(&server, clone.id, feature).await.unwrap().updated_at <= after);
}

#[tokio::test]
async fn a_clone_can_be_taken_from_any_moment_of_the_past() {
    let server = TestServer::start().await;
    let (project, source) = server.sample(300).await;
    let all = features(&server, project).await;
    let past = server.commands().log().head().await.unwrap();
    let as_it_was = server.digest(source.id).await;
    let time = server.commands().log().time_at(past).await.unwrap().unwrap();
    let change = StateChange { value: Some(FeatureValue::text(Some("later"))), ..StateChange::default() };
    set(&server, &source, all[7], change).await;
    let command = ProjectCommand::DeleteFeature { feature: all[9] };
    server.commands().project(&context(), project.uuid, command).await.unwrap();
    for (name, as_of) in [("by position", json!(past.0)), ("by time", json!(time.to_string()))] {
        let body = json!({ "name": name, "clone_feature_states_async": true, "as_of": as_of });
        let clone = server.clone_like(&source, body).await;
        let status = server.wait_until_complete(&clone).await;
        assert_eq!(status["as_of"]["position"], past.0);
        assert_ne!(server.digest(clone.id).await, as_it_was, "a feature that is deleted now is not shown");
        assert_eq!(server.count(clone.id).await, sample_states(300) - 1);
        let value = state(&server, clone.id, all[7]).await.unwrap().content.value;
        assert_eq!(value, FeatureValue::text(Some("value-7")));
    }
}

#[tokio::test]
async fn the_same_users_stay_in_the_same_variants() {
    let server = TestServer::start().await;
    let (project, source) = server.sample(50).await;
    let clone = server.clone_async(&source, "copy").await;
    server.wait_until_complete(&clone).await;
    for feature in features(&server, project).await {
        let (of_source, of_clone) = (state(&server, source.id, feature).await, state(&server, clone.id, feature).await);
        let (of_source, of_clone) = (of_source.unwrap(), of_clone.unwrap());
        assert_eq!(of_source.content.seed, of_clone.content.seed);
        assert_ne!(of_source.id, of_clone.id);
    }
}
