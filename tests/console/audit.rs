//! The audit log in a browser: as it happens, a clone as one line, and what changed as a diff.

use serde_json::json;

use super::axe::assert_accessible;
use super::visit::visit;
use crate::support::gated_log::Gate;
use crate::support::server::TestServer;

#[tokio::test]
async fn a_clone_is_one_line_that_unfolds_into_its_events_and_grows_with_them() {
    let gate = Gate::closed();
    let server = TestServer::start_on(|log| gate.before(log)).await;
    let (_, source) = server.sample(1_000).await;
    let page = visit(&server, "/audit").await;
    page.wait_for("#audit .audit-row").await;
    let body = json!({ "name": "Staging", "clone_feature_states_async": true });
    server.post(&format!("environments/{}/clone/", source.api_key), body).await.expect(200);
    page.wait_for_text("#audit .audit-row", "New Environment created: Staging").await;
    page.click(".audit-row details summary").await;
    page.wait_for_text(".audit-lines", "Environment Staging cloned from source").await;
    assert_accessible(&page).await;
    gate.open();
    page.wait_for_text(".audit-last", "Clone completed: Staging").await;
    page.wait_for_text(".audit-lines", "Feature states copied to Staging: batch 3 of 3").await;
    page.wait_for_text(".audit-lines", "Clone completed: Staging").await;
    let titles = "[...document.querySelectorAll('.audit-row > .audit-text')]
        .filter((title) => title.textContent.includes('Staging')).length";
    assert_eq!(page.evaluate(titles).await, 1);
    page.leave().await;
}

#[tokio::test]
async fn what_changed_is_shown_as_a_diff_and_lines_are_filtered() {
    let server = TestServer::start().await;
    let (project, environment) = server.sample(3).await;
    let states = format!("environments/{}/featurestates/", environment.api_key);
    let id = server.get(&states).await.expect(200)["results"][0]["id"].clone();
    for value in ["one\ntwo\nthree", "one\n2\nthree"] {
        server.patch(&format!("{states}{id}/"), json!({ "feature_state_value": value })).await.expect(200);
    }
    let page = visit(&server, "/audit").await;
    page.wait_for_text(".audit-row", "Remote config value updated for feature: flag_000000").await;
    page.click(".audit-row details summary").await;
    page.wait_for(".diff del").await;
    assert_eq!(
        (page.text(".diff del").await.as_str(), page.text(".diff ins").await.as_str()),
        ("Before:\ntwo", "After:\n2")
    );
    assert_eq!(page.evaluate("document.querySelectorAll('.audit-row:first-child .diff .diff-line').length").await, 4);
    assert_accessible(&page).await;
    page.write("#audit-search", "NEW PROJECT").await;
    page.wait_until("document.querySelectorAll('.audit-row').length === 1").await;
    page.wait_for_text(".audit-row", "New Project created: sample").await;
    page.write("#audit-search", "flag_000000").await;
    page.choose("#audit-project", &project.id.to_string()).await;
    page.wait_until("!document.querySelector('#audit-environment').disabled").await;
    page.choose("#audit-environment", &environment.id.to_string()).await;
    page.wait_until("document.querySelectorAll('.audit-row').length === 2").await;
    page.write("#audit-actor", "nobody is called like this").await;
    page.wait_for_text("#audit", "No line matches").await;
    assert_accessible(&page).await;
    page.click("#audit a.button").await;
    page.wait_until("document.querySelectorAll('.audit-row').length > 2").await;
    // Who follows no longer is left in peace; who follows again sees what happened meanwhile.
    page.click("[data-follow]").await;
    let enabled = json!({ "enabled": false });
    server.patch(&format!("{states}{id}/"), enabled).await.expect(200);
    assert!(!page.text("#audit").await.contains("Flag state updated for feature: flag_000000"));
    page.click("[data-follow]").await;
    page.wait_for_text(".audit-row", "Flag state updated for feature: flag_000000").await;
    page.leave().await;
}
