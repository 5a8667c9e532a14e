//! The project's decisions: which events a command leads to, or why it is rejected.

use std::collections::BTreeMap;
use std::sync::Arc;

use uuid::Uuid;

use super::ProjectError;
use super::aggregate::{Identity, Project};
use super::commands::{FeatureChange, OptionChange, OptionEdit, ProjectCommand};
use super::events::{ProjectEvent, ReservationPurpose};
use super::features::{Feature, FeatureDefinition, MultivariateOption};
use super::segments::Segment;
use super::settings::ProjectSettings;
use crate::ids::{EnvironmentId, FeatureId, FeatureStateId, MultivariateOptionId};
use crate::limits::{
    BATCH_SIZE_MAX, DESCRIPTION_CHARACTERS_MAX, ENVIRONMENTS_MAX, MULTIVARIATE_OPTIONS_MAX, NAME_CHARACTERS_MAX,
    OPTION_KEY_CHARACTERS_MAX, STRING_VALUE_CHARACTERS_MAX,
};
use crate::percentages::{self, is_percentage};
use crate::permissions::Grant;
use crate::text::{check_name, check_slug, check_text};

/// What a command leads to.
type Decision = Result<Vec<ProjectEvent>, ProjectError>;

impl Project {
    /// Decides a command; changes nothing.
    pub(super) fn decide(&self, command: ProjectCommand) -> Decision {
        use ProjectCommand as C;
        let identity = match (&self.identity, command) {
            (None, C::CreateProject { id, organisation, organisation_id, settings, admin }) => {
                settings.check()?;
                let created = ProjectEvent::ProjectCreated { id, organisation, organisation_id, settings };
                let granted = admin.map(|principal| ProjectEvent::ProjectPermissionGranted {
                    before: None,
                    after: Grant { principal, admin: true, permissions: [].into() },
                });
                return Ok(std::iter::once(created).chain(granted).collect());
            }
            (Some(_), C::CreateProject { .. }) => return Err(ProjectError::AlreadyExists),
            (Some(identity), command) if !identity.deleted => (identity, command),
            _ => return Err(ProjectError::NotFound),
        };
        self.decide_existing(identity.0, identity.1)
    }

    fn decide_existing(&self, identity: &Identity, command: ProjectCommand) -> Decision {
        use ProjectCommand as C;
        match command {
            C::CreateProject { .. } => Err(ProjectError::AlreadyExists),
            C::ChangeProjectSettings { settings, settings_changes } => {
                change_settings(identity, settings, settings_changes)
            }
            C::DeleteProject => Ok(vec![ProjectEvent::ProjectDeleted { name: identity.settings.name.clone() }]),
            C::CreateFeature { feature, first_feature_state_id, feature_state_ids } => {
                self.create_feature(identity, feature, first_feature_state_id, feature_state_ids)
            }
            C::ImportFeatures { batch, features } => self.import_features(batch, features),
            C::DescribeFeature { feature, change } => self.describe_feature(feature, change),
            C::DeleteFeature { feature } => {
                let feature_name = self.feature(feature)?.definition.name.clone();
                Ok(vec![ProjectEvent::FeatureDeleted { feature, feature_name }])
            }
            C::AddMultivariateOption { feature, option } => self.add_option(feature, option),
            C::ChangeMultivariateOption { feature, option, change } => self.change_option(feature, option, change),
            C::RemoveMultivariateOption { feature, option } => {
                let (feature_name, option) = self.feature_option(feature, option)?;
                Ok(vec![ProjectEvent::MultivariateOptionRemoved { feature, feature_name, option }])
            }
            C::ReplaceMultivariateOptions { feature, options } => self.replace_options(feature, options),
            C::CreateSegment { segment } => {
                segment.check()?;
                self.check_segment_feature(&segment)?;
                Ok(vec![ProjectEvent::SegmentCreated { segment }])
            }
            C::ChangeSegment { segment } => self.change_segment(segment),
            C::DeleteSegment { segment } => {
                let segment_name = self.segments.get(&segment).ok_or(ProjectError::SegmentNotFound)?.name.clone();
                Ok(vec![ProjectEvent::SegmentDeleted { segment, segment_name }])
            }
            C::ReserveEnvironmentName {
                environment,
                environment_id,
                name,
                first_feature_state_id,
                feature_state_ids,
                in_batches,
            } => {
                let purpose = ReservationPurpose::NewEnvironment {
                    ordinal: self.environments_ever,
                    known_features: self.features_ever,
                    first_feature_state_id,
                    in_batches,
                };
                self.reserve_name(environment, environment_id, name, purpose, feature_state_ids)
            }
            C::ReserveEnvironmentRename { environment, name } => self.reserve_rename(environment, name),
            C::ReleaseEnvironmentName { environment, name, reservation } => {
                let held = self.environment_names.reservation(&name, environment) == Some(reservation);
                Ok(held.then_some(ProjectEvent::EnvironmentNameReleased { environment, name }).into_iter().collect())
            }
            C::GrantProjectPermission { grant } => {
                let before = self.grants.get(&grant.principal).cloned();
                if before.as_ref() == Some(&grant) {
                    return Ok(vec![]);
                }
                Ok(vec![ProjectEvent::ProjectPermissionGranted { before, after: grant }])
            }
            C::RevokeProjectPermission { principal } => {
                let before = self.grants.get(&principal).cloned().ok_or(ProjectError::GrantNotFound)?;
                Ok(vec![ProjectEvent::ProjectPermissionRevoked { before }])
            }
        }
    }

    fn feature(&self, feature: FeatureId) -> Result<&Arc<Feature>, ProjectError> {
        self.features.get(&feature).ok_or(ProjectError::FeatureNotFound)
    }

    fn feature_option(
        &self,
        feature: FeatureId,
        option: MultivariateOptionId,
    ) -> Result<(String, MultivariateOption), ProjectError> {
        let feature = self.feature(feature)?;
        let option = feature.option(option).ok_or(ProjectError::OptionNotFound)?;
        Ok((feature.definition.name.clone(), option.clone()))
    }

    fn create_feature(
        &self,
        identity: &Identity,
        mut feature: FeatureDefinition,
        first_feature_state_id: FeatureStateId,
        feature_state_ids: u64,
    ) -> Decision {
        feature.put_in_order();
        identity.settings.check_feature_name(&feature.name)?;
        check_definition(&feature)?;
        if self.feature_named(&feature.name).is_some() {
            return Err(ProjectError::FeatureNameTaken);
        }
        if feature_state_ids < self.environments_ever {
            return Err(ProjectError::TooFewIds { needed: self.environments_ever });
        }
        Ok(vec![ProjectEvent::FeatureCreated { feature, ordinal: self.features_ever, first_feature_state_id }])
    }

    /// A document's names are facts: the project's rules for new names do not apply to them.
    fn import_features(&self, batch: u32, mut features: Arc<Vec<FeatureDefinition>>) -> Decision {
        if self.environments_ever > 0 {
            return Err(ProjectError::HasEnvironments);
        }
        if features.is_empty() || features.len() > BATCH_SIZE_MAX {
            return Err(ProjectError::BatchSize { max: BATCH_SIZE_MAX });
        }
        let expected = self.imported_batches + 1;
        if batch != expected {
            return Err(ProjectError::UnexpectedBatch { expected });
        }
        let mut names = std::collections::HashSet::with_capacity(features.len());
        for feature in features.iter() {
            check_name("name", &feature.name, NAME_CHARACTERS_MAX)?;
            check_definition(feature)?;
            if self.feature_named(&feature.name).is_some() || !names.insert(feature.name.to_lowercase()) {
                return Err(ProjectError::FeatureNameTaken);
            }
        }
        if !features.iter().all(FeatureDefinition::is_in_order) {
            Arc::make_mut(&mut features).iter_mut().for_each(FeatureDefinition::put_in_order);
        }
        Ok(vec![ProjectEvent::FeaturesImported { batch, first_ordinal: self.features_ever, features }])
    }

    fn describe_feature(&self, id: FeatureId, change: FeatureChange) -> Decision {
        let feature = &self.feature(id)?.definition;
        let FeatureChange { description, is_archived, is_server_key_only } = change;
        let description_after = description.unwrap_or_else(|| feature.description.clone());
        check_text("description", description_after.as_deref().unwrap_or_default(), DESCRIPTION_CHARACTERS_MAX)?;
        let server_key_after = is_server_key_only.unwrap_or(feature.is_server_key_only);
        let feature_name = feature.name.clone();
        let mut events = Vec::new();
        if description_after != feature.description || server_key_after != feature.is_server_key_only {
            events.push(ProjectEvent::FeatureDescribed {
                feature: id,
                feature_name: feature_name.clone(),
                description_before: feature.description.clone(),
                description_after,
                is_server_key_only_before: feature.is_server_key_only,
                is_server_key_only_after: server_key_after,
            });
        }
        match is_archived {
            Some(true) if !feature.is_archived => {
                events.push(ProjectEvent::FeatureArchived { feature: id, feature_name });
            }
            Some(false) if feature.is_archived => {
                events.push(ProjectEvent::FeatureUnarchived { feature: id, feature_name });
            }
            _ => {}
        }
        Ok(events)
    }

    fn add_option(&self, id: FeatureId, option: MultivariateOption) -> Decision {
        let feature = &self.feature(id)?.definition;
        let mut options = feature.options.clone();
        options.push(option.clone());
        check_options(&options)?;
        Ok(vec![ProjectEvent::MultivariateOptionAdded { feature: id, feature_name: feature.name.clone(), option }])
    }

    fn change_option(&self, id: FeatureId, option: MultivariateOptionId, change: OptionChange) -> Decision {
        let (feature_name, before) = self.feature_option(id, option)?;
        let after = changed(&before, change);
        let mut options = self.feature(id)?.definition.options.clone();
        for other in options.iter_mut().filter(|other| other.id == option) {
            *other = after.clone();
        }
        check_options(&options)?;
        if before == after {
            return Ok(vec![]);
        }
        Ok(vec![ProjectEvent::MultivariateOptionChanged { feature: id, feature_name, before, after }])
    }

    /// The sum is checked at the end only: shares may be exchanged.
    fn replace_options(&self, id: FeatureId, edits: Vec<OptionEdit<MultivariateOption>>) -> Decision {
        let feature = &self.feature(id)?.definition;
        let mut after = BTreeMap::new();
        for edit in edits {
            let option = match edit {
                OptionEdit::Change(option, change) => changed(&self.feature_option(id, option)?.1, change),
                OptionEdit::Add(option) => option,
            };
            after.insert(option.id, option);
        }
        check_options(&after.values().cloned().collect::<Vec<_>>())?;
        let name = || feature.name.clone();
        let (kept, removed): (Vec<_>, Vec<_>) =
            feature.options.iter().cloned().partition(|option| after.contains_key(&option.id));
        let mut events: Vec<_> = removed
            .into_iter()
            .map(|option| ProjectEvent::MultivariateOptionRemoved { feature: id, feature_name: name(), option })
            .collect();
        let changes = kept.into_iter().filter_map(|before| Some((after.remove(&before.id)?, before)));
        events.extend(changes.filter(|(after, before)| before != after).map(|(after, before)| {
            ProjectEvent::MultivariateOptionChanged { feature: id, feature_name: name(), before, after }
        }));
        events.extend(after.into_values().map(|option| ProjectEvent::MultivariateOptionAdded {
            feature: id,
            feature_name: name(),
            option,
        }));
        Ok(events)
    }

    fn check_segment_feature(&self, segment: &Segment) -> Result<(), ProjectError> {
        segment.feature.map_or(Ok(()), |feature| self.feature(feature).map(drop))
    }

    fn change_segment(&self, after: Segment) -> Decision {
        let before = self.segments.get(&after.id).ok_or(ProjectError::SegmentNotFound)?;
        after.check()?;
        // The segment of a feature that was deleted since can still be changed.
        if after.feature != before.feature {
            self.check_segment_feature(&after)?;
        }
        if **before == after {
            return Ok(vec![]);
        }
        Ok(vec![ProjectEvent::SegmentChanged { before: (**before).clone(), after }])
    }

    fn reserve_name(
        &self,
        environment: Uuid,
        environment_id: EnvironmentId,
        name: String,
        purpose: ReservationPurpose,
        feature_state_ids: u64,
    ) -> Decision {
        check_name("name", &name, NAME_CHARACTERS_MAX)?;
        match self.environment_names.holder(&name) {
            Some(holder) if holder == environment => {
                return Ok(vec![self.name_reserved(environment, environment_id, name, ReservationPurpose::Renewal)]);
            }
            Some(_) => return Err(ProjectError::EnvironmentNameTaken),
            None => {}
        }
        if self.environments.contains_key(&environment) {
            return Err(ProjectError::EnvironmentAlreadyNamed);
        }
        if self.environments.len() >= ENVIRONMENTS_MAX {
            return Err(ProjectError::TooManyEnvironments { max: ENVIRONMENTS_MAX });
        }
        if feature_state_ids < self.features_ever {
            return Err(ProjectError::TooFewIds { needed: self.features_ever });
        }
        Ok(vec![self.name_reserved(environment, environment_id, name, purpose)])
    }

    fn reserve_rename(&self, environment: Uuid, name: String) -> Decision {
        check_name("name", &name, NAME_CHARACTERS_MAX)?;
        let reservation = self.environments.get(&environment).ok_or(ProjectError::EnvironmentNotFound)?;
        let purpose = match self.environment_names.holder(&name) {
            Some(holder) if holder == environment => ReservationPurpose::Renewal,
            Some(_) => return Err(ProjectError::EnvironmentNameTaken),
            None => ReservationPurpose::Rename,
        };
        Ok(vec![self.name_reserved(environment, reservation.id, name, purpose)])
    }

    fn name_reserved(
        &self,
        environment: Uuid,
        environment_id: EnvironmentId,
        name: String,
        purpose: ReservationPurpose,
    ) -> ProjectEvent {
        let reservation = self.environment_names.next_reservation();
        ProjectEvent::EnvironmentNameReserved { environment, environment_id, name, reservation, purpose }
    }
}

fn change_settings(identity: &Identity, after: ProjectSettings, settings_changes: u64) -> Decision {
    let before = &identity.settings;
    after.check()?;
    if identity.settings_changes != settings_changes {
        return Err(ProjectError::ChangedMeanwhile);
    }
    if *before == after {
        return Ok(vec![]);
    }
    Ok(vec![ProjectEvent::ProjectSettingsChanged { before: before.clone(), after }])
}

fn changed(before: &MultivariateOption, change: OptionChange) -> MultivariateOption {
    let share = change.default_percentage_allocation;
    MultivariateOption {
        value: change.value.map_or_else(|| before.value.clone(), |value| before.value.overwritten_by(&value)),
        default_percentage_allocation: share.unwrap_or(before.default_percentage_allocation),
        key: change.key.unwrap_or_else(|| before.key.clone()),
        ..*before
    }
}

fn check_definition(feature: &FeatureDefinition) -> Result<(), ProjectError> {
    check_text("description", feature.description.as_deref().unwrap_or_default(), DESCRIPTION_CHARACTERS_MAX)?;
    check_text("initial_value", feature.initial_value.as_deref().unwrap_or_default(), STRING_VALUE_CHARACTERS_MAX)?;
    check_options(&feature.options)
}

fn check_options(options: &[MultivariateOption]) -> Result<(), ProjectError> {
    if options.len() > MULTIVARIATE_OPTIONS_MAX {
        return Err(ProjectError::TooManyOptions { max: MULTIVARIATE_OPTIONS_MAX });
    }
    let mut keys = std::collections::HashSet::new();
    for option in options {
        option.value.check("string_value")?;
        if !is_percentage(option.default_percentage_allocation) {
            return Err(ProjectError::InvalidPercentage);
        }
        if let Some(key) = option.key.as_deref() {
            check_slug("key", key, OPTION_KEY_CHARACTERS_MAX)?;
            // Flagsmith gives the control value this name.
            if key == "control" || !keys.insert(key) {
                return Err(ProjectError::OptionKeyTaken);
            }
        }
    }
    let shares = options.iter().map(|option| option.default_percentage_allocation);
    if percentages::exceed(shares) { Err(ProjectError::PercentagesExceed) } else { Ok(()) }
}
