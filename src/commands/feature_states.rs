//! Changing feature states and segment overrides: the project says what the feature is, the environment decides.

use offshoot_aggregates::environment::{
    EnvironmentCommand, EnvironmentError, ExpectedOverride, FeatureRef, SegmentOverride, SegmentRef, StateChange,
};
use offshoot_aggregates::id_allocator::IdKind;
use offshoot_aggregates::ids::{FeatureId, FeatureSegmentId, FeatureStateId, SegmentId};
use offshoot_aggregates::project::{Project, ProjectError};
use uuid::Uuid;

use super::{CommandContext, CommandError, Commands, Created};
use crate::event_log::Appended;

/// The ids of a segment override.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OverrideIds {
    /// Of the link between feature, segment and priority.
    pub feature_segment: FeatureSegmentId,
    /// Of the state; `None` if the override has none.
    pub feature_state: Option<FeatureStateId>,
}

/// What a segment override is to be.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OverrideSetting {
    /// What changes in its state; a new one starts disabled and without a value.
    pub change: StateChange,
    /// Its place among the overrides of the feature, 0 the first; `None` leaves it where it is, a new one behind all others.
    pub priority: Option<u32>,
    /// What is there already.
    pub expected: ExpectedOverride,
}

impl Commands {
    /// Changes the default state of a feature in an environment.
    ///
    /// # Errors
    /// [`CommandError`].
    pub async fn set_feature_state(
        &self,
        context: &CommandContext,
        environment: Uuid,
        feature: FeatureId,
        change: StateChange,
    ) -> Result<Appended, CommandError> {
        let project = self.project_of(environment).await?;
        let feature = feature_ref(&project, environment, feature)?;
        self.environment(context, environment, EnvironmentCommand::SetFeatureState { feature, change }).await
    }

    /// Gives a segment a place among the overrides of a feature, behind all others, without a state.
    ///
    /// # Errors
    /// [`CommandError`].
    pub async fn add_segment_override(
        &self,
        context: &CommandContext,
        environment: Uuid,
        feature: FeatureId,
        segment: SegmentId,
    ) -> Result<Created<OverrideIds>, CommandError> {
        let project = self.project_of(environment).await?;
        let feature_segment = FeatureSegmentId(self.ids.next(IdKind::FeatureSegment).await?);
        let command = EnvironmentCommand::AddSegmentOverride {
            feature: feature_ref(&project, environment, feature)?,
            segment: segment_ref(&project, segment)?,
            feature_segment,
        };
        let appended = self.environment(context, environment, command).await?;
        self.override_ids(environment, feature, segment, appended).await
    }

    /// Sets the state of a segment override; makes the override if it is not there and not expected to be.
    ///
    /// # Errors
    /// [`CommandError`].
    pub async fn set_segment_override(
        &self,
        context: &CommandContext,
        environment: Uuid,
        (feature, segment): (FeatureId, SegmentId),
        setting: OverrideSetting,
    ) -> Result<Created<OverrideIds>, CommandError> {
        let OverrideSetting { change, priority, expected } = setting;
        let project = self.project_of(environment).await?;
        let feature_ref = feature_ref(&project, environment, feature)?;
        let segment_ref = segment_ref(&project, segment)?;
        let current = self.load_environment(environment).await?.aggregate;
        let existing = current.overrides().get(&(feature, segment));
        let (feature_segment, feature_state) = match existing {
            Some(SegmentOverride { link, state: Some(state) }) => (link.feature_segment, state.id),
            Some(SegmentOverride { link, state: None }) => {
                (link.feature_segment, FeatureStateId(self.ids.next(IdKind::FeatureState).await?))
            }
            None => (
                FeatureSegmentId(self.ids.next(IdKind::FeatureSegment).await?),
                FeatureStateId(self.ids.next(IdKind::FeatureState).await?),
            ),
        };
        let command = EnvironmentCommand::SetSegmentOverride {
            feature: feature_ref,
            segment: segment_ref,
            feature_segment,
            feature_state,
            change,
            priority,
            expected,
            segments: project.segments().clone(),
        };
        let appended = self.environment(context, environment, command).await?;
        self.override_ids(environment, feature, segment, appended).await
    }

    /// Gives overrides of a feature other priorities.
    ///
    /// # Errors
    /// [`CommandError`].
    pub async fn reorder_segment_overrides(
        &self,
        context: &CommandContext,
        environment: Uuid,
        feature: FeatureId,
        priorities: Vec<(FeatureSegmentId, u32)>,
    ) -> Result<Appended, CommandError> {
        let project = self.project_of(environment).await?;
        let feature_name = feature_ref(&project, environment, feature)?.feature.definition.name.clone();
        let segments = project.segments().clone();
        let command = EnvironmentCommand::ReorderSegmentOverrides { feature, feature_name, priorities, segments };
        self.environment(context, environment, command).await
    }

    /// Removes a segment override.
    ///
    /// # Errors
    /// [`CommandError`].
    pub async fn remove_segment_override(
        &self,
        context: &CommandContext,
        environment: Uuid,
        feature: FeatureId,
        feature_segment: FeatureSegmentId,
    ) -> Result<Appended, CommandError> {
        let project = self.project_of(environment).await?;
        let feature_name = feature_ref(&project, environment, feature)?.feature.definition.name.clone();
        let current = self.load_environment(environment).await?.aggregate;
        let segment = current
            .overrides_of(feature)
            .find(|item| item.link.feature_segment == feature_segment)
            .and_then(|item| project.segments().get(&item.link.segment));
        let segment_name = segment.map(|segment| segment.name.clone()).unwrap_or_default();
        let command =
            EnvironmentCommand::RemoveSegmentOverride { feature, feature_name, feature_segment, segment_name };
        self.environment(context, environment, command).await
    }

    /// The project of an environment, as it is now.
    pub(super) async fn project_of(&self, environment: Uuid) -> Result<Project, CommandError> {
        // It stays in its project for ever.
        let environment = self.environments.known(&environment.to_string()).await?.aggregate;
        let (project, _) = environment.project().ok_or(EnvironmentError::NotFound)?;
        let project = self.load_project(project).await?.aggregate;
        if project.exists() { Ok(project) } else { Err(ProjectError::NotFound.into()) }
    }

    async fn override_ids(
        &self,
        environment: Uuid,
        feature: FeatureId,
        segment: SegmentId,
        appended: Appended,
    ) -> Result<Created<OverrideIds>, CommandError> {
        let environment = self.load_environment(environment).await?.aggregate;
        let item = environment.overrides().get(&(feature, segment));
        let item = item.ok_or(EnvironmentError::SegmentOverrideNotFound)?;
        let created = OverrideIds {
            feature_segment: item.link.feature_segment,
            feature_state: item.state.as_ref().map(|state| state.id),
        };
        Ok(Created { created, position: appended.position })
    }
}

/// A feature as its project has it, for an environment.
pub(super) fn feature_ref(
    project: &Project,
    environment: Uuid,
    feature: FeatureId,
) -> Result<FeatureRef, CommandError> {
    let found = project.features().get(&feature).ok_or(ProjectError::FeatureNotFound)?;
    let implicit = project.implicit_state(environment, feature).ok_or(ProjectError::EnvironmentNotFound)?;
    Ok(FeatureRef { feature: found.clone(), implicit })
}

fn segment_ref(project: &Project, segment: SegmentId) -> Result<SegmentRef, CommandError> {
    let found = project.segments().get(&segment).ok_or(ProjectError::SegmentNotFound)?;
    Ok(SegmentRef { id: found.id, name: found.name.clone() })
}
