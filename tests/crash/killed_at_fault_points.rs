//! A clone whose server kills itself around commits, batches and projections, again and again, until the clone is complete.

use std::ops::ControlFlow;
use std::path::Path;

use crate::crash::api::{Api, Followed};
use crate::crash::verdict;
use crate::support::prepared::{Prepared, RequestedClone, request_clones};
use crate::support::process::ServerProcess;

/// Far more starts than a clone takes that gets on.
const STARTS_MAX: usize = 100;

// How often a point is passed before the process dies there: each start gets a batch or two further, or none at all.

#[tokio::test]
async fn a_clone_that_is_killed_around_its_commits_completes_by_itself_and_is_whole() {
    let points: [(&str, &[usize]); 3] =
        [("before-commit", &[1, 2, 3]), ("after-commit", &[1, 2]), ("after-batch", &[1, 2])];
    assert!(kill_at(&points).await >= 20);
}

#[tokio::test]
async fn a_clone_that_is_killed_around_its_projections_completes_by_itself_and_is_whole() {
    let points: [(&str, &[usize]); 3] =
        [("before-projection", &[1, 6, 11]), ("before-checkpoint", &[1, 7, 12]), ("after-projection", &[2, 8, 13])];
    assert!(kill_at(&points).await >= 15);
}

/// Lets a clone die at each of these points until it is complete. Returns how often it died, all in all.
async fn kill_at(points: &[(&str, &[usize])]) -> usize {
    let prepared = Prepared::new(5_000).await;
    let mut killed = 0;
    for (point, counts) in points {
        let directory = prepared.copy();
        let clones = request_clones(directory.path(), &prepared.source, &[point]).await;
        let times = kill_until_complete(directory.path(), &clones[0], point, counts).await;
        println!("killed {times} times at {point}");
        killed += times;
        verdict::check(directory.path(), &prepared, &clones).await;
    }
    killed
}

/// Starts the server until it lives to see the clone complete. Returns how often it died.
async fn kill_until_complete(directory: &Path, clone: &RequestedClone, point: &str, counts: &[usize]) -> usize {
    for (killed, count) in counts.iter().cycle().take(STARTS_MAX).enumerate() {
        let server = ServerProcess::spawn_armed(directory, &format!("{point}:{count}"));
        let followed = match server.address() {
            Some(address) => {
                let api = Api::at(address);
                api.follow(&clone.environment.api_key, clone.position, |_| ControlFlow::Continue(())).await
            }
            None => Followed::BrokenOff,
        };
        // Its projections may kill it also after the clone is complete.
        let ended = if followed == Followed::Completed { server.terminate() } else { server.wait() };
        if !ended.was_killed() {
            assert!(ended.status.success() && followed == Followed::Completed, "{ended:?}");
            return killed;
        }
    }
    panic!("the clone does not get on past {point}");
}
