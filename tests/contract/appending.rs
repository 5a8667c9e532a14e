//! Contract: what an append records, and when it is refused.

use std::collections::HashSet;
use std::sync::Arc;

use offshoot::event_log::{AppendError, Appended};
use offshoot_aggregates::{Position, Version};
use tokio::task::JoinSet;
use uuid::Uuid;

use super::{Store, append_of, new_stream};

fn assert_conflict(result: &Result<Appended, AppendError>, expected: u64, actual: u64) {
    assert!(
        matches!(result, Err(AppendError::Conflict { expected: e, actual: a }) if (e.0, a.0) == (expected, actual)),
        "{result:?}"
    );
}

pub(super) async fn positions_rise_and_versions_have_no_holes(store: &dyn Store) {
    let log = store.open().await;
    let (first, second) = (new_stream(), new_stream());
    let a = log.append(append_of(&first, 0, &["a", "b"])).await.unwrap();
    let b = log.append(append_of(&second, 0, &["c"])).await.unwrap();
    let c = log.append(append_of(&first, 2, &["d", "e", "f"])).await.unwrap();
    assert_eq!((a.version, b.version, c.version), (Version(2), Version(1), Version(5)));
    assert!(Position::START < a.position && a.position < b.position && b.position < c.position);

    let all = log.read_all(Position::START, 100).await.unwrap();
    assert!(all.is_sorted_by(|left, right| left.position < right.position));
    let seen: Vec<_> = all.iter().map(|event| (event.stream.clone(), event.version.0)).collect();
    let expected = [(&first, 1), (&first, 2), (&second, 1), (&first, 3), (&first, 4), (&first, 5)];
    assert_eq!(seen, expected.map(|(stream, version)| (stream.clone(), version)));
    assert_eq!([all[1].position, all[2].position, all[5].position], [a.position, b.position, c.position]);
}

pub(super) async fn an_append_behind_its_stream_conflicts(store: &dyn Store) {
    let log = store.open().await;
    let stream = new_stream();
    log.append(append_of(&stream, 0, &["a", "b"])).await.unwrap();
    assert_conflict(&log.append(append_of(&stream, 0, &["c"])).await, 0, 2);
    assert_conflict(&log.append(append_of(&stream, 1, &["c"])).await, 1, 2);
}

pub(super) async fn an_append_ahead_of_its_stream_conflicts(store: &dyn Store) {
    let log = store.open().await;
    let stream = new_stream();
    assert_conflict(&log.append(append_of(&stream, 1, &["a"])).await, 1, 0);
    log.append(append_of(&stream, 0, &["a"])).await.unwrap();
    assert_conflict(&log.append(append_of(&stream, 5, &["b"])).await, 5, 1);
}

pub(super) async fn a_conflicting_append_leaves_nothing(store: &dyn Store) {
    let log = store.open().await;
    let stream = new_stream();
    let before = log.append(append_of(&stream, 0, &["a"])).await.unwrap();
    let mut conflicting = append_of(&stream, 0, &["b", "c", "d"]);
    let command = Uuid::new_v4();
    conflicting.command = Some(command);
    assert_conflict(&log.append(conflicting).await, 0, 1);
    assert_eq!(log.head().await.unwrap(), before.position);
    assert_eq!(log.read_all(Position::START, 100).await.unwrap().len(), 1);
    assert_eq!(log.find_command(command).await.unwrap(), None);
}

pub(super) async fn of_appends_at_the_same_version_one_wins(store: &dyn Store) {
    const RIVALS: usize = 12;
    let log = store.open().await;
    let stream = new_stream();
    for round in 0..10 {
        let mut rivals = JoinSet::new();
        for rival in 0..RIVALS {
            let (log, stream) = (Arc::clone(&log), stream.clone());
            let name = format!("{round}-{rival}");
            rivals.spawn(async move { log.append(append_of(&stream, round * 2, &[&name, &name])).await });
        }
        let outcomes = rivals.join_all().await;
        assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
        for lost in outcomes.iter().filter(|outcome| outcome.is_err()) {
            assert_conflict(lost, round * 2, round * 2 + 2);
        }
    }
    let events = log.read_stream(&stream, Version::NONE, 100).await.unwrap();
    let names: HashSet<_> = events.iter().map(|event| event.payload.clone()).collect();
    assert_eq!((events.len(), names.len()), (20, 10), "each winner recorded both of its events");
    assert!(events.iter().zip(1..).all(|(event, version)| event.version == Version(version)));
}

pub(super) async fn a_command_is_done_once(store: &dyn Store) {
    let log = store.open().await;
    let (stream, other, command) = (new_stream(), new_stream(), Uuid::new_v4());
    assert_eq!(log.find_command(command).await.unwrap(), None);
    let mut append = append_of(&stream, 0, &["a", "b"]);
    append.command = Some(command);
    let first = log.append(append.clone()).await.unwrap();
    assert_eq!(log.find_command(command).await.unwrap(), Some(first));

    log.append(append_of(&stream, 2, &["c"])).await.unwrap();
    let again = log.append(append.clone()).await;
    assert!(matches!(again, Err(AppendError::AlreadyDone(done)) if done == first), "{again:?}");
    append.stream = other.clone();
    let elsewhere = log.append(append).await;
    assert!(matches!(elsewhere, Err(AppendError::AlreadyDone(done)) if done == first), "{elsewhere:?}");
    assert_eq!(log.read_all(Position::START, 100).await.unwrap().len(), 3);
    assert!(log.read_stream(&other, Version::NONE, 100).await.unwrap().is_empty());
}

pub(super) async fn a_command_repeated_by_many_at_once_is_done_once(store: &dyn Store) {
    let log = store.open().await;
    for _ in 0..10 {
        let (stream, command) = (new_stream(), Uuid::new_v4());
        let mut repeats = JoinSet::new();
        for _ in 0..8 {
            let (log, mut append) = (Arc::clone(&log), append_of(&stream, 0, &["a", "b"]));
            append.command = Some(command);
            repeats.spawn(async move { log.append(append).await });
        }
        let outcomes = repeats.join_all().await;
        let done: Vec<_> = outcomes.iter().filter_map(|outcome| outcome.as_ref().ok()).collect();
        assert_eq!(done.len(), 1, "{outcomes:?}");
        let told = |outcome: &&_| matches!(outcome, Err(AppendError::AlreadyDone(place)) if place == done[0]);
        assert_eq!(outcomes.iter().filter(told).count(), 7, "{outcomes:?}");
        assert_eq!(log.find_command(command).await.unwrap(), Some(*done[0]));
        assert_eq!(log.read_stream(&stream, Version::NONE, 100).await.unwrap().len(), 2);
    }
}

pub(super) async fn a_command_that_conflicted_can_be_tried_again(store: &dyn Store) {
    let log = store.open().await;
    let stream = new_stream();
    let mut append = append_of(&stream, 1, &["b"]);
    append.command = Some(Uuid::new_v4());
    assert_conflict(&log.append(append.clone()).await, 1, 0);
    log.append(append_of(&stream, 0, &["a"])).await.unwrap();
    assert_eq!(log.append(append).await.unwrap().version, Version(2));
}

pub(super) async fn an_append_without_events_is_refused(store: &dyn Store) {
    let log = store.open().await;
    assert!(log.append(append_of(&new_stream(), 0, &[])).await.is_err());
    assert_eq!(log.head().await.unwrap(), Position::START);
}

pub(super) async fn what_was_written_is_counted(store: &dyn Store) {
    let log = store.open().await;
    let stream = new_stream();
    let before = log.written();
    log.append(append_of(&stream, 0, &["a", "b"])).await.unwrap();
    log.append(append_of(&stream, 2, &["c"])).await.unwrap();
    assert_conflict(&log.append(append_of(&stream, 2, &["d"])).await, 2, 3);
    let after = log.written();
    assert_eq!((after.appends - before.appends, after.events - before.events), (2, 3));
    let events = log.read_all(Position::START, 10).await.unwrap();
    let bytes: usize = events.iter().map(|event| event.payload.len() + event.metadata.len()).sum();
    assert_eq!(after.bytes - before.bytes, bytes as u64);
    assert!(after.syncs > before.syncs);
}

pub(super) async fn whoever_is_not_waiting_any_more_does_no_harm(store: &dyn Store) {
    let log = store.open().await;
    let mut asked = Vec::new();
    for _ in 0..50 {
        let (log, stream) = (Arc::clone(&log), new_stream());
        asked.push(tokio::spawn(async move { log.append(append_of(&stream, 0, &["a", "b"])).await }));
        asked.iter().step_by(2).for_each(tokio::task::JoinHandle::abort);
    }
    for (index, asked) in asked.into_iter().enumerate() {
        // Of the others some were given up in time, some not.
        let outcome = asked.await;
        assert!(index % 2 == 0 || outcome.unwrap().is_ok());
    }
    let last = log.append(append_of(&new_stream(), 0, &["last"])).await.unwrap();
    let all = log.read_all(Position::START, 1_000).await.unwrap();
    assert_eq!(all.last().unwrap().position, last.position);
    assert!(all[..all.len() - 1].chunks(2).all(|pair| pair[0].stream == pair[1].stream), "whole appends or nothing");
}
