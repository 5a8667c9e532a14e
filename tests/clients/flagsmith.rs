//! Flagsmith's own clients: Python, Node, browser and Rust, each as it asks the server and as it evaluates by itself.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::cases::{VARIANTS, cases};
use super::driver::{Driven, Driver};
use super::scene::{BURST, Scene};

/// How a client is used.
#[derive(Clone, Copy, Debug)]
struct Use {
    driven: Driven,
    /// Whether it evaluates by itself.
    is_local: bool,
    /// Whether it can ask again and again by itself.
    has_polling: bool,
    /// Whether it follows the stream of changes.
    has_stream: bool,
    /// Whether it hears every event of the stream. The browser SDK lets one go by that comes while it loads the flags.
    hears_everything: bool,
    /// Whether it can be given something to answer when the server gives nothing.
    has_defaults: bool,
}

impl Use {
    fn remote(driven: Driven) -> Self {
        Self {
            driven,
            is_local: false,
            has_polling: false,
            has_stream: false,
            hears_everything: true,
            has_defaults: true,
        }
    }

    fn local(driven: Driven) -> Self {
        Self { is_local: true, has_polling: true, ..Self::remote(driven) }
    }

    fn options(self, more: Value) -> Value {
        let mut options = more;
        options["mode"] = if self.is_local { "local" } else { "remote" }.into();
        options
    }

    fn key<'k>(self, client_key: &'k str, server_key: &'k str) -> &'k str {
        if self.is_local { server_key } else { client_key }
    }
}

/// Everything that is asked of a client.
async fn play(used: Use) {
    let mut scene = Scene::prepare().await;
    let mut driver = Driver::start(used.driven, &scene.url());
    let key = used.key(&scene.key, &scene.server_key).to_owned();
    driver.open("main", &key, used.options(json!({})));
    says_what_the_environment_says(&mut driver);
    keeps_everybody_in_a_variant(&mut driver);
    is_refused_what_is_not_there(&mut driver, used, &key);
    let followers = sees_changes(&mut driver, used, &scene, &key).await;

    let clone = scene.begin_clone().await;
    let early = used.key(&clone.key, &clone.server_key);
    is_refused_for_now(&mut driver, used, early);
    scene.restart().await;
    scene.wait_until_complete(&clone).await;
    if used.is_local || used.has_defaults {
        driver.wait_for("early", "text", "hällo, wörld");
    } else {
        driver.open("late", early, used.options(json!({})));
        driver.wait_for("late", "text", "hällo, wörld");
    }
    // Whoever followed the environment before the restart still does.
    scene.change("after the restart").await;
    for follower in followers {
        driver.wait_for(follower, "changing", "after the restart");
    }
}

fn says_what_the_environment_says(driver: &mut Driver) {
    for case in cases() {
        let answer = driver.ask(&case.request("main"));
        let said = (answer["enabled"].clone(), answer["value"].clone());
        assert_eq!(said, (json!(case.enabled), case.value.clone()), "{:?}: {case:?}: {answer}", driver.driven());
    }
}

fn keeps_everybody_in_a_variant(driver: &mut Driver) {
    let mut seen = BTreeSet::new();
    for number in 0..20 {
        let identity = format!("visitor {number}");
        let request = json!({ "do": "evaluate", "client": "main", "flag": "variants", "identity": identity });
        let (first, again) = (driver.ask(&request), driver.ask(&request));
        assert_eq!(first, again, "{:?}: {identity}", driver.driven());
        let variant = VARIANTS.iter().find(|(_, value)| first["value"] == *value);
        let (key, _) = variant.unwrap_or_else(|| panic!("{:?}: no variant: {first}", driver.driven()));
        if let Some(said) = first.get("variant") {
            assert_eq!(said, key, "{:?}: {identity}", driver.driven());
        }
        seen.insert(*key);
    }
    assert_eq!(seen.len(), VARIANTS.len(), "{:?}: twenty visitors are in {seen:?}", driver.driven());
    let nobody = driver.ask(&json!({ "do": "evaluate", "client": "main", "flag": "variants" }));
    assert_eq!(nobody["value"], "neither", "{:?}: nobody in particular", driver.driven());
}

fn is_refused_what_is_not_there(driver: &mut Driver, used: Use, key: &str) {
    let unknown = json!({ "do": "evaluate", "client": "main", "flag": "unknown" });
    let answer = driver.ask(&unknown);
    // The Node SDK says that it is off, and that nobody else said so.
    let is_off = answer["is_default"] == true && answer["enabled"] == false && answer["value"].is_null();
    assert!(answer["error"].is_string() || is_off, "{:?}: an unknown flag: {answer}", used.driven);
    let wrong = format!("{key}wrong");
    let answer = open_and_ask(driver, "stranger", &wrong, used.options(json!({})));
    assert!(answer["error"].is_string(), "{:?}: an unknown key: {answer}", used.driven);
    if used.has_defaults {
        let answer = open_and_ask(driver, "content", &wrong, used.options(json!({ "with_defaults": true })));
        assert_eq!(answer["value"], "the default", "{:?}: an unknown key: {answer}", used.driven);
    }
}

/// Changes the environment. Returns the clients that see it, in whichever way.
async fn sees_changes(driver: &mut Driver, used: Use, scene: &Scene, key: &str) -> Vec<&'static str> {
    let mut followers = Vec::new();
    for (name, is_there) in [("polling", used.has_polling), ("stream", used.has_stream)] {
        if is_there {
            driver.open(name, key, used.options(json!({ "changes": name })));
            followers.push(name);
        }
    }
    if followers.is_empty() {
        // It asks each time.
        followers.push("main");
    }
    for follower in &followers {
        driver.wait_for(follower, "changing", "at first");
    }
    if used.has_polling {
        driver.open("still", key, used.options(json!({})));
        driver.wait_for("still", "changing", "at first");
    }
    // The second change comes within a moment of the first, and is not taken for the same.
    for value in ["then this", "then that"] {
        scene.change(value).await;
        for follower in &followers {
            driver.wait_for(follower, "changing", value);
        }
    }
    // Many changes at once: the last one is not lost behind the others.
    if used.hears_everything {
        for number in 1..=BURST {
            scene.change(&format!("change {number}")).await;
        }
        for follower in &followers {
            driver.wait_for(follower, "changing", &format!("change {BURST}"));
        }
    }
    if used.has_polling {
        // Whoever follows nothing knows nothing, so it was the polling and the stream that told the others.
        driver.wait_for("still", "changing", "at first");
    }
    followers
}

fn is_refused_for_now(driver: &mut Driver, used: Use, key: &str) {
    let changes = if used.has_polling { "polling" } else { "none" };
    let answer = open_and_ask(driver, "early", key, used.options(json!({ "changes": changes })));
    assert!(answer["error"].is_string(), "{:?}: an environment being created: {answer}", used.driven);
    if used.has_defaults {
        let answer = open_and_ask(driver, "patient", key, used.options(json!({ "with_defaults": true })));
        let told = "an environment being created";
        assert_eq!(answer["value"], "the default", "{:?}: {told}: {answer}", used.driven);
    }
}

/// Some clients fail as they are made, some as they are asked.
fn open_and_ask(driver: &mut Driver, client: &str, key: &str, options: Value) -> Value {
    let opened = driver.try_to_open(client, key, options);
    if opened["error"].is_string() {
        return opened;
    }
    driver.ask(&json!({ "do": "evaluate", "client": client, "flag": "text" }))
}

#[tokio::test]
async fn flagsmiths_python_sdk_asks_the_server() {
    play(Use::remote(Driven::FlagsmithPython)).await;
}

#[tokio::test]
async fn flagsmiths_python_sdk_evaluates_locally_and_follows_changes_by_polling_and_by_stream() {
    play(Use { has_stream: true, ..Use::local(Driven::FlagsmithPython) }).await;
}

#[tokio::test]
async fn flagsmiths_node_sdk_asks_the_server() {
    play(Use::remote(Driven::FlagsmithNode)).await;
}

#[tokio::test]
async fn flagsmiths_node_sdk_evaluates_locally_and_follows_changes_by_polling() {
    play(Use::local(Driven::FlagsmithNode)).await;
}

#[tokio::test]
async fn flagsmiths_browser_sdk_in_a_browser_follows_changes_by_polling_and_by_stream() {
    let used = Use::remote(Driven::FlagsmithBrowser);
    // Its defaults count before the first answer, and it does not begin without one.
    play(Use { has_polling: true, has_stream: true, hears_everything: false, has_defaults: false, ..used }).await;
}

#[tokio::test]
async fn flagsmiths_rust_crate_asks_the_server() {
    play(Use::remote(Driven::FlagsmithRust)).await;
}

#[tokio::test]
async fn flagsmiths_rust_crate_evaluates_locally_and_follows_changes_by_polling() {
    play(Use::local(Driven::FlagsmithRust)).await;
}
