//! What the handlers work with: the commands, the read models, the log's events.

use std::sync::Arc;

use offshoot_aggregates::Position;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::cookie_session::CookieSessions;
use super::problem::Problem;
use super::rejections::{environment_is_creating, sentence};
use crate::clone_switch::CloneSwitch;
use crate::commands::{CloneRejection, CommandError, Commands, Rejection};
use crate::event_feed::EventFeed;
use crate::flags::Flags;
use crate::limits::READ_YOUR_WRITES_WAIT;
use crate::read_models::{QueryError, ReadModel, ReadModels, wait_for_serving};

/// What the handlers work with.
#[derive(Clone)]
pub struct AppState {
    /// The one way to change anything.
    pub commands: Commands,
    /// What readers see.
    pub read_models: ReadModels,
    /// The log's events.
    pub feed: Arc<EventFeed>,
    /// What is served of environments.
    pub flags: Arc<Flags>,
    /// Who decides whether a request for an asynchronous clone is honoured.
    pub clone_switch: Arc<CloneSwitch>,
    /// Knows the sessions of browsers.
    pub sessions: Arc<CookieSessions>,
    /// Places for streams that follow clones.
    pub clone_streams: Arc<Semaphore>,
    /// Ends open streams when the server stops.
    pub shutdown: CancellationToken,
}

impl AppState {
    /// Waits until every read model shows what is in the log at a position, but not for ever: the position is on the
    /// answer, and who needs it can ask with `Offshoot-Min-Position`.
    pub async fn settle(&self, position: Position) {
        self.settle_on(&self.read_models.all(), position).await;
    }

    /// The same for the read models that an answer, and what is asked next because of it, depend on.
    pub async fn settle_on(&self, read_models: &[&Arc<ReadModel>], position: Position) {
        let settled = async {
            let shown = wait_for_serving(read_models, position, READ_YOUR_WRITES_WAIT).await;
            // Whoever is told of a change is served it. Where nobody can be served, nobody waits for that.
            if self.flags.is_serving() {
                self.flags.reached(position).await;
            }
            shown
        };
        if !tokio::time::timeout(READ_YOUR_WRITES_WAIT, settled).await.unwrap_or(false) {
            tracing::warn!(%position, "an answer does not wait for the read models any longer");
        }
    }
}

/// 503: a command was done, but the read models do not show its outcome yet, after all the time that there was for it.
#[must_use]
pub fn not_shown_yet() -> Problem {
    Problem::unavailable(
        "It is done, but cannot be shown yet. Try again soon.",
        "the read models do not show what a command did",
    )
}

impl From<QueryError> for Problem {
    fn from(error: QueryError) -> Self {
        match error {
            QueryError::Building { .. } => {
                Self::unavailable("What you ask for is being built from the event log. Try again soon.", error)
            }
            QueryError::Failed { .. } => Self::internal(error),
        }
    }
}

impl From<CommandError> for Problem {
    fn from(error: CommandError) -> Self {
        match error {
            CommandError::Rejected(rejection) => rejection.into(),
            CommandError::Unavailable(inside) => {
                Self::unavailable("The event log cannot take changes now. Nothing was changed; try again soon.", inside)
            }
            CommandError::Unknown(inside) => Self::unavailable(
                "The event log broke off. Whether the change was made is not known: repeat the request with the same \
                 Idempotency-Key, or look before you repeat it.",
                inside,
            ),
            CommandError::Fault(inside) => Self::internal(inside),
        }
    }
}

impl From<Rejection> for Problem {
    fn from(rejection: Rejection) -> Self {
        match rejection {
            Rejection::Organisation(error) => error.into(),
            Rejection::Project(error) => error.into(),
            Rejection::Environment(error) => error.into(),
            Rejection::IdAllocator(error) => Self::internal(error),
            Rejection::Clone(error) => clone_rejection(error),
            Rejection::TooLarge { bytes, max } => Self::bad_request(format!(
                "This is too much at once for the event log: {bytes} bytes, at most {max}. Change less at a time; ask for a clone \
                 with clone_feature_states_async, which is copied in parts."
            )),
            Rejection::OtherVersion { actual } => Self::VersionMismatch { actual },
        }
    }
}

fn clone_rejection(rejection: CloneRejection) -> Problem {
    match rejection {
        CloneRejection::AsOfBeforeSource => Problem::field("as_of", "The environment did not exist at that moment."),
        CloneRejection::AsOfInFuture => Problem::field("as_of", "That moment has not come yet."),
        CloneRejection::SourceIsCreating => environment_is_creating(),
        CloneRejection::Invalid(error) => Problem::conflict(error.code(), sentence(&error.to_string())),
        CloneRejection::TooManyStates { actual, max } => {
            let text = format!("{actual} feature states are too many to wait for (at most {max}): send true.");
            Problem::field("clone_feature_states_async", text)
        }
    }
}
