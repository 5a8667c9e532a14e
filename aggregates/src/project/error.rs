//! Why a project rejects a command.

use crate::text::TextError;

/// Why a project rejects a command.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ProjectError {
    /// Nothing was created under this id, or it was deleted.
    #[error("there is no such project")]
    NotFound,
    /// It was created before.
    #[error("the project exists already")]
    AlreadyExists,
    /// A text breaks a rule.
    #[error(transparent)]
    Text(#[from] TextError),
    /// The rule for feature names is no regular expression.
    #[error("the rule for feature names is not a regular expression: {detail}")]
    InvalidFeatureNameRegex {
        /// What is wrong with it.
        detail: String,
    },
    /// A feature's name does not match the project's rule.
    #[error("the feature's name must match {pattern}")]
    FeatureNameForm {
        /// The rule.
        pattern: String,
    },
    /// Another feature of the project has the name.
    #[error("a feature with that name exists already")]
    FeatureNameTaken,
    /// The project has no such feature.
    #[error("there is no such feature")]
    FeatureNotFound,
    /// A batch holds nothing, or more than a batch may.
    #[error("a batch holds 1 to {max} features")]
    BatchSize {
        /// The most it may hold.
        max: usize,
    },
    /// A batch is not the next one.
    #[error("the next batch is {expected}")]
    UnexpectedBatch {
        /// The one that is next.
        expected: u32,
    },
    /// Features come in batches only before the first environment.
    #[error("the project has environments already")]
    HasEnvironments,
    /// The block of ids is smaller than what has come to be in the meantime: reserve a bigger one and try again.
    #[error("{needed} ids are needed")]
    TooFewIds {
        /// How many are needed.
        needed: u64,
    },
    /// The feature has no such option.
    #[error("there is no such option")]
    OptionNotFound,
    /// The feature has as many options as a feature may have.
    #[error("a feature has at most {max} options")]
    TooManyOptions {
        /// The most it may have.
        max: usize,
    },
    /// A share is no number from 0 to 100.
    #[error("a percentage is a number from 0 to 100")]
    InvalidPercentage,
    /// The default shares sum to more than 100.
    #[error("the percentages sum to more than 100")]
    PercentagesExceed,
    /// Another option of the feature has the key, or the key is `control`.
    #[error("the option's key is taken")]
    OptionKeyTaken,
    /// The project has no such segment.
    #[error("there is no such segment")]
    SegmentNotFound,
    /// A segment without rules.
    #[error("a segment has at least one rule")]
    SegmentWithoutRules,
    /// A segment with too many rules and conditions.
    #[error("a segment has at most {max} rules and conditions")]
    SegmentTooBig {
        /// The most it may have.
        max: usize,
    },
    /// A segment with rules in rules in rules.
    #[error("rules are nested at most {max} deep")]
    SegmentTooDeep {
        /// How deep they may be.
        max: usize,
    },
    /// Another environment of the project has the name.
    #[error("an environment with this name already exists")]
    EnvironmentNameTaken,
    /// The environment has another name already; this one would be its second.
    #[error("the environment has a name already")]
    EnvironmentAlreadyNamed,
    /// The project has no such environment.
    #[error("there is no such environment")]
    EnvironmentNotFound,
    /// The project has as many environments as a project may have.
    #[error("a project has at most {max} environments")]
    TooManyEnvironments {
        /// The most it may have.
        max: usize,
    },
    /// The settings changed since the new ones were made from them.
    #[error("the settings changed meanwhile")]
    ChangedMeanwhile,
    /// The principal has no permissions to take away.
    #[error("nothing was granted to the principal")]
    GrantNotFound,
}
