//! The decisions on the server-side keys of an environment.

use super::aggregate::Environment;
use super::commands::ServerKeyChange;
use super::decide::Decision;
use super::error::EnvironmentError;
use super::events::EnvironmentEvent;
use super::server_keys::{ServerKey, ServerKeySettings};
use crate::ids::ServerKeyId;
use crate::limits::SERVER_KEYS_MAX;

impl Environment {
    pub(super) fn issue_server_key(&self, key: ServerKey) -> Decision {
        key.settings.check()?;
        let is_known = |known: &ServerKey| known.id == key.id || known.hash == key.hash;
        if self.server_keys.values().any(is_known) {
            return Err(EnvironmentError::ServerKeyAlreadyIssued);
        }
        if self.server_keys.len() >= SERVER_KEYS_MAX {
            return Err(EnvironmentError::TooManyServerKeys { max: SERVER_KEYS_MAX });
        }
        Ok(vec![EnvironmentEvent::ServerKeyIssued { key }])
    }

    pub(super) fn change_server_key(&self, key: ServerKeyId, change: ServerKeyChange) -> Decision {
        let before = self.server_keys.get(&key).ok_or(EnvironmentError::ServerKeyNotFound)?.settings.clone();
        let ServerKeyChange { name, is_active, expires_at } = change;
        let after = ServerKeySettings {
            name: name.unwrap_or_else(|| before.name.clone()),
            is_active: is_active.unwrap_or(before.is_active),
            expires_at: expires_at.unwrap_or(before.expires_at),
        };
        after.check()?;
        if before == after {
            return Ok(vec![]);
        }
        Ok(vec![EnvironmentEvent::ServerKeyChanged { key, before, after }])
    }

    pub(super) fn revoke_server_key(&self, key: ServerKeyId) -> Decision {
        let name = self.server_keys.get(&key).map(|known| known.settings.name.clone());
        let name = name.ok_or(EnvironmentError::ServerKeyNotFound)?;
        Ok(vec![EnvironmentEvent::ServerKeyRevoked { key, name }])
    }
}
