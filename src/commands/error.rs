//! Why a command had no effect: a rejection is an answer, everything else is a fault.

use offshoot_aggregates::Version;
use offshoot_aggregates::environment::EnvironmentError;
use offshoot_aggregates::id_allocator::IdAllocatorError;
use offshoot_aggregates::organisation::OrganisationError;
use offshoot_aggregates::project::ProjectError;
use offshoot_aggregates::text::TextError;

use super::clones::CloneRejection;
use crate::event_log::ReadError;

/// Why a command was rejected: the sender asked for something that is not allowed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Rejection {
    /// By an organisation.
    #[error(transparent)]
    Organisation(#[from] OrganisationError),
    /// By a project.
    #[error(transparent)]
    Project(#[from] ProjectError),
    /// By an environment.
    #[error(transparent)]
    Environment(#[from] EnvironmentError),
    /// By the id allocator.
    #[error(transparent)]
    IdAllocator(#[from] IdAllocatorError),
    /// A clone cannot be made as asked.
    #[error(transparent)]
    Clone(#[from] CloneRejection),
    /// It is more than the event log takes at once.
    #[error("the event log takes {max} bytes at once, and this is {bytes}")]
    TooLarge {
        /// Bytes of the command's events.
        bytes: usize,
        /// Bytes that the log takes.
        max: usize,
    },
    /// The aggregate is not at the version that the sender expected.
    #[error("the version is {actual}")]
    OtherVersion {
        /// The version it is at.
        actual: Version,
    },
}

/// Why a command had no effect.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum CommandError {
    /// It is not allowed.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// The store is away or too busy; the same command may succeed later.
    #[error("{0}")]
    Unavailable(String),
    /// The store is away since the command was being recorded: it may have had its effect. Whoever repeats it with the same
    /// `Idempotency-Key` learns so, and does it if it had none.
    #[error("{0}")]
    Unknown(String),
    /// Something is broken.
    #[error("{0}")]
    Fault(String),
}

impl From<ReadError> for CommandError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Unavailable(_) => Self::Unavailable(error.to_string()),
            ReadError::Damaged { .. } => Self::Fault(error.to_string()),
        }
    }
}

macro_rules! rejected_by {
    ($($error:ty),+ $(,)?) => {$(
        impl From<$error> for CommandError {
            fn from(error: $error) -> Self {
                Self::Rejected(error.into())
            }
        }
    )+};
}

rejected_by!(OrganisationError, ProjectError, EnvironmentError, IdAllocatorError, CloneRejection);

impl From<TextError> for CommandError {
    fn from(error: TextError) -> Self {
        EnvironmentError::Text(error).into()
    }
}
