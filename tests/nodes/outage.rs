//! A store that is away for a while: what is asked of it is put off, what needs it not goes on, and nothing is lost or doubled.

use offshoot_aggregates::Event;
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::support::client::Reply;
use crate::support::postgres::TestDatabase;
use crate::support::postgres_server::OwnServer;
use crate::support::sample::sample_states;
use crate::support::server::TestServer;

/// The way to the server, which can be cut.
struct Way {
    port: u16,
    is_open: watch::Sender<bool>,
}

impl Way {
    async fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let here = listener.local_addr().unwrap().port();
        let (is_open, open) = watch::channel(true);
        tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                let mut open = open.clone();
                tokio::spawn(async move {
                    if !*open.borrow_and_update() {
                        return;
                    }
                    let Ok(mut far) = TcpStream::connect(("127.0.0.1", port)).await else { return };
                    tokio::select! {
                        // Cut in the midst of whatever is said; either end learns of it at once.
                        _ = open.wait_for(|open| !open) => {}
                        _ = tokio::io::copy_bidirectional(&mut near, &mut far) => {}
                    }
                });
            }
        });
        Self { port: here, is_open }
    }

    fn cut(&self) {
        self.is_open.send_replace(false);
    }

    fn mend(&self) {
        self.is_open.send_replace(true);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_store_is_away_changes_are_put_off_reads_go_on_and_clones_go_on_afterwards() {
    let database = TestDatabase::new();
    let way = Way::to(TestDatabase::port()).await;
    let server = TestServer::start_node(&database.url_at(way.port)).await;
    let (project, source) = server.sample(20_000).await;
    let path = format!("projects/{}/features/", project.id);
    let clone = server.clone_async(&source, "copy").await;
    server.wait_for_clone(&clone, |status| status["batches_copied"].as_u64() > Some(0)).await;
    way.cut();

    let states = format!("environments/{}/featurestates/?page_size=10", source.api_key);
    for _ in 0..2 {
        let put_off = server.post(&path, json!({ "name": "put_off" })).await;
        assert_eq!(put_off.status, 503, "{put_off:?}");
        assert!(put_off.headers.contains_key("retry-after"));
        server.get(&states).await.expect(200);
        server.get("projects/").await.expect(200);
    }
    assert_eq!(server.clone_status(&clone).await["status"], "creating");

    way.mend();
    // The first ones may still find it away.
    let created = loop {
        let reply = server.post(&path, json!({ "name": "put_off" })).await;
        if reply.status != 503 {
            break reply;
        }
    };
    // Refused, if it was recorded before although nobody was told.
    assert!([201, 400].contains(&created.status), "{created:?}");
    let status = server.wait_until_complete(&clone).await;
    assert_eq!((&status["attempts"], &status["error"]), (&json!(1), &json!(null)));
    // Every environment has a state of the feature that came meanwhile.
    assert_eq!(server.count(clone.id).await, sample_states(20_000) + 1);
    // It has a seed of its own in each, so it is not compared.
    let listed = server.get(&format!("{path}?search=put_off")).await.expect(200);
    server.delete(&format!("{path}{}/", listed["results"][0]["id"])).await.expect(204);
    assert_eq!(server.digest(clone.id).await, server.digest(source.id).await);
    let log = server.commands().log().clone();
    let (mut position, mut made) = (offshoot_aggregates::Position::START, 0);
    loop {
        let page = log.read_all(position, 1_000).await.unwrap();
        let Some(last) = page.last() else { break };
        position = last.position;
        let is_made = |event: &Event| matches!(event, Event::Project(event) if event.type_name() == "FeatureCreated");
        made +=
            page.iter().filter(|event| event.payload.contains("put_off") && is_made(event.event().unwrap())).count();
    }
    assert_eq!(made, 1, "lost or doubled");
}

/// What an answer to a read says of itself: the position that it shows, and for how long the log may have had more.
fn freshness(reply: &Reply) -> (u64, f64) {
    assert_eq!(reply.status, 200, "{reply:?}");
    (reply.header("offshoot-position").parse().unwrap(), reply.header("offshoot-age").parse().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_a_server_is_stopped_reads_say_how_old_they_are_and_no_read_model_counts_as_broken() {
    let store = OwnServer::start();
    let server = TestServer::start_node(&store.url()).await;
    let project = server.project("there").await;
    let environment = server.environment(project, "there").await;
    server.settle(server.head().await).await;
    let head = server.head().await.0;
    let path = format!("environments/{}/", environment.api_key);
    let begun = std::time::Instant::now();
    store.stop();
    let cut = begun.elapsed();
    let put_off = server.patch(&path, json!({ "banner_text": "new" })).await;
    assert_eq!(put_off.status, 503, "{put_off:?}");
    assert!(put_off.headers.contains_key("retry-after"));
    let known: Vec<_> = ["Nothing was changed", "is not known"]
        .into_iter()
        .filter(|text| put_off.body["detail"].as_str().unwrap().contains(text))
        .collect();
    assert_eq!(known.len(), 1, "{put_off:?}");
    let (position, first) = freshness(&server.get(&path).await);
    assert_eq!(position, head);
    loop {
        let (position, age) = freshness(&server.get(&path).await);
        assert_eq!(position, head);
        assert!(age >= first && age <= begun.elapsed().as_secs_f64() + cut.as_secs_f64() + 1.0, "{age}");
        if age > first + 0.5 {
            break;
        }
    }
    let list = server.get("projections/").await.expect(200);
    for read_model in list["results"].as_array().unwrap() {
        assert_eq!((&read_model["state"], &read_model["lag_events"]), (&json!("live"), &json!(null)), "{read_model}");
    }

    store.start_again();
    while server.patch(&path, json!({ "banner_text": "newer" })).await.status != 200 {}
    let reply = server.get(&path).await;
    assert_eq!(reply.body["banner_text"], "newer");
    assert!(freshness(&reply).0 > head);
    while freshness(&server.get(&path).await).1 > 0.3 {}
    // The one that was put off was made once at most, and before the newer one.
    let changes = store.sql("SELECT count(*) FROM offshoot.event WHERE event_type = 'EnvironmentSettingsChanged'");
    let expected = if known == ["Nothing was changed"] { 1..=1 } else { 1..=2 };
    assert!(expected.contains(&changes.parse().unwrap()), "{changes}");
}
