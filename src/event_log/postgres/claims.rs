//! Claims as advisory locks of one session: the server lets go of them when the session ends, however the node died.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use sqlx::Connection;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use uuid::Uuid;

use super::connection::{connect, describe};
use super::keys;
use crate::event_log::{Claim, ReadError};
use crate::limits::{STORE_READ_WAIT, STORE_SESSION_CHECK};

/// What the holder of the session is asked for.
enum Request {
    Claim(Uuid, oneshot::Sender<Result<Option<Claim>, ReadError>>),
    Release(i64, Arc<AtomicBool>),
}

/// The claims of this node.
pub(super) struct Claims {
    requests: mpsc::UnboundedSender<Request>,
}

/// The session, and what it holds.
struct Session {
    connection: PgConnection,
    held: HashSet<i64>,
    /// Set when the session is gone.
    is_lost: Arc<AtomicBool>,
}

impl Claims {
    /// Without a session until there is something to claim.
    pub(super) fn new(options: PgConnectOptions) -> Self {
        let (requests, queue) = mpsc::unbounded_channel();
        tokio::spawn(serve(options, requests.downgrade(), queue));
        Self { requests }
    }

    pub(super) async fn claim(&self, work: Uuid) -> Result<Option<Claim>, ReadError> {
        let closed = || ReadError::Unavailable("it is closed".to_owned());
        let (answer, claimed) = oneshot::channel();
        self.requests.send(Request::Claim(work, answer)).map_err(|_| closed())?;
        claimed.await.map_err(|_| closed())?
    }
}

/// Works until nobody is left who could ask.
async fn serve(
    options: PgConnectOptions,
    requests: mpsc::WeakUnboundedSender<Request>,
    mut queue: mpsc::UnboundedReceiver<Request>,
) {
    let mut session: Option<Session> = None;
    loop {
        match timeout(STORE_SESSION_CHECK, queue.recv()).await {
            Ok(None) => break,
            Ok(Some(Request::Claim(work, answer))) => {
                // Whoever asked may have gone; then the claim is dropped, and with it released.
                let _ = answer.send(claim(&options, &mut session, work, &requests).await);
            }
            Ok(Some(Request::Release(key, is_lost))) => {
                let held = session.as_mut().filter(|session| Arc::ptr_eq(&session.is_lost, &is_lost));
                if let Some(held) = held
                    && let Err(error) = held.release(key).await
                {
                    lose(&mut session, &error);
                }
            }
            // Nothing to do: a good moment to find out whether the session is still there.
            Err(_) => {
                if let Some(idle) = &mut session
                    && let Err(error) = in_time(idle.connection.ping()).await
                {
                    lose(&mut session, &error);
                }
            }
        }
    }
    if let Some(session) = session {
        let _ = timeout(STORE_SESSION_CHECK, session.connection.close()).await;
    }
}

async fn claim(
    options: &PgConnectOptions,
    session: &mut Option<Session>,
    work: Uuid,
    requests: &mpsc::WeakUnboundedSender<Request>,
) -> Result<Option<Claim>, ReadError> {
    let key = keys::work(work);
    let open = match session {
        Some(open) => open,
        None => session.insert(Session::open(options).await.map_err(|error| unavailable(&error))?),
    };
    match open.claim(key).await {
        Ok(false) => Ok(None),
        Ok(true) => {
            let (is_lost, requests) = (open.is_lost.clone(), requests.clone());
            Ok(Some(Claim::new(is_lost.clone(), move || {
                // Without a holder there is no session that holds it.
                let _ = requests.upgrade().map(|requests| requests.send(Request::Release(key, is_lost)));
            })))
        }
        Err(error) => {
            lose(session, &error);
            Err(unavailable(&error))
        }
    }
}

impl Session {
    async fn open(options: &PgConnectOptions) -> sqlx::Result<Self> {
        // A node that vanished without a farewell, with its machine or the network, is to be missed within seconds.
        let options = options.clone().options([
            ("tcp_keepalives_idle", "1"),
            ("tcp_keepalives_interval", "1"),
            ("tcp_keepalives_count", "3"),
            ("tcp_user_timeout", "4000"),
        ]);
        Ok(Self { connection: connect(&options).await?, held: HashSet::new(), is_lost: Arc::default() })
    }

    /// Whether it is ours now. One session can lock the same key twice, but nobody can have the same work twice.
    async fn claim(&mut self, key: i64) -> sqlx::Result<bool> {
        if self.held.contains(&key) {
            return Ok(false);
        }
        let lock = sqlx::query_scalar("SELECT pg_try_advisory_lock($1)").bind(key).fetch_one(&mut self.connection);
        let is_ours: bool = in_time(lock).await?;
        if is_ours {
            self.held.insert(key);
        }
        Ok(is_ours)
    }

    async fn release(&mut self, key: i64) -> sqlx::Result<()> {
        self.held.remove(&key);
        in_time(sqlx::query("SELECT pg_advisory_unlock($1)").bind(key).execute(&mut self.connection)).await.map(drop)
    }
}

fn lose(session: &mut Option<Session>, error: &sqlx::Error) {
    if let Some(lost) = session.take() {
        lost.is_lost.store(true, Ordering::Release);
        if !lost.held.is_empty() {
            tracing::warn!(error = describe(error), claims = lost.held.len(), "claims are lost with their connection");
        }
    }
}

async fn in_time<T>(query: impl Future<Output = sqlx::Result<T>>) -> sqlx::Result<T> {
    timeout(STORE_READ_WAIT, query).await.unwrap_or(Err(sqlx::Error::PoolTimedOut))
}

fn unavailable(error: &sqlx::Error) -> ReadError {
    ReadError::Unavailable(describe(error))
}
