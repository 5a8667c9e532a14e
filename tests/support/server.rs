//! The real server in this process, on a free port and a directory of its own.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use offshoot::commands::Commands;
use offshoot::config::{AdminKey, CloneSwitchConfig, ServerConfig, WorkerConfig};
use offshoot::event_log::EventLog;
use offshoot::server::Server;
use offshoot::workers::CloneRetries;
use offshoot_aggregates::Position;
use tempfile::TempDir;

use super::client::Client;
use super::store::{data_in, open_log, share};

/// The API key of the organisation admin of every such server.
pub const ADMIN_KEY: &str = "adminkey.of-the-organisation-Default";

/// How long clones of a test wait for a store that is away.
const IMPATIENT: CloneRetries = CloneRetries {
    attempts_max: 8,
    store_away_max: Duration::from_millis(1_500),
    pause_min: Duration::from_millis(5),
    pause_max: Duration::from_millis(20),
};

/// A running server. It is asked as its organisation's admin: everything that a [`Client`] can do, it can do.
pub struct TestServer {
    server: Server,
    admin: Client,
    directory: TempDir,
}

impl Deref for TestServer {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.admin
    }
}

impl TestServer {
    /// A server with an empty store, but for the organisation `Default`.
    pub async fn start() -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), WorkerConfig::default()).await
    }

    /// The same, with workers that go about it like this.
    pub async fn start_with(workers: WorkerConfig) -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), workers).await
    }

    /// The same, with this switch for asynchronous clones.
    pub async fn start_switched(clone_switch: CloneSwitchConfig) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let (server, _) = Server::start(&ServerConfig { clone_switch, ..config(&directory) }).await.unwrap();
        Self::of(server, directory).await
    }

    /// The same in this directory, on the store that stands in it.
    pub async fn start_at(directory: TempDir) -> Self {
        Self::start_in(directory, WorkerConfig::default()).await
    }

    /// Stops. The directory with its data.
    pub async fn stop(self) -> TempDir {
        let Self { server, directory, .. } = self;
        server.stop().await;
        directory
    }

    /// A server whose log is inside another one, as `wrap` makes it. Its clones are [`IMPATIENT`].
    pub async fn start_on(wrap: impl FnOnce(Arc<dyn EventLog>) -> Arc<dyn EventLog>) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut config = config(&directory);
        config.workers.clone_retries = IMPATIENT;
        let log = wrap(open_log(directory.path()).await);
        let (server, _) = Server::start_on(log, &config).await.unwrap();
        Self::of(server, directory).await
    }

    /// A node of its own on the store at a URL.
    pub async fn start_node(url: &str) -> Self {
        Self::start_node_with(url, Some(AdminKey(ADMIN_KEY.to_owned()))).await.0
    }

    /// The same, with this key for an empty store. The key that it made, if it made one.
    pub async fn start_node_with(url: &str, admin_key: Option<AdminKey>) -> (Self, Option<String>) {
        let directory = tempfile::tempdir().unwrap();
        share(directory.path(), url);
        let (server, key) = Server::start(&ServerConfig { admin_key, ..config(&directory) }).await.unwrap();
        (Self::of(server, directory).await, key)
    }

    async fn start_in(directory: TempDir, workers: WorkerConfig) -> Self {
        let (server, _) = Server::start(&ServerConfig { workers, ..config(&directory) }).await.unwrap();
        Self::of(server, directory).await
    }

    async fn of(server: Server, directory: TempDir) -> Self {
        let admin = Client::new(format!("http://{}", server.address()), Some(ADMIN_KEY.to_owned()));
        let server = Self { server, admin, directory };
        server.settle(server.commands().log().head().await.unwrap()).await;
        server
    }

    /// Stops and starts again on the same data.
    pub async fn restart(self) -> Self {
        let Self { server, directory, .. } = self;
        server.stop().await;
        // Nobody else works with the data, whether the store can know that or not.
        let workers = WorkerConfig { forgotten_name_age: Some(Duration::ZERO), ..WorkerConfig::default() };
        Self::start_in(directory, workers).await
    }

    /// The same, but the answers that were kept for those who repeat their requests are lost.
    pub async fn restart_without_answers(self) -> Self {
        let Self { server, directory, .. } = self;
        server.stop().await;
        for suffix in ["", "-wal", "-shm"] {
            // There may be no such file.
            let _ = std::fs::remove_file(directory.path().join(format!("answers.sqlite{suffix}")));
        }
        Self::start_in(directory, WorkerConfig::default()).await
    }

    /// The server itself.
    pub fn server(&self) -> &Server {
        &self.server
    }

    /// The commands, past the door.
    pub fn commands(&self) -> &Commands {
        &self.server.node().commands
    }

    /// Waits until every read model, and what is served, has reached a position.
    pub async fn settle(&self, position: Position) {
        let at_most = std::time::Duration::from_secs(30);
        assert!(
            self.server.node().read_models.wait_for(position, at_most).await,
            "read models did not reach {position}"
        );
        let served = self.server.node().flags.reached(position);
        assert!(tokio::time::timeout(at_most, served).await.is_ok(), "served flags did not reach {position}");
    }

    /// Where the log stands: to show that a rejected request wrote nothing.
    pub async fn head(&self) -> Position {
        self.commands().log().head().await.unwrap()
    }
}

fn config(directory: &TempDir) -> ServerConfig {
    ServerConfig {
        listen: "127.0.0.1:0".parse().unwrap(),
        data: data_in(directory.path()),
        workers: WorkerConfig::default(),
        clone_switch: CloneSwitchConfig::default(),
        admin_key: Some(AdminKey(ADMIN_KEY.to_owned())),
        stream_token_secret: None,
    }
}
