//! How long a clone puts up with trouble before its attempt counts as failed.

use std::time::Duration;

use backon::BackoffBuilder;
use tokio::time::Instant;

use crate::limits::{CLONE_ATTEMPTS_MAX, CLONE_BACKOFF_MAX, CLONE_BACKOFF_MIN, CLONE_STORE_AWAY_MAX};

/// How long a clone puts up with trouble before its attempt counts as failed.
#[derive(Clone, Copy, Debug)]
pub struct CloneRetries {
    /// How often something is tried that is broken.
    pub attempts_max: usize,
    /// How long the store may be away.
    pub store_away_max: Duration,
    /// The first pause; each further one is twice as long, with jitter.
    pub pause_min: Duration,
    /// The longest pause.
    pub pause_max: Duration,
}

impl Default for CloneRetries {
    fn default() -> Self {
        Self {
            attempts_max: CLONE_ATTEMPTS_MAX,
            store_away_max: CLONE_STORE_AWAY_MAX,
            pause_min: CLONE_BACKOFF_MIN,
            pause_max: CLONE_BACKOFF_MAX,
        }
    }
}

/// What went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// The store is away or too busy: time helps.
    StoreAway,
    /// Something is broken: time seldom helps.
    Fault,
}

impl Trouble {
    /// Its name for programs.
    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::StoreAway => "store_unavailable",
            Self::Fault => "fault",
        }
    }
}

/// What is left of the patience with one thing that is tried.
pub(super) struct Patience {
    retries: CloneRetries,
    pauses: backon::ExponentialBackoff,
    faults: usize,
    away_since: Option<Instant>,
}

impl CloneRetries {
    /// Fresh patience.
    pub(super) fn patience(self) -> Patience {
        let pauses = backon::ExponentialBuilder::new()
            .with_min_delay(self.pause_min)
            .with_max_delay(self.pause_max)
            .with_jitter()
            .without_max_times()
            .build();
        Patience { retries: self, pauses, faults: 0, away_since: None }
    }
}

impl Patience {
    /// How long to wait before the next try; `None` if there is no use any more.
    pub(super) fn pause_after(&mut self, trouble: Trouble) -> Option<Duration> {
        let is_enough = match trouble {
            Trouble::StoreAway => {
                let away_since = *self.away_since.get_or_insert_with(Instant::now);
                away_since.elapsed() >= self.retries.store_away_max
            }
            Trouble::Fault => {
                self.faults += 1;
                self.faults >= self.retries.attempts_max
            }
        };
        (!is_enough).then(|| self.next_pause())
    }

    /// How long to wait before the next try, whatever went wrong.
    pub(super) fn next_pause(&mut self) -> Duration {
        self.pauses.next().unwrap_or(self.retries.pause_max)
    }
}

#[cfg(test)]
mod tests {
    use super::{CloneRetries, Trouble};
    use crate::limits::{CLONE_ATTEMPTS_MAX, CLONE_BACKOFF_MAX, CLONE_STORE_AWAY_MAX};

    #[tokio::test(start_paused = true)]
    async fn a_store_may_be_away_for_as_long_as_the_limit_says() {
        let mut patience = CloneRetries::default().patience();
        let begun = tokio::time::Instant::now();
        while let Some(pause) = patience.pause_after(Trouble::StoreAway) {
            // Jitter at most doubles a pause.
            assert!(pause <= CLONE_BACKOFF_MAX * 2, "{pause:?}");
            tokio::time::sleep(pause).await;
        }
        let waited = begun.elapsed();
        assert!((CLONE_STORE_AWAY_MAX..CLONE_STORE_AWAY_MAX + CLONE_BACKOFF_MAX * 2).contains(&waited), "{waited:?}");
    }

    #[test]
    fn what_is_broken_is_tried_a_few_times() {
        let mut patience = CloneRetries::default().patience();
        let tries = 1 + std::iter::from_fn(|| patience.pause_after(Trouble::Fault)).count();
        assert_eq!(tries, CLONE_ATTEMPTS_MAX);
    }
}
