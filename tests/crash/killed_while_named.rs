//! A project that is being made when the server dies: either it is there, or its name is free for everyone.

use std::path::Path;

use offshoot_aggregates::Position;
use serde_json::json;

use crate::crash::api::Api;
use crate::crash::verdict;
use crate::support::prepared::{ADMIN_KEY, PATIENCE};
use crate::support::process::{ServerProcess, offshoot};

const NAME: &str = "Shop";

#[tokio::test]
async fn the_name_of_a_project_whose_server_was_killed_is_the_projects_or_free() {
    let (mut made, mut freed) = (0, 0);
    for point in ["before-commit", "after-commit"] {
        let mut killed = 0;
        loop {
            let directory = tempfile::tempdir().unwrap();
            let first = start(directory.path(), None);
            first.address().expect("it serves");
            assert!(first.terminate().status.success());
            let server = start(directory.path(), Some(&format!("{point}:{}", killed + 1)));
            if make(&server).await == Some(201) {
                break;
            }
            assert!(server.wait().was_killed());
            killed += 1;
            let is_made = leave_alone(directory.path()).await;
            *(if is_made { &mut made } else { &mut freed }) += 1;
            let again = make(&start(directory.path(), None)).await;
            assert_eq!(again, Some(if is_made { 400 } else { 201 }), "{point}:{killed}");
        }
        // An id, the name, the project.
        assert!(killed >= 3, "killed only {killed} times {point}");
    }
    assert!(made >= 1 && freed >= 3, "{made} made, {freed} freed");
}

fn start(directory: &Path, fault_point: Option<&str>) -> ServerProcess {
    let mut command = offshoot();
    command.env("OFFSHOOT_ADMIN_KEY", ADMIN_KEY);
    ServerProcess::spawn_with(command, directory, fault_point)
}

/// Makes the project. The status of the answer; nothing if the server died before.
async fn make(server: &ServerProcess) -> Option<u16> {
    let api = Api::at(server.address().expect("it serves"));
    let body = json!({ "name": NAME, "organisation": 1 });
    api.post_json("/api/v1/projects/", &body).await.ok().map(|answer| answer.status)
}

/// Lets a node be with the data until the project is there, or its name free. Whether it is there.
async fn leave_alone(directory: &Path) -> bool {
    let node = verdict::start(directory).await;
    let (organisation, _) = node.commands.first_organisation().await.unwrap().unwrap();
    let mut hint = node.commands.log().watch();
    let is_made = loop {
        assert!(*hint.borrow_and_update() > Position::START);
        let organisation = node.commands.load_organisation(organisation).await.unwrap().aggregate;
        let Some(project) = organisation.projects().holder(NAME) else { break false };
        if node.commands.load_project(project).await.unwrap().aggregate.exists() {
            break true;
        }
        tokio::time::timeout(PATIENCE, hint.changed()).await.expect("the name is freed").unwrap();
    };
    node.stop().await;
    is_made
}
