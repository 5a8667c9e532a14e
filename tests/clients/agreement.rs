//! A thousand identities: what Flagsmith's SDKs find out by themselves is what the server tells them.

use serde_json::{Value, json};

use super::driver::{Driven, Driver};
use super::scene::Scene;

const IDENTITIES: usize = 1_000;

/// People with traits of every type, in and out of every segment; each fiftieth is the one with overrides.
fn identity(number: usize) -> Value {
    let identity = if number.is_multiple_of(50) { "vip".to_owned() } else { format!("person-{number}@example.org") };
    let mut traits = json!({});
    match number % 4 {
        0 => traits["plan"] = "gold".into(),
        1 => traits["plan"] = "silver".into(),
        _ => {}
    }
    match number % 5 {
        // Always a number: Flagsmith's own SDKs differ about numbers in texts.
        0 | 1 => traits["age"] = (number % 90).into(),
        _ => {}
    }
    match number % 7 {
        0 => traits["staff"] = true.into(),
        1 => traits["staff"] = false.into(),
        2 => traits["staff"] = "true".into(),
        _ => {}
    }
    if number.is_multiple_of(3) {
        traits["height"] = json!(1.5 + (number % 60) as f64 / 100.0);
    }
    json!({ "identity": identity, "traits": traits })
}

async fn agree(driven: Driven) {
    let scene = Scene::prepare().await;
    let mut driver = Driver::start(driven, &scene.url());
    driver.open("remote", &scene.key, json!({ "mode": "remote" }));
    driver.open("local", &scene.server_key, json!({ "mode": "local" }));
    let features = scene.get("projects/").await.expect(200)[0]["id"].clone();
    let features = scene.get(&format!("projects/{features}/features/")).await.expect(200)["count"].as_u64().unwrap();
    let identities: Vec<_> = (0..IDENTITIES).map(identity).collect();
    let answer = driver.ask(&json!({ "do": "compare", "one": "remote", "other": "local", "identities": identities }));
    assert_eq!(answer["differences"], json!([]), "{driven:?}");
    assert_eq!(answer["compared"], features * IDENTITIES as u64, "{driven:?}");
}

#[tokio::test]
async fn flagsmiths_python_sdk_finds_out_for_a_thousand_identities_what_the_server_tells_it() {
    agree(Driven::FlagsmithPython).await;
}

#[tokio::test]
async fn flagsmiths_node_sdk_finds_out_for_a_thousand_identities_what_the_server_tells_it() {
    agree(Driven::FlagsmithNode).await;
}
