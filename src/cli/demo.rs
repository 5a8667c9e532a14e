//! `offshoot demo`: the whole story in a fresh directory, over real HTTP.

use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

use clap::Args;
use futures_util::StreamExt as _;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use offshoot_aggregates::Actor;
use serde_json::{Value, json};

use super::CliError;
use super::api_client::Api;
use super::sample_project::{sample_project, sample_states};
use crate::commands::CommandContext;
use crate::config::{AdminKey, CloneSwitchConfig, DataConfig, ServerConfig, WorkerConfig};
use crate::limits::READ_YOUR_WRITES_WAIT;
use crate::secrets::new_api_key;
use crate::server::Server;

/// How the demo runs.
#[derive(Debug, Args)]
pub struct DemoConfig {
    /// How many features the project has.
    #[arg(long, default_value_t = 5_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    features: u32,

    /// The address to listen on.
    #[arg(long, env = "OFFSHOOT_LISTEN", default_value = "127.0.0.1:8000")]
    listen: std::net::SocketAddr,

    /// Stop at the end instead of serving until Ctrl-C.
    #[arg(long)]
    exit: bool,
}

/// Shows the story.
#[allow(clippy::print_stdout, reason = "showing it is what the command is for")]
pub async fn run(config: DemoConfig) -> Result<(), CliError> {
    let directory = tempfile::Builder::new().prefix("offshoot-demo-").tempdir()?;
    let key = new_api_key();
    let server_config = ServerConfig {
        listen: config.listen,
        data: DataConfig::in_directory(directory.path().to_owned()),
        workers: WorkerConfig::default(),
        clone_switch: CloneSwitchConfig::default(),
        admin_key: Some(AdminKey(key.clone())),
        stream_token_secret: None,
    };
    let (server, _) = Server::start(&server_config).await?;
    let told = tell(&server, &key, config.features as usize).await;
    if told.is_ok() && !config.exit {
        println!("\nStill serving. Try it, from another terminal; Ctrl-C stops:");
        println!("  curl -H 'Authorization: Api-Key {key}' http://{}/api/v1/projects/", server.address());
        println!("  the console, where you sign in with that key: http://{}/", server.address());
        println!("  the API, described: http://{}/api/v1/docs/", server.address());
        tokio::signal::ctrl_c().await?;
    }
    server.stop().await;
    told
}

#[allow(clippy::print_stdout, reason = "showing it is what the command is for")]
async fn tell(server: &Server, key: &str, features: usize) -> Result<(), CliError> {
    let api = Api::new(server, key)?;
    println!("Offshoot serves on http://{}, from an empty directory.", server.address());

    let commands = &server.node().commands;
    let (organisation, _) = commands.first_organisation().await?.ok_or("there is no organisation")?;
    let context = CommandContext::new(Actor::operator("demo"));
    let started = Instant::now();
    let source = commands.import(&context, organisation, sample_project(features)).await?;
    server.node().read_models.wait_for(source.position, READ_YOUR_WRITES_WAIT * 10).await;
    let states = sample_states(features);
    println!(
        "A project of {features} features is there: multivariate flags, 5 segments, {} segment overrides ({:.0?}).",
        states - features,
        started.elapsed()
    );
    let source = source.created.api_key;

    println!("\nPOST /api/v1/environments/{source}/clone/ {{\"clone_feature_states_async\": true}}");
    let body = json!({ "name": "Staging", "clone_feature_states_async": true });
    let requested = Instant::now();
    let clone = api.post(&format!("environments/{source}/clone/"), &body).await?;
    let answered = requested.elapsed();
    println!("answered in {:.1} ms: {clone}", answered.as_secs_f64() * 1e3);
    let clone_key = clone["api_key"].as_str().ok_or("the answer has no key")?;

    let status = watch(&api, clone_key).await?;
    let completed = requested.elapsed();
    if status["status"] != "completed" {
        return Err(format!("the clone did not complete: {status}").into());
    }
    println!(
        "complete after {:.0} ms: {} feature states.",
        completed.as_secs_f64() * 1e3,
        status["feature_states_copied"]
    );

    println!("\nWhat the audit log says of it:");
    let audit = api.get(&format!("audit/?environments={}&page_size=999", clone["id"])).await?;
    let lines = audit["results"].as_array().ok_or("the audit log has no results")?;
    for line in shortened(lines) {
        println!("  {line}");
    }
    Ok(())
}

/// The oldest and the newest lines, oldest first.
fn shortened(newest_first: &[Value]) -> Vec<String> {
    const SHOWN: usize = 4;
    let line = |entry: &Value| {
        let (time, log) =
            (entry["created_date"].as_str().unwrap_or_default(), entry["log"].as_str().unwrap_or_default());
        format!("{time}  {log}")
    };
    let lines: Vec<_> = newest_first.iter().rev().map(line).collect();
    if lines.len() <= 2 * SHOWN {
        return lines;
    }
    let (first, last) = (&lines[..SHOWN], &lines[lines.len() - SHOWN..]);
    let left_out = format!("… {} more …", lines.len() - 2 * SHOWN);
    first.iter().cloned().chain([left_out]).chain(last.iter().cloned()).collect()
}

/// Shows the progress as the server tells it, until the clone has come to an end. Returns the last status.
async fn watch(api: &Api, clone: &str) -> Result<Value, CliError> {
    let answer = api.stream(&format!("environments/{clone}/clone/events/")).await?;
    let mut stream = answer.bytes_stream();
    let (mut text, mut status) = (String::new(), Value::Null);
    let bar = progress_bar();
    while let Some(chunk) = stream.next().await {
        text.push_str(&String::from_utf8_lossy(&chunk?));
        while let Some(end) = text.find("\n\n") {
            let event: String = text.drain(..end + 2).collect();
            let data = event.lines().find_map(|line| line.strip_prefix("data:"));
            let Some(data) = data else { continue };
            status = serde_json::from_str(data.trim())?;
            bar.set_length(status["feature_states_total"].as_u64().unwrap_or(0));
            bar.set_position(status["feature_states_copied"].as_u64().unwrap_or(0));
        }
    }
    bar.finish_and_clear();
    Ok(status)
}

fn progress_bar() -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
    }
    let bar = ProgressBar::new(0);
    let template = "copying {bar:40} {pos}/{len} feature states, {per_sec}, {eta} left";
    bar.set_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.enable_steady_tick(Duration::from_millis(50));
    bar
}
