//! Projects: their names are reserved in the organisation before they have them.

use offshoot_aggregates::id_allocator::IdKind;
use offshoot_aggregates::ids::ProjectId;
use offshoot_aggregates::organisation::OrganisationCommand;
use offshoot_aggregates::permissions::Principal;
use offshoot_aggregates::project::{ProjectCommand, ProjectError, ProjectSettings};
use uuid::Uuid;

use super::{CommandContext, CommandError, Commands, Created};
use crate::event_log::Appended;

impl Commands {
    /// Creates a project. Returns its UUID and its integer id.
    ///
    /// # Errors
    /// [`CommandError`].
    pub async fn create_project(
        &self,
        context: &CommandContext,
        organisation: Uuid,
        settings: ProjectSettings,
        admin: Option<Principal>,
    ) -> Result<Created<(Uuid, ProjectId)>, CommandError> {
        settings.check()?;
        let uuid = context.derived_uuid("project");
        let id = ProjectId(self.ids.next(IdKind::Project).await?);
        let name = settings.name.clone();
        let reserve = OrganisationCommand::ReserveProjectName { project: uuid, project_id: id, name: name.clone() };
        self.organisation(&context.step("reserve_name"), organisation, reserve).await?;
        let organisation_id = self.load_organisation(organisation).await?.aggregate.id().unwrap_or_default();
        let create = ProjectCommand::CreateProject { id, organisation, organisation_id, settings, admin };
        let created = self.project(&context.step("create_project"), uuid, create).await;
        if let Err(CommandError::Rejected(_)) = &created {
            self.release_project_name(&context.step("release_name"), organisation, uuid, name).await?;
        }
        let appended = created?;
        let id = self.load_project(uuid).await?.aggregate.id().unwrap_or(id);
        Ok(Created { created: (uuid, id), position: appended.position })
    }

    /// Changes a project's settings, its name possibly among them.
    ///
    /// # Errors
    /// [`CommandError`].
    pub async fn change_project_settings(
        &self,
        context: &CommandContext,
        project: Uuid,
        settings: ProjectSettings,
    ) -> Result<Appended, CommandError> {
        settings.check()?;
        let before = self.load_project(project).await?.aggregate;
        let identity = before.organisation().zip(before.id()).zip(before.settings().cloned());
        let (((organisation, _), project_id), old) = identity.ok_or(ProjectError::NotFound)?;
        let is_renamed = old.name != settings.name;
        if is_renamed {
            let name = settings.name.clone();
            let reserve = OrganisationCommand::ReserveProjectName { project, project_id, name };
            self.organisation(&context.step("reserve_name"), organisation, reserve).await?;
        }
        let new_name = settings.name.clone();
        let change = ProjectCommand::ChangeProjectSettings { settings };
        let changed = self.project(&context.step("change_settings"), project, change).await;
        if is_renamed {
            let unused = if changed.is_ok() { old.name } else { new_name };
            if !matches!(changed, Err(CommandError::Unavailable(_) | CommandError::Fault(_))) {
                self.release_project_name(&context.step("release_name"), organisation, project, unused).await?;
            }
        }
        changed
    }

    /// Deletes a project and everything in it, and frees its name.
    ///
    /// # Errors
    /// [`CommandError`].
    pub async fn delete_project(&self, context: &CommandContext, project: Uuid) -> Result<Appended, CommandError> {
        let before = self.load_project(project).await?.aggregate;
        let identity = before.organisation().zip(before.settings().map(|settings| settings.name.clone()));
        let ((organisation, _), name) = identity.ok_or(ProjectError::NotFound)?;
        self.project(&context.step("delete_project"), project, ProjectCommand::DeleteProject).await?;
        self.release_project_name(&context.step("release_name"), organisation, project, name).await
    }

    async fn release_project_name(
        &self,
        context: &CommandContext,
        organisation: Uuid,
        project: Uuid,
        name: String,
    ) -> Result<Appended, CommandError> {
        let release = OrganisationCommand::ReleaseProjectName { project, name };
        self.organisation(context, organisation, release).await
    }
}
