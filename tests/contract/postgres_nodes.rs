//! What is particular to the log in PostgreSQL: many nodes at once, slow transactions, rollbacks, connections that break.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use offshoot::event_log::{EventLog, PostgresEventLog};
use offshoot_aggregates::{Position, StreamId, Version};
use tokio::task::{JoinSet, spawn_blocking};
use uuid::Uuid;

use super::breaking::append_while;
use super::following::follow_writers_of;
use super::{PostgresStore, Store, append_of, everything, new_stream};

/// Also if the test fails.
struct StopAtTheEnd(Arc<AtomicBool>);

impl Drop for StopAtTheEnd {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

async fn nodes(store: &PostgresStore, count: usize) -> Vec<Arc<dyn EventLog>> {
    let mut nodes = JoinSet::new();
    for _ in 0..count {
        let place = store.database.place();
        nodes.spawn(async move { Arc::new(PostgresEventLog::open(&place).await.unwrap()) as Arc<dyn EventLog> });
    }
    nodes.join_all().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_nodes_that_start_at_once_on_an_empty_database_share_one_log() {
    let store = PostgresStore::new();
    let nodes = nodes(&store, 10).await;
    for (expected, node) in (0..).zip(&nodes) {
        let stream = StreamId::id_allocator();
        assert_eq!(node.append(append_of(&stream, expected, &["a"])).await.unwrap().version, Version(expected + 1));
    }
    for node in &nodes {
        assert_eq!(node.read_all(Position::START, 100).await.unwrap().len(), 10);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_on_other_nodes_miss_nothing_while_transactions_are_slow_or_are_rolled_back() {
    let store = PostgresStore::new();
    let nodes = nodes(&store, 3).await;
    let (stop, database) = (Arc::new(AtomicBool::new(false)), Arc::new(store));
    let stop_at_the_end = StopAtTheEnd(stop.clone());
    let mut slow = JoinSet::new();
    for end in ["COMMIT", "ROLLBACK", "ROLLBACK"] {
        let (stop, store) = (stop.clone(), database.clone());
        slow.spawn(spawn_blocking(move || {
            while !stop.load(Ordering::SeqCst) {
                let key = Uuid::new_v4();
                store.database.sql(&format!(
                    "SET search_path = offshoot; BEGIN; SELECT * FROM append(ARRAY['project'], ARRAY['{key}'], ARRAY[0], \
                     ARRAY['{key}'::uuid], ARRAY[NULL::uuid], ARRAY['{{}}'], ARRAY[1, 1], ARRAY['ProjectCreated', \
                     'ProjectCreated'], ARRAY['1', '1'], ARRAY['{{}}', '{{}}'], false); SELECT pg_sleep(0.03); {end}"
                ));
            }
        }));
    }
    follow_writers_of(&nodes).await;
    drop(stop_at_the_end);
    slow.join_all().await;
    let all = everything(&nodes[1]).await;
    assert!(all.last().unwrap().position.0 > all.len() as u64, "nothing was rolled back");
    assert_eq!(nodes[2].head().await.unwrap(), all.last().unwrap().position);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_append_whose_connection_breaks_is_recorded_once_if_it_is_acknowledged_and_not_at_all_if_it_is_refused() {
    let store = Arc::new(PostgresStore::new());
    let nodes = nodes(&store, 2).await;
    let breaker = store.clone();
    append_while(&nodes, move || {
        for _ in 0..25 {
            breaker.database.break_connections();
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_cannot_be_changed_or_deleted_by_hand() {
    let store = PostgresStore::new();
    let log = store.open().await;
    log.append(append_of(&new_stream(), 0, &["a"])).await.unwrap();
    for statement in ["UPDATE offshoot.event SET payload = ''", "DELETE FROM offshoot.event", "TRUNCATE offshoot.event"]
    {
        let attempt = format!("DO $$ BEGIN {statement}; EXCEPTION WHEN raise_exception THEN RETURN; END $$");
        store.database.sql(&attempt);
    }
    assert_eq!(log.read_all(Position::START, 10).await.unwrap().len(), 1);
}
