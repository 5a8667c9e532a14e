//! The first page: projects, and what is being created in them, as it happens.

use super::axe::assert_accessible;
use super::visit::visit;
use crate::support::gated_log::Gate;
use crate::support::server::TestServer;

#[tokio::test]
async fn projects_show_what_is_being_created_and_what_failed_without_a_reload() {
    let gate = Gate::closed();
    let server = TestServer::start_on(|log| gate.before(log)).await;
    let page = visit(&server, "/").await;
    page.wait_for_text("#projects", "There is no project yet").await;
    let (project, source) = server.sample(1_200).await;
    let card = format!("#project-{}", project.id);
    page.wait_for_text(&card, "1 environment").await;
    let clone = server.clone_async(&source, "Staging").await;
    page.wait_for_text(&card, "1 being created").await;
    page.wait_for_text(&card, "2 environments").await;
    gate.crowded(1).await;
    gate.fail(u32::MAX);
    gate.let_through(1);
    page.wait_for_text(&card, "1 failed").await;
    assert!(!page.text(&card).await.contains("being created"), "what failed is not being created");
    let announced = page.evaluate("document.getElementById('announcements').textContent").await;
    assert_eq!(announced, "sample: 0 being created, 1 failed");
    let other = server.clone_async(&source, "Rehearsal").await;
    page.wait_for_text(&card, "1 being created").await;
    page.wait_for_text(&card, "1 failed").await;
    assert_accessible(&page).await;
    server.wait_for_clone(&other, |status| status["status"] == "failed").await;
    page.wait_for_text(&card, "2 failed").await;
    gate.fail(0);
    gate.open();
    for clone in [clone, other] {
        server.post(&format!("environments/{}/clone/retry/", clone.key), serde_json::Value::Null).await.expect(202);
    }
    page.wait_until(&format!("!document.querySelector('{card} .badge')")).await;
    page.leave().await;
}
