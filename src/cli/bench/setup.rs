//! What every benchmark starts with: a server in a fresh directory, and a project in it.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use clap::Args;
use offshoot_aggregates::Actor;
use offshoot_aggregates::environment::EnvironmentRef;
use tempfile::TempDir;
use uuid::Uuid;

use super::CliError;
use crate::cli::api_client::Api;
use crate::cli::sample_project::sample_project;
use crate::commands::{CommandContext, Created};
use crate::config::{AdminKey, CloneSwitchConfig, DataConfig, ServerConfig, Store, WorkerConfig};
use crate::secrets::new_api_key;
use crate::server::Server;

/// How long a benchmark waits for read models before it gives up.
pub const WAIT: Duration = Duration::from_secs(600);

/// Where a benchmark puts its data.
#[derive(Clone, Debug, Default, Args)]
pub struct Place {
    /// Where to put the data; the system's directory for temporary files if none is given.
    #[arg(long)]
    directory: Option<PathBuf>,

    /// The store of the log, as for `serve`: an empty one, in which everything stays that is written. A file beside the other
    /// data if none is given.
    #[arg(long, value_parser = store_text)]
    store: Option<String>,
}

fn store_text(text: &str) -> Result<String, String> {
    text.parse::<Store>().map(|_| text.to_owned())
}

impl Place {
    /// A fresh directory below another one, and the store in it.
    pub fn below(directory: Option<&Path>) -> Self {
        Self { directory: directory.map(Path::to_owned), store: None }
    }

    /// The store, if one was given.
    pub fn store(&self) -> Option<Store> {
        self.store.as_deref().and_then(|text| text.parse().ok())
    }
}

/// A server in a directory of its own.
pub struct Setup {
    /// The server.
    pub server: Server,
    /// A client of it.
    pub api: Api,
    place: Place,
    directory: TempDir,
    key: String,
}

impl Setup {
    /// Starts a server on a fresh store.
    pub async fn start(place: &Place) -> Result<Self, CliError> {
        Self::start_with(place.clone(), new_api_key(), true).await
    }

    /// Starts another node on the store of this one, with read models of its own.
    pub async fn start_another(&self) -> Result<Self, CliError> {
        Self::start_with(self.place.clone(), self.key.clone(), false).await
    }

    async fn start_with(place: Place, key: String, on_empty_store: bool) -> Result<Self, CliError> {
        let mut builder = tempfile::Builder::new();
        let builder = builder.prefix("offshoot-bench-");
        let directory =
            place.directory.as_deref().map_or_else(|| builder.tempdir(), |base| builder.tempdir_in(base))?;
        let (server, api, was_empty) = serve(&directory, &place, &key).await?;
        if on_empty_store && !was_empty {
            server.stop().await;
            return Err("the store is not empty: what is measured would depend on what is in it".into());
        }
        Ok(Self { server, api, place, directory, key })
    }

    /// Stops the server and keeps its data.
    pub async fn stop(self) -> Stopped {
        let Self { server, place, directory, key, .. } = self;
        server.stop().await;
        Stopped { place, directory, key }
    }

    /// The API key of the organisation's admin.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Waits until every read model shows all of the log.
    pub async fn settle(&self) -> Result<(), CliError> {
        let node = self.server.node();
        let head = node.commands.log().head().await?;
        if node.read_models.wait_for(head, WAIT).await { Ok(()) } else { Err("the read models do not follow".into()) }
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
    place: Place,
    directory: TempDir,
    key: String,
}

impl Stopped {
    /// Where its data is.
    pub fn directory(&self) -> &Path {
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
            .args(self.place.store.iter().flat_map(|store| ["--store", store]))
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
        let Self { place, directory, key } = self;
        let (server, api, _) = serve(&directory, &place, &key).await?;
        Ok(Setup { server, api, place, directory, key })
    }
}

/// Whether the store was empty is answered as well.
async fn serve(directory: &TempDir, place: &Place, key: &str) -> Result<(Server, Api, bool), CliError> {
    let config = ServerConfig {
        listen: std::net::SocketAddr::from(([127, 0, 0, 1], 0)),
        data: DataConfig { data_dir: directory.path().to_owned(), store: place.store() },
        workers: WorkerConfig::default(),
        clone_switch: CloneSwitchConfig::default(),
        admin_key: Some(AdminKey(key.to_owned())),
        stream_token_secret: None,
    };
    let (server, new_key) = Server::start(&config).await?;
    let api = Api::new(&server, key)?;
    Ok((server, api, new_key.is_some()))
}
