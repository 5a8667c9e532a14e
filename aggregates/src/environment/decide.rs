//! The environment's decisions: which events a command leads to, or why it is rejected. How an environment comes to be
//! is decided in `decide_creation.rs`, what its features are in `decide_states.rs`.

use super::aggregate::{Environment, Identity};
use super::commands::EnvironmentCommand;
use super::error::EnvironmentError;
use super::events::{EnvironmentEvent, Origin};
use super::settings::EnvironmentSettings;
use crate::permissions::{EnvironmentPermission, Grant};

/// What a command leads to.
pub(super) type Decision = Result<Vec<EnvironmentEvent>, EnvironmentError>;

impl Environment {
    /// Decides a command; changes nothing.
    pub(super) fn decide(&self, command: EnvironmentCommand) -> Decision {
        use EnvironmentCommand as C;
        match (&self.identity, command) {
            (None, C::CreateEnvironment(environment)) => environment.create(Origin::New),
            (None, C::RequestEnvironmentClone(request)) => request.decide(),
            (None, C::RequestEnvironmentImport { environment, document, feature_states_total, batches_total }) => {
                environment.request_import(document, feature_states_total, batches_total)
            }
            (Some(_), C::CreateEnvironment(_) | C::RequestEnvironmentClone(_) | C::RequestEnvironmentImport { .. }) => {
                Err(EnvironmentError::AlreadyExists)
            }
            (Some(identity), command) if !identity.deleted => self.decide_existing(identity, command),
            _ => Err(EnvironmentError::NotFound),
        }
    }

    fn decide_existing(&self, identity: &Identity, command: EnvironmentCommand) -> Decision {
        use EnvironmentCommand as C;
        match command {
            C::CopyFeatureStatesBatch { batch, states } => self.copy_batch(identity, batch, states),
            C::CompleteClone => identity.complete_clone(),
            C::FailClone { batch, code, detail } => identity.fail_clone(batch, code, detail),
            C::RetryClone => identity.retry_clone(),
            C::CancelClone => identity.cancel_clone(),
            C::ImportFeatureStates { batch, states } => self.import_batch(identity, batch, states),
            C::CompleteImport => identity.complete_import(),
            C::DeleteEnvironment => Ok(identity.delete()),
            C::ChangeEnvironmentSettings { settings, settings_changes } => {
                change_settings(identity, settings, settings_changes)
            }
            C::GrantEnvironmentPermission { grant } => self.grant(grant),
            C::RevokeEnvironmentPermission { principal } => {
                let before = self.grants.get(&principal).cloned().ok_or(EnvironmentError::GrantNotFound)?;
                Ok(vec![EnvironmentEvent::EnvironmentPermissionRevoked { before }])
            }
            // Every other command edits feature states.
            _ if self.is_creating() => Err(EnvironmentError::IsCreating),
            command => self.decide_states(command),
        }
    }

    fn grant(&self, grant: Grant<EnvironmentPermission>) -> Decision {
        let before = self.grants.get(&grant.principal).cloned();
        if before.as_ref() == Some(&grant) {
            return Ok(vec![]);
        }
        Ok(vec![EnvironmentEvent::EnvironmentPermissionGranted { before, after: grant }])
    }
}

fn change_settings(identity: &Identity, after: EnvironmentSettings, settings_changes: u64) -> Decision {
    let before = &identity.settings;
    after.check()?;
    if identity.settings_changes != settings_changes {
        return Err(EnvironmentError::ChangedMeanwhile);
    }
    if *before == after {
        return Ok(vec![]);
    }
    Ok(vec![EnvironmentEvent::EnvironmentSettingsChanged { before: before.clone(), after }])
}
