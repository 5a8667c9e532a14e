//! Why an organisation rejects a command.

use crate::text::TextError;

/// Why an organisation rejects a command.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OrganisationError {
    /// Nothing was created under this id.
    #[error("there is no such organisation")]
    NotFound,
    /// It was created before.
    #[error("the organisation exists already")]
    AlreadyExists,
    /// A text breaks a rule.
    #[error(transparent)]
    Text(#[from] TextError),
    /// A key with this UUID was issued before.
    #[error("the API key was issued already")]
    ApiKeyAlreadyIssued,
    /// No key with this UUID is valid.
    #[error("there is no such API key")]
    ApiKeyNotFound,
    /// Another project has the name.
    #[error("a project with this name already exists")]
    ProjectNameTaken,
}
