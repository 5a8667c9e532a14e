//! What Flagsmith's SDKs report of their evaluations is counted.

use serde_json::json;

use super::driver::{Driven, Driver};
use super::scene::Scene;

#[tokio::test]
async fn flagsmiths_python_and_node_sdks_report_how_often_flags_were_evaluated() {
    let scene = Scene::prepare().await;
    for (driven, counted) in [(Driven::FlagsmithPython, 3), (Driven::FlagsmithNode, 6)] {
        let mut driver = Driver::start(driven, &scene.url());
        driver.open("main", &scene.key, json!({ "with_analytics": true }));
        for _ in 0..3 {
            driver.ask(&json!({ "do": "evaluate", "client": "main", "flag": "text" }));
        }
        let reported = driver.ask(&json!({ "do": "report", "client": "main" }));
        assert_eq!(reported, json!({}), "{driven:?}");
        // The Python SDK does not wait until it is said; it ends when it is.
        drop(driver);
        let usage = scene.get(&format!("environments/{}/usage/", scene.key)).await.expect(200);
        let features = usage["features"].as_array().unwrap();
        let text = features.iter().find(|feature| feature["feature"] == "text");
        assert_eq!(text.map(|text| &text["evaluations"]), Some(&json!(counted)), "{driven:?}: {usage}");
    }
}
