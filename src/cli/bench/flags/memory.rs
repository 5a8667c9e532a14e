//! How much memory environments take that are held to be served.

use std::path::Path;

use offshoot_aggregates::Actor;
use offshoot_aggregates::environment::CloneMode;

use super::super::CliError;
use super::super::child::Child;
use super::super::figures::Figures;
use super::super::setup::{Place, Setup, WAIT};
use super::SERVER_CORE;
use super::load::Request;
use crate::cli::api_client::Api;
use crate::commands::{AsOf, CloneOptions, CommandContext};

/// Features of each environment.
const FEATURES: usize = 1_000;

/// Measures what the process holds more after all environments were asked for, with all that they can be asked for.
pub async fn measure(base: Option<&Path>, environments: usize, figures: &mut Figures) -> Result<(), CliError> {
    let setup = Setup::start(&Place::below(base)).await?;
    let source = setup.import(FEATURES).await?;
    let commands = &setup.server.node().commands;
    let mut keys = vec![source.api_key];
    let mut last = None;
    for number in 1..environments {
        let options = CloneOptions {
            name: format!("environment {number}"),
            description: None,
            mode: CloneMode::Sync,
            mode_reason: None,
            as_of: AsOf::Now,
            clone_permissions: true,
            admin: None,
        };
        let context = CommandContext::new(Actor::operator("bench"));
        let created = commands.request_clone(&context, source.uuid, options).await?;
        last = Some(created.position);
        keys.push(created.created.api_key);
    }
    if let Some(position) = last
        && !setup.server.node().read_models.wait_for(position, WAIT).await
    {
        return Err("the read models do not follow".into());
    }
    let data = setup.stop().await;
    let server = Child::server_on(data.directory(), data.key(), Some(SERVER_CORE)).await?;
    let api = Api::at(format!("http://{}", server.address()), data.key())?;
    // One first, so that what is needed once does not count.
    ask(&server, &api, &keys[..1]).await?;
    let before = server.memory_mib()?;
    ask(&server, &api, &keys).await?;
    figures.fact("environments in memory, of 1,000 features each", environments);
    figures.add("memory of these environments", "MiB", server.memory_mib()? - before);
    figures.add("memory of the process", "MiB", server.memory_mib()?);
    server.stop().await
}

/// Asks for everything that is rendered once for an environment.
async fn ask(server: &Child, api: &Api, keys: &[String]) -> Result<(), CliError> {
    for key in keys {
        let headers = format!("X-Environment-Key: {key}\r\n");
        let path = "/api/v1/flags/".to_owned();
        let answer = Request { method: "GET", path, headers, body: String::new() }.ask(server.address()).await?;
        if answer.status != 200 {
            return Err(format!("an environment answered {}", answer.status).into());
        }
        api.get(&format!("environments/{key}/document/")).await?;
    }
    Ok(())
}
