//! What can be set on a project, its name among it.

use serde::{Deserialize, Serialize};

use super::ProjectError;
use crate::event::rebased;
use crate::limits::{FEATURE_NAME_REGEX_CHARACTERS_MAX, NAME_CHARACTERS_MAX};
use crate::text::{check_name, check_text};

/// Bytes that a compiled regular expression may take (ours: far more than a rule for names needs).
const REGEX_BYTES_MAX: usize = 1 << 20;

/// What can be set on a project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(clippy::struct_excessive_bools, reason = "Flagsmith's switches, one by one")]
pub struct ProjectSettings {
    /// Its name, unique in the organisation.
    pub name: String,
    /// Whether disabled flags are left out of answers, where the environment does not say.
    pub hide_disabled_flags: bool,
    /// Whether clients are told not to use defaults of their own.
    pub prevent_flag_defaults: bool,
    /// Whether clients are told of changes as they happen.
    pub enable_realtime_updates: bool,
    /// Whether people are asked for lower case in the names of new features. As in Flagsmith a hint for user
    /// interfaces: the API takes names in any case.
    pub only_allow_lower_case_feature_names: bool,
    /// What new features' names must match, from end to end.
    pub feature_name_regex: Option<String>,
    /// Whether the console shows identity overrides of a feature.
    pub show_edge_identity_overrides_for_feature: bool,
    /// Days without a change after which a flag counts as stale.
    pub stale_flags_limit_days: i32,
    /// Approvals that a change to the project needs.
    pub minimum_change_request_approvals: Option<i32>,
    /// Whether a feature needs an owner.
    pub enforce_feature_owners: bool,
}

impl ProjectSettings {
    /// These settings, which were made from `base`, made from `current` instead: what they left as it was there, they leave
    /// as it is here.
    #[must_use]
    pub fn rebased(self, base: &Self, current: &Self) -> Self {
        rebased!(
            self,
            base,
            current,
            name,
            hide_disabled_flags,
            prevent_flag_defaults,
            enable_realtime_updates,
            only_allow_lower_case_feature_names,
            feature_name_regex,
            show_edge_identity_overrides_for_feature,
            stale_flags_limit_days,
            minimum_change_request_approvals,
            enforce_feature_owners,
        )
    }

    /// The settings of a new project (Flagsmith's defaults).
    #[must_use]
    pub fn named(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            hide_disabled_flags: false,
            prevent_flag_defaults: false,
            enable_realtime_updates: false,
            only_allow_lower_case_feature_names: true,
            feature_name_regex: None,
            show_edge_identity_overrides_for_feature: false,
            stale_flags_limit_days: 30,
            minimum_change_request_approvals: None,
            enforce_feature_owners: false,
        }
    }

    /// Checks every text.
    ///
    /// # Errors
    /// The first text that breaks its rule, or a regular expression that is none.
    pub fn check(&self) -> Result<(), ProjectError> {
        check_name("name", &self.name, NAME_CHARACTERS_MAX)?;
        if let Some(pattern) = &self.feature_name_regex {
            check_text("feature_name_regex", pattern, FEATURE_NAME_REGEX_CHARACTERS_MAX)?;
            compiled(pattern)?;
        }
        Ok(())
    }

    /// Whether a new feature may have this name.
    ///
    /// # Errors
    /// [`ProjectError::Text`] or [`ProjectError::FeatureNameForm`].
    pub fn check_feature_name(&self, name: &str) -> Result<(), ProjectError> {
        check_name("name", name, NAME_CHARACTERS_MAX)?;
        match &self.feature_name_regex {
            Some(pattern) if !compiled(pattern)?.is_match(name) => {
                Err(ProjectError::FeatureNameForm { pattern: pattern.clone() })
            }
            _ => Ok(()),
        }
    }
}

fn compiled(pattern: &str) -> Result<regex::Regex, ProjectError> {
    regex::RegexBuilder::new(&format!("^(?:{pattern})$"))
        .size_limit(REGEX_BYTES_MAX)
        .build()
        .map_err(|error| ProjectError::InvalidFeatureNameRegex { detail: error.to_string() })
}
