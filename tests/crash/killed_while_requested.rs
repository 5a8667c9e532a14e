//! A request for a clone that dies with the server: either there is the clone, or its name is free; and whoever repeats the
//! request has exactly one clone.

use std::ops::ControlFlow;
use std::path::Path;

use offshoot_aggregates::environment::CreationStatus;

use crate::crash::api::{Api, Followed};
use crate::crash::verdict::{self, clones_in};
use crate::support::prepared::{PATIENCE, Prepared, copy_of};
use crate::support::process::{ServerProcess, offshoot};

const NAME: &str = "Requested";
const KEY: &str = "the-request";

#[tokio::test]
async fn a_request_that_is_killed_at_any_commit_is_done_or_undone_and_can_be_repeated() {
    let prepared = Prepared::new(600).await;
    for point in ["before-commit", "after-commit"] {
        let mut killed = 0;
        while let Some(crashed) = request_until_killed(&prepared, &format!("{point}:{}", killed + 1)).await {
            killed += 1;
            let left_alone = copy_of(crashed.path());
            request_again(crashed.path(), &prepared, KEY).await;

            let is_done = leave_alone(left_alone.path(), &prepared).await;
            // A free name is free for everyone, not only for who has the key.
            let key = if is_done || killed % 2 == 0 { KEY } else { "another-request" };
            request_again(left_alone.path(), &prepared, key).await;
        }
        // Ids of three kinds, the name, the environment itself.
        assert!(killed >= 5, "killed only {killed} times {point}");
    }
}

/// Requests a clone of a server that kills itself. The data as it leaves it, or nothing if it answered before.
async fn request_until_killed(prepared: &Prepared, fault_point: &str) -> Option<tempfile::TempDir> {
    let directory = prepared.copy();
    let server = ServerProcess::spawn_armed(directory.path(), fault_point);
    let api = Api::at(server.address().expect("it serves"));
    if api.clone_async(&prepared.source.api_key, NAME, KEY).await.is_ok() {
        return None;
    }
    let ended = server.wait();
    assert!(ended.was_killed(), "{ended:?}");
    Some(directory)
}

/// Starts the server, requests the clone, and checks that there is one and that it is whole.
async fn request_again(directory: &Path, prepared: &Prepared, key: &str) {
    let mut command = offshoot();
    // Nobody else works with the data, whether the store can know that or not.
    command.env("OFFSHOOT_FORGOTTEN_NAME_AGE", "0s");
    let server = ServerProcess::spawn_with(command, directory, None);
    let api = Api::at(server.address().expect("it serves"));
    let first = api.clone_async(&prepared.source.api_key, NAME, key).await.unwrap();
    assert_eq!(first.status, 200, "{first:?}");
    let second = api.clone_async(&prepared.source.api_key, NAME, key).await.unwrap();
    assert_eq!((second.status, &second.body), (200, &first.body));
    let (api_key, position) = (first.body["api_key"].as_str().unwrap(), first.position.unwrap());
    assert_eq!(api.follow(api_key, position, |_| ControlFlow::Continue(())).await, Followed::Completed);
    assert!(server.terminate().status.success());
    let clones = clones_in(directory).await;
    let names: Vec<_> = clones.iter().map(|clone| (&*clone.environment.name, &*clone.environment.api_key)).collect();
    assert_eq!(names, [(NAME, api_key)]);
    verdict::check(directory, prepared, &clones).await;
}

/// Lets a node be with the data until the clone is complete, or its name free. Whether it is complete.
async fn leave_alone(directory: &Path, prepared: &Prepared) -> bool {
    let node = verdict::start(directory).await;
    let source = node.commands.load_environment(prepared.source.uuid).await.unwrap().aggregate;
    let (project, _) = source.project().unwrap();
    let mut hint = node.commands.log().watch();
    let is_complete = loop {
        hint.borrow_and_update();
        let project = node.commands.load_project(project).await.unwrap().aggregate;
        let Some(holder) = project.environment_names().holder(NAME) else { break false };
        let clone = node.commands.load_environment(holder).await.unwrap().aggregate;
        if clone.creation().is_some_and(|creation| creation.status == CreationStatus::Completed) {
            break true;
        }
        tokio::time::timeout(PATIENCE, hint.changed()).await.expect("the name is freed").unwrap();
    };
    node.stop().await;
    is_complete
}
