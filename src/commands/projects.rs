//! Projects: their names are reserved in the organisation before they have them.

use offshoot_aggregates::StreamId;
use offshoot_aggregates::id_allocator::IdKind;
use offshoot_aggregates::ids::ProjectId;
use offshoot_aggregates::organisation::OrganisationCommand;
use offshoot_aggregates::permissions::Principal;
use offshoot_aggregates::project::{Project, ProjectCommand, ProjectError, ProjectSettings};
use uuid::Uuid;

use super::{CommandContext, CommandError, Commands, Created, Rejection};
use crate::event_log::Appended;
use crate::limits::CONFLICT_RETRIES_MAX;

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
        let reserved = self.organisation(&context.step("reserve_name"), organisation, reserve).await?;
        let organisation_id = self.load_organisation(organisation).await?.aggregate.id().unwrap_or_default();
        let create = ProjectCommand::CreateProject { id, organisation, organisation_id, settings, admin };
        let created = self.project(&context.step("create_project"), uuid, create).await;
        if let Err(CommandError::Rejected(_)) = &created {
            let reservation = self.reservation_at(&StreamId::organisation(organisation), reserved.version).await?;
            let step = context.step("release_name");
            self.release_project_name(&step, organisation, uuid, name, reservation.number).await?;
        }
        let appended = created?;
        let id = self.load_project(uuid).await?.aggregate.id().unwrap_or(id);
        Ok(Created { created: (uuid, id), position: appended.position })
    }

    /// Changes a project's settings, its name possibly among them. What `settings` left as it was in `base`, from which they
    /// were made, stays as it is, whoever changed it meanwhile.
    ///
    /// # Errors
    /// [`CommandError`].
    pub async fn change_project_settings(
        &self,
        context: &CommandContext,
        project: Uuid,
        base: &ProjectSettings,
        settings: ProjectSettings,
    ) -> Result<Appended, CommandError> {
        settings.check()?;
        let step = context.step("change_settings");
        let is_repeated = self.is_repeated(&step).await?;
        for _ in 0..CONFLICT_RETRIES_MAX {
            let current = self.load_project(project).await?.aggregate;
            let now = current.settings().ok_or(ProjectError::NotFound)?;
            let after = settings.clone().rebased(base, now);
            let names = (now.name.clone(), after.name.clone());
            let settings_changes = current.settings_changes();
            let change = ProjectCommand::ChangeProjectSettings { settings: after, settings_changes };
            let changed = if is_repeated || names.0 == names.1 {
                self.project(&step, project, change).await
            } else {
                self.rename_project(context, &step, (project, &current), names, change).await
            };
            match changed {
                Err(CommandError::Rejected(Rejection::Project(ProjectError::ChangedMeanwhile))) => {}
                other => return other,
            }
        }
        Err(ProjectError::ChangedMeanwhile.into())
    }

    /// Sends a change of settings with another name in it; see the renaming of environments.
    async fn rename_project(
        &self,
        context: &CommandContext,
        step: &CommandContext,
        (project, current): (Uuid, &Project),
        (old_name, new_name): (String, String),
        change: ProjectCommand,
    ) -> Result<Appended, CommandError> {
        let ((organisation, _), project_id) = current.organisation().zip(current.id()).ok_or(ProjectError::NotFound)?;
        let names = self.load_organisation(organisation).await?.aggregate.projects().clone();
        let old = names.reservation(&old_name, project);
        let reserve = OrganisationCommand::ReserveProjectName { project, project_id, name: new_name.clone() };
        let reserve_step = CommandContext { is_repeatable: false, ..context.step("reserve_name") };
        let reserved = self.organisation(&reserve_step, organisation, reserve).await?;
        let new = self.reservation_at(&StreamId::organisation(organisation), reserved.version).await?;
        let changed = self.project(step, project, change).await;
        let unused = match &changed {
            Ok(_) => old.map(|number| (old_name, number)),
            Err(CommandError::Rejected(_)) if new.is_new => Some((new_name, new.number)),
            Err(_) => None,
        };
        if let Some((name, number)) = unused {
            let step = CommandContext { is_repeatable: false, ..context.step("release_name") };
            self.release_project_name(&step, organisation, project, name, number).await?;
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
        let names = self.load_organisation(organisation).await?.aggregate.projects().clone();
        let reservation = names.reservation(&name, project).unwrap_or_default();
        self.release_project_name(&context.step("release_name"), organisation, project, name, reservation).await
    }

    /// Frees a name of a project, unless it was reserved anew since it got this reservation.
    ///
    /// # Errors
    /// [`CommandError`].
    pub async fn release_project_name(
        &self,
        context: &CommandContext,
        organisation: Uuid,
        project: Uuid,
        name: String,
        reservation: u64,
    ) -> Result<Appended, CommandError> {
        let release = OrganisationCommand::ReleaseProjectName { project, name, reservation };
        self.organisation(context, organisation, release).await
    }
}
