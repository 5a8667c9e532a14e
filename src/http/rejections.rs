//! What the aggregates reject, in the words of the API.
//!
//! Where two endpoints name the same rejection differently, the one that differs matches on it before it converts the
//! rest: `ProjectError::PercentagesExceed => Problem::field("multivariate_options", INVALID_ALLOCATION)`.

use offshoot_aggregates::environment::{CreationStatus, EnvironmentError};
use offshoot_aggregates::organisation::OrganisationError;
use offshoot_aggregates::project::ProjectError;
use offshoot_aggregates::text::{TextError, TextProblem};

use super::field_errors::{FieldErrors, Messages};
use super::problem::Problem;

/// An option's share is no number from 0 to 100, or the shares of a feature's options sum to more than 100.
pub const INVALID_ALLOCATION: &str = "Invalid percentage allocation";

/// Names of features are compared without regard to case.
const FEATURE_NAME_TAKEN: &str =
    "Feature with that name already exists for this project. Note that feature names are case insensitive.";

/// A related thing, named by its id, that is not there.
#[must_use]
pub fn unknown_id(id: impl std::fmt::Display) -> String {
    format!("Invalid pk \"{id}\" - object does not exist.")
}

impl From<TextError> for Problem {
    fn from(error: TextError) -> Self {
        Self::field(error.field, text_problem(error.problem))
    }
}

/// A text's problem in Flagsmith's words.
#[must_use]
pub fn text_problem(problem: TextProblem) -> String {
    match problem {
        TextProblem::Blank => "This field may not be blank.".to_owned(),
        TextProblem::TooLong { max } => format!("Ensure this field has no more than {max} characters."),
        TextProblem::Nul => "Null characters are not allowed.".to_owned(),
        TextProblem::Form(form) => format!("This field must match {form}."),
    }
}

impl From<OrganisationError> for Problem {
    fn from(error: OrganisationError) -> Self {
        match error {
            OrganisationError::NotFound => Self::not_found("Organisation"),
            OrganisationError::AlreadyExists => {
                Self::conflict("organisation_exists", "The organisation exists already.")
            }
            OrganisationError::Text(error) => error.into(),
            OrganisationError::ApiKeyAlreadyIssued => {
                Self::conflict("api_key_issued", "The API key was issued already.")
            }
            OrganisationError::ApiKeyNotFound => Self::not_found("MasterAPIKey"),
            OrganisationError::ProjectNameTaken => Self::non_field("A project with this name already exists."),
        }
    }
}

impl From<ProjectError> for Problem {
    fn from(error: ProjectError) -> Self {
        match error {
            ProjectError::NotFound => Self::not_found("Project"),
            ProjectError::FeatureNotFound => Self::not_found("Feature"),
            ProjectError::OptionNotFound => Self::not_found("MultivariateFeatureOption"),
            ProjectError::SegmentNotFound => Self::not_found("Segment"),
            ProjectError::EnvironmentNotFound => Self::not_found("Environment"),
            ProjectError::GrantNotFound => Self::not_found("UserProjectPermission"),
            ProjectError::ChangedMeanwhile => changed_meanwhile(),
            ProjectError::AlreadyExists => Self::conflict("project_exists", "The project exists already."),
            ProjectError::HasEnvironments => {
                Self::conflict("project_has_environments", "The project has environments already.")
            }
            ProjectError::Text(error) => error.into(),
            ProjectError::EnvironmentNameTaken => Self::non_field("An environment with this name already exists."),
            ProjectError::EnvironmentAlreadyNamed => {
                Self::conflict("environment_already_named", "The environment has a name already.")
            }
            ProjectError::TooManyEnvironments { max } => {
                Self::non_field(format!("A project may not have more than {max} environments."))
            }
            ProjectError::InvalidFeatureNameRegex { detail } => {
                Self::field("feature_name_regex", format!("This field must be a regular expression: {detail}"))
            }
            ProjectError::FeatureNameForm { pattern } => {
                Self::field("name", format!("Feature name must match regex: {pattern}"))
            }
            ProjectError::FeatureNameTaken => Self::field("name", FEATURE_NAME_TAKEN),
            ProjectError::TooManyOptions { max } => {
                Self::field("multivariate_options", format!("A feature may not have more than {max} options."))
            }
            ProjectError::InvalidPercentage | ProjectError::PercentagesExceed => {
                Self::field("default_percentage_allocation", INVALID_ALLOCATION)
            }
            ProjectError::OptionKeyTaken => Self::field(
                "key",
                "Another option of the feature has this key, or it is \"control\", which names the control value.",
            ),
            ProjectError::SegmentWithoutRules => {
                FieldErrors::one("rules", Messages::non_field("This list may not be empty.")).into()
            }
            ProjectError::SegmentTooBig { max } => {
                Self::field_bare("segment", format!("A segment may not have more than {max} rules and conditions."))
            }
            ProjectError::SegmentTooDeep { max } => {
                Self::field("rules", format!("Rules may not be nested more than {max} deep."))
            }
            // Only importers and the commands themselves send these: a fault of ours, not of whoever asked.
            ProjectError::BatchSize { .. } | ProjectError::UnexpectedBatch { .. } | ProjectError::TooFewIds { .. } => {
                Self::internal(error)
            }
        }
    }
}

impl From<EnvironmentError> for Problem {
    fn from(error: EnvironmentError) -> Self {
        match error {
            EnvironmentError::NotFound => Self::not_found("Environment"),
            EnvironmentError::OtherOrigin => Self::not_found("Clone"),
            EnvironmentError::SegmentOverrideNotFound => Self::not_found("FeatureSegment"),
            EnvironmentError::GrantNotFound => Self::not_found("UserEnvironmentPermission"),
            EnvironmentError::ChangedMeanwhile => changed_meanwhile(),
            EnvironmentError::AlreadyExists => Self::conflict("environment_exists", "The environment exists already."),
            EnvironmentError::IsCreating => environment_is_creating(),
            EnvironmentError::WrongStatus { actual } => wrong_clone_status(actual, &error),
            EnvironmentError::Text(error) => error.into(),
            EnvironmentError::InvalidPercentage => {
                Self::field("multivariate_feature_state_values", "A percentage is a number from 0 to 100.")
            }
            EnvironmentError::PercentagesExceed => Self::non_field("Multivariate percentage values exceed 100%."),
            EnvironmentError::UnknownOption { option } => {
                Self::field("multivariate_feature_state_values", unknown_id(option))
            }
            EnvironmentError::SegmentOverrideExists => {
                Self::non_field("Feature state already exists for this feature and segment in this environment.")
            }
            EnvironmentError::IdentityExists { identifier } => Self::field_bare(
                "identifier",
                format!("Identity with identifier '{identifier}' already exists in this environment"),
            ),
            EnvironmentError::IdentityNotFound => Self::not_found("Identity"),
            EnvironmentError::TooManyIdentities { max } => {
                Self::non_field(format!("An environment may not have more than {max} identities."))
            }
            EnvironmentError::IdentityOverrideExists => {
                Self::non_field("Feature state already exists for this feature and identity in this environment.")
            }
            EnvironmentError::IdentityOverrideNotFound => Self::not_found("FeatureState"),
            EnvironmentError::TooManyIdentityOverrides { max } => {
                Self::non_field(format!("An environment may not have more than {max} identity overrides."))
            }
            EnvironmentError::ServerKeyAlreadyIssued => {
                Self::conflict("server_key_issued", "The server-side key was issued already.")
            }
            EnvironmentError::ServerKeyNotFound => Self::not_found("EnvironmentAPIKey"),
            EnvironmentError::TooManyServerKeys { max } => {
                Self::non_field(format!("An environment may not have more than {max} server-side keys."))
            }
            // Only workers send batches: a fault of ours, not of whoever asked.
            EnvironmentError::UnexpectedBatch { .. }
            | EnvironmentError::InvalidBatch { .. }
            | EnvironmentError::Incomplete { .. } => Self::internal(error),
        }
    }
}

/// 409: settings that others keep changing.
fn changed_meanwhile() -> Problem {
    Problem::conflict("changed_meanwhile", "Others keep changing the settings. Read them again and retry.")
}

/// The code of both problems with an environment whose feature states are being copied.
const ENVIRONMENT_IS_CREATING: &str = "environment_is_creating";

/// What both problems with an environment say whose feature states are being copied.
const STATES_BEING_COPIED: &str =
    "The environment's feature states are still being copied. Try again when is_creating is false.";

/// 409: the feature states of an environment are to be changed, or cloned, while they are being copied.
#[must_use]
pub fn environment_is_creating() -> Problem {
    Problem::conflict(ENVIRONMENT_IS_CREATING, STATES_BEING_COPIED)
}

/// 503: the feature states of an environment are asked for while they are being copied.
#[must_use]
pub fn feature_states_not_ready() -> Problem {
    Problem::not_ready(ENVIRONMENT_IS_CREATING, STATES_BEING_COPIED)
}

fn wrong_clone_status(actual: CreationStatus, error: &EnvironmentError) -> Problem {
    let code = match actual {
        CreationStatus::Creating => "clone_is_running",
        CreationStatus::Completed => "clone_is_completed",
        CreationStatus::Failed => "clone_has_failed",
        CreationStatus::Cancelled => "clone_is_cancelled",
    };
    Problem::conflict(code, sentence(&error.to_string()))
}

/// The text with a capital at the start and a full stop at the end.
pub(super) fn sentence(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| format!("{}{}.", first.to_uppercase(), characters.as_str()))
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;
    use offshoot_aggregates::text::check_name;

    use super::{CreationStatus, EnvironmentError, Problem, ProjectError};

    #[test]
    fn a_text_that_breaks_a_rule_is_named_with_its_field() {
        let errors = [check_name("name", " ", 3), check_name("name", "abcd", 3), check_name("name", "a\0", 3)];
        let problems: Vec<_> = errors.into_iter().filter_map(|result| result.err().map(Problem::from)).collect();
        assert_eq!(
            problems,
            [
                Problem::field("name", "This field may not be blank."),
                Problem::field("name", "Ensure this field has no more than 3 characters."),
                Problem::field("name", "Null characters are not allowed."),
            ]
        );
    }

    #[test]
    fn a_clone_in_the_wrong_state_is_a_conflict_that_names_the_state() {
        let problem = Problem::from(EnvironmentError::WrongStatus { actual: CreationStatus::Creating });
        assert_eq!(problem, Problem::conflict("clone_is_running", "The clone is still running."));
    }

    #[test]
    fn what_only_workers_send_is_a_fault_of_ours() {
        for problem in [
            Problem::from(ProjectError::TooFewIds { needed: 3 }),
            Problem::from(EnvironmentError::UnexpectedBatch { expected: 2 }),
        ] {
            assert_eq!(problem.status(), StatusCode::INTERNAL_SERVER_ERROR);
        }
    }
}
