//! Keeps the environments in memory within their limit: those that were not used for longest have to go.

use std::sync::Arc;

use super::Flags;
use super::slot::{Contents, Slot};
use crate::limits::{FLAG_BYTES_MAX, FLAG_SLOTS_MAX};

impl Flags {
    /// Takes environments out of memory until they are within the limit, those that were not used for longest first; but
    /// never `kept`, however big it is.
    pub(super) fn make_room(&self, kept: &Arc<Slot>) {
        let mut slots = self.slots.all();
        slots.retain(|slot| !Arc::ptr_eq(slot, kept));
        slots.sort_by_key(|slot| slot.last_used());
        let mut weight: usize = slots.iter().map(|slot| weight(slot)).sum::<usize>() + self::weight(kept);
        metrics::gauge!("offshoot_flags_environments").set(to_f64(slots.len() + 1));
        for slot in &slots {
            if weight <= FLAG_BYTES_MAX {
                break;
            }
            weight -= self::weight(slot);
            slot.clear();
        }
        metrics::gauge!("offshoot_flags_bytes").set(to_f64(weight));
        // An empty slot costs little, but whoever has very many keys could ask with each of them once.
        let surplus = slots.len().saturating_sub(FLAG_SLOTS_MAX);
        if surplus > 0 {
            let is_idle = |slot: &&Arc<Slot>| slot.contents().is_none() && !slot.has_followers();
            let idle: Vec<_> = slots.iter().filter(is_idle).take(surplus).cloned().collect();
            self.slots.remove(&idle);
        }
    }
}

/// Bytes of what is in a slot, about.
fn weight(slot: &Slot) -> usize {
    match slot.contents().as_deref() {
        Some(Contents::Served(environment)) => environment.weight(),
        Some(Contents::Creating) | None => 0,
    }
}

#[allow(clippy::cast_precision_loss, reason = "metrics are floating-point numbers")]
fn to_f64(number: usize) -> f64 {
    number as f64
}
