//! Nodes that start while their store is away, as all do that are started again with it: they wait, and say so, once.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::path::Path;

use serde_json::Value;

use crate::crash::api::{Api, Followed};
use crate::crash::verdict;
use crate::double::process::Double;
use crate::support::client::Client;
use crate::support::postgres::TestDatabase;
use crate::support::postgres_server::{OwnServer, free_port};
use crate::support::prepared::{ADMIN_KEY, PATIENCE, Prepared, request_clones};
use crate::support::process::{Ended, ServerProcess, offshoot};
use crate::support::store::share;

/// What a node says that waits.
const WAITS: &str = "not ready: the start waits for the event log";

/// A node that was started, and listens.
struct Started {
    process: ServerProcess,
    address: SocketAddr,
    client: Client,
}

impl Started {
    async fn on(directory: &Path) -> Self {
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let mut command = offshoot();
        command.env("OFFSHOOT_CLONE_BATCH_PAUSE", "100ms");
        command.env("OFFSHOOT_ADMIN_KEY", ADMIN_KEY);
        let process = ServerProcess::spawn_at(address, command, directory, None);
        let client = Client::new(format!("http://{address}"), Some(ADMIN_KEY.to_owned()));
        let lives = async {
            while !client
                .request(reqwest::Method::GET, "/health/liveness/")
                .send()
                .await
                .is_ok_and(|answer| answer.status() == 200)
            {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, lives).await.expect("it does not listen");
        Self { process, address, client }
    }

    /// Follows a clone until some of it is copied, or to its end.
    async fn follow(
        &self,
        clone: &crate::support::prepared::RequestedClone,
        is_enough: fn(&Value) -> bool,
    ) -> Followed {
        let look = |status: &Value| if is_enough(status) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
        Api::at(self.address).follow(&clone.environment.api_key, clone.position, look).await
    }
}

/// The lines of the log that have this message.
fn lines(ended: &Ended, message: &str) -> usize {
    logged(ended).filter(|line| line["message"] == message).count()
}

fn logged(ended: &Ended) -> impl Iterator<Item = Value> {
    ended.stderr.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no line of the log: {line}")))
}

/// Starts a node whose store is away, and one that is told to stop before it is there.
async fn waits_for(url: &str, bring_back: impl FnOnce()) {
    let (directory, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    share(directory.path(), url);
    share(other.path(), url);
    let (mut node, impatient) = (Started::on(directory.path()).await, Started::on(other.path()).await);
    for path in ["/health/readiness/", "/health", "projects/", "flags/", "/"] {
        let reply = node.client.get(path).await;
        assert_eq!((reply.status, &reply.body["code"]), (503, &Value::from("starting")), "{path}: {reply:?}");
        assert!(reply.headers.contains_key("retry-after"), "{path}: {reply:?}");
    }
    node.client.get("/version/").await.expect(200);
    impatient.process.has_said(WAITS);
    let ended = impatient.process.terminate();
    assert!(ended.status.success(), "{ended:?}");
    assert_eq!((lines(&ended, "serving"), lines(&ended, "stopped")), (0, 1), "{ended:?}");
    assert!(!node.process.has_ended());
    node.process.has_said(WAITS);

    bring_back();
    assert_eq!(node.process.address(), Some(node.address));
    let is_ready = async { while node.client.get("/health/readiness/?format=json").await.status != 200 {} };
    tokio::time::timeout(PATIENCE, is_ready).await.expect("it is not ready");
    node.client.get("projects/").await.expect(200);
    let ended = node.process.terminate();
    assert!(ended.status.success(), "{ended:?}");
    for message in [WAITS, "the event log can be reached"] {
        assert_eq!(lines(&ended, message), 1, "{ended:?}");
    }
    let complaints: Vec<_> = logged(&ended).filter(|line| line["level"] != "INFO").collect();
    assert_eq!(complaints.len(), 1, "{complaints:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_waits_for_a_postgresql_that_is_not_there_yet() {
    let store = OwnServer::start();
    store.stop();
    waits_for(&store.url(), || store.start_again()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_waits_for_a_double_of_kurrentdb_that_is_not_there_yet() {
    let mut double = Double::new();
    double.kill();
    waits_for(&double.url(), || double.start_again()).await;
}

#[test]
fn a_node_waits_for_nothing_that_waiting_does_not_help() {
    let port = TestDatabase::port();
    for (url, why) in [
        (format!("postgres://offshoot@127.0.0.1:{port}/no_such_database"), "3D000"),
        (format!("postgres://nobody_knows@127.0.0.1:{port}/postgres"), "28000"),
        (format!("postgres://offshoot@127.0.0.1:{port}/postgres?sslmode=require"), "TLS"),
        ("esdb://127.0.0.1:9?tls=true&tlsCaFile=/no/such/file".to_owned(), "/no/such/file"),
        ("esdb://somebody@127.0.0.1:9?tls=false".to_owned(), "password"),
    ] {
        let directory = tempfile::tempdir().unwrap();
        share(directory.path(), &url);
        let ended = ServerProcess::spawn(directory.path()).wait();
        assert_eq!(ended.status.code(), Some(1), "{ended:?}");
        assert!(ended.stderr.contains(why), "{url}: {ended:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_site_whose_nodes_and_store_are_all_started_again_goes_on_by_itself() {
    let store = OwnServer::start();
    let prepared = Prepared::on(5_000, Some(&store.url())).await;
    let clones = request_clones(prepared.directory(), &prepared.source, &["Copy"]).await;
    let other = tempfile::tempdir().unwrap();
    share(other.path(), &store.url());
    let before = [Started::on(prepared.directory()).await, Started::on(other.path()).await];
    let is_begun = |status: &Value| status["batches_copied"].as_u64() > Some(0);
    assert_eq!(before[0].follow(&clones[0], is_begun).await, Followed::Enough);
    store.stop();
    for node in before {
        node.process.kill();
    }
    let after = [Started::on(prepared.directory()).await, Started::on(other.path()).await];
    assert_eq!(after[0].client.get("projects/").await.status, 503);
    store.start_again();
    for node in &after {
        assert_eq!(node.process.address(), Some(node.address));
        assert_eq!(node.follow(&clones[0], |_| false).await, Followed::Completed);
    }
    for node in after {
        let ended = node.process.terminate();
        assert!(ended.status.success(), "{ended:?}");
    }
    verdict::check(prepared.directory(), &prepared, &clones).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_whose_store_goes_away_says_so_once_of_each_thing_that_waits() {
    let store = OwnServer::start();
    let prepared = Prepared::on(5_000, Some(&store.url())).await;
    let clones = request_clones(prepared.directory(), &prepared.source, &["Copy"]).await;
    let node = Started::on(prepared.directory()).await;
    let is_begun = |status: &Value| status["batches_copied"].as_u64() > Some(0);
    assert_eq!(node.follow(&clones[0], is_begun).await, Followed::Enough);
    store.stop();
    let api = Api::at(node.address);
    let retried = async {
        loop {
            let metrics = api.get_text("/metrics").await.unwrap();
            let count = metrics.lines().find_map(|line| line.strip_prefix("offshoot_clone_batch_retries_total "));
            if count.is_some_and(|count| count.parse::<u64>().unwrap() >= 6) {
                return;
            }
        }
    };
    tokio::time::timeout(PATIENCE, retried).await.expect("it does not try again");
    store.start_again();
    assert_eq!(node.follow(&clones[0], |_| false).await, Followed::Completed);
    let ended = node.process.terminate();
    for message in ["a clone waits for the event log", "the clone goes on"] {
        assert_eq!(lines(&ended, message), 1, "{ended:?}");
    }
    let mut said: HashMap<String, usize> = HashMap::new();
    for line in logged(&ended).filter(|line| line["level"] != "INFO") {
        *said.entry(format!("{} {}", line["message"], line["read_model"])).or_default() += 1;
    }
    assert!(said.values().all(|times| *times == 1), "said again and again: {said:#?}");
    verdict::check(prepared.directory(), &prepared, &clones).await;
}
