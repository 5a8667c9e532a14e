//! What one node did, the others know.

use reqwest::Method;
use serde_json::json;

use crate::support::client::{Client, Reply};
use crate::support::postgres::TestDatabase;
use crate::support::server::TestServer;

/// Two nodes on one store.
async fn two_nodes() -> (TestServer, TestServer, TestDatabase) {
    let database = TestDatabase::new();
    let one = TestServer::start_node(&database.url()).await;
    let other = TestServer::start_node(&database.url()).await;
    (one, other, database)
}

async fn get_at(node: &Client, path: &str, position: &str) -> Reply {
    node.send(node.request(Method::GET, path).header("offshoot-min-position", position)).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_one_node_wrote_another_shows_when_it_is_told_the_position() {
    let (one, other, _database) = two_nodes().await;
    let project = one.project("shared").await;
    let path = format!("projects/{}/features/", project.id);
    for number in 0..30 {
        let (writer, reader) = if number % 2 == 0 { (&one, &other) } else { (&other, &one) };
        let head = one.head().await.0.to_string();
        // The project itself is new to the other node at first.
        get_at(writer, &path, &head).await.expect(200);
        let created = writer.post(&path, json!({ "name": format!("flag_{number}") })).await;
        let position = created.header("offshoot-position").to_owned();
        created.expect(201);
        let listed = get_at(reader, &format!("{path}?page_size=100"), &position).await.expect(200);
        assert_eq!(listed["count"], number + 1);
    }
}

#[tokio::test]
async fn a_position_that_is_not_there_yet_is_waited_for_and_then_put_off() {
    let (one, _other, _database) = two_nodes().await;
    let far = (one.head().await.0 + 1_000_000).to_string();
    let reply = get_at(&one, "projects/", &far).await;
    assert_eq!(reply.status, 503);
    assert!(reply.headers.contains_key("retry-after"));
}

#[tokio::test]
async fn a_request_that_is_repeated_on_another_node_changes_nothing_and_is_answered_alike() {
    let (one, other, _database) = two_nodes().await;
    let project = one.project("shared").await;
    other.settle(one.head().await).await;
    let send = async |node: &TestServer| {
        let path = format!("projects/{}/features/", project.id);
        let request = node.request(Method::POST, &path).header("idempotency-key", "once");
        node.send(request.json(&json!({ "name": "flag" }))).await.told()
    };
    let first = send(&one).await;
    assert_eq!(first.0, 201, "{first:?}");
    other.settle(one.head().await).await;
    assert_eq!(send(&other).await.1["id"], first.1["id"]);
    other.settle(one.head().await).await;
    let listed = other.get(&format!("projects/{}/features/", project.id)).await.expect(200);
    assert_eq!(listed["count"], 1, "it was done twice");
}

#[tokio::test]
async fn a_node_rejects_nothing_that_others_have_made_right_and_accepts_nothing_that_they_have_made_wrong() {
    let (one, other, _database) = two_nodes().await;
    let project = one.project("shared").await;
    other.settle(one.head().await).await;
    let path = format!("projects/{}/features/", project.id);
    for round in 0..5 {
        // `one` keeps in memory that the name is taken, `other` frees it, and the other way round.
        let (one, other) = if round % 2 == 0 { (&one, &other) } else { (&other, &one) };
        let created = one.post(&path, json!({ "name": "flag" })).await.expect(201);
        other.settle(one.head().await).await;
        other.post(&path, json!({ "name": "flag" })).await.expect(400);
        other.delete(&format!("{path}{}/", created["id"])).await.expect(204);
        one.settle(other.head().await).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ids_that_nodes_give_out_at_the_same_time_are_never_the_same() {
    let (one, other, _database) = two_nodes().await;
    let project = one.project("shared").await;
    other.settle(one.head().await).await;
    let create = async |node: &TestServer, prefix: &str| {
        let mut ids = Vec::new();
        for number in 0..40 {
            ids.push(node.feature(project, &format!("{prefix}_{number}")).await);
        }
        ids
    };
    let (ones, others) = tokio::join!(create(&one, "one"), create(&other, "other"));
    let all: std::collections::BTreeSet<_> = ones.into_iter().chain(others).collect();
    assert_eq!(all.len(), 80);
}
