//! The page of one feature in a browser: its value, the shares of its variants, its overrides, and who is faster.

use offshoot_aggregates::environment::EnvironmentRef;
use serde_json::{Value, json};
use thirtyfour::Key;

use super::axe::assert_accessible;
use super::page::Page;
use super::visit::visit;
use crate::support::server::TestServer;

const SAVE: &str = "#state-default button.primary";

/// A server with a few features, and the page of the one at a place among them.
async fn at_feature(place: usize) -> (TestServer, EnvironmentRef, Value, Page) {
    let server = TestServer::start().await;
    let (_, environment) = server.sample(12).await;
    let states = server.get(&format!("environments/{}/featurestates/", environment.api_key)).await.expect(200);
    let path = format!("/environments/{}/features/{}", environment.api_key, states["results"][place]["feature"]);
    let page = visit(&server, &path).await;
    (server, environment, states["results"].clone(), page)
}

fn path_of(environment: &EnvironmentRef, state: &Value) -> String {
    format!("environments/{}/featurestates/{}/", environment.api_key, state["id"])
}

async fn set_value(server: &TestServer, path: &str, value: impl Into<Value>) {
    server.patch(path, json!({ "feature_state_value": value.into() })).await.expect(200);
}

async fn value(server: &TestServer, path: &str) -> Value {
    server.get(path).await.expect(200)["feature_state_value"].clone()
}

#[tokio::test]
async fn who_saves_over_what_somebody_else_did_meanwhile_sees_both_values_and_chooses() {
    let (server, environment, states, page) = at_feature(0).await;
    let path = path_of(&environment, &states[0]);
    page.write("#text-default", "mine").await;
    set_value(&server, &path, "theirs").await;
    page.click(SAVE).await;
    page.wait_for("#conflict[open]").await;
    let text = page.text("#conflict").await;
    assert!(text.contains("flag_000000") && text.contains("mine") && text.contains("theirs"), "{text}");
    assert_accessible(&page).await;
    // Escape decides nothing.
    page.press(Key::Escape).await;
    page.wait_until("!document.querySelector('#conflict').open").await;
    assert_eq!(page.evaluate("document.querySelector('#text-default').value").await, "mine");
    assert_eq!(value(&server, &path).await, "theirs");
    page.click(SAVE).await;
    page.click("#conflict [data-chooses=theirs]").await;
    page.wait_until("document.querySelector('#text-default').value === 'theirs'").await;
    page.write("#text-default", "mine again").await;
    set_value(&server, &path, "theirs again").await;
    page.click(SAVE).await;
    page.click("#conflict [data-chooses=mine]").await;
    page.wait_for_text("#toasts", "Saved.").await;
    assert_eq!(value(&server, &path).await, "mine again");
    page.assert_clean_but(|error| error.contains("412")).await;
    page.leave().await;
}

#[tokio::test]
async fn what_somebody_else_did_elsewhere_in_the_environment_is_no_conflict() {
    let (server, environment, states, page) = at_feature(0).await;
    page.write("#text-default", "mine").await;
    set_value(&server, &path_of(&environment, &states[1]), "something else").await;
    page.click(SAVE).await;
    page.wait_for_text("#toasts", "Saved.").await;
    assert_eq!(value(&server, &path_of(&environment, &states[0])).await, "mine");
    page.assert_clean_but(|error| error.contains("412")).await;
    page.leave().await;
}

#[tokio::test]
async fn a_value_is_given_another_type_and_what_others_save_is_shown() {
    let (server, environment, states, page) = at_feature(0).await;
    let path = path_of(&environment, &states[0]);
    page.choose("#kind-default", "number").await;
    page.write("#number-default", "42").await;
    page.click(SAVE).await;
    page.wait_for_text("#toasts", "Saved.").await;
    assert_eq!(value(&server, &path).await, 42);
    set_value(&server, &path, true).await;
    page.wait_until("document.querySelector('#kind-default').value === 'boolean'").await;
    page.wait_for("#boolean-default").await;
    page.choose("#kind-default", "none").await;
    page.click(SAVE).await;
    page.wait_until("!document.querySelector('#state-default').hasAttribute('data-kept')").await;
    assert_eq!(value(&server, &path).await, Value::Null);
    page.leave().await;
}

#[tokio::test]
async fn shares_of_more_than_all_are_refused_before_they_are_sent() {
    let (server, environment, states, page) = at_feature(1).await;
    let head = server.head().await;
    page.wait_for_text("[data-control]", "48").await;
    page.write(".weight:nth-of-type(1) input", "80").await;
    page.wait_for_text("[data-weights-error]", "more than 100 %").await;
    assert_accessible(&page).await;
    page.click(SAVE).await;
    assert_eq!(server.head().await, head);
    page.write(".weight:nth-of-type(1) input", "40.5").await;
    page.wait_for_text("[data-control]", "38.5").await;
    page.click(SAVE).await;
    page.wait_for_text("#toasts", "Saved.").await;
    let state = server.get(&path_of(&environment, &states[1])).await.expect(200);
    let shares = &state["multivariate_feature_state_values"];
    assert_eq!(
        (&shares[0]["percentage_allocation"], &shares[1]["percentage_allocation"]),
        (&json!(40.5), &json!(21.0))
    );
    page.leave().await;
}

#[tokio::test]
async fn segment_overrides_are_added_ordered_changed_and_removed() {
    let (server, environment, states, page) = at_feature(0).await;
    page.wait_for_text("#overrides", "gold").await;
    page.click("#add-override button").await;
    page.wait_until("document.querySelectorAll('.override').length === 2").await;
    page.wait_for_text(".override:nth-child(2) h3", "beta").await;
    assert_accessible(&page).await;
    page.click("#toasts button").await;
    page.click(".override:nth-child(2) [data-moves='-1']").await;
    page.wait_for_text(".override:nth-child(1) h3", "beta").await;
    // The focus stays where one works.
    page.wait_until("document.activeElement.dataset.moves === '1'").await;
    page.write(".override:nth-child(1) textarea", "for beta").await;
    page.click(".override:nth-child(1) .state-form button.primary").await;
    page.wait_for_text("#toasts", "Saved.").await;
    page.click("#toasts button").await;
    let links = format!("features/feature-segments/?environment={}&feature={}", environment.id, states[0]["feature"]);
    let listed = server.get(&links).await.expect(200);
    let names: Vec<_> = listed["results"].as_array().unwrap().iter().map(|link| &link["segment_name"]).collect();
    assert_eq!(names, ["beta", "gold"]);
    let of_beta = format!(
        "features/featurestates/?environment={}&feature_segment={}",
        environment.id, listed["results"][0]["id"]
    );
    let state = server.get(&of_beta).await.expect(200);
    assert_eq!(state["results"][0]["feature_state_value"]["string_value"], "for beta");
    assert_eq!(state["results"][0]["enabled"], true, "as for everybody, until it is changed");
    page.click(".override:nth-child(1) .switch").await;
    page.wait_until("!document.querySelector('[aria-busy=true]')").await;
    assert_eq!(server.get(&of_beta).await.expect(200)["results"][0]["enabled"], false);
    page.click(".override:nth-child(2) [data-opens]").await;
    page.wait_for_text("#remove-override", "gold").await;
    page.click("#remove-override button.danger").await;
    page.wait_until("document.querySelectorAll('.override').length === 1").await;
    page.leave().await;
}
