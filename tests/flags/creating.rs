//! While an environment is being created nobody is served a part of it.

use super::application::Application;
use crate::support::gated_log::Gate;
use crate::support::server::TestServer;

#[tokio::test]
async fn an_environment_that_is_being_created_answers_503_and_then_all_its_flags() {
    let gate = Gate::closed();
    let server = TestServer::start_on(|log| gate.before(log)).await;
    let (_, source) = server.sample(1_200).await;
    let clone = server.clone_async(&source, "copy").await;
    let application = Application::new(&server, &clone.key);
    let ofrep = |path: &str| application.request(reqwest::Method::POST, path).body("{}");
    gate.let_through(1);
    for path in ["flags/", "flags/?feature=flag_000001", "identities/?identifier=x"] {
        let reply = application.get(path).await;
        assert_eq!(reply.status, 503, "{path}");
        assert_eq!(reply.header("retry-after"), "1");
        assert_eq!(reply.body["code"], "environment_is_creating");
        assert!(reply.headers.contains_key("x-request-id"));
        assert_eq!(reply.header("access-control-allow-origin"), "*");
    }
    for path in ["/ofrep/v1/evaluate/flags/flag_000001", "/ofrep/v1/evaluate/flags"] {
        let reply = application.send(ofrep(path)).await;
        assert_eq!(reply.status, 503, "{path}");
        assert_eq!(reply.header("retry-after"), "1");
        assert_eq!(reply.body["errorCode"], "PROVIDER_NOT_READY");
    }
    let stream = application.get(&format!("/sse/environments/{}/stream", clone.key)).await;
    assert_eq!(stream.status, 503);
    gate.open();
    server.wait_until_complete(&clone).await;
    let flags = application.get("flags/").await.expect(200);
    assert_eq!(flags.as_array().unwrap().len(), 1_200);
    let reply = application.send(ofrep("/ofrep/v1/evaluate/flags")).await.expect(200);
    assert_eq!(reply["flags"].as_array().unwrap().len(), 1_200);
}

#[tokio::test]
async fn an_environment_that_never_got_ready_and_was_deleted_is_known_to_nobody() {
    let server = TestServer::start().await;
    let creating = server.creating_environment().await;
    let application = Application::new(&server, &creating.api_key);
    assert_eq!(application.get("flags/").await.status, 503);
    server.delete(&format!("environments/{}/", creating.api_key)).await.expect(204);
    assert_eq!(application.get("flags/").await.status, 403);
}
