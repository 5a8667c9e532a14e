//! Stands where the door will be while the server starts: says that the server lives and is not ready, until the door is there.

use std::convert::Infallible;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use axum::routing::future::RouteFuture;
use axum::routing::get;
use tower::Service;

use super::operational::{liveness, version};
use super::problem::Problem;
use super::router::cors;

/// Answers by itself until there is a door, which answers from then on, also those who are connected already.
#[derive(Clone, Debug)]
pub struct Gate {
    door: Arc<OnceLock<Router>>,
    before: Router,
}

impl Gate {
    /// A gate without a door.
    #[must_use]
    pub fn new() -> Self {
        let before = Router::new()
            .route("/health/liveness/", get(liveness))
            .route("/health/liveness", get(liveness))
            .route("/version/", get(version))
            .fallback(|| async {
                Problem::not_ready("starting", "The server is starting: it waits for its event log.")
            })
            .layer(cors());
        Self { door: Arc::default(), before }
    }

    /// Lets the door answer. There is one door: a second one is not taken.
    pub fn open(&self, door: Router) {
        // Nobody has another one.
        let _ = self.door.set(door);
    }
}

impl Default for Gate {
    fn default() -> Self {
        Self::new()
    }
}

impl Service<Request> for Gate {
    type Response = Response;
    type Error = Infallible;
    type Future = RouteFuture<Infallible>;

    /// Routers are always ready.
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> RouteFuture<Infallible> {
        match self.door.get() {
            Some(door) => door.clone().call(request),
            None => self.before.call(request),
        }
    }
}
