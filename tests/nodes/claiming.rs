//! Who copies which clone.

use std::ops::ControlFlow;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use offshoot::config::WorkerConfig;
use offshoot::event_feed::EventFeed;
use offshoot::event_log::{
    Append, AppendError, Appended, DirectoryLock, EventLog, PostgresEventLog, PostgresUrl, ReadError, Written,
};
use offshoot::node::Node;
use offshoot_aggregates::{Position, RecordedEvent, StreamId, Version};
use tokio::sync::watch;
use uuid::Uuid;

use crate::crash::api::{Api, Followed};
use crate::crash::verdict;
use crate::support::postgres::TestDatabase;
use crate::support::prepared::{PATIENCE, Prepared, request_clones};
use crate::support::process::ServerProcess;
use crate::support::store::share;

#[tokio::test]
async fn a_claim_is_one_nodes_until_it_lets_go_or_its_session_ends() {
    let database = TestDatabase::new();
    let url = PostgresUrl::new(&database.url()).unwrap();
    let (one, other) = (PostgresEventLog::open(&url).await.unwrap(), PostgresEventLog::open(&url).await.unwrap());
    let work = Uuid::new_v4();
    let held = one.claim(work).await.unwrap().expect("nobody has it");
    assert!(one.claim(work).await.unwrap().is_none() && other.claim(work).await.unwrap().is_none());
    let another = other.claim(Uuid::new_v4()).await.unwrap().expect("that is other work");
    drop(held);
    let mut held = other.claim(work).await.unwrap();
    while held.is_none() {
        // Letting go takes a moment.
        held = other.claim(work).await.unwrap();
    }
    database.break_connections();
    let mut taken_over = one.claim(work).await;
    while !matches!(taken_over, Ok(Some(_))) {
        taken_over = one.claim(work).await;
    }
    let noticed = async {
        while !(held.as_ref().unwrap().is_lost() && another.is_lost()) {
            let _ = other.claim(Uuid::new_v4()).await;
        }
    };
    tokio::time::timeout(PATIENCE, noticed).await.expect("it does not notice");
}

/// Data on PostgreSQL, with clones that were requested.
async fn prepared_clones(
    database: &TestDatabase,
    names: &[&str],
) -> (Prepared, Vec<crate::support::prepared::RequestedClone>) {
    let prepared = Prepared::on(10_000, Some(&database.url())).await;
    let clones = request_clones(prepared.directory(), &prepared.source, names).await;
    (prepared, clones)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_nodes_clones_are_taken_over_by_one_that_lives() {
    let database = TestDatabase::new();
    let (prepared, clones) = prepared_clones(&database, &["One", "Two"]).await;
    let (dying, living) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    share(dying.path(), &database.url());
    share(living.path(), &database.url());
    let dying_node = ServerProcess::spawn(dying.path());
    let api = Api::at(dying_node.address().expect("it serves"));
    let begun = |status: &serde_json::Value| {
        if status["batches_copied"].as_u64() > Some(0) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    assert_ne!(api.follow(&clones[0].environment.api_key, clones[0].position, begun).await, Followed::BrokenOff);
    let living_node = ServerProcess::spawn(living.path());
    let api = Api::at(living_node.address().expect("it serves"));
    dying_node.kill();
    let killed = std::time::Instant::now();
    for clone in &clones {
        let followed = api.follow(&clone.environment.api_key, clone.position, |_| ControlFlow::Continue(())).await;
        assert_eq!(followed, Followed::Completed);
    }
    println!("complete {:?} after the other node was killed", killed.elapsed());
    assert!(living_node.terminate().status.success());
    verdict::check(living.path(), &prepared, &clones).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clones_that_one_node_is_asked_for_are_copied_by_all() {
    let database = TestDatabase::new();
    let prepared = Prepared::on(5_000, Some(&database.url())).await;
    let directories = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let nodes = directories.each_ref().map(|directory| {
        share(directory.path(), &database.url());
        let node = ServerProcess::spawn(directory.path());
        let api = Api::at(node.address().expect("it serves"));
        (node, api)
    });
    let asked = &nodes[0].1;
    let mut clones = Vec::new();
    for number in 0..12 {
        let (name, key) = (format!("clone {number}"), format!("request-{number}"));
        let answer = asked.clone_async(&prepared.source.api_key, &name, &key).await.unwrap();
        assert_eq!(answer.status, 200, "{answer:?}");
        clones.push((answer.body["api_key"].as_str().unwrap().to_owned(), answer.position.unwrap()));
    }
    for (clone, position) in &clones {
        let followed = asked.follow(clone, *position, |_| ControlFlow::Continue(())).await;
        assert_eq!(followed, Followed::Completed);
    }
    let copied = nodes.each_ref().map(|(_, api)| async {
        let metrics = api.get_text("/metrics").await.unwrap();
        let line = metrics.lines().find(|line| {
            line.starts_with("offshoot_clones_total") && line.contains("async") && line.contains("completed")
        });
        line.and_then(|line| line.rsplit(' ').next()?.parse::<u32>().ok()).unwrap_or(0)
    });
    let copied = futures_util::future::join_all(copied).await;
    assert_eq!(copied.iter().sum::<u32>(), 12, "{copied:?}");
    assert!(copied.iter().all(|copied| *copied >= 2), "one node did it all: {copied:?}");
    for (node, _) in nodes {
        assert!(node.terminate().status.success());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_that_both_believe_that_a_clone_is_theirs_do_no_harm() {
    let database = TestDatabase::new();
    let (prepared, clones) = prepared_clones(&database, &["One", "Two", "Three"]).await;
    let directories = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let start = async |directory: &std::path::Path| {
        let log = PostgresEventLog::open(&PostgresUrl::new(&database.url()).unwrap()).await.unwrap();
        let feed = EventFeed::new(Arc::new(Credulous(log))).await.unwrap();
        let lock = DirectoryLock::acquire(directory).unwrap();
        Node::start_on(feed, directory, &WorkerConfig::default(), lock).unwrap()
    };
    let (one, other) = tokio::join!(start(directories[0].path()), start(directories[1].path()));
    for clone in &clones {
        let is_copied = async {
            while !matches!(
                one.commands.load_environment(clone.environment.uuid).await.unwrap().aggregate.creation(),
                Some(creation) if creation.status == offshoot_aggregates::environment::CreationStatus::Completed
            ) {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, is_copied).await.expect("it is copied");
    }
    one.stop().await;
    other.stop().await;
    verdict::check(prepared.directory(), &prepared, &clones).await;
}

/// A log by which everyone has every claim.
struct Credulous(PostgresEventLog);

#[async_trait]
impl EventLog for Credulous {
    async fn append(&self, append: Append) -> Result<Appended, AppendError> {
        self.0.append(append).await
    }

    async fn read_stream(
        &self,
        stream: &StreamId,
        after: Version,
        limit: usize,
    ) -> Result<Vec<RecordedEvent>, ReadError> {
        self.0.read_stream(stream, after, limit).await
    }

    async fn read_all(&self, after: Position, limit: usize) -> Result<Vec<RecordedEvent>, ReadError> {
        self.0.read_all(after, limit).await
    }

    async fn head(&self) -> Result<Position, ReadError> {
        self.0.head().await
    }

    async fn version_at(&self, stream: &StreamId, position: Position) -> Result<Version, ReadError> {
        self.0.version_at(stream, position).await
    }

    async fn position_at(&self, time: Timestamp) -> Result<Position, ReadError> {
        self.0.position_at(time).await
    }

    async fn time_at(&self, position: Position) -> Result<Option<Timestamp>, ReadError> {
        self.0.time_at(position).await
    }

    async fn find_command(&self, command: Uuid) -> Result<Option<Appended>, ReadError> {
        self.0.find_command(command).await
    }

    fn watch(&self) -> watch::Receiver<Position> {
        self.0.watch()
    }

    fn store_name(&self) -> &'static str {
        self.0.store_name()
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn written(&self) -> Written {
        self.0.written()
    }

    async fn close(&self) {
        self.0.close().await;
    }
}
