//! Nodes that start at the same time.

use tokio::task::JoinSet;

use crate::support::postgres::{PASSWORD, SECURED_USER, TestDatabase};
use crate::support::process::{ServerProcess, offshoot};
use crate::support::server::TestServer;
use crate::support::store::share;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_that_start_at_once_on_an_empty_store_make_one_organisation_and_one_key() {
    let database = TestDatabase::new();
    let mut nodes = JoinSet::new();
    for _ in 0..10 {
        let url = database.url();
        nodes.spawn(async move { TestServer::start_node_with(&url, None).await });
    }
    let started = nodes.join_all().await;
    let keys: Vec<&String> = started.iter().filter_map(|(_, key)| key.as_ref()).collect();
    assert_eq!(keys.len(), 1, "each key that is shown must be one that opens the door");
    for (node, _) in &started {
        node.settle(started[0].0.head().await).await;
        let organisations = node.with_key(keys[0]).get("organisations/").await.expect(200);
        assert_eq!(organisations["count"], 1);
    }
}

#[test]
fn the_password_comes_from_a_file_or_the_environment_and_is_never_said() {
    let database = TestDatabase::new();
    let url = database.url_for(SECURED_USER);
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("password");
    std::fs::write(&file, format!("{PASSWORD}\n")).unwrap();
    let start = |variable: &str, value: &str| {
        let data = tempfile::tempdir().unwrap();
        share(data.path(), &url);
        let mut command = offshoot();
        command.env("OFFSHOOT_LOG", "trace").env_remove("PGPASSWORD").env(variable, value);
        let server = ServerProcess::spawn_with(command, data.path(), None);
        let serves = server.address().is_some();
        (serves, if serves { server.terminate() } else { server.wait() })
    };
    for (variable, value, is_right) in [
        ("PGPASSWORD", PASSWORD, true),
        ("OFFSHOOT_STORE_PASSWORD_FILE", file.to_str().unwrap(), true),
        ("PGPASSWORD", "wrong-password", false),
        ("OFFSHOOT_STORE_PASSWORD_FILE", "/none", false),
    ] {
        let (serves, ended) = start(variable, value);
        assert_eq!(serves, is_right, "{ended:?}");
        assert!(!ended.stderr.contains(PASSWORD) && !ended.stderr.contains("wrong-password"), "{ended:?}");
    }
}
