//! What a page says when what it showed is deleted while somebody looks, or was before.

pub const ENVIRONMENT: &str = "This environment was deleted";
pub const ENVIRONMENT_TEXT: &str = "Somebody deleted it while you were looking, or cancelled the clone that it was to be. The audit log says who, and when.";
pub const ENVIRONMENT_BEFORE: &str =
    "Somebody deleted it, or cancelled the clone that it was to be. The audit log says who, and when.";
pub const FEATURE: &str = "This feature was deleted here";
pub const FEATURE_TEXT: &str = "Somebody deleted it, or the environment that you saw it in, while you were looking. The audit log says who, and when.";
pub const PROJECT: &str = "This project was deleted";
pub const PROJECT_TEXT: &str =
    "Somebody deleted it while you were looking, with everything in it. The audit log says who, and when.";
pub const AUDIT: &str = "Look in the audit log";

/// The way back to a project.
pub fn back_to(project: &str) -> String {
    format!("Back to {project}")
}
