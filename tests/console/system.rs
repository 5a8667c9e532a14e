//! The page about the server in a browser: rebuilding a read model, and how clones did.

use rusqlite::Connection;
use serde_json::json;

use super::axe::assert_accessible;
use super::visit::{visit, visit_at};
use crate::support::gated_log::Gate;
use crate::support::server::TestServer;

#[tokio::test]
async fn a_read_model_is_rebuilt_with_its_progress_in_sight() {
    let gate = Gate::closed();
    let server = TestServer::start_on(|log| gate.before(log)).await;
    server.sample(100).await;
    let page = visit(&server, "/system").await;
    page.wait_for_text("#system-health", "Everything works").await;
    page.wait_for_text("#projection-audit_log", "Live").await;
    assert_accessible(&page).await;
    // Nothing can be read meanwhile, so that it is seen.
    gate.go_away();
    page.click("#projection-audit_log button").await;
    let button = "document.activeElement === document.querySelector('#projection-audit_log button')";
    page.wait_for_text("#projection-audit_log", "Being rebuilt").await;
    page.wait_for("#projection-audit_log progress[role=progressbar]").await;
    page.wait_for_text("#system-health", "Something does not work").await;
    page.wait_until("document.querySelector('#projection-audit_log button[aria-disabled=true]')").await;
    assert_eq!(page.evaluate(button).await, true, "the focus stays");
    assert_accessible(&page).await;
    gate.come_back();
    page.wait_for_text("#projection-audit_log", "Live").await;
    page.wait_until("!document.querySelector('#projection-audit_log progress')").await;
    page.wait_for_text("#system-health", "Everything works").await;
    page.wait_until("!document.querySelector('#projection-audit_log button[aria-disabled=true]')").await;
    assert_eq!(page.evaluate(button).await, true);
    page.leave().await;
}

#[tokio::test]
async fn clones_that_one_waits_for_are_compared_with_those_in_the_background() {
    let server = TestServer::start().await;
    let (_, source) = server.sample(50).await;
    let path = format!("environments/{}/clone/", source.api_key);
    for (name, is_async) in [("one", true), ("two", false)] {
        server.post(&path, json!({ "name": name, "clone_feature_states_async": is_async })).await.expect(200);
    }
    let page = visit(&server, "/system").await;
    for chart in ["answers", "durations"] {
        page.wait_for(&format!("#chart-{chart} rect.mode-sync")).await;
        page.wait_for(&format!("#chart-{chart} rect.mode-async")).await;
        // Other tests of the process may have cloned as well.
        let counts = format!(
            "[...document.querySelectorAll('#{chart}-table tbody tr')].every((row) => Number(row.cells[1].textContent) > 0)"
        );
        page.wait_until(&counts).await;
        let box_of = format!("document.querySelector('#{chart}-table').parentElement");
        assert_eq!(
            page.evaluate(&format!("{box_of}.scrollWidth <= {box_of}.clientWidth")).await,
            true,
            "all of it is seen"
        );
    }
    assert_accessible(&page).await;
    page.leave().await;
}

#[tokio::test]
async fn an_event_that_no_read_model_can_read_is_shown_with_the_reason() {
    let server = TestServer::start().await;
    server.sample(3).await;
    if server.commands().log().is_shared() {
        // The event below is written into the embedded store.
        return;
    }
    let directory = server.stop().await;
    let log = Connection::open(directory.path().join("events.sqlite")).unwrap();
    let stream = format!("project-{}", uuid::Uuid::new_v4());
    let of_a_later_version =
        "INSERT INTO event (stream, version, event_type, event_version, recorded_at, metadata, payload)
        SELECT ?1, 1, 'ProjectCreated', event_version, recorded_at, metadata, '{\"idea\": \"of a later version\"}'
        FROM event WHERE event_type = 'ProjectCreated' LIMIT 1";
    assert_eq!(log.execute(of_a_later_version, [&stream]).unwrap(), 1);
    drop(log);
    let server = TestServer::start_at(directory).await;
    let page = visit(&server, "/system").await;
    page.click("#projection-features .badge.bad").await;
    let parked = page.text("#parked-features").await;
    assert!(
        parked.contains("ProjectCreated") && parked.contains(&stream) && parked.contains("cannot be read"),
        "{parked}"
    );
    assert_accessible(&page).await;
    // All else is read, and the server works.
    page.wait_for_text("#system-health", "Everything works").await;
    page.go("/").await;
    page.wait_for_text("#projects", "sample").await;
    page.leave().await;
}

#[tokio::test]
async fn the_server_is_not_shown_to_who_administers_no_organisation() {
    let server = TestServer::start().await;
    let body = json!({ "name": "somebody", "is_admin": false });
    let issued = server.post("organisations/1/master-api-keys/", body).await.expect(201);
    let page = visit_at(&server.base(), issued["key"].as_str().unwrap(), "/audit").await;
    page.wait_for_text("#audit", "Nothing has happened yet").await;
    let links = "[...document.querySelectorAll('.navigation a')].map((link) => link.pathname).join(' ')";
    assert_eq!(page.evaluate(links).await, "/ /audit");
    page.go("/system").await;
    page.wait_for_text("h1", "Not allowed").await;
    page.assert_clean_but(|error| error.contains("/system") && error.contains("403")).await;
    page.leave().await;
}
