//! Names that are unique within something bigger: reserved first, held by one, released at the end.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// One name's reservation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Reservation {
    holder: Uuid,
    number: u64,
}

/// The reserved names of one kind, each held by the UUID of one holder. A holder that is being renamed holds two.
///
/// Reservations are numbered: whoever releases a name says which one he means. A name that was reserved anew meanwhile,
/// by the same holder, is not released.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Names {
    held: imbl::OrdMap<String, Reservation>,
    /// The number of the last reservation.
    last: u64,
}

impl Names {
    /// Who holds the name.
    #[must_use]
    pub fn holder(&self, name: &str) -> Option<Uuid> {
        self.held.get(name).map(|reservation| reservation.holder)
    }

    /// The number of the holder's reservation of the name; `None` if the name is not the holder's.
    #[must_use]
    pub fn reservation(&self, name: &str, holder: Uuid) -> Option<u64> {
        self.held.get(name).filter(|reservation| reservation.holder == holder).map(|reservation| reservation.number)
    }

    /// The number that the next reservation gets.
    #[must_use]
    pub fn next_reservation(&self) -> u64 {
        self.last + 1
    }

    /// Whether someone other than `holder` has the name.
    #[must_use]
    pub fn is_taken(&self, name: &str, holder: Uuid) -> bool {
        self.holder(name).is_some_and(|other| other != holder)
    }

    /// Whether the holder has any name.
    #[must_use]
    pub fn has_any(&self, holder: Uuid) -> bool {
        self.held.values().any(|reservation| reservation.holder == holder)
    }

    /// All names with their holders.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Uuid)> {
        self.held.iter().map(|(name, reservation)| (name.as_str(), reservation.holder))
    }

    /// Gives the name to the holder, or once more if it is the holder's.
    pub fn reserve(&mut self, name: String, holder: Uuid, number: u64) {
        self.last = self.last.max(number);
        self.held.insert(name, Reservation { holder, number });
    }

    /// Takes the name back.
    pub fn release(&mut self, name: &str) {
        self.held.remove(name);
    }
}
