//! What is particular to the log in KurrentDB: what it makes of each thing that the protocol double can do wrong.

use std::sync::Arc;
use std::time::Duration;

use offshoot::event_log::{AppendError, EventLog, OpenError, ReadError};
use offshoot_aggregates::{Position, Version};
use tokio::time::timeout;
use uuid::Uuid;

use super::breaking::append_while;
use super::following::follow_writers_of;
use super::{append_of, everything, new_stream, open_kurrentdb};
use crate::double::process::Double;

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(30);

/// Waits until a log has heard of an event that another one recorded.
async fn hears(log: &Arc<dyn EventLog>, position: Position) {
    let mut hint = log.watch();
    timeout(PATIENCE, hint.wait_for(|head| *head >= position)).await.expect("an event was not heard of").unwrap();
}

/// Waits until the double has so many subscribers.
fn wait_for_subscribers(double: &mut Double, count: usize) {
    let until = std::time::Instant::now() + PATIENCE;
    while double.tell("subscriptions") != count.to_string() {
        assert!(std::time::Instant::now() < until, "there are {} subscribers", double.tell("subscriptions"));
        std::thread::yield_now();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_append_whose_reply_is_lost_is_settled() {
    let mut double = Double::new();
    let log = open_kurrentdb(&double.url()).await;
    let stream = new_stream();
    for (round, command) in [None, Some(Uuid::new_v4())].into_iter().enumerate() {
        double.tell("lose-replies 1");
        let mut append = append_of(&stream, round as u64 * 2, &["a", "b"]);
        append.command = command;
        let appended = log.append(append).await.unwrap();
        let all = log.read_all(Position::START, 100).await.unwrap();
        assert_eq!(all.len(), (round + 1) * 2);
        assert_eq!((all.last().unwrap().position, all.last().unwrap().version), (appended.position, appended.version));
    }
    // The place of a command may lose its reply as well.
    double.tell("lose-replies 2");
    let mut append = append_of(&stream, 4, &["c"]);
    append.command = Some(Uuid::new_v4());
    let appended = log.append(append.clone()).await.unwrap();
    let again = log.append(append).await;
    assert!(matches!(again, Err(AppendError::AlreadyDone(done)) if done == appended), "{again:?}");
    assert_eq!(log.read_stream(&stream, Version::NONE, 100).await.unwrap().len(), 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn appends_whose_connections_break_are_settled() {
    let mut double = Double::new();
    let nodes = [open_kurrentdb(&double.url()).await, open_kurrentdb(&double.url()).await];
    append_while(&nodes, move || {
        for _ in 0..10 {
            double.tell("drop-connections");
            std::thread::sleep(Duration::from_millis(100));
        }
        // Ends with the test.
        std::mem::forget(double);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_on_two_nodes_miss_nothing_of_a_slow_server() {
    let mut double = Double::new();
    let nodes = [open_kurrentdb(&double.url()).await, open_kurrentdb(&double.url()).await];
    double.tell("delay 3");
    follow_writers_of(&nodes).await;
}

/// On one thread: a subscription that is read over and over after its end would stop everything.
#[tokio::test]
async fn a_subscription_that_the_server_ends_in_good_order_is_made_anew() {
    let mut double = Double::new();
    let (log, other) = (open_kurrentdb(&double.url()).await, open_kurrentdb(&double.url()).await);
    for round in 0..3 {
        let appended = other.append(append_of(&new_stream(), 0, &["a"])).await.unwrap();
        hears(&log, appended.position).await;
        double.tell("end-subscriptions");
        let appended = other.append(append_of(&new_stream(), 0, &["b"])).await.unwrap();
        hears(&log, appended.position).await;
        assert_eq!(everything(&log).await.len(), (round + 1) * 2);
    }
    tokio::task::spawn_blocking(move || wait_for_subscribers(&mut double, 2)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subscription_that_has_fallen_silent_is_made_anew() {
    let mut double = Double::new();
    let (log, other) = (open_kurrentdb(&double.url()).await, open_kurrentdb(&double.url()).await);
    wait_for_subscribers(&mut double, 2);
    double.tell("mute 1");
    let mut appended = other.append(append_of(&new_stream(), 0, &["a"])).await.unwrap();
    hears(&log, appended.position).await;
    double.tell("mute 0");
    for _ in 0..3 {
        appended = other.append(append_of(&new_stream(), 0, &["b"])).await.unwrap();
        hears(&log, appended.position).await;
    }
    wait_for_subscribers(&mut double, 2);
    assert_eq!(log.head().await.unwrap(), appended.position);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_whose_leader_changes_is_followed() {
    let mut double = Double::new();
    let log = open_kurrentdb(&double.cluster_url()).await;
    let stream = new_stream();
    for round in 0..4 {
        double.tell(&format!("leader {}", (round + 1) % 2));
        let appended = log.append(append_of(&stream, round, &["a"])).await.unwrap();
        assert_eq!(log.head().await.unwrap(), appended.position);
        assert_eq!(log.read_stream(&stream, Version::NONE, 10).await.unwrap().len() as u64, round + 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_killed_and_started_again_is_waited_for() {
    let mut double = Double::new();
    let log = open_kurrentdb(&double.url()).await;
    let stream = new_stream();
    let first = log.append(append_of(&stream, 0, &["a"])).await.unwrap();
    double.kill();
    assert!(matches!(log.read_all(Position::START, 10).await, Err(ReadError::Unavailable(_))));
    let refused = log.append(append_of(&stream, 1, &["b"])).await;
    assert!(matches!(refused, Err(AppendError::Unavailable(_) | AppendError::Unknown(_))), "{refused:?}");
    double.start_again();
    let second = log.append(append_of(&stream, 1, &["c"])).await.unwrap();
    hears(&log, second.position).await;
    let all = log.read_all(Position::START, 10).await.unwrap();
    assert_eq!(all.iter().map(|event| event.position).collect::<Vec<_>>(), [first.position, second.position]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_not_ready_yet_is_waited_for() {
    let mut double = Double::new();
    let log = open_kurrentdb(&double.url()).await;
    double.tell("not-ready 1");
    let appending = tokio::spawn({
        let log = log.clone();
        async move { log.append(append_of(&new_stream(), 0, &["a"])).await }
    });
    assert!(matches!(log.head().await, Err(ReadError::Unavailable(_))));
    double.tell("not-ready 0");
    let appended = appending.await.unwrap().unwrap();
    assert_eq!(log.head().await.unwrap(), appended.position);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_append_that_is_too_big_is_refused_and_leaves_nothing() {
    let mut double = Double::new();
    let log = open_kurrentdb(&double.url().replace("maxAppendSize=16777216", "maxAppendSize=5000")).await;
    assert_eq!(log.append_bytes_max(), Some(5_000));
    let (stream, big, small) = (new_stream(), "x".repeat(3_000), "x".repeat(2_500));
    let refused = log.append(append_of(&stream, 0, &[&big, &small])).await;
    assert!(matches!(refused, Err(AppendError::TooLarge { max: 5_000, bytes }) if bytes > 5_000), "{refused:?}");
    let appended = log.append(append_of(&stream, 0, &[&big])).await.unwrap();

    // One whose limit is lower than the URL says refuses by itself.
    double.tell("append-bytes 2000");
    let refused = log.append(append_of(&stream, 1, &[&big])).await;
    assert!(
        matches!(&refused, Err(AppendError::Unavailable(why)) if why.contains("Maximum Append Size")),
        "{refused:?}"
    );
    assert_eq!(log.head().await.unwrap(), appended.position);
    log.append(append_of(&stream, 1, &["small"])).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_of_old_that_hides_positions_is_named_as_such() {
    let mut double = Double::new();
    let log = open_kurrentdb(&double.url()).await;
    let stream = new_stream();
    log.append(append_of(&stream, 0, &["a"])).await.unwrap();
    double.tell("hide-positions 1");
    let refused = log.read_stream(&stream, Version::NONE, 10).await;
    assert!(matches!(&refused, Err(ReadError::Unavailable(why)) if why.contains("use a later one")), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_cannot_be_reached_is_named_without_the_password() {
    let url = "esdb://flags:s3cret@127.0.0.1:9?tls=false&maxDiscoverAttempts=1";
    let Err(refused) =
        offshoot::event_log::KurrentEventLog::open(&offshoot::event_log::KurrentUrl::new(url).unwrap()).await
    else {
        panic!("there is a server at port 9")
    };
    let text = refused.to_string();
    assert!(matches!(refused, OpenError::Away { .. }) && text.contains("esdb://127.0.0.1:9"), "{text}");
    assert!(!text.contains("s3cret"), "{text}");
}
