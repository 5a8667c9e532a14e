//! Names that are unique within something bigger: reserved first, held by one, released at the end.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The reserved names of one kind, each held by the UUID of one holder. A holder that is being renamed holds two.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Names(imbl::OrdMap<String, Uuid>);

impl Names {
    /// Who holds the name.
    #[must_use]
    pub fn holder(&self, name: &str) -> Option<Uuid> {
        self.0.get(name).copied()
    }

    /// Whether someone other than `holder` has the name.
    #[must_use]
    pub fn is_taken(&self, name: &str, holder: Uuid) -> bool {
        self.holder(name).is_some_and(|other| other != holder)
    }

    /// Whether the holder has any name.
    #[must_use]
    pub fn has_any(&self, holder: Uuid) -> bool {
        self.0.values().any(|other| *other == holder)
    }

    /// All names with their holders.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Uuid)> {
        self.0.iter().map(|(name, holder)| (name.as_str(), *holder))
    }

    /// Gives the name to the holder.
    pub fn reserve(&mut self, name: String, holder: Uuid) {
        self.0.insert(name, holder);
    }

    /// Takes the name back.
    pub fn release(&mut self, name: &str) {
        self.0.remove(name);
    }
}
