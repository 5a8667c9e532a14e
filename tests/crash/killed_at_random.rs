//! Clones whose server is killed from outside at random moments: while it starts, while it copies, at any instant of a batch.

use std::ops::ControlFlow;
use std::path::Path;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::crash::api::{Api, Followed};
use crate::crash::verdict;
use crate::support::prepared::{Prepared, RequestedClone, request_clones};
use crate::support::process::ServerProcess;

/// How often the servers are killed, all in all.
const KILLS: usize = 24;

#[tokio::test]
async fn clones_that_are_killed_at_random_moments_complete_by_themselves_and_are_whole() {
    let seed = std::env::var("OFFSHOOT_TEST_SEED").map_or_else(|_| rand::random(), |seed| seed.parse().unwrap());
    println!("OFFSHOOT_TEST_SEED={seed} chooses the same moments");
    let mut random = StdRng::seed_from_u64(seed);
    let prepared = Prepared::new(5_000).await;
    let mut killed = 0;
    while killed < KILLS {
        let directory = prepared.copy();
        let names = ["One", "Two", "Three"];
        let clones = request_clones(directory.path(), &prepared.source, &names).await;
        for clone in &clones {
            while killed < KILLS && kill_at_random(directory.path(), clone, &mut random).await {
                killed += 1;
            }
        }
        complete(directory.path(), &clones).await;
        verdict::check(directory.path(), &prepared, &clones).await;
    }
}

/// Starts the server and kills it. False if the clone was complete before its moment had come.
async fn kill_at_random(directory: &Path, clone: &RequestedClone, random: &mut StdRng) -> bool {
    // The moment is what is tested: nothing is waited for here.
    let moment = |random: &mut StdRng, most: u64| {
        std::thread::sleep(Duration::from_micros(random.random_range(0..most)));
    };
    let server = ServerProcess::spawn(directory);
    if random.random_ratio(1, 4) {
        moment(random, 400_000);
        server.kill();
        return true;
    }
    let address = server.address().expect("it serves");
    let (more, mut goal) = (random.random_range(0..3), None);
    let look = |status: &serde_json::Value| {
        let copied = status["batches_copied"].as_u64().unwrap();
        let is_reached = copied >= *goal.get_or_insert(copied + more);
        if is_reached && status["status"] == "creating" { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    match Api::at(address).follow(&clone.environment.api_key, clone.position, look).await {
        Followed::Enough => {
            moment(random, 20_000);
            server.kill();
            true
        }
        Followed::Completed => {
            assert!(server.terminate().status.success());
            false
        }
        Followed::BrokenOff => panic!("the server died by itself: {:?}", server.wait()),
    }
}

/// Starts the server and asks for nothing but whether the clones are complete.
pub async fn complete(directory: &Path, clones: &[RequestedClone]) {
    let server = ServerProcess::spawn(directory);
    let api = Api::at(server.address().expect("it serves"));
    for clone in clones {
        let followed = api.follow(&clone.environment.api_key, clone.position, |_| ControlFlow::Continue(())).await;
        assert_eq!(followed, Followed::Completed);
    }
    let ended = server.terminate();
    assert!(ended.status.success(), "{ended:?}");
}
