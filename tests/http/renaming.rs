//! Renaming environments and projects: whatever happens at the same time or in between, who has a name has it reserved.

use offshoot::commands::CommandContext;
use offshoot_aggregates::Actor;
use offshoot_aggregates::environment::{EnvironmentCommand, EnvironmentRef, EnvironmentSettings};
use offshoot_aggregates::project::ProjectCommand;
use offshoot_projections::environment_status;
use serde_json::json;

use crate::support::builders::TestProject;
use crate::support::server::TestServer;

fn context() -> CommandContext {
    CommandContext::new(Actor::operator("test"))
}

/// Renames an environment up to the moment before its old name is released: what a crash there leaves behind.
async fn rename_and_break_off(server: &TestServer, project: TestProject, environment: &EnvironmentRef, name: &str) {
    let (commands, uuid) = (server.commands(), environment.uuid);
    let reserve = ProjectCommand::ReserveEnvironmentRename { environment: uuid, name: name.to_owned() };
    commands.project(&context(), project.uuid, reserve).await.unwrap();
    let change = EnvironmentCommand::ChangeEnvironmentSettings {
        settings: EnvironmentSettings::named(name),
        settings_changes: 0,
    };
    let changed = commands.environment(&context(), uuid, change).await.unwrap();
    server.settle(changed.position).await;
}

#[tokio::test]
async fn a_name_that_is_taken_back_is_not_freed_by_who_found_it_forgotten() {
    let server = TestServer::start().await;
    let project = server.project("shop").await;
    let environment = server.environment(project, "a").await;
    rename_and_break_off(&server, project, &environment, "b").await;
    // Whoever frees forgotten names finds this one, and is slow.
    let query = |file: &_| environment_status::forgotten_names(file, jiff::Timestamp::MAX);
    let found = server.server().node().read_models.environment_status.query(query).await.unwrap();
    assert_eq!(found.iter().map(|found| found.name.as_str()).collect::<Vec<_>>(), ["a"]);
    // Meanwhile the environment is renamed back.
    let path = format!("environments/{}/", environment.api_key);
    assert_eq!(server.patch(&path, json!({ "name": "a" })).await.expect(200)["name"], "a");
    let forgotten = &found[0];
    let (uuid, reservation) = (forgotten.environment, forgotten.reservation);
    let release = ProjectCommand::ReleaseEnvironmentName { environment: uuid, name: "a".to_owned(), reservation };
    server.commands().project(&context(), forgotten.project, release).await.unwrap();

    let taken = server.post("environments/", json!({ "name": "a", "project": project.id })).await.expect(400);
    assert_eq!(taken, json!({ "non_field_errors": ["An environment with this name already exists."] }));
    // The name it had in between is free.
    server.post("environments/", json!({ "name": "b", "project": project.id })).await.expect(201);
}

#[tokio::test]
async fn a_forgotten_name_can_be_freed() {
    let server = TestServer::start().await;
    let project = server.project("shop").await;
    let environment = server.environment(project, "a").await;
    rename_and_break_off(&server, project, &environment, "b").await;
    server.post("environments/", json!({ "name": "a", "project": project.id })).await.expect(400);
    // A server that starts has no command in hand that could need the name.
    let server = server.restart().await;
    let names = async {
        loop {
            let loaded = server.commands().load_project(project.uuid).await.unwrap().aggregate;
            if loaded.environment_names().holder("a").is_none() {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(60), names).await.expect("the name is never freed");
    server.post("environments/", json!({ "name": "a", "project": project.id })).await.expect(201);
}

#[tokio::test]
async fn whoever_renames_an_environment_at_the_same_time_it_keeps_the_name_that_it_has() {
    let server = TestServer::start().await;
    let project = server.project("shop").await;
    let environment = server.environment(project, "a").await;
    let path = format!("environments/{}/", environment.api_key);
    for round in 0..10 {
        let renames = ["a", "b", "a", "c", "b"].map(|name| server.patch(&path, json!({ "name": name })));
        for reply in futures_util::future::join_all(renames).await {
            assert_eq!(reply.status, 200, "round {round}: {}", reply.body);
        }
        let loaded = server.commands().load_environment(environment.uuid).await.unwrap().aggregate;
        let name = loaded.settings().unwrap().name.clone();
        let loaded = server.commands().load_project(project.uuid).await.unwrap().aggregate;
        assert_eq!(loaded.environment_names().holder(&name), Some(environment.uuid), "round {round}: {name}");
    }
}

#[tokio::test]
async fn whoever_renames_a_project_at_the_same_time_it_keeps_the_name_that_it_has() {
    let server = TestServer::start().await;
    let project = server.project("a").await;
    let path = format!("projects/{}/", project.id);
    for round in 0..10 {
        let renames = ["a", "b", "a", "c", "b"].map(|name| server.patch(&path, json!({ "name": name })));
        for reply in futures_util::future::join_all(renames).await {
            assert_eq!(reply.status, 200, "round {round}: {}", reply.body);
        }
        let name =
            server.commands().load_project(project.uuid).await.unwrap().aggregate.settings().unwrap().name.clone();
        let (organisation, _) = server.organisation().await;
        let loaded = server.commands().load_organisation(organisation).await.unwrap().aggregate;
        assert_eq!(loaded.projects().holder(&name), Some(project.uuid), "round {round}: {name}");
    }
}

#[tokio::test]
async fn settings_that_are_changed_at_the_same_time_are_all_there() {
    let server = TestServer::start().await;
    let project = server.project("shop").await;
    let environment = server.environment(project, "a").await;
    let path = format!("environments/{}/", environment.api_key);
    for round in 0..10 {
        let bodies = [
            json!({ "name": format!("name {round}") }),
            json!({ "description": format!("description {round}") }),
            json!({ "banner_text": format!("banner {round}") }),
            json!({ "hide_disabled_flags": round % 2 == 0 }),
        ];
        let replies = futures_util::future::join_all(bodies.clone().map(|body| server.patch(&path, body))).await;
        assert!(replies.iter().all(|reply| reply.status == 200), "{replies:?}");
        let shown = server.get(&path).await.expect(200);
        for body in bodies {
            let (setting, value) = body.as_object().unwrap().iter().next().unwrap();
            assert_eq!(&shown[setting], value, "round {round}: {shown}");
        }
    }
}
