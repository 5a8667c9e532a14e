//! The audit log.

pub const TITLE: &str = "Audit log";
pub const LEAD: &str = "What happened, who did it, and what it was before. The newest first, as it happens.";
pub const FILTERS: &str = "Filter the audit log";
pub const PROJECT: &str = "Project";
pub const ENVIRONMENT: &str = "Environment";
pub const ACTOR: &str = "Who";
pub const SEARCH: &str = "Text";
pub const ALL: &str = "All";
pub const PROJECT_FIRST: &str = "Choose a project first";
pub const APPLY: &str = "Apply";
pub const FOLLOW: &str = "Follow";
pub const FOLLOW_HINT: &str = "New lines come by themselves while this is on.";
pub const CLEAR: &str = "Clear the filters";
pub const EMPTY: &str = "Nothing has happened yet";
pub const NOTHING_YET_TEXT: &str = "Every change leaves a line here, for ever.";
pub const NO_MATCH: &str = "No line matches";
pub const NO_MATCH_TEXT: &str = "Nothing that you may see is as the filters ask.";
pub const OFFSHOOT: &str = "Offshoot";
pub const BY: &str = "by";
pub const IN: &str = "in";
pub const CREATED: &str = "Created";
pub const UPDATED: &str = "Changed";
pub const DELETED: &str = "Deleted";
pub const CHANGES: &str = "What changed";
pub const REMOVED: &str = "Before:";
pub const ADDED: &str = "After:";
pub const EMPTY_TEXT: &str = "(empty text)";
pub const LOADING: &str = "Loading…";
pub const PAGES: &str = "Pages";
pub const PREVIOUS: &str = "Newer";
pub const NEXT: &str = "Older";

/// What a group unfolds into.
pub fn unfolds(lines: &str) -> String {
    format!("{lines} events")
}

/// That not all lines are shown.
pub fn first(lines: &str) -> String {
    format!("These are the first {lines}. Search for a text to see others.")
}

/// What the share of an option is called.
pub fn of_option(field: &str, option: i64) -> String {
    format!("{field} (option {option})")
}
