//! What can be set on an environment, its name among it.

use serde::{Deserialize, Serialize};

use crate::event::rebased;
use crate::limits::{
    BANNER_COLOUR_CHARACTERS_MAX, BANNER_TEXT_CHARACTERS_MAX, DESCRIPTION_CHARACTERS_MAX, NAME_CHARACTERS_MAX,
};
use crate::text::{TextError, check_name, check_text};

/// What can be set on an environment. A clone starts with its source's, but for name and, if given, description.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnvironmentSettings {
    /// Its name, unique in the project.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// Approvals that a change request needs; none means that no change requests are needed.
    pub minimum_change_request_approvals: Option<i32>,
    /// Whether clients with a client key may send traits.
    pub allow_client_traits: bool,
    /// A text that the console shows above the environment.
    pub banner_text: Option<String>,
    /// The banner's colour.
    pub banner_colour: Option<String>,
    /// Whether disabled flags are left out of answers; none means as the project says.
    pub hide_disabled_flags: Option<bool>,
    /// Whether identities are hashed by environment key and identifier.
    pub use_identity_composite_key_for_hashing: bool,
    /// Whether ids and defaults are left out of answers.
    pub hide_sensitive_data: bool,
    /// Whether identity overrides are sent to clients that evaluate by themselves.
    pub use_identity_overrides_in_local_eval: bool,
}

impl EnvironmentSettings {
    /// These settings, which were made from `base`, made from `current` instead: what they left as it was there, they leave
    /// as it is here.
    #[must_use]
    pub fn rebased(self, base: &Self, current: &Self) -> Self {
        rebased!(
            self,
            base,
            current,
            name,
            description,
            minimum_change_request_approvals,
            allow_client_traits,
            banner_text,
            banner_colour,
            hide_disabled_flags,
            use_identity_composite_key_for_hashing,
            hide_sensitive_data,
            use_identity_overrides_in_local_eval,
        )
    }

    /// The settings of a new environment (Flagsmith's defaults).
    #[must_use]
    pub fn named(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            description: None,
            minimum_change_request_approvals: None,
            allow_client_traits: true,
            banner_text: None,
            banner_colour: None,
            hide_disabled_flags: None,
            use_identity_composite_key_for_hashing: true,
            hide_sensitive_data: false,
            use_identity_overrides_in_local_eval: true,
        }
    }

    /// Checks every text.
    ///
    /// # Errors
    /// The first text that breaks its rule.
    pub fn check(&self) -> Result<(), TextError> {
        check_name("name", &self.name, NAME_CHARACTERS_MAX)?;
        let texts = [
            ("description", &self.description, DESCRIPTION_CHARACTERS_MAX),
            ("banner_text", &self.banner_text, BANNER_TEXT_CHARACTERS_MAX),
            ("banner_colour", &self.banner_colour, BANNER_COLOUR_CHARACTERS_MAX),
        ];
        texts
            .into_iter()
            .try_for_each(|(field, text, max)| text.as_deref().map_or(Ok(()), |text| check_text(field, text, max)))
    }
}
