//! Backups are made while nodes work, and what comes back from one is the log as it was then: read models are built from it and say
//! the same.

use std::path::Path;

use offshoot_projections::digest::digest;
use serde_json::json;
use uuid::Uuid;

use crate::crash::verdict;
use crate::double::process::Double;
use crate::support::postgres::TestDatabase;
use crate::support::postgres_server::client;
use crate::support::process::{Ended, offshoot};
use crate::support::server::TestServer;
use crate::support::store::share;

fn run(arguments: &[&str]) -> Ended {
    let mut command = offshoot();
    command.args(arguments);
    Ended::of(command)
}

/// What a server's read models say.
async fn digests(server: &TestServer) -> Vec<(&'static str, Uuid)> {
    let mut digests = Vec::new();
    server.settle(server.head().await).await;
    for read_model in server.server().node().read_models.all() {
        digests.push((read_model.name(), read_model.query(digest).await.unwrap()));
    }
    digests
}

/// The same of a node that finds nothing but the log in its directory.
async fn digests_of_restored(directory: &Path) -> Vec<(&'static str, Uuid)> {
    let node = verdict::start(directory).await;
    let mut digests = Vec::new();
    for read_model in node.read_models.all() {
        assert_eq!(read_model.status().await.unwrap().parked, []);
        digests.push((read_model.name(), read_model.query(digest).await.unwrap()));
    }
    node.stop().await;
    digests
}

async fn texts_of(directory: &Path) -> Vec<String> {
    verdict::events_in(directory).await.iter().map(|event| format!("{event:?}")).collect()
}

/// A backup while the server takes changes, and one when it has rested; both are brought back into both stores.
async fn drill(server: TestServer, store: &str, directory: &Path) {
    let (project, source) = server.sample(600).await;
    let backups = tempfile::tempdir().unwrap();
    let (early, late) = (backups.path().join("early.sqlite"), backups.path().join("late.sqlite"));
    let (early, late) = (early.to_str().unwrap(), late.to_str().unwrap());
    let path = format!("projects/{}/features/", project.id);
    let changes = async {
        for number in 0..60 {
            server.post(&path, json!({ "name": format!("meanwhile_{number}") })).await.expect(201);
        }
    };
    let back_up = tokio::task::spawn_blocking({
        let (store, early) = (store.to_owned(), early.to_owned());
        move || run(&["backup", "--store", &store, "--to", &early])
    });
    let ((), first) = tokio::join!(changes, async { back_up.await.unwrap() });
    assert!(first.status.success(), "{first:?}");
    let clone = server.clone_async(&source, "copy").await;
    server.wait_until_complete(&clone).await;
    let second = run(&["backup", "--store", store, "--to", late]);
    assert!(second.status.success(), "{second:?}");
    // It is never written over.
    let again = run(&["backup", "--store", store, "--to", late]);
    assert_eq!(again.status.code(), Some(1), "{again:?}");
    let before = digests(&server).await;
    let _kept = server.stop().await;
    let all = texts_of(directory).await;

    for is_postgres in [false, true] {
        let (restored, database) = (tempfile::tempdir().unwrap(), TestDatabase::new());
        let to = if is_postgres {
            share(restored.path(), &database.url());
            database.url()
        } else {
            format!("sqlite:{}", restored.path().join("events.sqlite").display())
        };
        let brought_back = run(&["restore", "--from", late, "--store", &to]);
        assert!(brought_back.status.success(), "{brought_back:?}");
        assert_eq!(texts_of(restored.path()).await, all);
        assert_eq!(digests_of_restored(restored.path()).await, before);
        let again = run(&["restore", "--from", late, "--store", &to]);
        assert!(again.stderr.contains("not empty"), "{again:?}");
    }
    // The early one is the beginning of the log, without a hole, and whole.
    let restored = tempfile::tempdir().unwrap();
    let to = format!("sqlite:{}", restored.path().join("events.sqlite").display());
    let brought_back = run(&["restore", "--from", early, "--store", &to]);
    assert!(brought_back.status.success(), "{brought_back:?}");
    let beginning = texts_of(restored.path()).await;
    assert!(beginning.len() < all.len());
    assert_eq!(beginning, all[..beginning.len()]);
    digests_of_restored(restored.path()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_brought_back_from_a_backup_of_a_file_is_what_was_there() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().to_owned();
    let store = format!("sqlite:{}", path.join("events.sqlite").display());
    drill(TestServer::start_at(directory).await, &store, &path).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_brought_back_from_a_backup_of_postgresql_is_what_was_there() {
    let (database, directory) = (TestDatabase::new(), tempfile::tempdir().unwrap());
    share(directory.path(), &database.url());
    drill(TestServer::start_node(&database.url()).await, &database.url(), directory.path()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_brought_back_from_a_backup_of_the_double_of_kurrentdb_is_what_was_there() {
    let (double, directory) = (Double::new(), tempfile::tempdir().unwrap());
    share(directory.path(), &double.url());
    drill(TestServer::start_node(&double.url()).await, &double.url(), directory.path()).await;
    // Only KurrentDB's own kind of backup, a copy of its files, goes back there.
    let (backups, empty) = (tempfile::tempdir().unwrap(), Double::new());
    let backup = backups.path().join("backup.sqlite").display().to_string();
    assert!(run(&["backup", "--store", &double.url(), "--to", &backup]).status.success());
    let nothing = empty.records().len();
    let refused = run(&["restore", "--from", &backup, "--store", &empty.url()]);
    assert_eq!((refused.status.code(), empty.records().len()), (Some(1), nothing), "{refused:?}");
    let server = TestServer::start_node(&double.url()).await;
    let before = digests(&server).await;
    let copy = double.copy();
    let other = TestServer::start_node(&copy.url()).await;
    assert_eq!(digests(&other).await, before);
    let head = other.head().await;
    other.project("after").await;
    assert!(other.head().await > head, "positions go on");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dump_of_postgresqls_own_kind_brings_back_a_log_that_goes_on() {
    let (database, restored) = (TestDatabase::new(), TestDatabase::new());
    let server = TestServer::start_node(&database.url()).await;
    server.sample(100).await;
    let before = digests(&server).await;
    let dump = tempfile::NamedTempFile::new().unwrap();
    let mut dumping = client("pg_dump", TestDatabase::port());
    dumping.args(["--schema=offshoot", "--file"]).arg(dump.path()).arg(database.name());
    assert!(dumping.status().unwrap().success());
    let mut restoring = client("psql", TestDatabase::port());
    restoring.args(["--quiet", "--set=ON_ERROR_STOP=1", "--output=/dev/null", "--dbname", restored.name(), "--file"]);
    assert!(restoring.arg(dump.path()).status().unwrap().success());
    let other = TestServer::start_node(&restored.url()).await;
    assert_eq!(digests(&other).await, before);
    let head = other.head().await;
    other.project("after").await;
    assert!(other.head().await > head, "positions go on");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn read_models_that_are_ahead_of_a_log_from_a_backup_are_built_anew() {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("events.sqlite");
    let store = format!("sqlite:{}", log.display());
    let kept = directory.path().join("kept.sqlite");
    let path = directory.path().to_owned();
    let server = TestServer::start_at(directory).await;
    server.project("kept").await;
    let before = digests(&server).await;
    let backed_up = run(&["backup", "--store", &store, "--to", kept.to_str().unwrap()]);
    assert!(backed_up.status.success(), "{backed_up:?}");
    server.project("lost").await;
    server.settle(server.head().await).await;
    let directory = server.stop().await;
    for suffix in ["", "-wal", "-shm"] {
        // What SQLite put beside the file may be gone.
        let _ = std::fs::remove_file(format!("{}{suffix}", log.display()));
    }
    let brought_back = run(&["restore", "--from", kept.to_str().unwrap(), "--store", &store]);
    assert!(brought_back.status.success(), "{brought_back:?}");
    assert_eq!(digests_of_restored(&path).await, before);
    drop(directory);
}
