//! The environment's decisions: which events a command leads to, or why it is rejected. How an environment comes to be
//! is decided in `decide_creation.rs`, what its features are in `decide_states.rs` and `decide_identities.rs`, who is served
//! in `decide_server_keys.rs`.

use super::aggregate::{Environment, Particulars};
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
        match (&self.particulars, command) {
            (None, C::CreateEnvironment(environment)) => environment.create(Origin::New),
            (None, C::RequestEnvironmentClone(request)) => request.decide(),
            (None, C::RequestEnvironmentImport { environment, document, feature_states_total, batches_total }) => {
                environment.request_import(document, feature_states_total, batches_total)
            }
            (Some(_), C::CreateEnvironment(_) | C::RequestEnvironmentClone(_) | C::RequestEnvironmentImport { .. }) => {
                Err(EnvironmentError::AlreadyExists)
            }
            (Some(particulars), command) if !particulars.deleted => self.decide_existing(particulars, command),
            _ => Err(EnvironmentError::NotFound),
        }
    }

    fn decide_existing(&self, particulars: &Particulars, command: EnvironmentCommand) -> Decision {
        use EnvironmentCommand as C;
        match command {
            C::CopyFeatureStatesBatch { batch, states } => self.copy_batch(particulars, batch, states),
            C::CompleteClone => particulars.complete_clone(),
            C::FailClone { batch, code, detail } => particulars.fail_clone(batch, code, detail),
            C::RetryClone => particulars.retry_clone(),
            C::CancelClone => particulars.cancel_clone(),
            C::ImportFeatureStates { batch, states } => self.import_batch(particulars, batch, states),
            C::ImportIdentityOverrides { batch, overrides } => {
                self.import_identity_overrides(particulars, batch, overrides)
            }
            C::CompleteImport => particulars.complete_import(),
            C::DeleteEnvironment => Ok(particulars.delete()),
            C::ChangeEnvironmentSettings { settings, settings_changes } => {
                change_settings(particulars, settings, settings_changes)
            }
            C::GrantEnvironmentPermission { grant } => self.grant(grant),
            C::RevokeEnvironmentPermission { principal } => {
                let before = self.grants.get(&principal).cloned().ok_or(EnvironmentError::GrantNotFound)?;
                Ok(vec![EnvironmentEvent::EnvironmentPermissionRevoked { before }])
            }
            C::IssueServerKey { key } => self.issue_server_key(key),
            C::ChangeServerKey { key, change } => self.change_server_key(key, change),
            C::RevokeServerKey { key } => self.revoke_server_key(key),
            C::AddIdentity { identity, identifier } => self.add_identity(identity, identifier),
            C::RemoveIdentity { identity } => self.remove_identity(identity),
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

fn change_settings(particulars: &Particulars, after: EnvironmentSettings, settings_changes: u64) -> Decision {
    let before = &particulars.settings;
    after.check()?;
    if particulars.settings_changes != settings_changes {
        return Err(EnvironmentError::ChangedMeanwhile);
    }
    if *before == after {
        return Ok(vec![]);
    }
    Ok(vec![EnvironmentEvent::EnvironmentSettingsChanged { before: before.clone(), after }])
}
