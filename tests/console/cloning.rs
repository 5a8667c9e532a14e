//! A clone, seen in a browser: from the dialog to the last batch, by whoever looks.

use super::axe::assert_accessible;
use super::page::Page;
use super::visit::visit;
use crate::support::builders::TestProject;
use crate::support::gated_log::Gate;
use crate::support::server::TestServer;

/// A server with 5,000 features, whose clones wait at a gate before each batch.
async fn gated() -> (TestServer, Gate, TestProject) {
    let gate = Gate::closed();
    let server = TestServer::start_on(|log| gate.before(log)).await;
    let (project, _) = server.sample(5_000).await;
    (server, gate, project)
}

/// Asks for a clone in the dialog of a project's page.
async fn ask_for_clone(page: &Page, name: &str) {
    page.click(".environment [data-opens=clone-environment]").await;
    page.write("#clone-name", name).await;
    page.click("#clone-environment button.primary").await;
    page.wait_until("!document.querySelector('#clone-environment').open").await;
}

/// Notes every value that a bar has from now on, in the page.
const WATCH: &str = "(() => {
    window.seen = [];
    const look = () => {
        const bar = document.querySelector('progress');
        if (bar && seen.at(-1) !== bar.value) seen.push(bar.value);
    };
    new MutationObserver(look).observe(document, { subtree: true, childList: true, attributes: true });
    return true;
})()";

#[tokio::test]
async fn a_clone_is_asked_for_in_the_dialog_and_its_bar_moves_to_the_end_without_a_reload() {
    let (server, gate, project) = gated().await;
    let path = format!("/projects/{}", project.id);
    let page = visit(&server, &path).await;
    let other = visit(&server, &path).await;
    page.evaluate(WATCH).await;
    ask_for_clone(&page, "Staging").await;
    // Nobody told the second browser to look.
    for page in [&page, &other] {
        page.wait_for("progress[role=progressbar]").await;
        page.wait_for_text("#environments", "Being created").await;
    }
    assert_accessible(&page).await;
    for copied in [500, 1_000, 1_500] {
        gate.let_through(1);
        for page in [&page, &other] {
            page.wait_until(&format!("document.querySelector('progress').value === {copied}")).await;
        }
    }
    // One can come back.
    other.reload().await;
    other.wait_until("document.querySelector('progress').value >= 1500").await;
    gate.open();
    for page in [&page, &other] {
        page.wait_until("!document.querySelector('progress')").await;
        let list = page.text("#environments").await;
        assert!(list.contains("Cloned from source") && !list.contains("Being created"), "{list}");
        assert_eq!(list.matches("2 500 of 5 000 on").count(), 2, "{list}");
    }
    let seen = page.evaluate("window.seen").await;
    let seen: Vec<u64> = seen.as_array().unwrap().iter().map(|value| value.as_u64().unwrap()).collect();
    assert!(seen.is_sorted() && seen.starts_with(&[0, 500, 1_000, 1_500]), "it was never reloaded, and saw {seen:?}");
    page.leave().await;
    other.leave().await;
}
