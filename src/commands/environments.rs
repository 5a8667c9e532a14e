//! Environments: their names are reserved in the project before they have them, and with the name the ids of their states.

use offshoot_aggregates::environment::{
    EnvironmentCommand, EnvironmentError, EnvironmentRef, EnvironmentSettings, NewEnvironment,
};
use offshoot_aggregates::id_allocator::IdKind;
use offshoot_aggregates::ids::{EnvironmentId, FeatureStateId};
use offshoot_aggregates::limits::API_KEY_CHARACTERS_MAX;
use offshoot_aggregates::permissions::Principal;
use offshoot_aggregates::project::{EnvironmentReservation, ProjectCommand, ProjectError};
use offshoot_aggregates::text::check_slug;
use uuid::Uuid;

use super::{CommandContext, CommandError, Commands, Created, Rejection};
use crate::event_log::Appended;
use crate::secrets::new_client_key;

/// The namespace of the UUIDs of environments whose client key was chosen by the caller: the same key gives the same
/// stream, so that a key can never be given twice.
const CHOSEN_KEYS: Uuid = Uuid::from_u128(0x6b65_7973_5eed_4e1f_9d5a_0b1e_c7ed_a7e5);

/// The step in which an environment comes to be.
const CREATE_STEP: &str = "create_environment";

/// Ids reserved beyond those needed now, for features that are created while the name is being reserved.
const SPARE_IDS: u64 = 16;

/// What a new environment is to be.
#[derive(Clone, Debug)]
pub struct NewEnvironmentOptions {
    /// Its settings, name among them.
    pub settings: EnvironmentSettings,
    /// Its client key; a random one if none is given.
    pub api_key: Option<String>,
    /// Who administers it from the start.
    pub admin: Option<Principal>,
}

/// A name that is set apart, and what came with it.
pub(super) struct ReservedEnvironment {
    pub(super) uuid: Uuid,
    pub(super) reservation: EnvironmentReservation,
    /// Further ids of states, for the caller.
    pub(super) first_extra_id: FeatureStateId,
}

impl Commands {
    /// Creates an environment with every feature of its project in its default state.
    ///
    /// # Errors
    /// [`CommandError`].
    pub async fn create_environment(
        &self,
        context: &CommandContext,
        project: Uuid,
        options: NewEnvironmentOptions,
    ) -> Result<Created<EnvironmentRef>, CommandError> {
        options.settings.check()?;
        if let Some(key) = &options.api_key {
            check_slug("api_key", key, API_KEY_CHARACTERS_MAX)?;
        }
        let uuid = environment_uuid(context, options.api_key.as_deref());
        if options.api_key.is_some() {
            self.check_key_is_free(context, uuid).await?;
        }
        let name = options.settings.name.clone();
        let reserved = self.reserve_environment(context, project, uuid, &name, 0, false).await?;
        let environment = self.new_environment(project, &reserved, options).await?;
        let command = EnvironmentCommand::CreateEnvironment(environment);
        self.finish_environment(context, project, &reserved, name, command).await
    }

    /// A chosen key leads to the stream that it led to before. Found out before a name is reserved there, so that nobody
    /// takes the name from the environment that has it.
    async fn check_key_is_free(&self, context: &CommandContext, environment: Uuid) -> Result<(), CommandError> {
        if !self.load_environment(environment).await?.aggregate.was_created() {
            return Ok(());
        }
        let is_repeated = self.is_repeated(&context.step(CREATE_STEP)).await?;
        if is_repeated { Ok(()) } else { Err(EnvironmentError::AlreadyExists.into()) }
    }

    /// Sets a name apart for a new environment, with ids for its states of all features and `extra_ids` more.
    pub(super) async fn reserve_environment(
        &self,
        context: &CommandContext,
        project: Uuid,
        environment: Uuid,
        name: &str,
        extra_ids: u64,
        in_batches: bool,
    ) -> Result<ReservedEnvironment, CommandError> {
        let environment_id = EnvironmentId(self.ids.next(IdKind::Environment).await?);
        let mut needed = self.load_project(project).await?.aggregate.features_ever();
        let mut step = context.step("reserve_name");
        loop {
            let feature_state_ids = needed + SPARE_IDS;
            let first = FeatureStateId(self.ids.take(IdKind::FeatureState, feature_state_ids + extra_ids).await?);
            let command = ProjectCommand::ReserveEnvironmentName {
                environment,
                environment_id,
                name: name.to_owned(),
                first_feature_state_id: first,
                feature_state_ids,
                in_batches,
            };
            match self.project(&step, project, command).await {
                Err(CommandError::Rejected(Rejection::Project(ProjectError::TooFewIds { needed: now }))) => {
                    needed = now;
                    continue;
                }
                Err(error) => return Err(error),
                Ok(_) => {}
            }
            // A repeated command finds the reservation of its first run, with the ids that came with it.
            let reservation = self.load_project(project).await?.aggregate.environment(environment).cloned();
            if let Some(reservation) = reservation {
                let first_extra_id = first.plus(feature_state_ids);
                return Ok(ReservedEnvironment { uuid: environment, reservation, first_extra_id });
            }
            // Or nothing, if the name was freed before the command was repeated: then it is reserved once more, as long as
            // the environment never was.
            if !step.is_repeatable || self.load_environment(environment).await?.aggregate.was_created() {
                return Err(ProjectError::EnvironmentNotFound.into());
            }
            step.is_repeatable = false;
        }
    }

    pub(super) async fn new_environment(
        &self,
        project: Uuid,
        reserved: &ReservedEnvironment,
        options: NewEnvironmentOptions,
    ) -> Result<NewEnvironment, CommandError> {
        let project_id = self.load_project(project).await?.aggregate.id().ok_or(ProjectError::NotFound)?;
        Ok(NewEnvironment {
            id: reserved.reservation.id,
            api_key: options.api_key.unwrap_or_else(new_client_key),
            project,
            project_id,
            settings: options.settings,
            admin: options.admin,
        })
    }

    /// Sends the command that lets a reserved environment come to be, and frees the name if it is rejected.
    pub(super) async fn finish_environment(
        &self,
        context: &CommandContext,
        project: Uuid,
        reserved: &ReservedEnvironment,
        name: String,
        command: EnvironmentCommand,
    ) -> Result<Created<EnvironmentRef>, CommandError> {
        let created = self.environment(&context.step(CREATE_STEP), reserved.uuid, command).await;
        if matches!(&created, Err(CommandError::Rejected(_))) && !self.has_name(reserved.uuid, project, &name).await? {
            self.release_environment_name(&context.step("release_name"), project, reserved.uuid, name).await?;
        }
        let appended = created?;
        let environment = self.load_environment(reserved.uuid).await?.aggregate;
        let reference = environment.reference(reserved.uuid).ok_or(EnvironmentError::NotFound)?;
        Ok(Created { created: reference, position: appended.position })
    }

    async fn has_name(&self, environment: Uuid, project: Uuid, name: &str) -> Result<bool, CommandError> {
        let environment = self.load_environment(environment).await?.aggregate;
        let is_named = environment.settings().is_some_and(|settings| settings.name == name);
        Ok(environment.exists() && is_named && environment.project().is_some_and(|(own, _)| own == project))
    }

    /// Changes an environment's settings, its name possibly among them.
    ///
    /// # Errors
    /// [`CommandError`].
    pub async fn change_environment_settings(
        &self,
        context: &CommandContext,
        environment: Uuid,
        settings: EnvironmentSettings,
    ) -> Result<Appended, CommandError> {
        settings.check()?;
        let before = self.load_environment(environment).await?.aggregate;
        let identity = before.project().zip(before.settings().map(|settings| settings.name.clone()));
        let ((project, _), old_name) = identity.ok_or(EnvironmentError::NotFound)?;
        let new_name = settings.name.clone();
        let is_renamed = old_name != new_name;
        if is_renamed {
            let reserve = ProjectCommand::ReserveEnvironmentRename { environment, name: new_name.clone() };
            self.project(&context.step("reserve_name"), project, reserve).await?;
        }
        let change = EnvironmentCommand::ChangeEnvironmentSettings { settings };
        let mut step = context.step("change_settings");
        step.expected_version = context.expected_version;
        let changed = self.environment(&step, environment, change).await;
        if is_renamed && !matches!(changed, Err(CommandError::Unavailable(_) | CommandError::Fault(_))) {
            let unused = if changed.is_ok() { old_name } else { new_name };
            self.release_environment_name(&context.step("release_name"), project, environment, unused).await?;
        }
        changed
    }

    /// Deletes an environment, or cancels a clone that is not complete, and frees its name.
    ///
    /// # Errors
    /// [`CommandError`].
    pub async fn delete_environment(
        &self,
        context: &CommandContext,
        environment: Uuid,
    ) -> Result<Appended, CommandError> {
        self.remove_environment(context, environment, EnvironmentCommand::DeleteEnvironment).await
    }

    /// Sends a command after which the environment is gone, and frees its name.
    pub(super) async fn remove_environment(
        &self,
        context: &CommandContext,
        environment: Uuid,
        command: EnvironmentCommand,
    ) -> Result<Appended, CommandError> {
        let mut step = context.step("remove_environment");
        step.expected_version = context.expected_version;
        self.environment(&step, environment, command).await?;
        let gone = self.load_environment(environment).await?.aggregate;
        let identity = gone.project().zip(gone.settings().map(|settings| settings.name.clone()));
        let ((project, _), name) = identity.ok_or(EnvironmentError::NotFound)?;
        self.release_environment_name(&context.step("release_name"), project, environment, name).await
    }

    /// Frees a name of an environment.
    ///
    /// # Errors
    /// [`CommandError`].
    pub async fn release_environment_name(
        &self,
        context: &CommandContext,
        project: Uuid,
        environment: Uuid,
        name: String,
    ) -> Result<Appended, CommandError> {
        let release = ProjectCommand::ReleaseEnvironmentName { environment, name };
        match self.project(context, project, release).await {
            // A project that is gone has let go of all names.
            Err(CommandError::Rejected(Rejection::Project(ProjectError::NotFound))) => {
                let position = *self.log.watch().borrow();
                Ok(Appended { position, version: offshoot_aggregates::Version::NONE })
            }
            other => other,
        }
    }
}

/// The UUID of an environment that is to be created.
pub(super) fn environment_uuid(context: &CommandContext, api_key: Option<&str>) -> Uuid {
    api_key.map_or_else(|| context.derived_uuid("environment"), uuid_of_chosen_key)
}

/// The UUID of the environment whose client key was chosen by the caller.
#[must_use]
pub fn uuid_of_chosen_key(api_key: &str) -> Uuid {
    Uuid::new_v5(&CHOSEN_KEYS, api_key.as_bytes())
}
