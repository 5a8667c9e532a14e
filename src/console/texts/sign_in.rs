//! The page to sign in.

pub const TITLE: &str = "Sign in";
pub const LEAD: &str = "Feature flags whose environments are cloned while everybody goes on working.";
pub const KEY: &str = "API key";
pub const KEY_HINT: &str = "The server printed the first one when it was started on an empty store.";
pub const SUBMIT: &str = "Sign in";
pub const WRONG_KEY: &str = "This key opens nothing: it is unknown, was revoked or has expired.";
pub const EXPIRED: &str = "Your session has ended. Sign in again to go on where you were.";
