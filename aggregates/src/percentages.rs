//! The rules for the shares of multivariate options.

use crate::limits::PERCENTAGES_MAX;

/// How far a sum may be off, in percent: shares of one decimal that sum to 100 on paper can sum to a little more in
/// floating point.
const SUM_TOLERANCE: f64 = 1e-9;

/// Whether the number is a share: from 0 to 100, and a number at all.
#[must_use]
pub fn is_percentage(share: f64) -> bool {
    (0.0..=PERCENTAGES_MAX).contains(&share)
}

/// Whether the shares of one feature sum to more than 100.
#[must_use]
pub fn exceed(shares: impl IntoIterator<Item = f64>) -> bool {
    shares.into_iter().sum::<f64>() > PERCENTAGES_MAX + SUM_TOLERANCE
}
