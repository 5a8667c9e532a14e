//! A disk that is full, and places that cannot be written: clear errors, no loss, and reads go on.
//!
//! The disk is made full by a limit on the size of the files that the server may write, which needs no rights: the kernel
//! refuses writes in the middle of a transaction, as it does when there is no room. That is the disk of the embedded store.

use std::path::Path;

use crate::crash::api::Api;
use crate::crash::killed_at_random::complete;
use crate::crash::verdict::{self, clones_in};
use crate::support::prepared::{Prepared, RequestedClone};
use crate::support::process::{Ended, ServerProcess, offshoot, offshoot_after};

/// Requests that are refused at the latest when the disk is full.
const REQUESTS_MAX: usize = 200;

#[tokio::test]
async fn on_a_full_disk_changes_are_refused_reads_go_on_and_what_was_acknowledged_stays() {
    let prepared = Prepared::new(5_000).await;
    let directory = prepared.copy();
    // In blocks of 512 bytes; the signal would end the process before it sees the refused write.
    let limited = offshoot_after("trap '' XFSZ; ulimit -f 1200");
    let server = ServerProcess::spawn_with(limited, directory.path(), None);
    let api = Api::at(server.address().expect("it serves"));
    let mut acknowledged = Vec::new();
    let refused = loop {
        let name = format!("clone-{}", acknowledged.len());
        let answer = api.clone_async(&prepared.source.api_key, &name, &name).await.unwrap();
        if answer.status != 200 {
            break answer;
        }
        assert!(answer.position.is_some(), "{answer:?}");
        acknowledged.push(answer);
        assert!(acknowledged.len() < REQUESTS_MAX, "the disk was not full");
    };
    assert_eq!(refused.status, 503, "{refused:?}");
    assert_eq!(refused.body["detail"], "The event log cannot take changes now. Nothing was changed; try again soon.");
    for answer in &acknowledged {
        let key = answer.body["api_key"].as_str().unwrap();
        let status = api.get(&format!("/api/v1/environments/{key}/clone/")).await.unwrap();
        assert_eq!(status.status, 200, "{status:?}");
    }
    let ended = server.terminate();
    assert!(ended.status.success(), "{ended:?}");

    // What was acknowledged is there, and nothing else.
    let clones = clones_in(directory.path()).await;
    let keys: Vec<_> = clones.iter().map(|clone| clone.environment.api_key.as_str()).collect();
    let acknowledged: Vec<_> = acknowledged.iter().map(|answer| answer.body["api_key"].as_str().unwrap()).collect();
    assert_eq!(keys, acknowledged);
    go_on(directory.path(), &prepared, &clones).await;
    let clones = clones_in(directory.path()).await;
    assert_eq!(clones.len(), acknowledged.len() + 1);
    complete(directory.path(), &clones).await;
    verdict::check(directory.path(), &prepared, &clones).await;
}

/// Starts the server with room on the disk: clones that were given up are retried, and the refused request is repeated.
async fn go_on(directory: &Path, prepared: &Prepared, clones: &[RequestedClone]) {
    let server = ServerProcess::spawn(directory);
    let api = Api::at(server.address().expect("it serves"));
    for clone in clones {
        let path = format!("/api/v1/environments/{}/clone/", clone.environment.api_key);
        if api.clone_status(&clone.environment.api_key, clone.position).await.unwrap().body["status"] == "failed" {
            assert_eq!(api.post(&format!("{path}retry/")).await.unwrap().status, 202);
        }
    }
    let name = format!("clone-{}", clones.len());
    let repeated = api.clone_async(&prepared.source.api_key, &name, &name).await.unwrap();
    assert_eq!(repeated.status, 200, "{repeated:?}");
    assert!(server.terminate().status.success());
}

#[test]
fn a_place_that_cannot_be_written_is_named_in_one_line() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    std::fs::write(&file, "not a directory").unwrap();
    // Root may write wherever permissions say that nobody may, but not these.
    for place in [file.as_path(), &file.join("below"), Path::new("/proc"), Path::new("/proc/below")] {
        let ended = ServerProcess::spawn(place).wait();
        assert_refused(&ended, place.to_str().unwrap());
    }
    let mut list = offshoot();
    list.arg("projections").args(["--store", "sqlite:/proc/below", "--data-dir"]).arg(directory.path()).arg("list");
    assert_refused(&Ended::of(list), "/proc/below");
}

#[test]
fn a_first_start_without_room_says_so_and_the_next_one_with_room_works() {
    let directory = tempfile::tempdir().unwrap();
    for blocks in [0, 8, 64, 128] {
        let limited = offshoot_after(&format!("trap '' XFSZ; ulimit -f {blocks}"));
        let server = ServerProcess::spawn_with(limited, directory.path(), None);
        if server.address().is_none() {
            assert_refused(&server.wait(), "cannot be ");
        }
    }
    assert!(ServerProcess::spawn(directory.path()).address().is_some());
}

/// It failed, and said in one line why; what still runs may log after it.
fn assert_refused(ended: &Ended, reason: &str) {
    assert_eq!(ended.status.code(), Some(1), "{ended:?}");
    let says_why = |line: &str| line.starts_with("offshoot: ") && line.contains(reason);
    assert!(ended.stderr.lines().any(says_why), "{ended:?}");
}
