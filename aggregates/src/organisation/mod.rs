//! An organisation: who administers it, its API keys, and the names of its projects.

mod aggregate;
mod commands;
mod error;
mod events;

pub use aggregate::{IssuedKey, Organisation};
pub use commands::OrganisationCommand;
pub use error::OrganisationError;
pub use events::{ApiKey, ApiKeyRole, OrganisationEvent};
