//! The clients: each does one thing after the other, at whichever node answers, and notes what it was told.

use std::ops::ControlFlow;

use offshoot::commands::{CommandContext, Commands, NewEnvironmentOptions};
use offshoot_aggregates::environment::{EnvironmentRef, EnvironmentSettings};
use offshoot_aggregates::{Actor, Position, StreamId};
use rand::RngExt;
use rand::rngs::StdRng;
use serde_json::json;

use super::history::{History, Told};
use super::machines::Machines;
use crate::crash::api::{Answer, Followed};
use crate::support::prepared::Prepared;
use crate::support::store::open_log;

/// Whether a client sends a change again if it does not know what became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeats {
    /// It goes on with the next.
    Never,
    /// It repeats the request with the same `Idempotency-Key`, at any node, until it knows.
    WithItsKey,
}

/// Environments in the source's project, one for each client.
pub async fn environments(prepared: &Prepared, count: usize) -> Vec<EnvironmentRef> {
    let commands = Commands::new(open_log(prepared.directory()).await);
    let source = commands.load_environment(prepared.source.uuid).await.unwrap().aggregate;
    let (project, _) = source.project().unwrap();
    let mut environments = Vec::new();
    for number in 0..count {
        let settings = EnvironmentSettings::named(format!("client {number}"));
        let options = NewEnvironmentOptions { settings, api_key: None, admin: None };
        let context = CommandContext::new(Actor::operator("test"));
        environments.push(commands.create_environment(&context, project, options).await.unwrap().created);
    }
    commands.log().close().await;
    environments
}

/// Requests clones at random nodes, each until it is acknowledged. Their keys, in this order.
pub async fn request_clones(
    machines: &Machines,
    source: &EnvironmentRef,
    count: usize,
    mut random: StdRng,
) -> Vec<String> {
    let mut keys = Vec::new();
    for number in 0..count {
        let (name, key) = (format!("clone {number}"), format!("request-{number}"));
        let acknowledged = loop {
            let node = machines.api(random.random_range(0..machines.len()));
            match node.clone_async(&source.api_key, &name, &key).await {
                Ok(answer) if answer.status == 200 => break answer,
                Ok(answer) => assert_eq!(answer.status, 503, "{answer:?}"),
                // It is gone.
                Err(_) => tokio::task::yield_now().await,
            }
        };
        keys.push(acknowledged.body["api_key"].as_str().expect("a key").to_owned());
    }
    keys
}

/// Follows clones to their ends, at whichever node tells of them.
pub async fn follow_to_the_end(machines: &Machines, clones: &[String]) {
    for clone in clones {
        let mut node = 0;
        // The node may not know of it yet: then it answers 404, and another one is asked.
        while !is_complete(machines, node, clone).await {
            node = (node + 1) % machines.len();
        }
    }
}

async fn is_complete(machines: &Machines, node: usize, clone: &str) -> bool {
    let api = machines.api(node);
    match api.get(&format!("/api/v1/environments/{clone}/clone/")).await {
        Ok(answer) if answer.status == 200 => {
            let position = answer.position.unwrap_or(Position::START);
            api.follow(clone, position, |_| ControlFlow::Continue(())).await == Followed::Completed
        }
        _ => {
            tokio::task::yield_now().await;
            false
        }
    }
}

/// Changes the first flag of an environment, again and again.
pub async fn change_flags(
    machines: &Machines,
    history: &History,
    client: usize,
    own: &EnvironmentRef,
    repeats: Repeats,
    mut random: StdRng,
) {
    let stream = StreamId::environment(own.uuid).to_string();
    let states = format!("/api/v1/environments/{}/featurestates/", own.api_key);
    let listed = machines.api(0).get(&format!("{states}?page_size=1")).await.unwrap();
    assert_eq!(listed.status, 200, "{listed:?}");
    let path = format!("{states}{}/", listed.body["results"][0]["id"]);
    let mut number = 0;
    while !history.is_stopped() {
        let value = format!("client {client} change {number}");
        let told = loop {
            let node = machines.api(random.random_range(0..machines.len()));
            let body = json!({ "feature_state_value": value });
            let told = match repeats {
                Repeats::Never => told(node.put(&path, &body, None).await),
                Repeats::WithItsKey => told(node.put(&path, &body, Some(&value)).await),
            };
            if repeats == Repeats::Never || matches!(told, Told::Acknowledged(_)) {
                break told;
            }
            tokio::task::yield_now().await;
        };
        history.note(&stream, &value, told);
        number += 1;
    }
}

fn told(answer: reqwest::Result<Answer>) -> Told {
    let Ok(answer) = answer else { return Told::Unknown };
    let detail = answer.body["detail"].as_str().unwrap_or_default();
    match answer.status {
        200 => Told::Acknowledged(answer.position.map(|position| position.0)),
        503 if detail.contains("It is done") => Told::Acknowledged(None),
        503 if detail.contains("Nothing was changed") => Told::Refused,
        503 => Told::Unknown,
        status => panic!("{status}: {answer:?}"),
    }
}
