//! A limit for durations that users set: arithmetic with `Duration::MAX`, which stands for "for ever", overflows.

use std::time::Duration;

/// The longest duration that is waited for.
pub(crate) const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// The duration, or a year if it is longer.
pub(crate) fn bounded(duration: Duration) -> Duration {
    duration.min(LONGEST)
}
