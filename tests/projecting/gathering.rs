//! Under load events are gathered, and one transaction shows them all; but nobody who waits for them is kept waiting.

use std::sync::Arc;
use std::time::Duration;

use offshoot::commands::{CommandContext, Commands};
use offshoot::event_feed::EventFeed;
use offshoot::event_log::{EventLog, SqliteEventLog};
use offshoot::read_models::ReadModels;
use offshoot::workers::Projector;
use offshoot_aggregates::{Actor, Position};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// Longer than any test: whoever is not let off the pause fails by waiting.
const FOR_EVER: Duration = Duration::from_secs(3_600);

struct House {
    commands: Commands,
    feed: Arc<EventFeed>,
    directory: TempDir,
}

impl House {
    async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let log: Arc<dyn EventLog> = Arc::new(SqliteEventLog::open(&directory.path().join("log.db")).unwrap());
        let feed = Arc::new(EventFeed::new(log.clone()).await.unwrap());
        Self { commands: Commands::new(log), feed, directory }
    }

    /// Appends something. Returns where it is.
    async fn append(&self) -> Position {
        let context = CommandContext::new(Actor::operator("test"));
        self.commands.create_organisation(&context, "Organisation".to_owned(), None).await.unwrap().position
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pause_between_transactions_ends_when_somebody_waits() {
    let house = House::new().await;
    let read_models = ReadModels::new(house.directory.path());
    let (read_model, stop) = (&read_models.features, CancellationToken::new());
    let projector = Projector::new(read_model.clone(), house.feed.clone(), stop.clone()).with_interval(FOR_EVER);
    let task = projector.start().unwrap();
    read_model.reached(house.append().await).await;
    let mut last = Position::START;
    for _ in 0..3 {
        last = house.append().await;
    }
    assert!(tokio::time::timeout(FOR_EVER / 60, read_model.reached(last)).await.is_ok());
    assert!(read_model.position() >= last);
    stop.cancel();
    task.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_projector_that_pauses_stops_when_it_is_told_to() {
    let house = House::new().await;
    let read_models = ReadModels::new(house.directory.path());
    let stop = CancellationToken::new();
    let projector = Projector::new(read_models.features.clone(), house.feed.clone(), stop.clone());
    let task = projector.with_interval(FOR_EVER).start().unwrap();
    read_models.features.reached(house.append().await).await;
    house.append().await;
    stop.cancel();
    assert!(tokio::time::timeout(FOR_EVER / 60, task).await.is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_gathers_gets_what_came_meanwhile() {
    let house = House::new().await;
    let mut hint = house.feed.hint();
    let first = house.append().await;
    let gathered = async {
        house.append().await;
    };
    let before = Position(first.0 - 1);
    let events = house.feed.gather_after(before, &mut hint, gathered).await.unwrap();
    let head = house.feed.log().head().await.unwrap();
    assert_eq!(events.first().map(|event| event.position), Some(first));
    assert_eq!(events.last().map(|event| event.position), Some(head));
    assert!(head > first);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_at_the_end_is_woken_by_the_next_event() {
    let house = House::new().await;
    let head = house.append().await;
    let mut hint = house.feed.hint();
    let (events, appended) = tokio::join!(
        async {
            loop {
                let events = house.feed.wait_after(head, &mut hint).await.unwrap();
                if !events.is_empty() {
                    return events;
                }
            }
        },
        house.append()
    );
    assert!(events[0].position > head && events[0].position <= appended);
}
