//! Pictures of features, the audit log and the page about the server, for `scripts/screenshots`.

use serde_json::json;

use super::screenshots::Album;
use super::visit::visit;
use crate::support::gated_log::Gate;
use crate::support::server::TestServer;

/// The pages of features in every state, then the others on the same server.
pub async fn of_flags(album: &Album) {
    let gate = Gate::closed();
    let server = TestServer::start_on(|log| gate.before(log)).await;
    let (_, source) = server.sample(10_000).await;
    let running = server.clone_async(&source, "Staging").await;
    gate.let_through(6);
    server.wait_for_clone(&running, |status| status["batches_copied"] == 6).await;
    let features = format!("/environments/{}/features", source.api_key);
    let page = visit(&server, &features).await;
    album.take(&page, "features").await;
    page.go(&format!("{features}?search=nothing+is+called+like+this")).await;
    album.take(&page, "features-none").await;
    page.go(&format!("/environments/{}/features", running.key)).await;
    page.wait_for("progress").await;
    album.take(&page, "features-locked").await;
    page.go(&format!("{features}?kind=MULTIVARIATE")).await;
    page.click(".feature-row a").await;
    page.wait_for(".weight").await;
    page.write(".weight:nth-of-type(1) input", "90").await;
    page.wait_for("[data-weights-error]").await;
    album.take(&page, "feature-variants").await;
    page.go(&features).await;
    page.click(".feature-row a").await;
    page.click("#add-override button").await;
    page.wait_until("document.querySelectorAll('.override').length === 2").await;
    album.take(&page, "feature").await;
    let states = format!("environments/{}/featurestates/", source.api_key);
    let id = server.get(&format!("{states}?page_size=1")).await.expect(200)["results"][0]["id"].clone();
    page.write("#text-default", "what I wrote").await;
    let body = json!({ "feature_state_value": "what somebody else wrote\nin two lines", "enabled": false });
    server.patch(&format!("{states}{id}/"), body).await.expect(200);
    page.click("#state-default button.primary").await;
    page.wait_for("#conflict[open]").await;
    album.take(&page, "conflict").await;
    page.browser().logged().await;
    page.leave().await;
    of_audit_and_system(album, &server, &gate, &source.api_key).await;
}

async fn of_audit_and_system(album: &Album, server: &TestServer, gate: &Gate, source: &str) {
    let page = visit(server, "/audit").await;
    page.click(".audit-row:nth-child(1) summary").await;
    page.click(".audit-row details[data-lines]:not([open]) summary").await;
    page.wait_for(".audit-lines ol").await;
    album.take(&page, "audit").await;
    // One that was waited for, beside those in the background.
    gate.open();
    let path = format!("environments/{source}/clone/");
    server.post(&path, json!({ "name": "While one waits" })).await.expect(200);
    page.go("/system").await;
    album.take(&page, "system").await;
    gate.go_away();
    page.click("#projection-features button").await;
    page.wait_for_text("#projection-features", "Being rebuilt").await;
    page.wait_for_text("#system-health", "Something does not work").await;
    album.take(&page, "system-away").await;
    gate.come_back();
    page.browser().logged().await;
    page.leave().await;
}
