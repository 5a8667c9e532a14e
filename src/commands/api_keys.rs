//! Issuing API keys, with a role or with permissions per project and environment.

use std::collections::BTreeSet;

use jiff::Timestamp;
use offshoot_aggregates::environment::EnvironmentCommand;
use offshoot_aggregates::id_allocator::IdKind;
use offshoot_aggregates::ids::ApiKeyId;
use offshoot_aggregates::organisation::{
    ApiKey, ApiKeyRole, OrganisationCommand, OrganisationError, OrganisationEvent,
};
use offshoot_aggregates::permissions::{EnvironmentPermission, Grant, Principal, ProjectPermission};
use offshoot_aggregates::project::ProjectCommand;
use offshoot_aggregates::{StreamId, Version};
use uuid::Uuid;

use super::{CommandContext, CommandError, Commands, Created};
use crate::secrets::{api_key_prefix, hash_api_key, new_api_key};

/// What a new API key is to be.
#[derive(Clone, Debug)]
pub struct NewApiKey {
    /// The name people give it.
    pub name: String,
    /// What it may do.
    pub role: ApiKeyRole,
    /// From when on it is refused.
    pub expires_at: Option<Timestamp>,
    /// The key itself; a random one if none is given.
    pub key: Option<String>,
    /// Projects by UUID: whether it administers them, and what else it may do there.
    pub projects: Vec<(Uuid, bool, BTreeSet<ProjectPermission>)>,
    /// Environments by UUID: whether it administers them, and what else it may do there.
    pub environments: Vec<(Uuid, bool, BTreeSet<EnvironmentPermission>)>,
}

/// An API key that was just issued: the only time that anyone sees it.
#[derive(Clone, PartialEq, Eq)]
pub struct IssuedApiKey {
    /// The key.
    pub key: String,
    /// What is kept of it.
    pub kept: ApiKey,
}

impl std::fmt::Debug for IssuedApiKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IssuedApiKey").field("kept", &self.kept).finish_non_exhaustive()
    }
}

impl Commands {
    /// Issues an API key. Its permissions are granted before anyone has seen it.
    ///
    /// # Errors
    /// [`CommandError`]; also if the command was done before, because nobody can tell the key any more.
    pub async fn issue_api_key(
        &self,
        context: &CommandContext,
        organisation: Uuid,
        new: NewApiKey,
    ) -> Result<Created<IssuedApiKey>, CommandError> {
        if self.is_repeated(context).await? {
            return Err(OrganisationError::ApiKeyAlreadyIssued.into());
        }
        let key = new.key.unwrap_or_else(new_api_key);
        let uuid = context.derived_uuid("api_key");
        let id = ApiKeyId(self.ids.next(IdKind::ApiKey).await?);
        let principal = Principal::ApiKey { uuid, id, name: new.name.clone() };
        let mut position = offshoot_aggregates::Position::START;
        for (project, admin, permissions) in new.projects {
            let grant = Grant { principal: principal.clone(), admin, permissions };
            let command = ProjectCommand::GrantProjectPermission { grant };
            let step = grant_step(context, &format!("project {project}"));
            position = position.max(self.project(&step, project, command).await?.position);
        }
        for (environment, admin, permissions) in new.environments {
            let grant = Grant { principal: principal.clone(), admin, permissions };
            let command = EnvironmentCommand::GrantEnvironmentPermission { grant };
            let step = grant_step(context, &format!("environment {environment}"));
            position = position.max(self.environment(&step, environment, command).await?.position);
        }
        let kept = ApiKey {
            uuid,
            id,
            name: new.name,
            prefix: api_key_prefix(&key),
            hash: hash_api_key(&key),
            role: new.role,
            expires_at: new.expires_at,
        };
        let command = OrganisationCommand::IssueApiKey { key: kept.clone() };
        let appended = self.organisation(context, organisation, command).await?;
        if context.is_repeatable && !self.is_issued(organisation, appended.version, &kept).await? {
            return Err(OrganisationError::ApiKeyAlreadyIssued.into());
        }
        Ok(Created { created: IssuedApiKey { key, kept }, position: position.max(appended.position) })
    }

    /// Whether the event at a version has issued this very key: another node may have done the same command a moment before.
    async fn is_issued(&self, organisation: Uuid, version: Version, key: &ApiKey) -> Result<bool, CommandError> {
        let before = Version(version.0.saturating_sub(1));
        let events = self.log.read_stream(&StreamId::organisation(organisation), before, 1).await?;
        let event = events.first().and_then(|recorded| recorded.decode_as::<OrganisationEvent>().ok());
        Ok(matches!(event, Some(OrganisationEvent::ApiKeyIssued { key: issued }) if issued.hash == key.hash))
    }
}

/// A step that is done again if the command is repeated: the key then has another id, to which nothing was granted.
fn grant_step(context: &CommandContext, name: &str) -> CommandContext {
    CommandContext { is_repeatable: false, ..context.step(name) }
}
