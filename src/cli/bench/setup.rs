//! What every benchmark starts with: a server in a fresh directory, and a project in it.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use offshoot_aggregates::Actor;
use offshoot_aggregates::environment::EnvironmentRef;
use tempfile::TempDir;
use uuid::Uuid;

use super::CliError;
use crate::cli::api_client::Api;
use crate::cli::sample_project::sample_project;
use crate::commands::{CommandContext, Created};
use crate::config::{AdminKey, CloneSwitchConfig, DataConfig, ServerConfig, WorkerConfig};
use crate::secrets::new_api_key;
use crate::server::Server;

/// How long a benchmark waits for read models before it gives up.
pub const WAIT: Duration = Duration::from_secs(600);

/// A server in a directory of its own.
pub struct Setup {
    /// The server.
    pub server: Server,
    /// A client of it.
    pub api: Api,
    directory: TempDir,
    key: String,
}

impl Setup {
    /// Starts a server in a fresh directory, below `base` if one is given.
    pub async fn start(base: Option<&std::path::Path>) -> Result<Self, CliError> {
        let mut builder = tempfile::Builder::new();
        let builder = builder.prefix("offshoot-bench-");
        let directory = base.map_or_else(|| builder.tempdir(), |base| builder.tempdir_in(base))?;
        let key = new_api_key();
        let (server, api) = serve(&directory, &key).await?;
        Ok(Self { server, api, directory, key })
    }

    /// Stops the server and keeps its data.
    pub async fn stop(self) -> Stopped {
        let Self { server, directory, key, .. } = self;
        server.stop().await;
        Stopped { directory, key }
    }

    /// Brings in a sample project and waits until every read model shows it.
    pub async fn import(&self, features: usize) -> Result<EnvironmentRef, CliError> {
        let commands = &self.server.node().commands;
        let (organisation, _) = commands.first_organisation().await?.ok_or("there is no organisation")?;
        let context = CommandContext::repeatable(Actor::operator("bench"), Uuid::new_v4());
        let Created { created, position } = commands.import(&context, organisation, sample_project(features)).await?;
        if !self.server.node().read_models.wait_for(position, WAIT).await {
            return Err("the read models do not follow".into());
        }
        Ok(created)
    }

    /// Stops the server and deletes its data.
    pub async fn finish(self) {
        self.server.stop().await;
        drop(self.directory);
    }
}

/// A server that was stopped.
pub struct Stopped {
    directory: TempDir,
    key: String,
}

impl Stopped {
    /// Where its data is.
    pub fn directory(&self) -> &std::path::Path {
        self.directory.path()
    }

    /// The API key of the organisation's admin.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Starts `offshoot serve` on it, kills it when it has answered, and tells how long that took.
    pub async fn start_process(&self) -> Result<Duration, CliError> {
        let started = Instant::now();
        let mut child = Command::new(std::env::current_exe()?)
            .args(["serve", "--log-format", "json", "--listen", "127.0.0.1:0", "--data-dir"])
            .arg(self.directory.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()?;
        let lines = child.stderr.take().map(|stderr| BufReader::new(stderr).lines());
        let address = |line: String| {
            let line: serde_json::Value = serde_json::from_str(&line).ok()?;
            (line["message"] == "serving").then(|| line["address"].as_str().map(str::to_owned))?
        };
        let serving = tokio::task::spawn_blocking(move || lines?.map_while(Result::ok).find_map(address)).await?;
        let answered = match serving {
            Some(address) => Some(reqwest::get(format!("http://{address}/health")).await),
            None => None,
        };
        let took = started.elapsed();
        child.kill()?;
        child.wait()?;
        answered.ok_or("the process did not serve")??.error_for_status()?;
        Ok(took)
    }

    /// Starts it again.
    pub async fn start(self) -> Result<Setup, CliError> {
        let Self { directory, key } = self;
        let (server, api) = serve(&directory, &key).await?;
        Ok(Setup { server, api, directory, key })
    }
}

async fn serve(directory: &TempDir, key: &str) -> Result<(Server, Api), CliError> {
    let config = ServerConfig {
        listen: std::net::SocketAddr::from(([127, 0, 0, 1], 0)),
        data: DataConfig::in_directory(directory.path().to_owned()),
        workers: WorkerConfig::default(),
        clone_switch: CloneSwitchConfig::default(),
        admin_key: Some(AdminKey(key.to_owned())),
        stream_token_secret: None,
    };
    let (server, _) = Server::start(&config).await?;
    let api = Api::new(&server, key)?;
    Ok((server, api))
}
