//! Signing in and out in a browser.

use super::axe::assert_accessible;
use super::browser::Browser;
use super::page::Page;
use super::visit::{sign_in, visit};
use crate::support::server::{ADMIN_KEY, TestServer};

#[tokio::test]
async fn somebody_signs_in_with_a_key_comes_where_they_wanted_to_and_signs_out() {
    let server = TestServer::start().await;
    let (project, _) = server.sample(3).await;
    let page = Page::new(Browser::start().await, server.base());
    page.go("/?from=a-link").await;
    page.wait_for_path("/sign-in").await;
    sign_in(&page, ADMIN_KEY).await;
    page.wait_for_path("/").await;
    assert_eq!(page.evaluate("location.search").await, "?from=a-link");
    let card = page.text(&format!("#project-{}", project.id)).await;
    assert!(card.contains("sample") && card.contains("1 environment") && card.contains("3 features"), "{card}");
    // What is signed in with is nowhere where scripts can read.
    assert_eq!(page.evaluate("document.cookie").await, "");
    assert_eq!(page.evaluate(&format!("document.documentElement.outerHTML.includes({ADMIN_KEY:?})")).await, false);
    page.click("form[action='/sign-out'] button").await;
    page.wait_for_path("/sign-in").await;
    page.go("/").await;
    page.wait_for_path("/sign-in").await;
    page.leave().await;
}

#[tokio::test]
async fn a_wrong_key_is_refused_and_the_next_try_works() {
    let server = TestServer::start().await;
    let page = Page::new(Browser::start().await, server.base());
    page.go("/").await;
    sign_in(&page, "a-key-that-nobody-has-ever-had").await;
    page.wait_for_text("[role=alert]", "This key opens nothing").await;
    assert_accessible(&page).await;
    // A browser logs every answer that is an error.
    page.assert_clean_but(|error| error.contains("/sign-in") && error.contains("403")).await;
    sign_in(&page, ADMIN_KEY).await;
    page.wait_for_path("/").await;
    page.leave().await;
}

#[tokio::test]
async fn the_colours_are_those_that_were_chosen_from_the_first_paint_on() {
    let server = TestServer::start().await;
    let page = visit(&server, "/").await;
    assert_accessible(&page).await;
    page.prefer(super::page::Colours::Light).await;
    let background = "getComputedStyle(document.body).backgroundColor";
    let light = page.evaluate(background).await;
    page.click("[data-theme-toggle]").await;
    let dark = page.evaluate(background).await;
    assert_ne!(light, dark);
    page.reload().await;
    assert_eq!(page.evaluate("document.documentElement.dataset.theme").await, "dark");
    assert_eq!(page.evaluate(background).await, dark);
    page.leave().await;
}

#[tokio::test]
async fn a_project_is_created_in_a_dialog_that_keeps_the_focus_and_closes_with_escape() {
    let server = TestServer::start().await;
    let page = visit(&server, "/").await;
    page.wait_for_text(".state", "There is no project yet").await;
    page.click("[data-opens=new-project]").await;
    page.wait_for("#new-project[open]").await;
    assert_eq!(page.evaluate("document.activeElement.id").await, "new-project-name");
    assert_accessible(&page).await;
    page.press(thirtyfour::Key::Escape).await;
    page.wait_until("!document.querySelector('#new-project').open").await;
    assert_eq!(page.evaluate("document.activeElement.dataset.opens").await, "new-project");
    page.leave().await;
}
