//! Why an environment rejects a command.

use super::creation::CreationStatus;
use crate::text::TextError;

/// Why an environment rejects a command.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnvironmentError {
    /// Nothing was created under this id, or it was deleted.
    #[error("there is no such environment")]
    NotFound,
    /// It was created before.
    #[error("the environment exists already")]
    AlreadyExists,
    /// A text breaks a rule.
    #[error(transparent)]
    Text(#[from] TextError),
    /// Its feature states are still being copied.
    #[error("the environment's feature states are still being copied")]
    IsCreating,
    /// The settings changed since the new ones were made from them.
    #[error("the settings changed meanwhile")]
    ChangedMeanwhile,
    /// It is not a copy, or not from a document, as the command takes it to be.
    #[error("the environment did not come to be that way")]
    OtherOrigin,
    /// The copying is not in a state in which the command makes sense.
    #[error("the clone is {}", status_name(*.actual))]
    WrongStatus {
        /// The state it is in.
        actual: CreationStatus,
    },
    /// A batch is not the next one: another worker was there, or one is missing.
    #[error("the next batch is {expected}")]
    UnexpectedBatch {
        /// The one that is next; one more than the last if all are there.
        expected: u32,
    },
    /// A batch holds nothing, or more than a batch may, or its states are out of order.
    #[error("a batch holds 1 to {max} states, in order")]
    InvalidBatch {
        /// The most it may hold.
        max: usize,
    },
    /// Batches are missing, or the states in them are not as many as there should be.
    #[error("{actual} of {expected} states are there")]
    Incomplete {
        /// How many there should be.
        expected: u64,
        /// How many there are.
        actual: u64,
    },
    /// A share is no number from 0 to 100.
    #[error("a percentage is a number from 0 to 100")]
    InvalidPercentage,
    /// The shares sum to more than 100.
    #[error("the percentages sum to more than 100")]
    PercentagesExceed,
    /// A share is for an option that the feature does not have.
    #[error("the feature has no option {option}")]
    UnknownOption {
        /// The option.
        option: i64,
    },
    /// The feature has an override for the segment already.
    #[error("the feature has an override for that segment already")]
    SegmentOverrideExists,
    /// There is no such segment override.
    #[error("there is no such segment override")]
    SegmentOverrideNotFound,
    /// Another identity of the environment has the identifier.
    #[error("an identity with the identifier {identifier:?} exists already")]
    IdentityExists {
        /// The identifier.
        identifier: String,
    },
    /// There is no such identity.
    #[error("there is no such identity")]
    IdentityNotFound,
    /// The environment has as many identities as an environment may have.
    #[error("an environment has at most {max} identities")]
    TooManyIdentities {
        /// The most it may have.
        max: usize,
    },
    /// The feature has an override for the identity already.
    #[error("the feature has an override for that identity already")]
    IdentityOverrideExists,
    /// There is no such identity override.
    #[error("there is no such identity override")]
    IdentityOverrideNotFound,
    /// The environment has as many identity overrides as an environment may have.
    #[error("an environment has at most {max} identity overrides")]
    TooManyIdentityOverrides {
        /// The most it may have.
        max: usize,
    },
    /// A server-side key with this id was issued before.
    #[error("the server-side key was issued already")]
    ServerKeyAlreadyIssued,
    /// There is no such server-side key, or it was revoked.
    #[error("there is no such server-side key")]
    ServerKeyNotFound,
    /// The environment has as many server-side keys as an environment may have.
    #[error("an environment has at most {max} server-side keys")]
    TooManyServerKeys {
        /// The most it may have.
        max: usize,
    },
    /// The principal has no permissions to take away.
    #[error("nothing was granted to the principal")]
    GrantNotFound,
}

fn status_name(status: CreationStatus) -> &'static str {
    match status {
        CreationStatus::Creating => "still running",
        CreationStatus::Completed => "completed",
        CreationStatus::Failed => "failed",
        CreationStatus::Cancelled => "cancelled",
    }
}
