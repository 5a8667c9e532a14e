//! A server that dies between append and projection, within a projection's transaction before its checkpoint, or after it:
//! the read models are then what the log says, to the byte.

use std::collections::HashMap;
use std::path::Path;

use offshoot_aggregates::Position;
use uuid::Uuid;

use crate::crash::killed_at_random::complete;
use crate::crash::verdict::{self, events_in, read_model_files};
use crate::support::prepared::{Prepared, copy_of, request_clones};
use crate::support::process::{Ended, ServerProcess, offshoot};
use crate::support::store::store_option;

type Files = HashMap<String, (Position, Uuid)>;

#[tokio::test]
async fn what_a_projection_had_not_committed_when_it_was_killed_is_applied_again_from_the_log() {
    let prepared = Prepared::new(600).await;
    let requested = prepared.copy();
    // The log is ahead of the read models: they were not told.
    let clones = request_clones(requested.path(), &prepared.source, &["One", "Two"]).await;
    let before = read_model_files(requested.path());
    let moved = |after: &Files| after.iter().filter(|(name, file)| before[*name].0 < file.0).count();
    for (point, moves) in [("before-projection", false), ("before-checkpoint", false), ("after-projection", true)] {
        let directory = copy_of(requested.path());
        let ended = ServerProcess::spawn_armed(directory.path(), &format!("{point}:1")).wait();
        assert!(ended.was_killed(), "{point}: {ended:?}");
        let head = events_in(directory.path()).await.last().unwrap().position;
        let after = read_model_files(directory.path());
        assert!(after.values().any(|(position, _)| *position < head), "{point}");
        if moves {
            assert!(moved(&after) >= 1, "{point}: {before:?} {after:?}");
        } else {
            // Neither rows nor checkpoint.
            assert_eq!(after, before, "{point}");
        }
        complete(directory.path(), &clones).await;
        verdict::check(directory.path(), &prepared, &clones).await;
    }
}

#[tokio::test]
async fn read_models_whose_first_build_is_killed_are_built_by_the_next_start() {
    let prepared = Prepared::new(600).await;
    for point in ["before-projection", "before-checkpoint", "after-projection"] {
        let directory = prepared.copy();
        // Each of the five read models is built from one page of events, and the last one is not finished when it dies.
        for count in [1, 3, 5] {
            std::fs::remove_dir_all(directory.path().join("read-models")).unwrap();
            for count in [count, 1] {
                let ended = ServerProcess::spawn_armed(directory.path(), &format!("{point}:{count}")).wait();
                assert!(ended.was_killed(), "{point}:{count}: {ended:?}");
            }
        }
        verdict::check(directory.path(), &prepared, &[]).await;
        assert_eq!(read_model_files(directory.path()).len(), 5);
    }
}

#[tokio::test]
async fn a_read_model_whose_rebuild_is_killed_still_serves_as_it_was() {
    let prepared = Prepared::new(600).await;
    let directory = prepared.copy();
    let before = read_model_files(directory.path());
    for point in ["before-projection:2", "before-checkpoint:3", "after-projection:1", "after-projection:5"] {
        let ended = rebuild(directory.path(), point);
        assert!(ended.was_killed(), "{point}: {ended:?}");
    }
    verdict::check(directory.path(), &prepared, &[]).await;
    assert_eq!(read_model_files(directory.path()), before);
}

fn rebuild(directory: &Path, fault_point: &str) -> Ended {
    let mut command = offshoot();
    command.args(["projections", "--data-dir"]).arg(directory).args(store_option(directory)).arg("rebuild");
    command.env("OFFSHOOT_FAULT_POINT", fault_point);
    Ended::of(command)
}
