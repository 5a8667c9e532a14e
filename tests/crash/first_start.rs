//! A first start that is killed at any commit: the next one finishes it, and the key given opens the door.

use std::path::Path;

use crate::crash::api::Api;
use crate::support::prepared::ADMIN_KEY;
use crate::support::process::{ServerProcess, offshoot};

#[tokio::test]
async fn a_first_start_that_is_killed_is_finished_by_the_next_one() {
    for point in ["before-commit", "after-commit"] {
        let mut killed = 0;
        loop {
            let directory = tempfile::tempdir().unwrap();
            let server = start(directory.path(), Some(&format!("{point}:{}", killed + 1)));
            if let Some(address) = server.address() {
                assert_eq!(what_the_key_finds(address).await, 404);
                break;
            }
            assert!(server.wait().was_killed());
            killed += 1;
            let server = start(directory.path(), None);
            assert_eq!(what_the_key_finds(server.address().expect("it serves")).await, 404, "{point}:{killed}");
        }
        assert!(killed >= 3, "killed only {killed} times {point}");
    }
}

fn start(directory: &Path, fault_point: Option<&str>) -> ServerProcess {
    let mut command = offshoot();
    command.env("OFFSHOOT_ADMIN_KEY", ADMIN_KEY);
    ServerProcess::spawn_with(command, directory, fault_point)
}

/// 401 if the key is unknown; 404 if it is known, because there is no such environment.
async fn what_the_key_finds(address: std::net::SocketAddr) -> u16 {
    Api::at(address).get("/api/v1/environments/none/clone/").await.unwrap().status
}
