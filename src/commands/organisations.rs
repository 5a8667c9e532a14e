//! Organisations: creating them, and the very first one of an empty store.

use offshoot_aggregates::id_allocator::IdKind;
use offshoot_aggregates::ids::OrganisationId;
use offshoot_aggregates::organisation::{ApiKeyRole, OrganisationCommand, OrganisationError};
use offshoot_aggregates::permissions::Principal;
use offshoot_aggregates::{Actor, Position, StreamId};
use uuid::Uuid;

use super::{CommandContext, CommandError, Commands, Created, NewApiKey, Rejection};
use crate::limits::PAGE_EVENTS_MAX;

/// The namespace of the UUIDs that Offshoot itself chooses.
const NAMESPACE: Uuid = Uuid::from_u128(0x0ff5_4007_5eed_4e1f_9d5a_0b1e_c7ed_a7e5);

/// The name of the organisation that an empty store starts with.
pub const FIRST_ORGANISATION: &str = "Default";

impl Commands {
    /// Creates an organisation. Returns its UUID and its integer id.
    ///
    /// # Errors
    /// [`CommandError`].
    pub async fn create_organisation(
        &self,
        context: &CommandContext,
        name: String,
        admin: Option<Principal>,
    ) -> Result<Created<(Uuid, OrganisationId)>, CommandError> {
        let uuid = context.derived_uuid("organisation");
        let id = OrganisationId(self.ids.next(IdKind::Organisation).await?);
        let command = OrganisationCommand::CreateOrganisation { id, name, admin };
        let appended = self.organisation(&context.step("create_organisation"), uuid, command).await?;
        let id = self.load_organisation(uuid).await?.aggregate.id().unwrap_or(id);
        Ok(Created { created: (uuid, id), position: appended.position })
    }

    /// Gives an empty store its first organisation and an API key of an organisation admin: the one given, or a random
    /// one. Returns the key, or `None` if the store is not empty. What a crash interrupted is finished.
    ///
    /// # Errors
    /// [`CommandError`].
    pub async fn bootstrap(&self, admin_key: Option<String>) -> Result<Option<String>, CommandError> {
        let context = bootstrap_context();
        let key_step = context.step("issue_api_key");
        let is_begun = self.log.find_command(context.step("create_organisation").metadata.command_id).await?.is_some();
        let is_done = self.log.find_command(key_step.metadata.command_id).await?.is_some();
        if is_done || !(is_begun || self.is_empty().await?) {
            return Ok(None);
        }
        let organisation = self.create_organisation(&context, FIRST_ORGANISATION.to_owned(), None).await?;
        let key = NewApiKey {
            name: "Administrator".to_owned(),
            role: ApiKeyRole::OrganisationAdmin,
            expires_at: None,
            key: admin_key,
            projects: Vec::new(),
            environments: Vec::new(),
        };
        match self.issue_api_key(&key_step, organisation.created.0, key).await {
            Ok(issued) => Ok(Some(issued.created.key)),
            // Another node that started at the same time was faster, and has shown its key.
            Err(CommandError::Rejected(Rejection::Organisation(OrganisationError::ApiKeyAlreadyIssued))) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Whether nothing was recorded but ids given out: a first start that breaks off may leave no more.
    async fn is_empty(&self) -> Result<bool, CommandError> {
        let first = self.log.read_all(Position::START, PAGE_EVENTS_MAX).await?;
        Ok(first.iter().all(|recorded| recorded.stream == StreamId::id_allocator()))
    }

    /// The organisation that [`Commands::bootstrap`] made; `None` if the store is empty.
    ///
    /// # Errors
    /// [`CommandError`].
    pub async fn first_organisation(&self) -> Result<Option<(Uuid, OrganisationId)>, CommandError> {
        let uuid = bootstrap_context().derived_uuid("organisation");
        let id = self.load_organisation(uuid).await?.aggregate.id();
        Ok(id.map(|id| (uuid, id)))
    }
}

fn bootstrap_context() -> CommandContext {
    CommandContext::repeatable(Actor::system("bootstrap"), NAMESPACE)
}
