//! The forms in which several resources show the same things.

pub(super) mod author;
pub(super) mod environment;
pub(super) mod feature_state;
pub(super) mod feature_value;
pub(super) mod project;
pub(super) mod timestamp;
