//! Identities and their overrides: the project says what the feature is, the environment decides.

use offshoot_aggregates::environment::{EnvironmentCommand, EnvironmentError, ExpectedOverride, StateChange};
use offshoot_aggregates::id_allocator::IdKind;
use offshoot_aggregates::ids::{FeatureId, FeatureStateId, IdentityId};
use uuid::Uuid;

use super::feature_states::feature_ref;
use super::{CommandContext, CommandError, Commands, Created};
use crate::event_log::Appended;

impl Commands {
    /// Makes an identity known in an environment. Returns its id.
    ///
    /// # Errors
    /// [`CommandError`].
    pub async fn add_identity(
        &self,
        context: &CommandContext,
        environment: Uuid,
        identifier: String,
    ) -> Result<Created<IdentityId>, CommandError> {
        let identity = IdentityId(self.ids.next(IdKind::Identity).await?);
        let command = EnvironmentCommand::AddIdentity { identity, identifier: identifier.clone() };
        let appended = self.environment(context, environment, command).await?;
        let current = self.load_environment(environment).await?.aggregate;
        let recorded = current.identities().named(&identifier).ok_or(EnvironmentError::IdentityNotFound)?;
        Ok(Created { created: recorded, position: appended.position })
    }

    /// Sets the state of an identity override; makes the override if it is not there and not expected to be. Returns the
    /// state's id.
    ///
    /// # Errors
    /// [`CommandError`].
    pub async fn set_identity_override(
        &self,
        context: &CommandContext,
        environment: Uuid,
        (feature, identity): (FeatureId, IdentityId),
        change: StateChange,
        expected: ExpectedOverride,
    ) -> Result<Created<FeatureStateId>, CommandError> {
        let project = self.project_of(environment).await?;
        let feature_ref = feature_ref(&project, environment, feature)?;
        let current = self.load_environment(environment).await?.aggregate;
        let feature_state = match current.identities().override_of(identity, feature) {
            Some(state) => state.id,
            None => FeatureStateId(self.ids.next(IdKind::FeatureState).await?),
        };
        let command =
            EnvironmentCommand::SetIdentityOverride { feature: feature_ref, identity, feature_state, change, expected };
        let appended = self.environment(context, environment, command).await?;
        let current = self.load_environment(environment).await?.aggregate;
        let state = current.identities().override_of(identity, feature);
        let created = state.ok_or(EnvironmentError::IdentityOverrideNotFound)?.id;
        Ok(Created { created, position: appended.position })
    }

    /// Removes an identity override.
    ///
    /// # Errors
    /// [`CommandError`].
    pub async fn remove_identity_override(
        &self,
        context: &CommandContext,
        environment: Uuid,
        (feature, identity): (FeatureId, IdentityId),
    ) -> Result<Appended, CommandError> {
        let project = self.project_of(environment).await?;
        let feature_name = feature_ref(&project, environment, feature)?.feature.definition.name.clone();
        let command = EnvironmentCommand::RemoveIdentityOverride { feature, feature_name, identity };
        self.environment(context, environment, command).await
    }
}
