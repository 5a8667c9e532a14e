//! The description of the API is whole: every route that can be asked is in it, and every answer is described.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::support::server::TestServer;

#[tokio::test]
async fn every_operation_has_an_id_of_its_own_and_every_answer_a_description() {
    let server = TestServer::start().await;
    let description = server.get("openapi.json").await.expect(200);
    let mut ids = BTreeSet::new();
    for (path, item) in description["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let id = operation["operationId"].as_str().unwrap_or_default();
            assert!(ids.insert(id.to_owned()) && !id.is_empty(), "{method} {path}: {id}");
            for (status, answer) in operation["responses"].as_object().unwrap() {
                let is_described = |answer: &Value| answer["description"].as_str().is_some_and(|text| !text.is_empty());
                assert!(answer.get("$ref").is_some() || is_described(answer), "{method} {path} {status}: {answer}");
            }
        }
    }
    assert!(ids.len() > 90, "{}", ids.len());
}
