//! Pauses between attempts to reach a store that is away.

use backon::BackoffBuilder;

use crate::limits::STORE_BACKOFF;

/// Growing pauses, with jitter, without an end.
pub(crate) fn backoff() -> backon::ExponentialBackoff {
    let (first, longest) = STORE_BACKOFF;
    backon::ExponentialBuilder::new()
        .with_min_delay(first)
        .with_max_delay(longest)
        .without_max_times()
        .with_jitter()
        .build()
}
