//! The features of an environment in a browser: found among many, and switched on and off.

use serde_json::json;

use super::axe::assert_accessible;
use super::visit::visit;
use crate::support::gated_log::Gate;
use crate::support::server::TestServer;

/// What is said of the features on a page, as it is in the page.
const RANGE: &str = ".pages";

#[tokio::test]
async fn features_are_searched_filtered_sorted_and_paged_among_ten_thousand() {
    let server = TestServer::start().await;
    let (_, environment) = server.sample(10_000).await;
    let path = format!("/environments/{}/features", environment.api_key);
    let page = visit(&server, &path).await;
    page.wait_for_text(RANGE, "1 – 50 of 10 000").await;
    assert_eq!(page.evaluate("document.querySelectorAll('.feature-row').length").await, 50);
    assert_accessible(&page).await;
    page.write("#filter-search", "flag_0099").await;
    page.wait_for_text(RANGE, "1 – 50 of 100").await;
    page.choose("#filter-state", "off").await;
    page.wait_for_text(RANGE, "1 – 50 of 50").await;
    page.choose("#filter-sort", "newest").await;
    page.wait_for_text(".feature-row", "flag_009999").await;
    // The address leads there again.
    page.reload().await;
    page.wait_for_text(RANGE, "1 – 50 of 50").await;
    page.wait_for_text(".feature-row", "flag_009999").await;
    page.choose("#filter-state", "").await;
    page.choose("#filter-kind", "MULTIVARIATE").await;
    page.wait_for_text(RANGE, "1 – 10 of 10").await;
    page.wait_for_text(".feature-row", "flag_009991").await;
    page.write("#filter-value", "value-9991").await;
    page.wait_for_text(RANGE, "1 – 1 of 1").await;
    page.write("#filter-value", "nothing is like this").await;
    page.wait_for_text("#features", "No feature matches").await;
    assert_accessible(&page).await;
    page.click("#features a.button").await;
    page.wait_for_text(RANGE, "1 – 50 of 10 000").await;
    page.click("a[rel=next]").await;
    page.wait_for_text(RANGE, "51 – 100 of 10 000").await;
    page.leave().await;
}

#[tokio::test]
async fn a_flag_is_switched_for_everybody_who_looks_and_goes_back_when_that_fails() {
    let gate = Gate::closed();
    let server = TestServer::start_on(|log| gate.before(log)).await;
    let (_, environment) = server.sample(3).await;
    let path = format!("/environments/{}/features", environment.api_key);
    let (page, other) = (visit(&server, &path).await, visit(&server, &path).await);
    let is_on = |row: u32| format!("document.querySelector('.feature-row:nth-child({row}) .switch').checked");
    assert_eq!(page.evaluate(&is_on(1)).await, true);
    page.click(".feature-row:nth-child(1) .switch").await;
    other.wait_until(&format!("!{}", is_on(1))).await;
    page.wait_until("!document.querySelector('[aria-busy=true]')").await;
    let states = format!("environments/{}/featurestates/", environment.api_key);
    assert_eq!(server.get(&states).await.expect(200)["results"][0]["enabled"], json!(false));
    // What others do moves a switch that somebody has used, too.
    other.click(".feature-row:nth-child(1) .switch").await;
    page.wait_until(&is_on(1)).await;
    gate.go_away();
    page.click(".feature-row:nth-child(1) .switch").await;
    page.wait_for_text("#toasts [role=alert]", "flag_000000: It stays as it was:").await;
    page.wait_until(&is_on(1)).await;
    gate.come_back();
    page.assert_clean_but(|error| error.contains("/featurestates/") && error.contains("503")).await;
    page.click(".feature-row:nth-child(1) .switch").await;
    other.wait_until(&format!("!{}", is_on(1))).await;
    page.leave().await;
    other.leave().await;
}

#[tokio::test]
async fn flags_of_an_environment_that_is_being_created_are_locked_and_free_after_without_a_reload() {
    let gate = Gate::closed();
    let server = TestServer::start_on(|log| gate.before(log)).await;
    let (_, source) = server.sample(1_000).await;
    let body = json!({ "name": "Staging", "clone_feature_states_async": true });
    let clone = server.post(&format!("environments/{}/clone/", source.api_key), body).await.expect(200);
    let path = format!("/environments/{}/features", clone["api_key"].as_str().unwrap());
    let page = visit(&server, &path).await;
    let one = visit(&server, &path).await;
    one.click(".feature-row a").await;
    one.wait_for_text("h1", "flag_000000").await;
    for page in [&page, &one] {
        page.evaluate("window.isTheSame = true").await;
        page.wait_for_text("#locked", "This environment is being created").await;
        page.wait_for("progress[role=progressbar]").await;
        assert_eq!(page.evaluate("document.querySelectorAll('.switch:not(:disabled)').length").await, 0);
        assert_eq!(page.evaluate("document.querySelector('.switch').getAttribute('aria-describedby')").await, "locked");
        assert_accessible(page).await;
    }
    gate.let_through(1);
    page.wait_until("document.querySelector('progress').value === 500").await;
    assert_eq!(page.evaluate("document.querySelectorAll('.switch:not(:disabled)').length").await, 0);
    gate.open();
    for page in [&page, &one] {
        page.wait_until("!document.querySelector('progress') && !document.querySelector('#locked')").await;
        page.wait_until("document.querySelector('.switch:not(:disabled)')").await;
        assert_eq!(page.evaluate("window.isTheSame").await, true);
    }
    page.wait_for_text(".feature-row", "value-0").await;
    page.click(".feature-row .switch").await;
    one.wait_until("!document.querySelector('.switch').checked").await;
    page.leave().await;
    one.leave().await;
}
