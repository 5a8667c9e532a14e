//! What must hold of a data directory when all its clones are complete, whatever happened to the processes that made them.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use offshoot::config::WorkerConfig;
use offshoot::event_log::EventLog;
use offshoot::node::Node;
use offshoot_aggregates::environment::{CloneMode, EnvironmentEvent, EnvironmentRef, Origin};
use offshoot_aggregates::{Event, Position, RecordedEvent, StreamId};
use offshoot_projections::digest::digest;
use offshoot_projections::environment_status::forgotten_names;
use offshoot_projections::feature_states::{StateFilter, StateScope, count_states};
use rusqlite::Connection;

use crate::support::prepared::{PATIENCE, Prepared, RequestedClone, digest_of};
use crate::support::store::{data_in, open_log};

/// Checks the log, the clones and the read models. Nobody may be working with the data.
pub async fn check(directory: &Path, prepared: &Prepared, clones: &[RequestedClone]) {
    let sqlite = directory.join("events.sqlite");
    if sqlite.exists() {
        check_file(&sqlite);
    }
    let node = start(directory).await;
    let events = read_all(node.commands.log()).await;
    check_order(&events);
    for clone in clones {
        check_history(&events, clone, prepared.states);
        check_states(&node, clone, prepared).await;
    }
    wait_for_names(&node).await;
    check_read_models(&node).await;
    node.stop().await;
}

/// Nobody else works with the data, whether the store can know that or not.
fn alone() -> WorkerConfig {
    WorkerConfig { forgotten_name_age: Some(std::time::Duration::ZERO), ..WorkerConfig::default() }
}

/// Starts a node on the data, whose read models show all of the log.
pub async fn start(directory: &Path) -> Node {
    let node = Node::start(&data_in(directory), &alone()).await.unwrap();
    let head = node.commands.log().head().await.unwrap();
    assert!(node.read_models.wait_for(head, PATIENCE).await, "the read models do not follow");
    node
}

/// Waits until the node has freed every name that a killed process has left reserved, and its read models show that: they say the
/// same from then on.
async fn wait_for_names(node: &Node) {
    let status = &node.read_models.environment_status;
    let mut moved = status.watch();
    while !status.query(|file| forgotten_names(file, Timestamp::MAX)).await.unwrap().is_empty() {
        tokio::time::timeout(PATIENCE, moved.changed()).await.expect("names are freed").unwrap();
    }
    let head = node.commands.log().head().await.unwrap();
    assert!(node.read_models.wait_for(head, PATIENCE).await, "the read models do not follow");
}

/// The events of a log that nobody works with.
pub async fn events_in(directory: &Path) -> Vec<RecordedEvent> {
    let log = open_log(directory).await;
    let events = read_all(&log).await;
    log.close().await;
    events
}

/// The asynchronous clones that the log knows. Nobody may be working with the data.
pub async fn clones_in(directory: &Path) -> Vec<RequestedClone> {
    let events = events_in(directory).await;
    let clone = |recorded: &RecordedEvent| match recorded.event().unwrap() {
        Event::Environment(EnvironmentEvent::EnvironmentCreated {
            id,
            api_key,
            settings,
            origin: Origin::Clone(origin),
            ..
        }) if origin.mode == CloneMode::Async => {
            let (uuid, name, api_key) = (recorded.stream.uuid(), settings.name.clone(), api_key.clone());
            let environment = EnvironmentRef { uuid, id: *id, name, api_key };
            Some(RequestedClone { environment, position: recorded.position })
        }
        _ => None,
    };
    events.iter().filter_map(clone).collect()
}

async fn read_all(log: &Arc<dyn EventLog>) -> Vec<RecordedEvent> {
    let mut events: Vec<RecordedEvent> = Vec::new();
    loop {
        let after = events.last().map_or(Position::START, |event| event.position);
        let page = log.read_all(after, 1_000).await.unwrap();
        if page.is_empty() {
            return events;
        }
        events.extend(page);
    }
}

/// SQLite's own check of a file.
pub fn check_file(path: &Path) {
    let file = Connection::open(path).unwrap();
    let verdict: String = file.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(verdict, "ok", "{}", path.display());
}

/// Positions rise, and the versions of each stream have no holes and no doubles.
fn check_order(events: &[RecordedEvent]) {
    assert!(events.is_sorted_by(|one, next| one.position < next.position));
    let mut versions: HashMap<&StreamId, u64> = HashMap::new();
    for event in events {
        let version = versions.entry(&event.stream).or_default();
        *version += 1;
        assert_eq!(event.version.0, *version, "{} at {}", event.stream, event.position);
    }
}

/// It came to be once, has every batch once and in order, and was completed once, after the last of them.
fn check_history(events: &[RecordedEvent], clone: &RequestedClone, states_total: u64) {
    let stream = StreamId::environment(clone.environment.uuid);
    let (mut created, mut completed, mut copied, mut states_copied) = (0, 0, Vec::new(), 0);
    for recorded in events.iter().filter(|event| event.stream == stream) {
        let Event::Environment(event) = recorded.event().unwrap() else { panic!("{recorded:?}") };
        assert_eq!(completed, 0, "{recorded:?} after the end");
        match event {
            EnvironmentEvent::EnvironmentCreated { .. } => created += 1,
            EnvironmentEvent::FeatureStatesBatchCopied { batch, states } => {
                copied.push(*batch);
                states_copied += states.len() as u64;
            }
            EnvironmentEvent::CloneCompleted { feature_states, batches } => {
                assert_eq!((*feature_states, *batches as usize), (states_total, copied.len()));
                completed += 1;
            }
            _ => {}
        }
    }
    let in_order: Vec<u32> = (1..).take(copied.len()).collect();
    assert_eq!((created, completed, states_copied), (1, 1, states_total));
    assert_eq!(copied, in_order);
}

/// It has every state once, and they say what those of the source said at the cut.
async fn check_states(node: &Node, clone: &RequestedClone, prepared: &Prepared) {
    let id = clone.environment.id;
    let count = move |file: &Connection| {
        let filter = StateFilter { scope: StateScope::All, ..StateFilter::default() };
        let sql = "SELECT count(DISTINCT id), count(*), count(DISTINCT feature || ' ' || segment)
            FROM feature_state WHERE environment = ?1";
        let rows: (u64, u64, u64) = file.query_row(sql, [id.0], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        Ok((count_states(file, id, filter)?, rows))
    };
    let total = prepared.states;
    assert_eq!(node.read_models.feature_states.query(count).await.unwrap(), (total, (total, total, total)));
    assert_eq!(digest_of(node, id).await, prepared.digest, "{}", clone.environment.name);
}

/// Every read model is what it is when it is built from the log anew, and could read every event.
async fn check_read_models(node: &Node) {
    for read_model in node.read_models.all() {
        let before = read_model.query(digest).await.unwrap();
        assert_eq!(read_model.status().await.unwrap().parked, [], "{}", read_model.name());
        let mut rebuilt = read_model.request_rebuild();
        tokio::time::timeout(PATIENCE, rebuilt.changed()).await.expect("it is built anew").unwrap();
        assert_eq!(read_model.query(digest).await.unwrap(), before, "{}", read_model.name());
    }
}

/// How far the files of the read models are that serve, by name, and what they say. Nobody may be working with the data.
#[cfg(feature = "fault-points")]
pub fn read_model_files(directory: &Path) -> HashMap<String, (Position, uuid::Uuid)> {
    let files = std::fs::read_dir(directory.join("read-models")).unwrap().map(|entry| entry.unwrap().path());
    let files = files.filter(|path| path.extension().is_some_and(|extension| extension == "sqlite"));
    files
        .map(|path| {
            check_file(&path);
            let file = Connection::open(&path).unwrap();
            let name = path.file_name().unwrap().to_str().unwrap().split('.').next().unwrap().to_owned();
            (name, (offshoot_projections::position(&file).unwrap(), digest(&file).unwrap()))
        })
        .collect()
}
