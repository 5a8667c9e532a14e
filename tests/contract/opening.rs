//! Contract: closing a log and opening it again.

use std::sync::Arc;

use offshoot::event_log::AppendError;
use offshoot_aggregates::{Position, Version};
use tokio::task::JoinSet;
use uuid::Uuid;

use super::{Store, append_of, new_stream};

pub(super) async fn everything_is_there_after_opening_again(store: &dyn Store) {
    let (stream, command) = (new_stream(), Uuid::new_v4());
    let mut append = append_of(&stream, 0, &["a", "b"]);
    append.command = Some(command);

    let log = store.open().await;
    let first = log.append(append.clone()).await.unwrap();
    let before = log.read_all(Position::START, 10).await.unwrap();
    log.close().await;
    drop(log);

    let log = store.open().await;
    assert_eq!(log.head().await.unwrap(), first.position);
    assert_eq!(*log.watch().borrow(), first.position);
    let after = log.read_all(Position::START, 10).await.unwrap();
    assert_eq!(format!("{before:?}"), format!("{after:?}"));
    assert!(matches!(log.append(append).await, Err(AppendError::AlreadyDone(done)) if done == first));
    let second = log.append(append_of(&stream, 2, &["c"])).await.unwrap();
    assert!(second.position > first.position);
    let events = log.read_stream(&stream, Version(1), 10).await.unwrap();
    assert!(events.iter().map(|event| event.version.0).eq([2, 3]));
    assert!(events[0].recorded_at <= events[1].recorded_at);
}

pub(super) async fn a_log_that_was_dropped_without_closing_keeps_what_it_acknowledged(store: &dyn Store) {
    let mut last = Position::START;
    for round in 0..5 {
        let log = store.open().await;
        assert_eq!(log.read_all(Position::START, 100).await.unwrap().len(), round);
        let appended = log.append(append_of(&new_stream(), 0, &["a"])).await.unwrap();
        assert!(appended.position > last);
        last = appended.position;
    }
}

pub(super) async fn a_closed_log_refuses_appends(store: &dyn Store) {
    let log = store.open().await;
    let stream = new_stream();
    log.append(append_of(&stream, 0, &["a"])).await.unwrap();
    log.close().await;
    let refused = log.append(append_of(&stream, 1, &["b"])).await;
    assert!(matches!(refused, Err(AppendError::Unavailable(_))), "{refused:?}");
    log.close().await;
    let log = store.open().await;
    assert_eq!(log.read_all(Position::START, 10).await.unwrap().len(), 1);
}

pub(super) async fn closing_finishes_what_is_in_hand(store: &dyn Store) {
    let log = store.open().await;
    let mut asked = JoinSet::new();
    for _ in 0..100 {
        let log = Arc::clone(&log);
        asked.spawn(async move { log.append(append_of(&new_stream(), 0, &["a"])).await });
    }
    // One has its answer: the others are somewhere on the way.
    let first = asked.join_next().await.unwrap().unwrap();
    tokio::join!(log.close(), log.close());
    let mut outcomes = asked.join_all().await;
    outcomes.push(first);
    let refused = |outcome: &&Result<_, AppendError>| matches!(outcome, Err(AppendError::Unavailable(_)));
    let mut acknowledged: Vec<_> = outcomes.iter().flatten().map(|appended| appended.position).collect();
    assert_eq!(acknowledged.len() + outcomes.iter().filter(refused).count(), 100);

    let log = store.open().await;
    let all = log.read_all(Position::START, 1_000).await.unwrap();
    acknowledged.sort();
    assert_eq!(all.iter().map(|event| event.position).collect::<Vec<_>>(), acknowledged);
}
