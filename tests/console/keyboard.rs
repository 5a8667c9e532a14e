//! The console by keyboard alone: wherever the focus is, it is seen, and what was opened gives it back.

use serde_json::Value;
use thirtyfour::Key;

use super::browser::Browser;
use super::page::Page;
use crate::support::server::{ADMIN_KEY, TestServer};

/// What has the focus.
const FOCUSED: &str = "(() => {
    const focused = document.activeElement;
    const { outlineStyle, outlineWidth } = getComputedStyle(focused);
    return {
        what: focused.outerHTML.slice(0, 160),
        name: focused.id || focused.name || focused.textContent.trim(),
        isSeen: focused.checkVisibility() && outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2,
        isInDialog: Boolean(focused.closest('dialog:modal')),
    };
})()";

/// Asserts that one sees where the focus is, and tells what has it.
async fn look(page: &Page) -> Value {
    let focused = page.evaluate(FOCUSED).await;
    assert_eq!(focused["isSeen"], true, "{focused}");
    focused
}

/// Presses Tab until what a selector finds has the focus. Every stop on the way is seen.
async fn tab_to(page: &Page, selector: &str) {
    for _ in 0..60 {
        page.press(Key::Tab).await;
        look(page).await;
        if page.evaluate(&format!("document.activeElement.matches({selector:?})")).await == true {
            return;
        }
    }
    panic!("Tab does not lead to {selector}");
}

/// Goes once around the open dialog, and tells where the focus was; it must be back where it began.
async fn around(page: &Page, step: impl AsyncFn(), begin: &str) -> Vec<String> {
    let mut stops = Vec::new();
    for _ in 0..30 {
        step().await;
        let focused = look(page).await;
        assert_eq!(focused["isInDialog"], true, "{focused} after {stops:?}");
        let name = focused["name"].as_str().unwrap().to_owned();
        stops.push(name.clone());
        if name == begin {
            return stops;
        }
    }
    panic!("one does not come around: {stops:?}");
}

#[tokio::test]
async fn somebody_signs_in_clones_an_environment_and_changes_their_mind_without_a_pointer() {
    let server = TestServer::start().await;
    let (project, _) = server.sample(3).await;
    let page = Page::new(Browser::start().await, server.base());
    page.go("/").await;
    page.wait_for_path("/sign-in").await;
    assert_eq!(look(&page).await["name"], "key", "one can begin to write");
    page.type_in(ADMIN_KEY).await;
    page.press(Key::Enter).await;
    page.wait_for_path("/").await;
    tab_to(&page, "#projects h2 a").await;
    page.press(Key::Enter).await;
    page.wait_for_path(&format!("/projects/{}", project.id)).await;

    tab_to(&page, "[data-opens=clone-environment]").await;
    page.press(Key::Enter).await;
    page.wait_for("#clone-environment[open]").await;
    assert_eq!(look(&page).await["name"], "clone-name");
    page.type_in("Staging").await;
    let forwards = around(&page, async || page.press(Key::Tab).await, "clone-name").await;
    assert_eq!(
        forwards,
        [
            "clone-description",
            "when",
            "clone_feature_states_async",
            "clone_permissions",
            "Cancel",
            "Clone",
            "clone-source",
            "clone-name"
        ]
    );
    let backwards = around(&page, async || page.press_with_shift(Key::Tab).await, "clone-name").await;
    let (_, others) = forwards.split_last().unwrap();
    assert!(backwards.iter().rev().skip(1).eq(others), "{backwards:?}");
    page.press(Key::Enter).await;
    page.wait_for_text("#environments", "Staging").await;
    page.wait_until("!document.querySelector('#clone-environment').open").await;
    assert_eq!(page.evaluate("document.activeElement.dataset.opens").await, "clone-environment");
    look(&page).await;

    // From a menu, whose button is what remains of it.
    tab_to(&page, "[popovertarget]").await;
    page.press(Key::Enter).await;
    tab_to(&page, "[data-opens=rename-environment]").await;
    page.press(Key::Enter).await;
    page.wait_for("#rename-environment[open]").await;
    assert_eq!(look(&page).await["name"], "rename-environment-name");
    page.press(Key::Escape).await;
    page.wait_until("!document.querySelector('#rename-environment').open").await;
    assert_eq!(page.evaluate("document.activeElement.matches('[popovertarget]')").await, true);
    look(&page).await;
    page.leave().await;
}
