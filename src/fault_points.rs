//! Named points at which the crash tests kill the process, so that they can prove what survives. Empty in every build
//! without the feature `fault-points`.
//!
//! `OFFSHOOT_FAULT_POINT=before-commit:3` kills the process with SIGKILL when it reaches `before-commit` for the third time;
//! without a number, the first time.

use std::sync::Arc;

use offshoot_projections::Projection;

/// Says that the process has come to the point `name`; does not return if it is to die here.
#[cfg(not(feature = "fault-points"))]
#[inline]
pub fn reached(_name: &str) {}

/// Says that the process has come to the point `name`; does not return if it is to die here.
#[cfg(feature = "fault-points")]
pub fn reached(name: &str) {
    armed::reached(name);
}

/// The projection as it is.
#[cfg(not(feature = "fault-points"))]
pub fn raise_version(projection: Arc<dyn Projection>) -> Arc<dyn Projection> {
    projection
}

/// The projection, or the same as one of the next version if `OFFSHOOT_RAISED_PROJECTION` names it: with `:unreadable` behind the
/// name as one that cannot serve files of the present version.
#[cfg(feature = "fault-points")]
pub fn raise_version(projection: Arc<dyn Projection>) -> Arc<dyn Projection> {
    raised::raise_version(projection)
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

#[cfg(feature = "fault-points")]
mod raised {
    use std::sync::Arc;

    use offshoot_aggregates::environment::BatchOutline;
    use offshoot_aggregates::{Event, RecordedEvent};
    use offshoot_projections::Projection;
    use rusqlite::Transaction;

    /// A projection as it will be in the next version.
    struct Raised {
        present: Arc<dyn Projection>,
        reads_present_files: bool,
    }

    pub(super) fn raise_version(present: Arc<dyn Projection>) -> Arc<dyn Projection> {
        let setting = std::env::var("OFFSHOOT_RAISED_PROJECTION").unwrap_or_default();
        let (name, kind) = setting.split_once(':').unwrap_or((&setting, ""));
        if name != present.name() {
            return present;
        }
        Arc::new(Raised { present, reads_present_files: kind != "unreadable" })
    }

    impl Projection for Raised {
        fn name(&self) -> &'static str {
            self.present.name()
        }

        fn version(&self) -> u32 {
            self.present.version() + 1
        }

        fn readable_since(&self) -> u32 {
            if self.reads_present_files { self.present.readable_since() } else { self.version() }
        }

        fn schema(&self) -> &'static str {
            self.present.schema()
        }

        fn concerns(&self, event_type: &str) -> bool {
            self.present.concerns(event_type)
        }

        fn counts_batches(&self) -> bool {
            self.present.counts_batches()
        }

        fn apply_outline(
            &self,
            tx: &Transaction<'_>,
            recorded: &RecordedEvent,
            outline: &BatchOutline,
        ) -> rusqlite::Result<()> {
            self.present.apply_outline(tx, recorded, outline)
        }

        fn apply(&self, tx: &Transaction<'_>, recorded: &RecordedEvent, event: &Event) -> rusqlite::Result<()> {
            self.present.apply(tx, recorded, event)
        }
    }
}
