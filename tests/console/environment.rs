//! The page of an environment: while it is being created, when that fails, and when it is there.

use serde_json::json;

use super::axe::assert_accessible;
use super::page::Page;
use super::visit::visit;
use crate::clone::observed::Requested;
use crate::support::gated_log::Gate;
use crate::support::server::TestServer;

/// A clone of three batches that waits at a gate, and the page of it.
async fn watched() -> (TestServer, Gate, Requested, Page) {
    let gate = Gate::closed();
    let server = TestServer::start_on(|log| gate.before(log)).await;
    let (_, source) = server.sample(1_200).await;
    let clone = server.clone_async(&source, "Staging").await;
    let page = visit(&server, &format!("/environments/{}", clone.key)).await;
    (server, gate, clone, page)
}

#[tokio::test]
async fn flags_are_locked_with_the_reason_while_settings_are_not_and_both_are_free_afterwards() {
    let (server, gate, clone, page) = watched().await;
    page.wait_for_text("#creation", "This environment is being created").await;
    assert_eq!(page.evaluate("document.querySelectorAll('#features input:disabled').length").await, 8);
    let reason = "document.getElementById(document.querySelector('#features input').getAttribute('aria-describedby'))";
    let reason = page.evaluate(&format!("{reason}.innerText")).await;
    assert!(reason.as_str().unwrap().contains("Locked until the last feature state is copied"), "{reason}");
    assert_accessible(&page).await;
    // What is not offered is refused as well.
    let states = format!("environments/{}/featurestates/", clone.key);
    assert_eq!(server.get(&states).await.status, 503);

    page.write("#settings-name", "Rehearsal").await;
    page.click("#settings button.primary").await;
    page.wait_for_text(".toast", "Saved.").await;
    page.wait_for_text("h1", "Rehearsal").await;
    gate.open();
    page.wait_for("#took").await;
    assert!(!page.text("#environment").await.contains("being created"));
    page.wait_until("document.querySelectorAll('#features input:disabled').length === 0").await;
    assert_eq!(page.text("h1").await, "Rehearsal");
    assert_accessible(&page).await;

    let first = page.wait_for("#features .switch").await;
    assert!(first.is_selected().await.unwrap(), "the first flag of the sample is on");
    first.click().await.unwrap();
    page.wait_for_text("#features", "599 of 1 200 on").await;
    let listed = server.get(&format!("{states}?page_size=1")).await.expect(200);
    assert_eq!(listed["results"][0]["enabled"], false);
    page.leave().await;
}

#[tokio::test]
async fn a_clone_that_failed_says_where_and_why_and_goes_on_when_it_is_retried() {
    let (server, gate, clone, page) = watched().await;
    gate.let_through(1);
    page.wait_until("document.querySelector('progress').value === 500").await;
    gate.crowded(1).await;
    gate.fail(u32::MAX);
    gate.let_through(1);
    page.wait_for_text("#creation", "Creating this environment failed").await;
    let told = page.text("#creation").await;
    assert!(told.contains("It stopped at batch 3") && told.contains("store_unavailable"), "{told}");
    let announced = page.evaluate("document.getElementById('announcements').textContent").await;
    assert_eq!(announced, "Creating Staging failed at batch 3");
    assert_accessible(&page).await;
    gate.fail(0);
    gate.open();
    page.click("#creation button.primary").await;
    page.wait_for("#took").await;
    assert_eq!(server.clone_status(&clone).await["attempts"], 2);
    page.leave().await;
}

#[tokio::test]
async fn a_clone_is_cancelled_after_a_question_and_is_gone() {
    let (server, _gate, clone, page) = watched().await;
    page.click("#creation [data-opens=cancel-clone]").await;
    page.wait_for_text("#cancel-clone", "Staging is given up").await;
    assert_accessible(&page).await;
    page.click("#cancel-clone [data-closes]").await;
    page.wait_until("!document.querySelector('#cancel-clone').open").await;
    assert_eq!(server.clone_status(&clone).await["status"], "creating");
    page.click("#creation [data-opens=cancel-clone]").await;
    page.click("#cancel-clone button.danger").await;
    page.wait_until("location.pathname.startsWith('/projects/')").await;
    page.wait_for_text("#environments", "source").await;
    assert!(!page.text("#environments").await.contains("Staging"));
    assert_eq!(server.clone_status(&clone).await["status"], "cancelled");
    page.leave().await;
}

#[tokio::test]
async fn who_looks_at_an_environment_that_somebody_else_deletes_is_told_and_led_back() {
    let server = TestServer::start().await;
    let (project, source) = server.sample(10).await;
    let path = format!("/environments/{}", source.api_key);
    let pages = [visit(&server, &path).await, visit(&server, &format!("{path}/features")).await];
    pages[0].write("#settings-name", "about to be something else").await;
    for page in &pages {
        page.wait_for(".switch").await;
    }
    let deleted = server.delete(&format!("environments/{}/", source.api_key)).await;
    assert_eq!(deleted.status, 204, "{}", deleted.body);
    for page in pages {
        page.wait_for_text("h1", "This environment was deleted").await;
        assert_eq!(page.path().await.trim_end_matches("/features"), path, "it is where it was");
        assert_eq!(page.evaluate("document.activeElement.tagName").await, "H1");
        assert_accessible(&page).await;
        // Who comes back later is told the same.
        page.reload().await;
        page.wait_for_text("h1", "This environment was deleted").await;
        assert_accessible(&page).await;
        page.click("main a.primary").await;
        page.wait_for_path(&format!("/projects/{}", project.id)).await;
        page.assert_clean_but(|error| error.contains("410")).await;
        page.leave().await;
    }
}

#[tokio::test]
async fn a_switch_that_is_refused_goes_back() {
    let gate = Gate::closed_for(&[]);
    let server = TestServer::start_on(|log| gate.before(log)).await;
    let (project, source) = server.sample(10).await;
    let page = visit(&server, &format!("/environments/{}", source.api_key)).await;
    page.wait_for("#features .switch").await;
    // The page does not hear of it, so that its switch leads nowhere.
    page.block(&["*/live/*", "*/environments/*?*"]).await;
    let states = server.get(&format!("environments/{}/featurestates/", source.api_key)).await.expect(200);
    let feature = &states["results"][0]["feature"];
    gate.go_away();
    page.click("#features .switch").await;
    page.wait_for_text(".toast.danger", "flag_000000: It stays as it was:").await;
    assert_eq!(page.evaluate("document.querySelector('#features .switch').checked").await, true);
    gate.come_back();
    let body = json!({ "description": "still there" });
    server.patch(&format!("projects/{}/features/{feature}/", project.id), body).await.expect(200);
    page.assert_clean_but(|error| error.contains("503")).await;
    page.leave().await;
}
