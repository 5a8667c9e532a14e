//! Contract: readers who follow the log while many write to it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use offshoot::event_log::{AppendError, Appended, EventLog};
use offshoot::limits::POLL_INTERVAL;
use offshoot_aggregates::{Position, StreamId};
use tokio::task::JoinSet;

use super::{Store, append_of, everything, new_stream};

const WRITERS: usize = 8;
const APPENDS_PER_WRITER: usize = 60;
const EVENTS_PER_APPEND: usize = 2;
const EVENTS: usize = WRITERS * APPENDS_PER_WRITER * EVENTS_PER_APPEND;

/// An event as a reader saw it or a writer was told of it: position, stream, version, payload.
type Seen = (Position, StreamId, u64, String);

/// Appends to each stream in turn, at the version where it last saw it; returns what it was told, and its conflicts.
async fn write(log: Arc<dyn EventLog>, streams: Vec<StreamId>, writer: usize) -> (Vec<(StreamId, Appended)>, usize) {
    let mut versions = HashMap::<usize, u64>::new();
    let (mut told, mut conflicts) = (Vec::new(), 0);
    for number in 0..APPENDS_PER_WRITER {
        let index = (writer + number) % streams.len();
        let name = format!("{writer}-{number}");
        loop {
            let expected = versions.get(&index).copied().unwrap_or(0);
            match log.append(append_of(&streams[index], expected, &[name.as_str(); EVENTS_PER_APPEND])).await {
                Ok(appended) => {
                    versions.insert(index, appended.version.0);
                    told.push((streams[index].clone(), appended));
                    break;
                }
                Err(AppendError::Conflict { actual, .. }) => {
                    versions.insert(index, actual.0);
                    conflicts += 1;
                }
                Err(error) => panic!("{error}"),
            }
        }
    }
    (told, conflicts)
}

/// Reads until it has seen as many events of some streams as will be written.
async fn follow(log: Arc<dyn EventLog>, streams: Vec<StreamId>, limit: usize) -> Vec<Seen> {
    let (mut seen, mut after, mut watching) = (Vec::<Seen>::new(), Position::START, log.watch());
    let mut expected = EVENTS;
    while expected > 0 {
        watching.mark_unchanged();
        let page = log.read_all(after, limit).await.unwrap();
        match page.last() {
            Some(last) => after = last.position,
            // The hint, or a poll: a store may have hints only from its own process.
            None => drop(tokio::time::timeout(POLL_INTERVAL, watching.changed()).await),
        }
        let as_seen = |event: offshoot_aggregates::RecordedEvent| {
            (event.position, event.stream, event.version.0, event.payload.into_string())
        };
        expected -= page.iter().filter(|event| streams.contains(&event.stream)).count();
        seen.extend(page.into_iter().map(as_seen));
    }
    seen
}

pub(super) async fn readers_miss_nothing_and_repeat_nothing_while_many_write(store: &dyn Store) {
    follow_writers_of(&[store.open().await]).await;
}

/// Lets many write to the same streams of a log, as it is opened here and there, and others follow.
pub(super) async fn follow_writers_of(opened: &[Arc<dyn EventLog>]) {
    let streams = vec![new_stream(), new_stream(), new_stream()];
    let mut readers = JoinSet::new();
    for log in opened {
        for limit in [3, 500] {
            readers.spawn(follow(Arc::clone(log), streams.clone(), limit));
        }
    }
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        writers.spawn(write(Arc::clone(&opened[writer % opened.len()]), streams.clone(), writer));
    }
    let written = writers.join_all().await;
    let read = tokio::time::timeout(Duration::from_secs(60), readers.join_all()).await.expect("an event was missed");

    assert!(written.iter().map(|(_, conflicts)| conflicts).sum::<usize>() > 0, "the writers were not rivals");
    let after_all = everything(&opened[0]).await;
    assert_eq!(after_all.iter().filter(|event| streams.contains(&event.stream)).count(), EVENTS);
    assert!(after_all.is_sorted_by_key(|event| event.recorded_at), "a time went back");
    for seen in read {
        assert!(seen.is_sorted_by(|left, right| left.0 < right.0), "out of order or twice");
        assert!(seen.iter().zip(&after_all).all(|(seen, event)| seen.0 == event.position && *seen.3 == *event.payload));
        for stream in &streams {
            let versions = seen.iter().filter(|event| event.1 == *stream).map(|event| event.2);
            assert!(versions.zip(1..).all(|(version, expected)| version == expected), "a version is missing");
        }
        for (stream, appended) in written.iter().flat_map(|(told, _)| told) {
            let at = seen.binary_search_by_key(&appended.position, |event| event.0).expect("acknowledged but not read");
            assert_eq!((&seen[at].1, seen[at].2), (stream, appended.version.0));
            assert_eq!(seen[at].3, seen[at - 1].3, "the events of an append follow one another");
        }
    }
}
