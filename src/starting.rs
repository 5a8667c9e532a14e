//! A server that starts: it has its directory and its address, says to whoever asks that it is not ready, and waits for a store
//! that is away, as one is that starts again at the same time.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::sleep;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::commands::Commands;
use crate::config::{ServerConfig, Store};
use crate::event_feed::EventFeed;
use crate::event_log::DirectoryLock;
use crate::event_log::EventLog;
use crate::event_log::backoff::backoff;
use crate::http::{self, Gate};
use crate::limits::STORE_BACKOFF;
use crate::node::{Node, StartError};
use crate::outage::Outage;
use crate::server::ServerError;

/// A server that has no log yet. It lets go of everything when it is dropped.
pub struct Starting {
    pub(crate) config: ServerConfig,
    pub(crate) lock: DirectoryLock,
    pub(crate) listening: Listening,
}

/// The address that is listened on, and who answers there.
pub(crate) struct Listening {
    pub(crate) address: SocketAddr,
    pub(crate) gate: Gate,
    pub(crate) serving: JoinHandle<()>,
    pub(crate) shutdown: CancellationToken,
    /// Stops it also if nothing comes of the start.
    pub(crate) _stop_when_dropped: DropGuard,
}

/// A log that is open, and has its first organisation.
pub struct OpenLog {
    pub(crate) feed: EventFeed,
    /// The API key of the organisation admin, if the store was empty.
    pub(crate) new_key: Option<String>,
}

impl Starting {
    /// Takes the directory and the address.
    ///
    /// # Errors
    /// Someone else has one of them, or they cannot be had.
    pub async fn begin(config: &ServerConfig) -> Result<Self, ServerError> {
        let lock = Node::hold_directory(&config.data)?;
        let listening = Listening::at(config.listen).await?;
        Ok(Self { config: config.clone(), lock, listening })
    }

    /// Opens the log. One that other nodes share is waited for as long as it is away; what waiting cannot help is an error at once.
    /// Whoever gives up waiting drops the future.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn open_log(&self) -> Result<OpenLog, StartError> {
        let store = self.config.data.store();
        let (mut outage, mut pauses) = (Outage::default(), backoff());
        loop {
            let error = match self.try_to_open(&store).await {
                Ok(opened) => {
                    if let Some(waited) = outage.end() {
                        tracing::info!(?waited, "the event log can be reached");
                    }
                    return Ok(opened);
                }
                Err(error) if store.is_shared() && error.is_away() => error,
                Err(error) => return Err(error),
            };
            if outage.notice() {
                let address = self.listening.address;
                tracing::warn!(%error, %address, "not ready: the start waits for the event log");
            }
            sleep(pauses.next().unwrap_or(STORE_BACKOFF.1)).await;
        }
    }

    async fn try_to_open(&self, store: &Store) -> Result<OpenLog, StartError> {
        self.prepare(store.open().await?).await
    }

    /// Gives a log that is open its first organisation, if it has none.
    pub(crate) async fn prepare(&self, log: Arc<dyn EventLog>) -> Result<OpenLog, StartError> {
        let admin_key = self.config.admin_key.as_ref().map(|key| key.0.clone());
        let new_key = Commands::new(log.clone()).bootstrap(admin_key).await?;
        let feed = EventFeed::new(log).await?;
        Ok(OpenLog { feed, new_key })
    }
}

impl Listening {
    async fn at(listen: SocketAddr) -> Result<Self, ServerError> {
        let failed = |source| ServerError::Listen { address: listen, source };
        let listener = TcpListener::bind(listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let (gate, shutdown) = (Gate::new(), CancellationToken::new());
        let serving = tokio::spawn(http::serve(listener, gate.clone(), shutdown.clone()));
        Ok(Self { address, gate, serving, shutdown: shutdown.clone(), _stop_when_dropped: shutdown.drop_guard() })
    }
}
