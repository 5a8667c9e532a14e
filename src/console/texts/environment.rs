//! The page of an environment.

pub const CREATING: &str = "This environment is being created";
pub const CREATING_LEAD: &str =
    "You can leave this page: it is created all the same, also if the server is restarted meanwhile.";
pub const NOW: &str = "Now";
pub const NOW_TEXT: &str = "Name, settings and permissions can be edited, and stay as you edit them.";
pub const LATER: &str = "When it is complete";
pub const LATER_TEXT: &str = "Flags can be edited, applications are served, and it can be cloned itself.";
pub const UNTIL_THEN: &str = "Until then";
pub const UNTIL_THEN_TEXT: &str =
    "Applications that ask with its key are told to come back (503); nobody sees half of it.";
pub const FAILED: &str = "Creating this environment failed";
pub const FAILED_LEAD: &str =
    "Nothing is lost: what was copied so far is kept, and nobody is served half an environment.";
pub const ORIGIN: &str = "Where it comes from";
pub const SOURCE: &str = "Cloned from";
pub const AS_OF: &str = "As of";
pub const POSITION: &str = "Log position";
pub const STATES: &str = "Feature states";
pub const COMPLETED: &str = "Complete since";
pub const TOOK: &str = "It took";
pub const CREATED: &str = "Created";
pub const CHANGED: &str = "Last change";
pub const KEY: &str = "Client key";
pub const FEATURES: &str = "Features";
pub const ALL_FEATURES: &str = "All features";
pub const LOCKED: &str = "Locked until the last feature state is copied.";
pub const NO_FEATURES: &str = "The project has no features yet.";
pub const SETTINGS: &str = "Settings";
pub const SETTINGS_LEAD: &str = "They can be changed at any time, also while the environment is being created.";
pub const NAME: &str = "Name";
pub const DESCRIPTION: &str = "Description";
pub const BANNER_TEXT: &str = "Banner";
pub const BANNER_TEXT_HINT: &str = "A line that tools show above the environment, as “Production: take care”.";
pub const BANNER_COLOUR: &str = "Colour of the banner";
pub const BANNER_COLOUR_HINT: &str = "As in #b12a1b.";
pub const HIDE_DISABLED: &str = "Flags that are off";
pub const HIDE_AS_PROJECT: &str = "As the project says";
pub const HIDE_YES: &str = "Are left out of answers";
pub const HIDE_NO: &str = "Are in answers";
pub const CLIENT_TRAITS: &str = "Applications with the client key may send traits";
pub const HIDE_SENSITIVE: &str = "Leave ids and defaults out of answers";
pub const COMPOSITE_KEY: &str = "Choose variants by environment and identity";
pub const COMPOSITE_KEY_HINT: &str =
    "Else by identity alone, so that somebody has the same variant in every environment.";
pub const LOCAL_OVERRIDES: &str = "Send identity overrides to applications that evaluate by themselves";
pub const SAVE: &str = "Save";
pub const SAVED: &str = "Saved.";
pub const DELETE_LEAD: &str = "Delete this environment with everything in it.";

/// How many features are shown of how many.
pub fn first_of(shown: usize, total: &str) -> String {
    format!("The first {shown} of {total}")
}
