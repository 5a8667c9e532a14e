//! What somebody does on a page and sees there.

use std::path::Path;
use std::time::Instant;

use serde_json::{Value, json};
use thirtyfour::{By, Key, WebElement};

use super::browser::Browser;
use crate::support::prepared::PATIENCE;

/// A page in a browser.
pub struct Page {
    browser: Browser,
    base: String,
}

/// The colours that a browser prefers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colours {
    Light,
    Dark,
}

/// Resolves when a condition holds, looked at again whenever the page changes. What it came to is the answer.
const WAIT: &str = "
    const [condition, done] = arguments;
    const holds = new Function(`return (${condition})`);
    let observer;
    const look = () => {
        const value = holds();
        if (!value) return false;
        observer?.disconnect();
        done(value);
        return true;
    };
    if (!look()) {
        observer = new MutationObserver(look);
        observer.observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
        addEventListener('load', look);
    }";

impl Page {
    /// A page of a server, which has been nowhere yet.
    pub fn new(browser: Browser, base: String) -> Self {
        Self { browser, base }
    }

    /// The browser.
    pub fn browser(&self) -> &Browser {
        &self.browser
    }

    /// Goes to a path of the server.
    pub async fn go(&self, path: &str) {
        self.browser.driver().goto(format!("{}{path}", self.base)).await.unwrap();
    }

    /// Loads the page again.
    pub async fn reload(&self) {
        self.browser.driver().refresh().await.unwrap();
    }

    /// The path that it is at.
    pub async fn path(&self) -> String {
        self.browser.driver().current_url().await.unwrap().path().to_owned()
    }

    /// Waits until an expression in the page's JavaScript is true, and tells what it is then. It may lead to other pages
    /// meanwhile.
    pub async fn wait_until(&self, expression: &str) -> Value {
        let begun = Instant::now();
        loop {
            match self.browser.driver().execute_async(WAIT, vec![json!(expression)]).await {
                Ok(value) => return value.json().clone(),
                // The page was left while it was looked at; or the driver has not noticed that.
                Err(error) if is_of_a_page_left(&error.to_string()) && begun.elapsed() < PATIENCE => {}
                Err(error) => panic!("{expression}: {error}\n{}", self.source().await),
            }
        }
    }

    /// Waits until something is there that a CSS selector finds and that can be seen.
    pub async fn wait_for(&self, selector: &str) -> WebElement {
        let selector_json = json!(selector);
        self.wait_until(&format!(
            "[...document.querySelectorAll({selector_json})].some((element) => element.checkVisibility())"
        ))
        .await;
        self.browser.driver().find(By::Css(selector)).await.unwrap()
    }

    /// Waits until the text of what a selector finds contains a text, with plain spaces in numbers.
    pub async fn wait_for_text(&self, selector: &str, text: &str) {
        let (selector, text) = (json!(selector), json!(text));
        let found = format!("document.querySelector({selector})?.innerText.replaceAll('\\u202f', ' ')");
        self.wait_until(&format!("{found}.includes({text})")).await;
    }

    /// Waits until the path is this one and the page is loaded.
    pub async fn wait_for_path(&self, path: &str) {
        let path = json!(path);
        self.wait_until(&format!("location.pathname === {path} && document.readyState === 'complete'")).await;
    }

    /// Clicks on what a selector finds, once it is there.
    pub async fn click(&self, selector: &str) {
        self.wait_for(selector).await.click().await.unwrap_or_else(|error| panic!("{selector}: {error}"));
    }

    /// Writes into a field, in place of what is in it.
    pub async fn write(&self, selector: &str, text: &str) {
        let field = self.wait_for(selector).await;
        field.clear().await.unwrap();
        field.send_keys(text).await.unwrap();
    }

    /// Chooses an option of a list, by its value.
    pub async fn choose(&self, selector: &str, value: &str) {
        self.wait_for(selector).await;
        // An option of a list that is closed cannot be seen.
        let option = format!("{selector} option[value={}]", json!(value));
        let option =
            self.browser.driver().find(By::Css(option)).await.unwrap_or_else(|error| panic!("{selector}: {error}"));
        option.click().await.unwrap();
    }

    /// Presses a key.
    pub async fn press(&self, key: Key) {
        self.browser.driver().action_chain().send_keys(key).perform().await.unwrap();
    }

    /// Presses a key while Shift is down.
    pub async fn press_with_shift(&self, key: Key) {
        let keys = self.browser.driver().action_chain().key_down(Key::Shift).send_keys(key).key_up(Key::Shift);
        keys.perform().await.unwrap();
    }

    /// Types a text into whatever has the focus.
    pub async fn type_in(&self, text: &str) {
        self.browser.driver().action_chain().send_keys(text).perform().await.unwrap();
    }

    /// What an expression in the page's JavaScript is; what it promises, once that is there.
    pub async fn evaluate(&self, expression: &str) -> Value {
        let script = format!("return ({expression})");
        self.browser.driver().execute(script, Vec::new()).await.unwrap().json().clone()
    }

    /// The visible text of what a selector finds, with plain spaces in numbers.
    pub async fn text(&self, selector: &str) -> String {
        self.wait_for(selector).await.text().await.unwrap().replace('\u{202f}', " ")
    }

    /// Makes the screen as wide and high as this, in CSS pixels; a narrow one is a telephone's.
    pub async fn resize(&self, width: u32, height: u32) {
        let parameters = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600 });
        self.browser.devtools("Emulation.setDeviceMetricsOverride", parameters).await;
    }

    /// Makes the screen as wide and high as the window again.
    pub async fn resize_to_window(&self) {
        self.browser.devtools("Emulation.clearDeviceMetricsOverride", json!({})).await;
    }

    /// Makes the browser prefer light or dark colours.
    pub async fn prefer(&self, colours: Colours) {
        let value = if colours == Colours::Dark { "dark" } else { "light" };
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": value }] });
        self.browser.devtools("Emulation.setEmulatedMedia", features).await;
    }

    /// Writes what is to be seen into a file.
    pub async fn picture(&self, file: &Path) {
        self.browser.driver().screenshot(file).await.unwrap();
    }

    /// Keeps the browser from asking for what matches these patterns, as `*/live/*`; none lets it ask for everything again.
    pub async fn block(&self, patterns: &[&str]) {
        self.browser.devtools("Network.enable", json!({})).await;
        self.browser.devtools("Network.setBlockedURLs", json!({ "urls": patterns })).await;
    }

    /// Asserts that all went well since the last time: no error was logged, and nobody else was asked for anything.
    pub async fn assert_clean(&self) {
        self.assert_clean_but(|_| false).await;
    }

    /// The same, but for errors that are expected.
    pub async fn assert_clean_but(&self, is_expected: impl Fn(&str) -> bool) {
        let logged = self.browser.logged().await;
        let errors: Vec<_> = logged.errors.iter().filter(|error| !is_expected(error)).collect();
        assert!(errors.is_empty(), "the browser logged {errors:#?}");
        let is_ours = |url: &String| url.starts_with(&format!("{}/", self.base));
        let foreign: Vec<_> = logged.requests.iter().filter(|url| !is_ours(url)).collect();
        assert!(foreign.is_empty(), "others were asked: {foreign:#?}");
    }

    /// Leaves: all must have gone well.
    pub async fn leave(self) {
        self.assert_clean().await;
        self.browser.quit().await;
    }

    async fn source(&self) -> String {
        self.browser.driver().source().await.unwrap_or_default()
    }
}

fn is_of_a_page_left(error: &str) -> bool {
    let signs = [
        "unloaded",
        "aborted by navigation",
        "no such execution context",
        "document was detached",
        "frame was detached",
        "frame detached",
        "Cannot find context",
        "navigated or closed",
        "script timeout",
    ];
    signs.iter().any(|sign| error.contains(sign))
}
