//! The features of an environment: the list of them, and the page of one.

pub const TITLE: &str = "Features";
pub const FILTERS: &str = "Filter the features";
pub const SEARCH: &str = "Name";
pub const VALUE_SEARCH: &str = "Value";
pub const STATE: &str = "State";
pub const ALL: &str = "All";
pub const ON: &str = "On";
pub const OFF: &str = "Off";
pub const KIND: &str = "Kind";
pub const STANDARD: &str = "One value";
pub const MULTIVARIATE: &str = "Multivariate";
pub const SORT: &str = "Order";
pub const BY_NAME: &str = "Name";
pub const BY_NAME_REVERSED: &str = "Name, from the end";
pub const NEWEST: &str = "Newest first";
pub const OLDEST: &str = "Oldest first";
pub const APPLY: &str = "Apply";
pub const CLEAR: &str = "Clear the filters";
pub const ARCHIVED: &str = "Archived";
pub const LOCKED: &str = "This environment is being created. Its flags can be changed as soon as the last feature state is copied; this page unlocks them by itself.";
pub const LOCKED_FAILED: &str = "Creating this environment failed. Its flags can be changed once it is complete: retry it on the page of the environment.";
pub const NOT_ALLOWED: &str = "Your key may look at these flags, but not change them.";
pub const NOT_READY: &str = "The feature states of this environment are not ready yet. This page shows them by itself.";
pub const EMPTY: &str = "There is no feature yet";
pub const EMPTY_TEXT: &str =
    "A feature belongs to the project. Each environment says whether it is on, and what its value is.";
pub const NO_MATCH: &str = "No feature matches";
pub const NO_MATCH_TEXT: &str = "Nothing in this project is as the filters ask.";
pub const NO_VALUE: &str = "no value";
pub const EMPTY_VALUE: &str = "empty text";
pub const NOT_YET: &str = "not copied yet";
pub const OVERRIDE: &str = "segment override";
pub const OVERRIDES: &str = "segment overrides";
pub const VALUE_OF: &str = "Value:";
pub const NEW: &str = "New feature";
pub const NEW_NAME: &str = "Name";
pub const NEW_NAME_HINT: &str = "Unique in the project. Applications ask for it by this name.";
pub const NEW_VALUE: &str = "First value";
pub const NEW_VALUE_HINT: &str = "In every environment, until it is changed there. May stay empty.";
pub const NEW_ENABLED: &str = "On in every environment";
pub const NEW_SUBMIT: &str = "Create feature";
pub const CREATED: &str = "The feature is created.";
pub const PAGES: &str = "Pages";
pub const PREVIOUS: &str = "Previous";
pub const NEXT: &str = "Next";

/// Which of how many features are shown.
pub fn range(first: &str, last: &str, total: &str) -> String {
    format!("{first} – {last} of {total}")
}

/// How many there are, said to those who listen.
pub fn found(total: u64, shown: &str) -> String {
    if total == 1 { "1 feature".to_owned() } else { format!("{shown} features") }
}
