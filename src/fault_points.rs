//! Named points at which the crash tests kill the process, so that they can prove what survives. Empty in every build
//! without the feature `fault-points`.
//!
//! `OFFSHOOT_FAULT_POINT=before-commit:3` kills the process with SIGKILL when it reaches `before-commit` for the third time;
//! without a number, the first time.

/// Says that the process has come to the point `name`; does not return if it is to die here.
#[cfg(not(feature = "fault-points"))]
#[inline]
pub fn reached(_name: &str) {}

/// Says that the process has come to the point `name`; does not return if it is to die here.
#[cfg(feature = "fault-points")]
pub fn reached(name: &str) {
    armed::reached(name);
}

#[cfg(feature = "fault-points")]
mod armed {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    use nix::sys::signal::{Signal, raise};

    struct FaultPoint {
        name: String,
        count: u64,
        reached: AtomicU64,
    }

    static FAULT_POINT: OnceLock<Option<FaultPoint>> = OnceLock::new();

    pub(super) fn reached(name: &str) {
        let Some(point) = FAULT_POINT.get_or_init(from_environment) else { return };
        if point.name == name && point.reached.fetch_add(1, Ordering::SeqCst) + 1 == point.count {
            // SIGKILL cannot be caught: nothing is flushed and no destructor runs, as in a real crash.
            if let Err(error) = raise(Signal::SIGKILL) {
                tracing::error!(%error, name, "the fault point could not kill the process");
            }
        }
    }

    fn from_environment() -> Option<FaultPoint> {
        let setting = std::env::var("OFFSHOOT_FAULT_POINT").ok()?;
        let (name, count) = setting.rsplit_once(':').unwrap_or((&setting, "1"));
        let Ok(count) = count.parse() else {
            tracing::error!(setting, "OFFSHOOT_FAULT_POINT is not `name:count`: no fault point is armed");
            return None;
        };
        Some(FaultPoint { name: name.to_owned(), count, reached: AtomicU64::new(0) })
    }
}
