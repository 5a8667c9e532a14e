//! The switch for asynchronous clones: who decides, and where it is told.

use offshoot::config::{CloneSwitchConfig, OnOff};
use offshoot::secrets::new_client_key;
use offshoot_aggregates::environment::EnvironmentRef;
use serde_json::{Value, json};

use crate::support::server::TestServer;

fn switch(control_environment: Option<&str>, async_clones: OnOff) -> CloneSwitchConfig {
    CloneSwitchConfig { control_environment: control_environment.map(str::to_owned), async_clones }
}

/// A server whose control environment has the key `control`, and an environment to be cloned.
async fn controlled(async_clones: OnOff) -> (TestServer, EnvironmentRef) {
    let server = TestServer::start_switched(switch(Some("control"), async_clones)).await;
    let (_, source) = server.sample(20).await;
    (server, source)
}

/// Makes the control environment, with the flag if it is to have one.
async fn make_control_environment(server: &TestServer, flag: Option<bool>) -> i64 {
    let project = server.project("control").await;
    if let Some(default_enabled) = flag {
        let body = json!({ "name": "clone_feature_states_async", "default_enabled": default_enabled });
        server.post(&format!("projects/{}/features/", project.id), body).await.expect(201);
    }
    let body = json!({ "name": "control", "project": project.id, "api_key": "control" });
    server.post("environments/", body).await.expect(201);
    project.id.0
}

/// Asks for an asynchronous clone. Answers mode and reason, once the clone is complete.
async fn decided(server: &TestServer, source: &EnvironmentRef) -> (Value, Value) {
    let name = new_client_key();
    let clone = server.clone_async(source, &name).await;
    let status = server.wait_until_complete(&clone).await;
    (status["mode"].clone(), status["mode_reason"].clone())
}

fn decision(mode: &str, reason: &str) -> (Value, Value) {
    (json!(mode), json!(reason))
}

#[tokio::test]
async fn without_a_control_environment_clones_are_copied_as_configured() {
    for (async_clones, mode) in [(OnOff::On, "async"), (OnOff::Off, "sync")] {
        let server = TestServer::start_switched(switch(None, async_clones)).await;
        let (_, source) = server.sample(20).await;
        assert_eq!(decided(&server, &source).await, decision(mode, "configured"));
    }
}

#[tokio::test]
async fn the_control_flag_decides_against_what_is_configured() {
    for (async_clones, flag, expected) in [
        (OnOff::Off, true, decision("async", "control_flag_enabled")),
        (OnOff::On, false, decision("sync", "control_flag_disabled")),
    ] {
        let (server, source) = controlled(async_clones).await;
        make_control_environment(&server, Some(flag)).await;
        assert_eq!(decided(&server, &source).await, expected);
    }
}

#[tokio::test]
async fn without_a_control_flag_clones_are_copied_as_configured() {
    for (async_clones, mode) in [(OnOff::On, "async"), (OnOff::Off, "sync")] {
        let (server, source) = controlled(async_clones).await;
        assert_eq!(decided(&server, &source).await, decision(mode, "control_environment_unavailable"));
        make_control_environment(&server, None).await;
        assert_eq!(decided(&server, &source).await, decision(mode, "control_flag_missing"));
    }
}

#[tokio::test]
async fn the_flag_is_asked_for_the_organisation() {
    let (server, source) = controlled(OnOff::Off).await;
    let project = make_control_environment(&server, Some(false)).await;
    let features = server.get(&format!("projects/{project}/features/")).await.expect(200);
    let feature = &features["results"][0]["id"];
    let (organisation, _) = server.organisation().await;
    let made = server.post("environments/control/identities/", json!({ "identifier": organisation })).await;
    let states = format!("environments/control/identities/{}/featurestates/", made.expect(201)["id"]);
    let on = server.post(&states, json!({ "feature": feature, "enabled": true })).await.expect(201);
    assert_eq!(decided(&server, &source).await, decision("async", "control_flag_enabled"));
    server.patch(&format!("{states}{}/", on["id"]), json!({ "enabled": false })).await.expect(200);
    assert_eq!(decided(&server, &source).await, decision("sync", "control_flag_disabled"));
}

#[tokio::test]
async fn the_audit_log_says_who_decided_if_anybody_did() {
    let (server, source) = controlled(OnOff::On).await;
    make_control_environment(&server, Some(false)).await;
    decided(&server, &source).await;
    let lines = server.get("audit/?search=cloned%20from").await.expect(200);
    let log = lines["results"][0]["log"].as_str().unwrap();
    assert!(log.ends_with(", synchronously (the control flag is disabled)"), "{log}");
    let clone = server.clone_like(&source, json!({ "name": "waited for" })).await;
    let status = server.clone_status(&clone).await;
    assert_eq!((&status["mode"], &status["mode_reason"]), (&json!("sync"), &Value::Null));
}
