//! Claims: which node works on what, so that nodes that share a log do not do the same work twice.
//!
//! A claim saves work; it guards nothing. Whoever lost one without noticing does no harm, as the log's version check decides.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A piece of work that is this node's, until the claim is dropped or the node dies.
pub struct Claim {
    is_lost: Arc<AtomicBool>,
    release: Option<Box<dyn FnOnce() + Send + Sync>>,
}

impl Claim {
    /// The claim of a process that has its log to itself.
    #[must_use]
    pub fn undisputed() -> Self {
        Self { is_lost: Arc::default(), release: None }
    }

    /// A claim that is given back by `release`, and is gone as soon as `is_lost` says so.
    pub(super) fn new(is_lost: Arc<AtomicBool>, release: impl FnOnce() + Send + Sync + 'static) -> Self {
        Self { is_lost, release: Some(Box::new(release)) }
    }

    /// Whether another node may have the work by now.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        self.is_lost.load(Ordering::Acquire)
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if let Some(release) = self.release.take() {
            release();
        }
    }
}

impl fmt::Debug for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claim").field("is_lost", &self.is_lost()).finish_non_exhaustive()
    }
}
