//! Server-side keys of an environment: who has one is served everything, also what browsers may not see.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::ServerKeyId;
use crate::limits::SERVER_KEY_NAME_CHARACTERS_MAX;
use crate::text::{TextError, check_name};

/// What can be set on a server-side key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerKeySettings {
    /// The name people give it.
    pub name: String,
    /// Whether it is accepted.
    pub is_active: bool,
    /// From when on it is refused; `None` if it never expires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

impl ServerKeySettings {
    /// Checks the name.
    ///
    /// # Errors
    /// It breaks a rule.
    pub fn check(&self) -> Result<(), TextError> {
        check_name("name", &self.name, SERVER_KEY_NAME_CHARACTERS_MAX)
    }
}

/// A server-side key, without the key itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerKey {
    /// Its integer id.
    pub id: ServerKeyId,
    /// The first characters of the key, to recognise it by.
    pub prefix: String,
    /// SHA-256 of the whole key, in hexadecimal digits.
    pub hash: String,
    /// What can be set on it.
    pub settings: ServerKeySettings,
}
