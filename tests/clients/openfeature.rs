//! OpenFeature's clients with their OFREP providers: Python, Node, web (in a browser) and Rust.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::cases::{Case, VARIANTS, cases, default_of};
use super::driver::{Driven, Driver};
use super::scene::{BURST, Scene};

/// How a client differs from the others.
#[derive(Clone, Copy, Debug)]
struct Use {
    driven: Driven,
    /// Whether it tells the server's reason; the Rust provider says `STATIC` of everything.
    tells_reasons: bool,
    /// What it says of a flag that is off and has no value, by which OFREP says that the client's default counts. The
    /// providers for Node and Rust take it for a fault.
    off: Off,
    /// Whether it keeps all flags and follows changes, instead of asking the server each time.
    keeps_flags: bool,
}

/// What becomes of a flag that is off.
#[derive(Clone, Copy, Debug)]
enum Off {
    /// The default counts, and the reason is told.
    Default,
    /// The default counts, and an error is told.
    DefaultAndError(&'static str),
    /// An error is told.
    Error(&'static str),
}

/// Everything that is asked of a client.
async fn play(used: Use) {
    let mut scene = Scene::prepare().await;
    let mut driver = Driver::start(used.driven, &scene.url());
    driver.open("main", &scene.key, json!({}));
    for case in cases() {
        let answer = driver.ask(&case.request("main"));
        check(used, &case, &answer);
    }
    keeps_everybody_in_a_variant(&mut driver, used);
    is_refused_what_is_not_there(&mut driver, used, &scene);
    let followers = sees_changes(&mut driver, used, &scene).await;

    let clone = scene.begin_clone().await;
    let answer = open_and_ask(&mut driver, "early", &clone.key);
    fails(used, "an environment being created", &answer, None);
    scene.restart().await;
    scene.wait_until_complete(&clone).await;
    // A provider that keeps all flags fails as a whole, and is made anew.
    let served = if used.keeps_flags { "late" } else { "early" };
    if used.keeps_flags {
        driver.open(served, &clone.key, json!({}));
    }
    driver.wait_for(served, "text", "hällo, wörld");
    // Whoever followed the environment before the restart still does.
    scene.change("after the restart").await;
    for follower in followers {
        driver.wait_for(follower, "changing", "after the restart");
    }
}

fn check(used: Use, case: &Case, answer: &Value) {
    let about = format!("{:?}: {case:?}: {answer}", used.driven);
    if case.typed.is_null() {
        match used.off {
            Off::Default => {
                assert_eq!(answer["value"], default_of(case.kind), "{about}");
                assert!(answer.get("error").is_none(), "{about}");
                assert_eq!(
                    (&answer["variant"], &answer["reason"]),
                    (&case.variant.into(), &case.reason.into()),
                    "{about}"
                );
            }
            Off::DefaultAndError(error) => {
                assert_eq!((&answer["value"], &answer["error"]), (&default_of(case.kind), &error.into()), "{about}");
            }
            Off::Error(error) => assert_eq!(answer["error"], error, "{about}"),
        }
        return;
    }
    assert!(answer.get("error").is_none(), "{about}");
    assert_eq!(answer["value"], case.typed, "{about}");
    assert_eq!(answer["variant"], case.variant, "{about}");
    if used.tells_reasons {
        assert_eq!(answer["reason"], case.reason, "{about}");
    }
}

fn keeps_everybody_in_a_variant(driver: &mut Driver, used: Use) {
    let mut seen = BTreeSet::new();
    for number in 0..20 {
        let request = evaluate("main", "variants", "string", Some(&format!("visitor {number}")));
        let (first, again) = (driver.ask(&request), driver.ask(&request));
        assert_eq!(first["value"], again["value"], "{:?}: {first} {again}", used.driven);
        let variant = VARIANTS.iter().find(|(key, value)| first["variant"] == *key && first["value"] == *value);
        let (key, _) = variant.unwrap_or_else(|| panic!("{:?}: no variant: {first}", used.driven));
        if used.tells_reasons {
            assert_eq!(first["reason"], "SPLIT", "{:?}: {first}", used.driven);
        }
        seen.insert(*key);
    }
    assert_eq!(seen.len(), VARIANTS.len(), "{:?}: twenty visitors are in {seen:?}", used.driven);
}

fn is_refused_what_is_not_there(driver: &mut Driver, used: Use, scene: &Scene) {
    let answer = driver.ask(&evaluate("main", "unknown", "string", None));
    fails(used, "an unknown flag", &answer, Some(&["FLAG_NOT_FOUND", "FlagNotFound"]));
    let answer = driver.ask(&evaluate("main", "text", "boolean", None));
    fails(used, "a flag of another kind", &answer, Some(&["TYPE_MISMATCH", "ParseError"]));
    let answer = open_and_ask(driver, "stranger", &format!("{}wrong", scene.key));
    fails(used, "an unknown key", &answer, None);
}

/// The default counts, where the client was given one, and the error is told.
fn fails(used: Use, what: &str, answer: &Value, codes: Option<&[&str]>) {
    let about = format!("{:?}: {what}: {answer}", used.driven);
    let error = answer["error"].as_str().unwrap_or_else(|| panic!("no error: {about}"));
    assert!(codes.is_none_or(|codes| codes.contains(&error)), "{about}");
    if let Some(value) = answer.get("value") {
        assert!(["string", "boolean"].iter().any(|kind| default_of(kind) == *value), "{about}");
    }
}

/// Changes the environment. Returns the clients that see it, in whichever way.
async fn sees_changes(driver: &mut Driver, used: Use, scene: &Scene) -> Vec<&'static str> {
    let followers = if used.keeps_flags { vec!["polling", "stream"] } else { vec!["main"] };
    for follower in &followers {
        if used.keeps_flags {
            driver.open(follower, &scene.key, json!({ "changes": follower }));
        }
        driver.wait_for(follower, "changing", "at first");
    }
    if used.keeps_flags {
        driver.open("still", &scene.key, json!({}));
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
    for number in 1..=BURST {
        scene.change(&format!("change {number}")).await;
    }
    for follower in &followers {
        driver.wait_for(follower, "changing", &format!("change {BURST}"));
    }
    if used.keeps_flags {
        // Whoever follows nothing knows nothing, so it was the polling and the stream that told the others.
        driver.wait_for("still", "changing", "at first");
    }
    followers
}

fn open_and_ask(driver: &mut Driver, client: &str, key: &str) -> Value {
    let opened = driver.try_to_open(client, key, json!({}));
    if opened["error"].is_string() {
        return opened;
    }
    driver.ask(&evaluate(client, "text", "string", None))
}

fn evaluate(client: &str, flag: &str, kind: &str, identity: Option<&str>) -> Value {
    json!({
        "do": "evaluate", "client": client, "flag": flag, "kind": kind, "default": default_of(kind), "identity": identity,
    })
}

#[tokio::test]
async fn openfeatures_python_sdk_asks_by_ofrep() {
    let driven = Driven::OpenFeaturePython;
    play(Use { driven, tells_reasons: true, off: Off::Default, keeps_flags: false }).await;
}

#[tokio::test]
async fn openfeatures_node_sdk_asks_by_ofrep() {
    let driven = Driven::OpenFeatureNode;
    let off = Off::DefaultAndError("GENERAL");
    play(Use { driven, tells_reasons: true, off, keeps_flags: false }).await;
}

#[tokio::test]
async fn openfeatures_web_sdk_in_a_browser_follows_changes_by_polling_and_by_stream() {
    let driven = Driven::OpenFeatureWeb;
    play(Use { driven, tells_reasons: true, off: Off::Default, keeps_flags: true }).await;
}

#[tokio::test]
async fn openfeatures_rust_sdk_asks_by_ofrep() {
    let driven = Driven::OpenFeatureRust;
    play(Use { driven, tells_reasons: false, off: Off::Error("ParseError"), keeps_flags: false }).await;
}
