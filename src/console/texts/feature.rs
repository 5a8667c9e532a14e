//! The page of one feature in an environment.

pub const ON: &str = "On in this environment";
pub const ON_FOR: &str = "On for this segment";
pub const DEFAULT: &str = "For everybody";
pub const DEFAULT_LEAD: &str = "What applications are told unless an override below says otherwise.";
pub const TYPE: &str = "Kind of value";
pub const TEXT: &str = "Text";
pub const NUMBER: &str = "Whole number";
pub const BOOLEAN: &str = "True or false";
pub const NONE: &str = "No value";
pub const VALUE: &str = "Value";
pub const TRUE: &str = "true";
pub const FALSE: &str = "false";
pub const WEIGHTS: &str = "Variants";
pub const WEIGHTS_LEAD: &str = "The share of identities, in percent, that get another value.";
pub const CONTROL: &str = "Left for the value above:";
pub const WEIGHT_OF: &str = "Percent that get";
pub const SAVE: &str = "Save";
pub const DISCARD: &str = "Discard";
pub const OVERRIDES: &str = "Segment overrides";
pub const OVERRIDES_LEAD: &str = "Whoever is in several segments gets the first one here.";
pub const NO_OVERRIDES: &str = "Nobody is overridden for: everybody gets the value above.";
pub const ADD_TITLE: &str = "Override for a segment";
pub const ADD_SUBMIT: &str = "Add override";
pub const ADD_LEAD: &str = "It comes last, and says what everybody gets until you change it.";
pub const ADDED: &str = "The override is added.";
pub const NO_SEGMENTS: &str = "The project has no further segment that this feature could be overridden for.";
pub const UP: &str = "Move up:";
pub const DOWN: &str = "Move down:";
pub const REMOVE: &str = "Remove";
pub const REMOVE_TITLE: &str = "Remove the override?";
pub const REMOVE_TEXT: &str = "is not overridden for any more, and gets what everybody gets.";
pub const REMOVED: &str = "The override is removed.";
pub const KEEP: &str = "Keep it";
pub const NO_STATE: &str = "It has a place, but says nothing yet: it changes nothing.";
pub const DELETED_SEGMENT: &str = "a deleted segment";
pub const CONFLICT: &str = "Somebody else changed this meanwhile";
pub const CONFLICT_LEAD: &str =
    "You changed something that is not any more as you saw it. Nothing of yours is saved yet.";
pub const CONFLICT_WHAT: &str = "What";
pub const CONFLICT_MINE: &str = "Yours";
pub const CONFLICT_THEIRS: &str = "Theirs";
pub const USE_MINE: &str = "Save mine over theirs";
pub const USE_THEIRS: &str = "Take theirs";
pub const GO_BACK: &str = "Go on editing";
pub const CREATED: &str = "Created";
pub const CHANGED: &str = "Last change here";
pub const IDENTITIES: &str = "Identity overrides";

/// Which place an override has.
pub fn place(number: usize) -> String {
    format!("Priority {number}")
}
