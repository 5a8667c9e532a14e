//! The first page: projects.

pub const TITLE: &str = "Projects";
pub const LEAD: &str = "Each project has features, and environments that say what they are.";
pub const CREATE: &str = "New project";
pub const EMPTY: &str = "There is no project yet";
pub const EMPTY_TEXT: &str =
    "A project holds the features of one product. Create the first one, then an environment in it.";
pub const NOTHING_SHARED: &str =
    "Nobody has given your key access to a project. Ask an administrator of the organisation.";
pub const NAME: &str = "Name";
pub const ORGANISATION: &str = "Organisation";
pub const DIALOG: &str = "New project";
pub const SUBMIT: &str = "Create project";

/// How many environments are being created.
pub fn being_created(number: &str) -> String {
    format!("{number} being created")
}

/// How many could not be created.
pub fn failed(number: &str) -> String {
    format!("{number} failed")
}

/// What those who listen are told when either changes.
pub fn announce(name: &str, creating: u64, failed: u64) -> String {
    match (creating, failed) {
        (0, 0) => format!("{name}: every environment is ready"),
        _ => format!("{name}: {creating} being created, {failed} failed"),
    }
}
