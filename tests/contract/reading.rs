//! Contract: what readers get.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use offshoot::limits::{PAGE_BYTES_MAX, READ_CONNECTIONS_MAX};
use offshoot_aggregates::{Category, Position, StreamId, Version};
use tokio::task::JoinSet;

use super::{Store, append_of, new_stream};

pub(super) async fn events_come_back_as_they_were_written(store: &dyn Store) {
    let log = store.open().await;
    for (index, stream) in
        [new_stream(), StreamId::id_allocator(), StreamId::new(Category::Organisation, "ü-1")].into_iter().enumerate()
    {
        let mut append =
            append_of(&stream, 0, &["grün 🚩 \\u0007 \u{202e}rtl\u{202c} a\u{301} 'quoted' -- ; \\\"x\\\""]);
        append.events[0].event_version = "7";
        append.metadata = Arc::new(HashMap::from([
            ("actor_name".to_owned(), "Zoë \"Z\" 测试".to_owned()),
            ("a".to_owned(), String::new()),
        ]));
        let before = Timestamp::now() - SignedDuration::from_millis(1);
        let appended = log.append(append.clone()).await.unwrap();
        let from_stream = log.read_stream(&stream, Version::NONE, 10).await.unwrap();
        let from_all = log.read_all(Position::START, 10).await.unwrap();
        assert_eq!((from_stream.len(), from_all.len()), (1, index + 1));
        for event in [&from_stream[0], &from_all[index]] {
            assert_eq!((&event.stream, event.position, event.version.0), (&stream, appended.position, 1));
            assert_eq!((event.event_type.as_str(), event.event_version.as_str()), ("ProjectCreated", "7"));
            assert_eq!(*event.payload, *append.events[0].payload);
            let metadata: HashMap<String, String> = serde_json::from_str(&event.metadata).unwrap();
            assert_eq!(metadata, *append.metadata);
            assert!(before <= event.recorded_at && event.recorded_at <= Timestamp::now());
        }
    }
}

pub(super) async fn large_events_come_back_whole(store: &dyn Store) {
    let log = store.open().await;
    let stream = new_stream();
    let large: String = ('a'..='z').cycle().take(2_000_000).collect();
    let append = append_of(&stream, 0, &["small", &large, "small again"]);
    log.append(append.clone()).await.unwrap();
    let events = log.read_stream(&stream, Version::NONE, 10).await.unwrap();
    let same = |(event, new): (&offshoot_aggregates::RecordedEvent, &offshoot::event_log::NewEvent)| {
        *event.payload == *new.payload
    };
    assert!(events.len() == 3 && events.iter().zip(&append.events).all(same));
}

pub(super) async fn an_empty_log_reads_as_empty(store: &dyn Store) {
    let log = store.open().await;
    let stream = new_stream();
    assert_eq!(log.head().await.unwrap(), Position::START);
    assert!(log.read_all(Position::START, 10).await.unwrap().is_empty());
    assert!(log.read_stream(&stream, Version::NONE, 10).await.unwrap().is_empty());
    assert_eq!(log.version_at(&stream, Position(5)).await.unwrap(), Version::NONE);
    assert_eq!(log.position_at(Timestamp::now()).await.unwrap(), Position::START);
    assert_eq!(log.time_at(Position(5)).await.unwrap(), None);
}

pub(super) async fn pages_hold_at_most_the_limit(store: &dyn Store) {
    let log = store.open().await;
    let stream = new_stream();
    let payloads: Vec<String> = (0..25).map(|number| number.to_string()).collect();
    let payloads: Vec<&str> = payloads.iter().map(String::as_str).collect();
    let last = log.append(append_of(&stream, 0, &payloads)).await.unwrap();

    let mut pages = Vec::new();
    let (mut position, mut version) = (Position::START, Version::NONE);
    loop {
        let all = log.read_all(position, 10).await.unwrap();
        let of_stream = log.read_stream(&stream, version, 10).await.unwrap();
        let positions = |events: &[offshoot_aggregates::RecordedEvent]| -> Vec<_> {
            events.iter().map(|event| event.position).collect()
        };
        assert_eq!(positions(&all), positions(&of_stream));
        let Some(end) = all.last() else { break };
        (position, version) = (end.position, end.version);
        pages.push(all.len());
    }
    assert_eq!(pages, [10, 10, 5]);
    assert!(log.read_all(Position::START, 0).await.unwrap().is_empty());
    assert!(log.read_all(last.position, 10).await.unwrap().is_empty());
    assert!(log.read_all(Position(u64::MAX), usize::MAX).await.unwrap().is_empty());
    assert!(log.read_stream(&stream, Version(u64::MAX), usize::MAX).await.unwrap().is_empty());
}

pub(super) async fn pages_of_large_events_are_bounded_by_bytes(store: &dyn Store) {
    let log = store.open().await;
    let stream = new_stream();
    let third = "x".repeat(PAGE_BYTES_MAX / 3);
    let whole = "y".repeat(PAGE_BYTES_MAX + 1);
    // Together they may be more than a store takes at once.
    for (expected, payload) in (0..).zip([&third, &third, &third, &whole, "small"]) {
        log.append(append_of(&stream, expected, &[payload])).await.unwrap();
    }
    let mut pages = Vec::new();
    let (mut position, mut version) = (Position::START, Version::NONE);
    while pages.iter().sum::<usize>() < 5 {
        let all = log.read_all(position, 1_000).await.unwrap();
        assert_eq!(all.len(), log.read_stream(&stream, version, 1_000).await.unwrap().len());
        let end = all.last().expect("at least one event");
        (position, version) = (end.position, end.version);
        pages.push(all.len());
    }
    assert_eq!(pages, [2, 1, 1, 1]);
}

pub(super) async fn a_stream_holds_only_its_own_events(store: &dyn Store) {
    let log = store.open().await;
    let (long, short) = (StreamId::new(Category::Project, "ab"), StreamId::new(Category::Project, "a"));
    let same_key = StreamId::new(Category::Environment, "a");
    for (stream, payload) in [(&long, "1"), (&short, "2"), (&same_key, "3")] {
        log.append(append_of(stream, 0, &[payload])).await.unwrap();
    }
    for (stream, payload) in [(&long, "1"), (&short, "2"), (&same_key, "3")] {
        let events = log.read_stream(stream, Version::NONE, 10).await.unwrap();
        assert_eq!(events.len(), 1);
        assert_eq!(*events[0].payload, format!("{{\"payload\":\"{payload}\"}}"));
    }
}

pub(super) async fn the_head_is_the_last_event_and_wakes_whoever_watches(store: &dyn Store) {
    let log = store.open().await;
    let mut watching = log.watch();
    let stream = new_stream();
    for expected in 0..5 {
        let appended = log.append(append_of(&stream, expected, &["a"])).await.unwrap();
        assert_eq!(log.head().await.unwrap(), appended.position);
        watching.wait_for(|head| *head >= appended.position).await.unwrap();
    }
}

pub(super) async fn the_version_at_a_position_counts_the_events_up_to_it(store: &dyn Store) {
    let log = store.open().await;
    let streams = [new_stream(), new_stream(), new_stream()];
    for round in 0..20 {
        for stream in &streams {
            log.append(append_of(stream, round * 2, &["a", "b"])).await.unwrap();
        }
    }
    let all = log.read_all(Position::START, 1_000).await.unwrap();
    for (index, event) in all.iter().enumerate() {
        for stream in &streams {
            let count = all[..=index].iter().filter(|event| event.stream == *stream).count();
            assert_eq!(log.version_at(stream, event.position).await.unwrap(), Version(count as u64));
        }
    }
    assert_eq!(log.version_at(&streams[0], Position::START).await.unwrap(), Version::NONE);
    assert_eq!(log.version_at(&streams[0], Position(u64::MAX)).await.unwrap(), Version(40));
    assert_eq!(log.version_at(&new_stream(), Position(u64::MAX)).await.unwrap(), Version::NONE);
}

pub(super) async fn times_never_go_back_and_lead_to_positions(store: &dyn Store) {
    let log = store.open().await;
    for _ in 0..60 {
        log.append(append_of(&new_stream(), 0, &["a"])).await.unwrap();
    }
    let all = log.read_all(Position::START, 1_000).await.unwrap();
    assert!(all.is_sorted_by_key(|event| event.recorded_at));
    let step = SignedDuration::from_micros(1);
    for event in &all {
        assert_eq!(log.time_at(event.position).await.unwrap(), Some(event.recorded_at));
        for time in [event.recorded_at - step, event.recorded_at, event.recorded_at + step] {
            let expected = all.iter().rfind(|event| event.recorded_at <= time);
            let expected = expected.map_or(Position::START, |event| event.position);
            assert_eq!(log.position_at(time).await.unwrap(), expected);
        }
    }
    let last = all.last().unwrap();
    assert_eq!(log.time_at(Position(u64::MAX)).await.unwrap(), Some(last.recorded_at));
    assert_eq!(log.time_at(Position::START).await.unwrap(), None);
    assert_eq!(log.position_at(Timestamp::MAX).await.unwrap(), last.position);
    assert_eq!(log.position_at(Timestamp::MIN).await.unwrap(), Position::START);
}

pub(super) async fn many_readers_at_once_all_get_their_answer(store: &dyn Store) {
    let log = store.open().await;
    let stream = new_stream();
    log.append(append_of(&stream, 0, &["a", "b", "c"])).await.unwrap();
    let mut readers = JoinSet::new();
    for _ in 0..READ_CONNECTIONS_MAX * 16 {
        let log = Arc::clone(&log);
        readers.spawn(async move { log.read_all(Position::START, 10).await.unwrap().len() });
    }
    assert!(readers.join_all().await.into_iter().all(|events| events == 3));
}
