//! Three nodes on one store, of which one is killed every second while the store itself goes away and comes back: what was
//! acknowledged is there once, every clone completes, and all nodes say the same.

mod clients;
mod history;
mod machines;
#[cfg(feature = "fault-points")]
mod rolling;
mod shared_store;

use std::time::Duration;

use offshoot_aggregates::Position;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use self::clients::{Repeats, change_flags, request_clones};
use self::history::History;
use self::machines::Machines;
use self::shared_store::{KurrentDouble, PostgresServer, SharedStore};
use crate::crash::verdict;
use crate::support::prepared::Prepared;

/// How often the store is taken away.
const STORE_RESTARTS: [u64; 2] = [4, 9];

/// Seconds of trouble, at least.
const SECONDS: u64 = 12;

/// Clones that are requested meanwhile.
const CLONES: usize = 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_postgresql_nothing_is_lost_or_doubled_while_nodes_and_the_store_die() {
    survives(PostgresServer::start()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_the_double_of_kurrentdb_nothing_is_lost_or_doubled_while_nodes_and_the_store_die() {
    survives(KurrentDouble::start()).await;
}

async fn survives(store: impl SharedStore) {
    let seed = std::env::var("OFFSHOOT_TEST_SEED").map_or_else(|_| rand::random(), |seed| seed.parse().unwrap());
    println!("OFFSHOOT_TEST_SEED={seed} chooses the same nodes");
    // The feature without a state of its own in the source is one of the states of a clone.
    let prepared = Prepared::on(1_817, Some(&store.url())).await;
    let own = clients::environments(&prepared, 3).await;
    let machines = Machines::start(&store, 3).await;
    let history = History::default();
    let requests = async {
        let clones = request_clones(&machines, &prepared.source, CLONES, StdRng::seed_from_u64(seed)).await;
        clients::follow_to_the_end(&machines, &clones).await;
        history.end();
        clones
    };
    let repeats = [Repeats::Never, Repeats::Never, Repeats::WithItsKey];
    let changes = own.iter().zip(repeats).enumerate().map(|(client, (own, repeats))| {
        change_flags(&machines, &history, client, own, repeats, StdRng::seed_from_u64(seed + client as u64))
    });
    let (clones, _, ()) = tokio::join!(
        requests,
        futures_util::future::join_all(changes),
        trouble(&machines, &store, &history, StdRng::seed_from_u64(seed))
    );

    machines.all_serve();
    let log = store.read_log();
    let head = log.last().expect("there are events").position;
    let digests = machines.digests(Position(head)).await;
    assert!(digests.windows(2).all(|pair| pair[0] == pair[1]), "nodes differ: {digests:#?}");
    assert_eq!(machines.stop_and_digest(), digests[0], "what a stopped node says is not what it said");
    history::check_order(&log);
    history.check(&log);
    let recorded = verdict::clones_in(prepared.directory()).await;
    let keys = recorded.iter().map(|clone| clone.environment.api_key.clone()).collect::<Vec<_>>();
    assert_eq!(keys, clones, "what was acknowledged is what there is, once");
    verdict::check(prepared.directory(), &prepared, &recorded).await;
}

/// Kills a node every second and starts it again; takes the store away now and then.
async fn trouble(machines: &Machines, store: &impl SharedStore, history: &History, mut random: StdRng) {
    let mut second = 0;
    while second < SECONDS || !history.has_ended() {
        // The rhythm of the trouble; nothing is waited for.
        tokio::time::sleep(Duration::from_secs(1)).await;
        machines.kill_and_start_again(random.random_range(0..machines.len()));
        if STORE_RESTARTS.contains(&second) {
            tokio::task::block_in_place(|| store.restart());
        }
        second += 1;
    }
    history.stop();
    println!("{second} nodes were killed");
}
