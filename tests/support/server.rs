//! The real server in this process, on a free port and a directory of its own.

use std::ops::Deref;

use offshoot::commands::Commands;
use offshoot::config::{AdminKey, DataConfig, ServerConfig};
use offshoot::server::Server;
use offshoot_aggregates::Position;
use tempfile::TempDir;

use super::client::Client;

const ADMIN_KEY: &str = "adminkey.of-the-organisation-Default";

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
        Self::start_in(tempfile::tempdir().unwrap()).await
    }

    async fn start_in(directory: TempDir) -> Self {
        let config = ServerConfig {
            listen: "127.0.0.1:0".parse().unwrap(),
            data: DataConfig::in_directory(directory.path().to_owned()),
            admin_key: Some(AdminKey(ADMIN_KEY.to_owned())),
        };
        let (server, _) = Server::start(&config).await.unwrap();
        let admin = Client::new(format!("http://{}", server.address()), Some(ADMIN_KEY.to_owned()));
        let server = Self { server, admin, directory };
        server.settle(server.commands().log().head().await.unwrap()).await;
        server
    }

    /// Stops and starts again on the same data.
    pub async fn restart(self) -> Self {
        let Self { server, directory, .. } = self;
        server.stop().await;
        Self::start_in(directory).await
    }

    /// The server itself.
    pub fn server(&self) -> &Server {
        &self.server
    }

    /// The commands, past the door.
    pub fn commands(&self) -> &Commands {
        &self.server.node().commands
    }

    /// Waits until every read model has reached a position.
    pub async fn settle(&self, position: Position) {
        let at_most = std::time::Duration::from_secs(30);
        assert!(
            self.server.node().read_models.wait_for(position, at_most).await,
            "read models did not reach {position}"
        );
    }

    /// Where the log stands: to show that a rejected request wrote nothing.
    pub async fn head(&self) -> Position {
        self.commands().log().head().await.unwrap()
    }
}
