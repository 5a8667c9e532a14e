//! The organisation aggregate: decides commands, applies events.

use cqrs_es::Aggregate;
use cqrs_es::event_sink::EventSink;
use imbl::OrdMap;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{ApiKeyRole, OrganisationCommand, OrganisationError, OrganisationEvent};
use crate::ids::OrganisationId;
use crate::limits::NAME_CHARACTERS_MAX;
use crate::names::Names;
use crate::stream::Category;
use crate::text::check_name;

/// What an organisation knows of a key it issued.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct IssuedKey {
    /// The name people gave it.
    pub name: String,
    /// What it may do.
    pub role: ApiKeyRole,
    /// Whether it is refused.
    pub revoked: bool,
}

/// An organisation. The default is one that was never created.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Organisation {
    id: Option<OrganisationId>,
    keys: OrdMap<Uuid, IssuedKey>,
    projects: Names,
}

impl Organisation {
    /// Its integer id; `None` if it was never created.
    #[must_use]
    pub fn id(&self) -> Option<OrganisationId> {
        self.id
    }

    /// The names that its projects have.
    #[must_use]
    pub fn projects(&self) -> &Names {
        &self.projects
    }

    fn decide(&self, command: OrganisationCommand) -> Result<Option<OrganisationEvent>, OrganisationError> {
        use OrganisationCommand as C;
        use OrganisationEvent as E;
        match (self.id, command) {
            (None, C::CreateOrganisation { id, name, admin }) => {
                check_name("name", &name, NAME_CHARACTERS_MAX)?;
                Ok(Some(E::OrganisationCreated { id, name, admin }))
            }
            (Some(_), C::CreateOrganisation { .. }) => Err(OrganisationError::AlreadyExists),
            (None, _) => Err(OrganisationError::NotFound),
            (Some(_), C::IssueApiKey { key }) => {
                check_name("name", &key.name, NAME_CHARACTERS_MAX)?;
                if self.keys.contains_key(&key.uuid) {
                    return Err(OrganisationError::ApiKeyAlreadyIssued);
                }
                Ok(Some(E::ApiKeyIssued { key }))
            }
            (Some(_), C::RevokeApiKey { uuid }) => {
                let key = self.keys.get(&uuid).filter(|key| !key.revoked);
                let key = key.ok_or(OrganisationError::ApiKeyNotFound)?;
                Ok(Some(E::ApiKeyRevoked { uuid, name: key.name.clone() }))
            }
            (Some(_), C::ReserveProjectName { project, project_id, name }) => {
                check_name("name", &name, NAME_CHARACTERS_MAX)?;
                if self.projects.is_taken(&name, project) {
                    return Err(OrganisationError::ProjectNameTaken);
                }
                let is_renewal = self.projects.holder(&name).is_some();
                let reservation = self.projects.next_reservation();
                Ok(Some(E::ProjectNameReserved { project, project_id, name, reservation, is_renewal }))
            }
            (Some(_), C::ReleaseProjectName { project, name, reservation }) => {
                let held = self.projects.reservation(&name, project) == Some(reservation);
                Ok(held.then_some(E::ProjectNameReleased { project, name }))
            }
        }
    }
}

impl Aggregate for Organisation {
    const TYPE: &'static str = Category::Organisation.as_str();
    type Command = OrganisationCommand;
    type Event = OrganisationEvent;
    type Error = OrganisationError;
    type Services = ();

    async fn handle(
        &mut self,
        command: Self::Command,
        (): &Self::Services,
        sink: &EventSink<Self>,
    ) -> Result<(), Self::Error> {
        if let Some(event) = self.decide(command)? {
            sink.write(event, self).await;
        }
        Ok(())
    }

    fn apply(&mut self, event: Self::Event) {
        use OrganisationEvent as E;
        match event {
            E::OrganisationCreated { id, .. } => self.id = Some(id),
            E::ApiKeyIssued { key } => {
                self.keys.insert(key.uuid, IssuedKey { name: key.name, role: key.role, revoked: false });
            }
            E::ApiKeyRevoked { uuid, .. } => {
                if let Some(key) = self.keys.get_mut(&uuid) {
                    key.revoked = true;
                }
            }
            E::ProjectNameReserved { project, name, reservation, .. } => {
                self.projects.reserve(name, project, reservation)
            }
            E::ProjectNameReleased { name, .. } => self.projects.release(&name),
        }
    }
}
