//! The decisions on identities, and on what features are for them.

use std::sync::Arc;

use super::aggregate::{Environment, Particulars};
use super::commands::{ExpectedOverride, FeatureRef, StateChange};
use super::decide::Decision;
use super::decide_states::changed;
use super::error::EnvironmentError;
use super::events::EnvironmentEvent;
use super::identities::BatchedIdentityOverride;
use super::states::FeatureStateContent;
use crate::ids::{FeatureId, FeatureStateId, IdentityId};
use crate::limits::{BATCH_SIZE_MAX, IDENTIFIER_CHARACTERS_MAX, IDENTITIES_MAX, IDENTITY_OVERRIDES_MAX};
use crate::text::check_name;

const TOO_MANY_IDENTITIES: EnvironmentError = EnvironmentError::TooManyIdentities { max: IDENTITIES_MAX };
const TOO_MANY_OVERRIDES: EnvironmentError = EnvironmentError::TooManyIdentityOverrides { max: IDENTITY_OVERRIDES_MAX };
const INVALID_BATCH: EnvironmentError = EnvironmentError::InvalidBatch { max: BATCH_SIZE_MAX };

impl Environment {
    /// An identity is no feature state: it may also come while the environment is being created, as the dashboard makes one
    /// right after it asked for a clone.
    pub(super) fn add_identity(&self, identity: IdentityId, identifier: String) -> Decision {
        check_name("identifier", &identifier, IDENTIFIER_CHARACTERS_MAX)?;
        if self.identities.named(&identifier).is_some() || self.identities.identifier(identity).is_some() {
            return Err(EnvironmentError::IdentityExists { identifier });
        }
        if self.identities.len() >= IDENTITIES_MAX {
            return Err(TOO_MANY_IDENTITIES);
        }
        Ok(vec![EnvironmentEvent::IdentityAdded { identity, identifier }])
    }

    pub(super) fn remove_identity(&self, identity: IdentityId) -> Decision {
        let identifier = self.identifier_of(identity)?;
        Ok(vec![EnvironmentEvent::IdentityRemoved { identity, identifier }])
    }

    fn identifier_of(&self, identity: IdentityId) -> Result<String, EnvironmentError> {
        let identifier = self.identities.identifier(identity).ok_or(EnvironmentError::IdentityNotFound)?;
        Ok(identifier.as_ref().to_owned())
    }

    pub(super) fn set_identity_override(
        &self,
        feature: &FeatureRef,
        identity: IdentityId,
        feature_state: FeatureStateId,
        change: StateChange,
        expected: ExpectedOverride,
    ) -> Decision {
        let identifier = self.identifier_of(identity)?;
        let definition = &feature.feature.definition;
        let state = self.identities.override_of(identity, definition.id);
        match (expected, state) {
            (ExpectedOverride::Unset, Some(_)) => return Err(EnvironmentError::IdentityOverrideExists),
            (ExpectedOverride::Set, None) => return Err(EnvironmentError::IdentityOverrideNotFound),
            (_, None) if self.identities.overrides_len() >= IDENTITY_OVERRIDES_MAX => return Err(TOO_MANY_OVERRIDES),
            _ => {}
        }
        let id = state.map_or(feature_state, |state| state.id);
        let before = state.map(|state| {
            let multivariate = feature.feature.kept_allocations(&state.content.multivariate);
            FeatureStateContent::with_multivariate(&state.content, multivariate)
        });
        let base = before.clone().unwrap_or_else(|| Arc::new(FeatureStateContent::unset(id)));
        let after = changed(&base, feature, change)?;
        if before.as_deref() == Some(&after) {
            return Ok(vec![]);
        }
        Ok(vec![EnvironmentEvent::IdentityOverrideSet {
            feature: definition.id,
            feature_name: definition.name.clone(),
            identity,
            identifier,
            feature_state: id,
            before,
            after: Arc::new(after),
        }])
    }

    pub(super) fn remove_identity_override(
        &self,
        feature: FeatureId,
        feature_name: String,
        identity: IdentityId,
    ) -> Decision {
        let identifier = self.identifier_of(identity)?;
        let state = self.identities.override_of(identity, feature);
        let state = state.ok_or(EnvironmentError::IdentityOverrideNotFound)?;
        Ok(vec![EnvironmentEvent::IdentityOverrideRemoved {
            feature,
            feature_name,
            identity,
            identifier,
            feature_state: state.id,
            before: state.content.clone(),
        }])
    }

    /// The batch must be the next one, its overrides in order and behind those that are there, and no identity may have two
    /// identifiers or share one.
    pub(super) fn import_identity_overrides(
        &self,
        particulars: &Particulars,
        batch: u32,
        overrides: Arc<Vec<BatchedIdentityOverride>>,
    ) -> Decision {
        particulars.check_import()?;
        particulars.creation.check_next(batch, overrides.len())?;
        let mut last = self.identities.last_override();
        let mut known = self.identities.clone();
        for item in overrides.iter() {
            check_name("identifier", &item.identifier, IDENTIFIER_CHARACTERS_MAX)?;
            if last >= Some(item.key()) {
                return Err(INVALID_BATCH);
            }
            last = Some(item.key());
            match (known.identifier(item.identity), known.named(&item.identifier)) {
                (None, None) => known.add(item.identity, &item.identifier),
                (Some(_), Some(identity)) if identity == item.identity => {}
                _ => return Err(EnvironmentError::IdentityExists { identifier: item.identifier.as_ref().to_owned() }),
            }
        }
        if known.len() > IDENTITIES_MAX {
            return Err(TOO_MANY_IDENTITIES);
        }
        if known.overrides_len() + overrides.len() > IDENTITY_OVERRIDES_MAX {
            return Err(TOO_MANY_OVERRIDES);
        }
        Ok(vec![EnvironmentEvent::IdentityOverridesImported { batch, overrides }])
    }
}
