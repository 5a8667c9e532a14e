//! `offshoot projections`: shows the read models, or builds them anew, in a data directory or through a running server.

use clap::{Args, Subcommand};
use serde_json::Value;

use super::CliError;
use super::api_client::Api;
use crate::config::{DataConfig, WorkerConfig};
use crate::limits::READ_YOUR_WRITES_WAIT;
use crate::node::Node;
use crate::read_models::ReadModel;

/// What to do with the read models, and where they are.
#[derive(Debug, Args)]
pub struct ProjectionsConfig {
    #[command(subcommand)]
    action: Action,

    /// Where the data is, if no server runs on it.
    #[command(flatten)]
    data: DataConfig,

    /// The running server to ask, as in `http://127.0.0.1:8000`.
    #[arg(long, env = "OFFSHOOT_SERVER", requires = "api_key", global = true)]
    server: Option<String>,

    /// The API key of an organisation admin, for the running server.
    #[arg(long, env = "OFFSHOOT_API_KEY", hide_env_values = true, global = true)]
    api_key: Option<String>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Show name, version, position, lag and state of each.
    List,
    /// Show the digest of each: nodes that show the same position have the same.
    Digest,
    /// Build one anew from the log, beside the file that serves, and let it take its place.
    Rebuild {
        /// Which one; all of them if none is given.
        name: Option<String>,
    },
}

/// Does it.
pub async fn run(config: ProjectionsConfig) -> Result<(), CliError> {
    match (&config.server, &config.api_key) {
        (Some(server), Some(key)) => through_server(&Api::at(server.clone(), key)?, config.action).await,
        _ => {
            let node = Node::start(&config.data, &WorkerConfig::default()).await?;
            let done = in_directory(&node, config.action).await;
            node.stop().await;
            done
        }
    }
}

async fn in_directory(node: &Node, action: Action) -> Result<(), CliError> {
    let head = node.commands.log().head().await?;
    node.read_models.wait_for(head, READ_YOUR_WRITES_WAIT).await;
    if let Action::Rebuild { name } = &action {
        let chosen = chosen(node, name.as_deref())?;
        let rebuilt: Vec<_> = chosen.iter().map(|read_model| read_model.request_rebuild()).collect();
        for mut rebuilt in rebuilt {
            rebuilt.changed().await?;
        }
    }
    if matches!(action, Action::Digest) {
        for read_model in node.read_models.all() {
            let (position, digest) = read_model.digest().await?;
            print_digest(read_model.name(), position.0, &digest.to_string());
        }
        return Ok(());
    }
    for read_model in node.read_models.all() {
        let status = read_model.status().await?;
        let state = status.state.as_str();
        print_line(status.name, u64::from(status.version), status.position.0, head.0, state, status.parked.len());
    }
    Ok(())
}

fn chosen<'n>(node: &'n Node, name: Option<&str>) -> Result<Vec<&'n ReadModel>, CliError> {
    match name {
        None => Ok(node.read_models.all().into_iter().map(AsRef::as_ref).collect()),
        Some(name) => {
            let read_model = node.read_models.named(name).ok_or_else(|| format!("there is no read model {name}"))?;
            Ok(vec![read_model])
        }
    }
}

async fn through_server(api: &Api, action: Action) -> Result<(), CliError> {
    let read_models = api.get("projections/").await?;
    if let Action::Rebuild { name } = &action {
        for read_model in read_models["results"].as_array().into_iter().flatten() {
            let own_name = read_model["name"].as_str().unwrap_or_default();
            if name.as_deref().is_none_or(|name| name == own_name) {
                api.post(&format!("projections/{own_name}/rebuild/"), &Value::Null).await?;
            }
        }
    }
    if matches!(action, Action::Digest) {
        for read_model in read_models["results"].as_array().into_iter().flatten() {
            let name = read_model["name"].as_str().unwrap_or_default();
            let digest = api.get(&format!("projections/{name}/digest/")).await?;
            print_digest(name, digest["position"].as_u64().unwrap_or_default(), &digest["digest"].to_string());
        }
        return Ok(());
    }
    let read_models = api.get("projections/").await?;
    for read_model in read_models["results"].as_array().into_iter().flatten() {
        let number = |field: &str| read_model[field].as_u64().unwrap_or_default();
        let text = |field: &str| read_model[field].as_str().unwrap_or_default();
        let position = number("position");
        let head = position + number("lag_events");
        let parked = read_model["parked"].as_array().map_or(0, Vec::len);
        print_line(text("name"), number("version"), position, head, text("state"), parked);
    }
    Ok(())
}

#[allow(clippy::print_stdout, reason = "what is shown is what the command is run for")]
fn print_digest(name: &str, position: u64, digest: &str) {
    println!("{name:<20} position {position}  {}", digest.trim_matches('"'));
}

#[allow(clippy::print_stdout, reason = "what is shown is what the command is run for")]
fn print_line(name: &str, version: u64, position: u64, head: u64, state: &str, parked: usize) {
    println!("{name:<20} version {version}  position {position} of {head}  {state}  {parked} parked");
}
