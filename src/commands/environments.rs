//! Environments: their names are reserved in the project before they have them, and with the name the ids of their states.

use offshoot_aggregates::StreamId;
use offshoot_aggregates::environment::{
    EnvironmentCommand, EnvironmentError, EnvironmentRef, EnvironmentSettings, NewEnvironment,
};
use offshoot_aggregates::id_allocator::IdKind;
use offshoot_aggregates::ids::{EnvironmentId, FeatureSegmentId, FeatureStateId};
use offshoot_aggregates::limits::API_KEY_CHARACTERS_MAX;
use offshoot_aggregates::permissions::Principal;
use offshoot_aggregates::project::{EnvironmentReservation, ProjectCommand, ProjectError};
use offshoot_aggregates::text::check_slug;
use uuid::Uuid;

use super::names::NameReservation;
use super::{CommandContext, CommandError, Commands, Created, Rejection};
use crate::event_log::Appended;
use crate::limits::CONFLICT_RETRIES_MAX;
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
    /// The first id of its overrides' states.
    pub(super) first_override_state_id: FeatureStateId,
    /// The first id of their links to segments.
    pub(super) first_feature_segment_id: FeatureSegmentId,
    /// How the name was reserved; `None` if the environment came to be before, and this is a repetition.
    pub(super) name: Option<NameReservation>,
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

    /// Sets a name apart for a new environment, with ids for its states of all features and for its overrides. A command that is
    /// repeated before the environment came to be reserves the name anew, so that nobody takes it for forgotten.
    pub(super) async fn reserve_environment(
        &self,
        context: &CommandContext,
        project: Uuid,
        environment: Uuid,
        name: &str,
        overrides: u64,
        in_batches: bool,
    ) -> Result<ReservedEnvironment, CommandError> {
        if self.is_repeated(&context.step(CREATE_STEP)).await? {
            let reservation = self.load_project(project).await?.aggregate.environment(environment).cloned();
            let reservation = reservation.ok_or(ProjectError::EnvironmentNotFound)?;
            let (first_override_state_id, first_feature_segment_id) = self.take_state_ids(0, overrides).await?;
            return Ok(ReservedEnvironment {
                uuid: environment,
                reservation,
                first_override_state_id,
                first_feature_segment_id,
                name: None,
            });
        }
        let environment_id = EnvironmentId(self.ids.next(IdKind::Environment).await?);
        let mut needed = self.load_project(project).await?.aggregate.features_ever();
        let step = CommandContext { is_repeatable: false, ..context.step("reserve_name") };
        loop {
            let feature_state_ids = needed + SPARE_IDS;
            let (first, first_feature_segment_id) = self.take_state_ids(feature_state_ids, overrides).await?;
            let command = ProjectCommand::ReserveEnvironmentName {
                environment,
                environment_id,
                name: name.to_owned(),
                first_feature_state_id: first,
                feature_state_ids,
                in_batches,
            };
            let appended = match self.project(&step, project, command).await {
                Err(CommandError::Rejected(Rejection::Project(ProjectError::TooFewIds { needed: now }))) => {
                    needed = now;
                    continue;
                }
                other => other?,
            };
            let name = self.reservation_at(&StreamId::project(project), appended.version).await?;
            // If the name was reserved before, with the ids that came with it then.
            let reservation = self.load_project(project).await?.aggregate.environment(environment).cloned();
            let reservation = reservation.ok_or(ProjectError::EnvironmentNotFound)?;
            return Ok(ReservedEnvironment {
                uuid: environment,
                reservation,
                first_override_state_id: first.plus(feature_state_ids),
                first_feature_segment_id,
                name: Some(name),
            });
        }
    }

    /// The first of ids for so many default states and, after them, those of overrides; and the first for the links of these.
    async fn take_state_ids(
        &self,
        default_states: u64,
        overrides: u64,
    ) -> Result<(FeatureStateId, FeatureSegmentId), CommandError> {
        let wanted = [(IdKind::FeatureState, default_states + overrides), (IdKind::FeatureSegment, overrides)];
        let [state, link] = self.ids.take_each(wanted).await?;
        Ok((FeatureStateId(state), FeatureSegmentId(link)))
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
        if matches!(&created, Err(CommandError::Rejected(_))) {
            self.abandon_environment(context, project, reserved, name).await?;
        }
        let appended = created?;
        let environment = self.load_environment(reserved.uuid).await?.aggregate;
        let reference = environment.reference(reserved.uuid).ok_or(EnvironmentError::NotFound)?;
        Ok(Created { created: reference, position: appended.position })
    }

    /// Frees the name of an environment that will not come to be, if this command was the first to reserve it.
    pub(super) async fn abandon_environment(
        &self,
        context: &CommandContext,
        project: Uuid,
        reserved: &ReservedEnvironment,
        name: String,
    ) -> Result<(), CommandError> {
        if let Some(NameReservation { number, is_new: true }) = reserved.name {
            let step = context.step("release_name");
            self.release_environment_name(&step, project, reserved.uuid, name, number).await?;
        }
        Ok(())
    }

    /// Changes an environment's settings, its name possibly among them. What `settings` left as it was in `base`, from which
    /// they were made, stays as it is, whoever changed it meanwhile.
    ///
    /// # Errors
    /// [`CommandError`].
    pub async fn change_environment_settings(
        &self,
        context: &CommandContext,
        environment: Uuid,
        base: &EnvironmentSettings,
        settings: EnvironmentSettings,
    ) -> Result<Appended, CommandError> {
        settings.check()?;
        let mut step = context.step("change_settings");
        step.expected_version = context.expected_version;
        let is_repeated = self.is_repeated(&step).await?;
        for _ in 0..CONFLICT_RETRIES_MAX {
            let current = self.load_environment(environment).await?.aggregate;
            let ((project, _), now) = current.project().zip(current.settings()).ok_or(EnvironmentError::NotFound)?;
            let after = settings.clone().rebased(base, now);
            let names = (now.name.clone(), after.name.clone());
            let settings_changes = current.settings_changes();
            let change = EnvironmentCommand::ChangeEnvironmentSettings { settings: after, settings_changes };
            let changed = if is_repeated || names.0 == names.1 {
                self.environment(&step, environment, change).await
            } else {
                self.rename_environment(context, &step, (project, environment), names, change).await
            };
            match changed {
                Err(CommandError::Rejected(Rejection::Environment(EnvironmentError::ChangedMeanwhile))) => {}
                other => return other,
            }
        }
        Err(EnvironmentError::ChangedMeanwhile.into())
    }

    /// Sends a change of settings with another name in it. The environment has either name only as long as the project has
    /// it reserved: the change is rejected if anyone has changed the settings since they were read, and a name is released
    /// by the number that its reservation had then.
    async fn rename_environment(
        &self,
        context: &CommandContext,
        step: &CommandContext,
        (project, environment): (Uuid, Uuid),
        (old_name, new_name): (String, String),
        change: EnvironmentCommand,
    ) -> Result<Appended, CommandError> {
        let names = self.load_project(project).await?.aggregate.environment_names().clone();
        let old = names.reservation(&old_name, environment);
        let reserve = ProjectCommand::ReserveEnvironmentRename { environment, name: new_name.clone() };
        let reserve_step = CommandContext { is_repeatable: false, ..context.step("reserve_name") };
        let reserved = self.project(&reserve_step, project, reserve).await?;
        let new = self.reservation_at(&StreamId::project(project), reserved.version).await?;
        let changed = self.environment(step, environment, change).await;
        let unused = match &changed {
            Ok(_) => old.map(|number| (old_name, number)),
            Err(CommandError::Rejected(_)) if new.is_new => Some((new_name, new.number)),
            // Whether it was recorded is not known, or someone else needs the name: then it is released once it is forgotten.
            Err(_) => None,
        };
        if let Some((name, number)) = unused {
            let step = CommandContext { is_repeatable: false, ..context.step("release_name") };
            self.release_environment_name(&step, project, environment, name, number).await?;
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
        // Nobody gets the environment to have a name any more: whichever reservation it is, it is not needed.
        let names = self.load_project(project).await?.aggregate.environment_names().clone();
        let reservation = names.reservation(&name, environment).unwrap_or_default();
        self.release_environment_name(&context.step("release_name"), project, environment, name, reservation).await
    }

    /// Frees a name of an environment, unless it was reserved anew since it got this reservation.
    ///
    /// # Errors
    /// [`CommandError`].
    pub async fn release_environment_name(
        &self,
        context: &CommandContext,
        project: Uuid,
        environment: Uuid,
        name: String,
        reservation: u64,
    ) -> Result<Appended, CommandError> {
        let release = ProjectCommand::ReleaseEnvironmentName { environment, name, reservation };
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
