//! What is particular to the log in KurrentDB: many nodes, others in the same database, claims, and how moments are found.

use std::sync::Arc;
use std::time::Duration;

use offshoot::event_log::{AppendError, Claim, EventLog};
use offshoot::limits::{KURRENT_CLAIM_LIFE, KURRENT_MARK_EVENTS};
use offshoot_aggregates::{Position, Version};
use tokio::task::JoinSet;
use tokio::time::timeout;
use uuid::Uuid;

use super::following::follow_writers_of;
use super::{KurrentStore, Store, append_of, everything, new_stream, open_kurrentdb};
use crate::double::client;
use crate::double::process::Double;

async fn claimed(log: &Arc<dyn EventLog>, work: Uuid) -> Claim {
    let claim = async {
        loop {
            match log.claim(work).await.unwrap() {
                Some(claim) => return claim,
                None => tokio::time::sleep(Duration::from_millis(100)).await,
            }
        }
    };
    timeout(KURRENT_CLAIM_LIFE * 4, claim).await.expect("the work was never free")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_on_other_nodes_miss_nothing() {
    let store = KurrentStore::new();
    follow_writers_of(&[store.open().await, store.open().await, store.open().await]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_that_two_nodes_send_at_once_is_done_once() {
    let store = KurrentStore::new();
    let nodes = [store.open().await, store.open().await];
    for round in 0..10 {
        let (stream, command) = (new_stream(), Uuid::new_v4());
        let mut sent = JoinSet::new();
        for (node, log) in nodes.iter().cloned().enumerate() {
            // What they decide is not the same in every other round.
            let payload = if round % 2 == 0 { "same".to_owned() } else { format!("node {node}") };
            let mut append = append_of(&stream, 0, &[&payload, &payload]);
            append.command = Some(command);
            sent.spawn(async move { log.append(append).await });
        }
        let outcomes = sent.join_all().await;
        let events = nodes[0].read_stream(&stream, Version::NONE, 10).await.unwrap();
        assert_eq!(events.len(), 2, "{outcomes:?}");
        let place = |outcome: &Result<_, _>| match outcome {
            Ok(appended) | Err(AppendError::AlreadyDone(appended)) => *appended,
            Err(error) => panic!("{error}"),
        };
        assert!(outcomes.iter().all(|outcome| place(outcome).position == events[1].position), "{outcomes:?}");
        assert!(round % 2 == 0 || outcomes.iter().filter(|outcome| outcome.is_ok()).count() == 1, "{outcomes:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_claim_is_one_nodes_until_it_is_given_back_or_the_node_is_gone() {
    let store = KurrentStore::new();
    let (first, second) = (store.open().await, store.open().await);
    let work = Uuid::new_v4();
    let claim = first.claim(work).await.unwrap().expect("nobody has it");
    assert!(first.claim(work).await.unwrap().is_none(), "not even the same node has it twice");
    // For longer than a claim lasts of which nothing more is heard.
    let taken = async {
        while second.claim(work).await.unwrap().is_none() {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    assert!(timeout(KURRENT_CLAIM_LIFE * 2, taken).await.is_err() && !claim.is_lost());
    drop(claim);
    let claim = claimed(&second, work).await;
    // The node is gone, without a farewell.
    drop((second, claim.is_lost()));
    std::mem::forget(claim);
    assert!(!claimed(&first, work).await.is_lost());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_others_keep_in_the_database_is_passed_over() {
    let double = Double::new();
    let log = open_kurrentdb(&double.url()).await;
    let other = open_kurrentdb(&format!("{}&installation=other", double.url())).await;
    let (foreign, mut expected) = (client::client(&double.url()), Vec::new());
    for number in 0..30 {
        client::append(&foreign, "project-1", number, &["not ours", "nor this"]).await;
        other.append(append_of(&new_stream(), 0, &["nor this"])).await.unwrap();
        if number % 10 == 5 {
            expected.push(log.append(append_of(&new_stream(), 0, &["ours"])).await.unwrap().position);
        }
    }
    let positions = |events: Vec<offshoot_aggregates::RecordedEvent>| -> Vec<_> {
        events.iter().map(|event| event.position).collect()
    };
    assert_eq!(positions(everything(&log).await), expected);
    assert_eq!(everything(&other).await.len(), 30);
    assert_eq!(log.head().await.unwrap(), expected[2]);
    // Opened anew, it finds its end behind what others recorded since.
    let again = open_kurrentdb(&double.url()).await;
    assert_eq!((again.head().await.unwrap(), *again.watch().borrow()), (expected[2], expected[2]));
    assert_eq!(positions(everything(&again).await), expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn moments_are_found_in_a_long_log_also_between_its_events() {
    const APPENDS: usize = 60;
    let store = KurrentStore::new();
    let log = store.open().await;
    let stream = new_stream();
    let payloads = vec!["x"; KURRENT_MARK_EVENTS / 10];
    for append in 0..APPENDS {
        log.append(append_of(&stream, (append * payloads.len()) as u64, &payloads)).await.unwrap();
        // Marks are set as the log is followed.
        log.head().await.unwrap();
    }
    let all = everything(&log).await;
    assert_eq!(all.len(), APPENDS * payloads.len());
    // A node that has just started knows of the past what stands in the log.
    let fresh = store.open().await;
    for index in (0..all.len()).step_by(all.len() / 23) {
        let (event, next) = (&all[index], all.get(index + 1));
        let in_the_hole = Position(next.map_or(u64::MAX, |next| next.position.0) - 1);
        for position in [event.position, in_the_hole] {
            assert_eq!(fresh.time_at(position).await.unwrap(), Some(event.recorded_at));
            assert_eq!(fresh.version_at(&stream, position).await.unwrap(), event.version);
            let after = fresh.read_all(position, 3).await.unwrap();
            assert_eq!(after.is_empty(), next.is_none());
            assert!(after.iter().zip(&all[index + 1..]).all(|(event, expected)| event.position == expected.position));
        }
        let expected = all.iter().rfind(|other| other.recorded_at <= event.recorded_at).unwrap().position;
        assert_eq!(fresh.position_at(event.recorded_at).await.unwrap(), expected);
    }
}
