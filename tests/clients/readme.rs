//! The README's lines for each client are run as they stand there, but for the address and the keys.

use std::path::Path;

use serde_json::json;

use super::driver::{Driven, Driver, Interpreter, printed_by};
use super::scene::Scene;

/// What all of them print for somebody with the gold plan.
const PRINTED: &str = "the gold";

/// The block of the README in this language that has this text in it.
fn block(language: &str, text: &str) -> String {
    let readme = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let start = format!("```{language}\n");
    let blocks: Vec<_> = readme.split(&start).skip(1).filter_map(|rest| rest.split("```").next()).collect();
    let mut found = blocks.into_iter().filter(|block| block.contains(text));
    let block = found.next().unwrap_or_else(|| panic!("the README has no {language} with {text:?}"));
    assert!(found.next().is_none(), "the README has several times {language} with {text:?}");
    block.to_owned()
}

/// The same for the server of the scene.
fn for_scene(block: &str, scene: &Scene) -> String {
    let mut code = block.to_owned();
    for (written, meant) in
        [("http://127.0.0.1:8000", &scene.url()), ("CLIENT_KEY", &scene.key), ("SERVER_KEY", &scene.server_key)]
    {
        code = code.replace(written, meant);
    }
    assert_ne!(code, block, "the README says neither address nor key");
    code
}

#[tokio::test]
async fn the_readmes_lines_for_python_get_flags() {
    let scene = Scene::prepare().await;
    for text in ["flagsmith.get_identity_flags(\"anna\", {\"plan\": \"gold\"})\n", "realtime_api_url", "OFREPProvider"]
    {
        let code = for_scene(&block("python", text), &scene);
        assert_eq!(printed_by(Interpreter::Python, &["-c", &code], &[]).trim_end(), PRINTED, "{code}");
    }
}

#[tokio::test]
async fn the_readmes_lines_for_node_get_flags() {
    let scene = Scene::prepare().await;
    for text in ["flagsmith-nodejs", "@openfeature/server-sdk"] {
        let code = for_scene(&block("js", text), &scene);
        let printed = printed_by(Interpreter::Node, &["--input-type=module", "--eval", &code], &[]);
        assert_eq!(printed.trim_end(), PRINTED, "{code}");
    }
}

#[tokio::test]
async fn the_readmes_lines_for_browsers_get_flags() {
    let scene = Scene::prepare().await;
    for (driven, text) in [(Driven::FlagsmithBrowser, "from \"flagsmith\""), (Driven::OpenFeatureWeb, "web-sdk")] {
        let code = for_scene(&block("js", text), &scene);
        let answer = Driver::start(driven, &scene.url()).ask(&json!({ "do": "run", "code": code }));
        assert_eq!(answer["value"], PRINTED, "{code}: {answer}");
    }
}

#[tokio::test]
async fn the_readmes_lines_for_rust_get_flags() {
    let scene = Scene::prepare().await;
    for (name, text) in [("flagsmith", "Flagsmith::new"), ("openfeature", "OfrepProvider::new")] {
        let path = format!("tests/clients/rust/src/{name}_readme.rs");
        let source = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(&path)).unwrap();
        let lines: String = source.lines().map(|line| format!("{}\n", line.trim_start())).collect();
        assert!(lines.contains(&block("rust", text)), "{path} has other lines than the README");
        let built = if name == "flagsmith" { "flagsmith-readme" } else { "openfeature-readme" };
        let (url, key) = (scene.url(), scene.key.clone());
        let printed = printed_by(Interpreter::Built(built), &[], &[("OFFSHOOT_URL", &url), ("OFFSHOOT_KEY", &key)]);
        assert_eq!(printed.trim_end(), PRINTED, "{path}");
    }
}
