//! The forms in which several resources show the same things.

pub(super) mod author;
pub(super) mod environment;
pub(super) mod feature;
pub(super) mod feature_of_identity;
pub(super) mod feature_state;
pub(super) mod feature_value;
pub(super) mod multivariate_option;
pub(super) mod project;
pub(super) mod segment;
pub(super) mod timestamp;

/// What stands where Flagsmith has a limit of its plans and here is none: the biggest number that its clients can read.
pub(super) const NO_LIMIT: i32 = i32::MAX;
