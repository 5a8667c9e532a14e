//! The keys of the advisory locks. Those of Offshoot have `0x0ff` in front, so that other users of the database can stay clear
//! of them; what the transactions of the log use stands in `migrations/`.

use uuid::Uuid;

/// Held while the schema is made or brought up to date.
pub(super) const SCHEMA: i64 = 0x0ff4 << 48;

/// Held by the node that works on something; see [`work`].
const WORK: i64 = 0x0ff7 << 48;

/// The key of a piece of work. Two pieces may share one, of 2^48: then they are done one after the other.
pub(super) fn work(id: Uuid) -> i64 {
    let (upper, lower) = id.as_u64_pair();
    let bits = (upper ^ lower.rotate_left(24)) & 0xffff_ffff_ffff;
    WORK | i64::try_from(bits).unwrap_or(0)
}
