//! What happens to a page when its stream breaks, or its server dies.

use std::net::SocketAddr;

use serde_json::json;

use super::visit::{visit, visit_at};
use crate::support::client::Client;
use crate::support::gated_log::Gate;
use crate::support::prepared::{ADMIN_KEY, Prepared};
use crate::support::process::{ServerProcess, offshoot};
use crate::support::server::TestServer;

fn is_of_the_network(error: &str) -> bool {
    error.contains("net::ERR_")
}

#[tokio::test]
async fn a_page_whose_stream_is_broken_looks_for_news_itself_and_says_so() {
    let gate = Gate::closed();
    let server = TestServer::start_on(|log| gate.before(log)).await;
    let (project, source) = server.sample(1_200).await;
    let page = visit(&server, &format!("/projects/{}", project.id)).await;
    page.block(&["*/live/*"]).await;
    page.reload().await;
    page.wait_for_text("#connection", "This page looks for news every second").await;
    server.clone_async(&source, "Staging").await;
    page.wait_for("progress").await;
    gate.let_through(1);
    page.wait_until("document.querySelector('progress').value === 500").await;
    page.block(&[]).await;
    page.wait_until("document.querySelector('#connection').hidden").await;
    gate.open();
    page.wait_until("!document.querySelector('progress')").await;
    page.assert_clean_but(is_of_the_network).await;
    page.leave().await;
}

fn start(listen: SocketAddr, prepared: &Prepared) -> ServerProcess {
    let mut command = offshoot();
    command.env("OFFSHOOT_ADMIN_KEY", ADMIN_KEY).env("OFFSHOOT_CLONE_BATCH_PAUSE", "400ms");
    ServerProcess::spawn_at(listen, command, prepared.directory(), None)
}

#[tokio::test]
async fn the_server_is_killed_in_the_middle_of_a_clone_and_the_page_goes_on_by_itself() {
    let prepared = Prepared::new(4_000).await;
    let server = start(SocketAddr::from(([127, 0, 0, 1], 0)), &prepared);
    let address = server.address().expect("it serves");
    let base = format!("http://{address}");
    let admin = Client::new(base.clone(), Some(ADMIN_KEY.to_owned()));
    let page = visit_at(&base, ADMIN_KEY, "/").await;
    page.click("#projects h2 a").await;
    page.wait_for_text("#environments", "source").await;
    let body = json!({ "name": "Staging", "clone_feature_states_async": true });
    let clone = admin.post(&format!("environments/{}/clone/", prepared.source.api_key), body).await.expect(200);
    page.wait_until("document.querySelector('progress')?.value >= 1000").await;
    assert!(server.kill().was_killed());
    page.wait_for_text("#connection", "The server does not answer").await;
    let server = start(address, &prepared);
    server.address().expect("it serves again");
    page.wait_until("document.querySelector('#connection').hidden").await;
    page.wait_until("!document.querySelector('progress')").await;
    assert!(page.text("#environments").await.contains("Staging"));
    let admin = Client::new(base, Some(ADMIN_KEY.to_owned()));
    let status = admin.get(&format!("environments/{}/clone/", clone["api_key"].as_str().unwrap())).await.expect(200);
    assert_eq!((&status["status"], &status["attempts"]), (&json!("completed"), &json!(1)));
    page.assert_clean_but(is_of_the_network).await;
    page.leave().await;
}
