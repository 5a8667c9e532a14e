//! A node with its HTTP door: started, asked for its address, stopped.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::clone_switch::CloneSwitch;
use crate::config::{AdminKey, ServerConfig};
use crate::console;
use crate::http;
use crate::http::cookie_session::CookieSessions;
use crate::http::ofrep::StreamTokens;
use crate::limits::{CLONE_STREAMS_MAX, START_WAIT};
use crate::node::{Node, StartError};

/// A node that answers HTTP.
pub struct Server {
    node: Node,
    address: SocketAddr,
    shutdown: CancellationToken,
    serving: JoinHandle<()>,
}

/// Why a server does not start.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The node does not start.
    #[error(transparent)]
    Node(#[from] StartError),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// What is kept of sessions in the data directory can be neither read nor made.
    #[error("the files session-secret and ended-sessions in the data directory: {0}")]
    Sessions(std::io::Error),
    /// The door cannot be put together.
    #[error(transparent)]
    Door(#[from] http::DoorError),
}

impl Server {
    /// Starts a server. Returns the API key of the organisation admin as well, if the store was empty.
    ///
    /// # Errors
    /// [`ServerError`].
    pub async fn start(config: &ServerConfig) -> Result<(Self, Option<String>), ServerError> {
        let node = Node::start(&config.data, &config.workers).await?;
        Self::start_on(node, config).await
    }

    /// Opens the door of a node that runs.
    ///
    /// # Errors
    /// [`ServerError`].
    pub async fn start_on(node: Node, config: &ServerConfig) -> Result<(Self, Option<String>), ServerError> {
        let listen = |source| ServerError::Listen { address: config.listen, source };
        let listener = match TcpListener::bind(config.listen).await {
            Ok(listener) => listener,
            Err(source) => {
                // In good order: what it has begun is finished, and nobody is told of work that broke off.
                node.stop().await;
                return Err(listen(source));
            }
        };
        let address = listener.local_addr().map_err(listen)?;
        let admin_key = config.admin_key.as_ref().map(|key| key.0.clone());
        let new_key = node.commands.bootstrap(admin_key).await.map_err(StartError::from)?;
        // The first request may come at once, with a new key perhaps.
        let head = node.commands.log().head().await.map_err(StartError::from)?;
        node.read_models.wait_for(head, START_WAIT).await;
        let shutdown = CancellationToken::new();
        let data_dir = &config.data.data_dir;
        let secret = config.stream_token_secret.as_ref().map(|AdminKey(secret)| secret.as_bytes());
        let tokens = secret.map_or_else(StreamTokens::random, StreamTokens::new);
        let sessions = CookieSessions::open(data_dir, secret).map_err(ServerError::Sessions)?;
        let state = http::AppState {
            commands: node.commands.clone(),
            read_models: node.read_models.clone(),
            feed: node.feed.clone(),
            flags: node.flags.clone(),
            clone_switch: Arc::new(CloneSwitch::new(&config.clone_switch)),
            sessions: Arc::new(sessions),
            clone_streams: Arc::new(Semaphore::new(CLONE_STREAMS_MAX)),
            shutdown: shutdown.clone(),
        };
        let pages = console::routes(state.clone());
        let door = http::door(state, tokens, data_dir, pages)?;
        let serving = tokio::spawn(http::serve(listener, door, shutdown.clone()));
        Ok((Self { node, address, shutdown, serving }, new_key))
    }

    /// The address that it listens on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The node behind the door.
    #[must_use]
    pub fn node(&self) -> &Node {
        &self.node
    }

    /// Takes no more requests, finishes those in hand, and stops.
    pub async fn stop(self) {
        self.shutdown.cancel();
        if let Err(error) = self.serving.await {
            tracing::error!(%error, "the HTTP door broke off");
        }
        self.node.stop().await;
    }
}
