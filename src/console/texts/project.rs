//! The page of a project: its environments, and the dialogs that create, rename, clone and delete them.

pub const BREADCRUMBS: &str = "Where you are";
pub const NEW_ENVIRONMENT: &str = "New environment";
pub const CLONE_ENVIRONMENT: &str = "Clone an environment";
pub const EMPTY: &str = "There is no environment yet";
pub const EMPTY_TEXT: &str =
    "An environment says what each feature of the project is: in production, while testing, on your machine.";
pub const NOTHING_SHARED: &str = "Nobody has given your key access to an environment of this project.";
pub const NAME: &str = "Name";
pub const NAME_TITLE: &str = "A name, unlike those of the other environments";
pub const DESCRIPTION: &str = "Description";
pub const OPTIONAL: &str = "optional";
pub const CREATE: &str = "Create environment";
pub const CREATE_HINT: &str = "Every feature of the project is in it, as it is by default.";
pub const SOURCE: &str = "Copy of";
pub const AS_OF: &str = "As it";
pub const AS_OF_NOW: &str = "is now";
pub const AS_OF_MOMENT: &str = "was at a moment of the past";
pub const MOMENT: &str = "Moment";
pub const MOMENT_HINT: &str = "In your time zone. The log knows every moment since the environment exists.";
pub const DESCRIPTION_HINT: &str = "That of the copied environment if you leave it empty.";
pub const PERMISSIONS: &str = "Copy the permissions too";
pub const PERMISSIONS_HINT: &str =
    "Whoever may do something there may do it here. You administer the clone in any case.";
pub const MODE: &str = "Copy";
pub const ASYNC: &str = "in the background";
pub const ASYNC_HINT: &str = "The environment is there at once and fills up while you watch, or leave. Its flags are locked until it is complete.";
pub const SYNC: &str = "while this dialog waits";
pub const SYNC_HINT: &str = "For up to 50,000 feature states.";
pub const CLONE: &str = "Clone";
pub const RENAME: &str = "Rename the environment";
pub const RENAME_SUBMIT: &str = "Rename";
pub const RENAMED: &str = "Renamed.";
pub const DELETE: &str = "Delete the environment?";
pub const DELETE_TEXT: &str = "is deleted with everything in it, and applications with its keys are not served any more. The audit log keeps what happened.";
pub const DELETE_SUBMIT: &str = "Delete environment";
pub const DELETED: &str = "The environment is deleted.";
pub const CANCEL_CLONE: &str = "Cancel the clone?";
pub const CANCEL_CLONE_TEXT: &str = "is given up: what was copied is deleted, and its name is free again.";
pub const CANCEL_CLONE_SUBMIT: &str = "Cancel the clone";
pub const CANCELLED: &str = "The clone is cancelled.";
pub const KEEP: &str = "Keep it";
