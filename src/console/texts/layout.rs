//! What surrounds every page.

pub const PRODUCT: &str = "Offshoot";
pub const SKIP: &str = "Skip to the content";
pub const NAVIGATION: &str = "Main";
pub const PROJECTS: &str = "Projects";
pub const AUDIT: &str = "Audit log";
pub const SYSTEM: &str = "System";
pub const SIGNED_IN_AS: &str = "Signed in as";
pub const SIGN_OUT: &str = "Sign out";
pub const THEME: &str = "Switch between light and dark";
pub const CANCEL: &str = "Cancel";
