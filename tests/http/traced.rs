//! What a request led to can be followed in the log lines: to its commands, what they appended, and each read model.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::prepared::ADMIN_KEY;
use crate::support::process::{ServerProcess, offshoot};

/// The lines that say this.
fn lines(stderr: &str, message: &str) -> Vec<Value> {
    let lines = stderr.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines.filter(|line| line["message"] == message).collect()
}

/// The span of this name around a line.
fn span<'l>(line: &'l Value, name: &str) -> Option<&'l Value> {
    line["spans"].as_array()?.iter().find(|span| span["name"] == name)
}

#[tokio::test]
async fn a_request_is_followed_to_its_commands_their_append_and_every_read_model() {
    let directory = tempfile::tempdir().unwrap();
    let mut command = offshoot();
    command.env("OFFSHOOT_LOG", "info,offshoot=debug").env("OFFSHOOT_ADMIN_KEY", ADMIN_KEY);
    let server = ServerProcess::spawn_with(command, directory.path(), None);
    let address = server.address().expect("the server starts");
    let client = Client::new(format!("http://{address}"), Some(ADMIN_KEY.to_owned()));
    let request = client.request(Method::POST, "projects/").json(&json!({ "name": "followed", "organisation": 1 }));
    let reply = client.send(request).await;
    let (request_id, position) =
        (reply.header("x-request-id").to_owned(), reply.header("offshoot-position").parse::<u64>().unwrap());
    reply.expect(201);
    let ended = server.terminate();
    let recorded = lines(&ended.stderr, "recorded");
    let append = recorded.iter().find(|line| line["position"] == position).expect("the append is told");
    assert_eq!(span(append, "http_request").unwrap()["request_id"], request_id, "{append}");
    assert_eq!(span(append, "command").unwrap()["command_type"], "CreateProject", "{append}");
    let applied = lines(&ended.stderr, "applied");
    let has_position = |line: &&Value| {
        let reach = |name: &str| line[name].as_u64().unwrap();
        (reach("first")..=reach("last")).contains(&position)
    };
    let mut read_models: Vec<&str> = applied
        .iter()
        .filter(has_position)
        .map(|line| span(line, "projection").unwrap()["read_model"].as_str().unwrap())
        .collect();
    read_models.sort_unstable();
    assert_eq!(read_models, ["access", "audit_log", "environment_status", "feature_states", "features"]);
}
