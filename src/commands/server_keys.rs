//! Issuing server-side keys of environments.

use jiff::Timestamp;
use offshoot_aggregates::environment::{EnvironmentCommand, EnvironmentError, ServerKey, ServerKeySettings};
use offshoot_aggregates::id_allocator::IdKind;
use offshoot_aggregates::ids::ServerKeyId;
use uuid::Uuid;

use super::{CommandContext, CommandError, Commands, Created};
use crate::secrets::{hash_api_key, new_server_key, server_key_prefix};

/// What a new server-side key is to be.
#[derive(Clone, Debug)]
pub struct NewServerKey {
    /// The name people give it.
    pub name: String,
    /// Whether it is accepted from the start.
    pub is_active: bool,
    /// From when on it is refused.
    pub expires_at: Option<Timestamp>,
}

/// A server-side key that was just issued: the only time that anyone sees it.
#[derive(Clone, PartialEq, Eq)]
pub struct IssuedServerKey {
    /// The key.
    pub key: String,
    /// What is kept of it.
    pub kept: ServerKey,
}

impl std::fmt::Debug for IssuedServerKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IssuedServerKey").field("kept", &self.kept).finish_non_exhaustive()
    }
}

impl Commands {
    /// Issues a server-side key.
    ///
    /// # Errors
    /// [`CommandError`]; also if the command was done before, because nobody can tell the key any more.
    pub async fn issue_server_key(
        &self,
        context: &CommandContext,
        environment: Uuid,
        new: NewServerKey,
    ) -> Result<Created<IssuedServerKey>, CommandError> {
        if self.is_repeated(context).await? {
            return Err(EnvironmentError::ServerKeyAlreadyIssued.into());
        }
        let NewServerKey { name, is_active, expires_at } = new;
        let key = new_server_key();
        let kept = ServerKey {
            id: ServerKeyId(self.ids.next(IdKind::ServerKey).await?),
            prefix: server_key_prefix(&key),
            hash: hash_api_key(&key),
            settings: ServerKeySettings { name, is_active, expires_at },
        };
        let command = EnvironmentCommand::IssueServerKey { key: kept.clone() };
        let appended = self.environment(context, environment, command).await?;
        Ok(Created { created: IssuedServerKey { key, kept }, position: appended.position })
    }
}
