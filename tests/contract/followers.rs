//! Contract of logs that take followers: appends that were decided on others which the log had not answered yet.

use std::sync::Arc;
use std::task::Poll;

use offshoot::event_log::{Append, AppendError, Appended, EventLog, Fate, Ticket};
use offshoot_aggregates::Position;

use super::{Store, append_of, new_stream};

/// Lets a log know of appends one after the other, and then waits for all answers.
async fn append_all(log: &Arc<dyn EventLog>, appends: Vec<Append>) -> Vec<Result<Appended, AppendError>> {
    let mut answers: Vec<_> = appends.into_iter().map(|append| (log.append(append), None)).collect();
    for (answer, early) in &mut answers {
        *early = std::future::poll_fn(|context| {
            Poll::Ready(match answer.as_mut().poll(context) {
                Poll::Ready(result) => Some(result),
                Poll::Pending => None,
            })
        })
        .await;
    }
    let mut results = Vec::new();
    for (answer, early) in answers {
        results.push(match early {
            Some(result) => result,
            None => answer.await,
        });
    }
    results
}

pub(super) async fn followers_are_recorded_in_the_order_in_which_they_were_sent(store: &dyn Store) {
    let log = store.open().await;
    assert!(log.takes_followers());
    let (stream, mut last) = (new_stream(), None);
    let mut appends = Vec::new();
    for version in 0..50 {
        let append = Append { follows: last, ..append_of(&stream, version, &["one after the other"]) };
        last = Some(append.ticket.clone());
        appends.push(append);
    }
    let results = append_all(&log, appends).await;
    let versions: Vec<_> = results.into_iter().map(|result| result.unwrap().version.0).collect();
    assert_eq!(versions, (1..=50).collect::<Vec<_>>());
    log.close().await;
}

pub(super) async fn a_follower_of_what_was_not_recorded_conflicts_even_if_its_version_fits(store: &dyn Store) {
    let log = store.open().await;
    let stream = new_stream();
    let foreign = append_of(&stream, 0, &["someone else"]);
    let first = append_of(&stream, 0, &["decided on nothing"]);
    let second = Append { follows: Some(first.ticket.clone()), ..append_of(&stream, 1, &["decided on the first"]) };
    let third = Append { follows: Some(second.ticket.clone()), ..append_of(&stream, 2, &["decided on the second"]) };
    let tickets = [&foreign, &first, &second, &third].map(|append| append.ticket.clone());
    let results = append_all(&log, vec![foreign, first, second, third]).await;
    assert!(results[0].is_ok());
    for result in &results[1..] {
        assert!(matches!(result, Err(AppendError::Conflict { .. })), "{result:?}");
    }
    let fates = tickets.map(|ticket| ticket.fate());
    assert_eq!(fates, [Fate::Recorded, Fate::Failed, Fate::Failed, Fate::Failed]);
    assert_eq!(log.read_all(Position::START, 10).await.unwrap().len(), 1);
    log.close().await;
}

pub(super) async fn a_follower_that_comes_before_whom_it_follows_conflicts(store: &dyn Store) {
    let log = store.open().await;
    let (stream, before) = (new_stream(), Ticket::default());
    let early = Append { follows: Some(before), ..append_of(&stream, 0, &["too early"]) };
    let result = log.append(early).await;
    assert!(matches!(result, Err(AppendError::Conflict { .. })), "{result:?}");
    log.close().await;
}

pub(super) async fn a_ticket_is_settled_before_readers_see_the_event(store: &dyn Store) {
    let log = store.open().await;
    let mut head = log.watch();
    for version in 0..50 {
        let append = append_of(&new_stream(), 0, &["seen"]);
        let ticket = append.ticket.clone();
        let log = log.clone();
        let appending = tokio::spawn(async move { log.append(append).await });
        head.changed().await.unwrap();
        assert_eq!(ticket.fate(), Fate::Recorded, "append {version}");
        appending.await.unwrap().unwrap();
    }
    log.close().await;
}

pub(super) async fn a_log_that_is_closed_leaves_no_ticket_open(store: &dyn Store) {
    let log = store.open().await;
    log.close().await;
    let append = append_of(&new_stream(), 0, &["too late"]);
    let ticket = append.ticket.clone();
    assert!(log.append(append).await.is_err());
    assert!(!ticket.is_recorded().await);
}
