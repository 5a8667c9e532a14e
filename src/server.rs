//! A node with its HTTP door: started, asked for its address, stopped.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::clone_switch::CloneSwitch;
use crate::config::{AdminKey, ServerConfig};
use crate::console;
use crate::event_log::EventLog;
use crate::http;
use crate::http::cookie_session::CookieSessions;
use crate::http::ofrep::StreamTokens;
use crate::limits::{CLONE_STREAMS_MAX, START_WAIT};
use crate::node::{Node, StartError};
use crate::starting::{Listening, OpenLog, Starting};

/// A node that answers HTTP.
pub struct Server {
    node: Node,
    listening: Listening,
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
    /// Starts a server, as soon as its store is there. Returns the API key of the organisation admin as well, if the store was empty.
    ///
    /// # Errors
    /// [`ServerError`].
    pub async fn start(config: &ServerConfig) -> Result<(Self, Option<String>), ServerError> {
        let starting = Starting::begin(config).await?;
        let opened = starting.open_log().await?;
        Self::serve(starting, opened).await
    }

    /// The same on a log that is open.
    ///
    /// # Errors
    /// [`ServerError`].
    pub async fn start_on(
        log: Arc<dyn EventLog>,
        config: &ServerConfig,
    ) -> Result<(Self, Option<String>), ServerError> {
        let starting = Starting::begin(config).await?;
        let opened = starting.prepare(log).await?;
        Self::serve(starting, opened).await
    }

    /// Opens the door of a server whose log is open.
    ///
    /// # Errors
    /// [`ServerError`].
    pub async fn serve(starting: Starting, opened: OpenLog) -> Result<(Self, Option<String>), ServerError> {
        let Starting { config, lock, listening } = starting;
        let head = opened.feed.begin();
        let node = Node::start_on(opened.feed, &config.data.read_models(), &config.workers, lock)?;
        // The first request may come at once, with a new key perhaps.
        node.read_models.wait_for(head, START_WAIT).await;
        match door(&node, &config, listening.shutdown.clone()) {
            Ok(door) => listening.gate.open(door),
            Err(error) => {
                // In good order: what it has begun is finished, and nobody is told of work that broke off.
                node.stop().await;
                return Err(error);
            }
        }
        Ok((Self { node, listening }, opened.new_key))
    }

    /// The address that it listens on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.listening.address
    }

    /// The node behind the door.
    #[must_use]
    pub fn node(&self) -> &Node {
        &self.node
    }

    /// Takes no more requests, finishes those in hand, and stops.
    pub async fn stop(self) {
        self.listening.shutdown.cancel();
        if let Err(error) = self.listening.serving.await {
            tracing::error!(%error, "the HTTP door broke off");
        }
        self.node.stop().await;
    }
}

/// The door of a node.
fn door(node: &Node, config: &ServerConfig, shutdown: CancellationToken) -> Result<Router, ServerError> {
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
        shutdown,
    };
    let pages = console::routes(state.clone());
    Ok(http::door(state, tokens, data_dir, pages)?)
}
