//! Counters of what was done.

use std::time::{Duration, SystemTime};

use super::host::ms;

/// Counters of what was done and what is pending, in records: signals of an [`Emitter`](crate::Emitter), cost records
/// of a `CostEmitter`.
///
/// Feature `metrics` publishes the same counters through the `metrics` facade, as `paid_signals_*`, `paid_costs_*` and
/// `paid_spans_*`. Counters: `paid_signals_accepted_total`, `_recovered_total`, `_delivered_total`, `_duplicate_total`,
/// `_rejected_total`, `_dead_lettered_total`, `_dropped_total`, `_refused_total`, `_requests_total`, `_retries_total`. Gauges:
/// `paid_signals_queued`, `_spilled`, `_set_aside`, `_in_flight`, `_oldest_age_seconds`, `_circuit_open` (0 or 1). Histograms:
/// `paid_signals_batch_size`, `paid_signals_request_duration_seconds`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Records that were accepted.
    pub accepted: u64,
    /// Records of an earlier run that were found in the outbox.
    pub recovered: u64,
    /// Records that the server has.
    pub delivered: u64,
    /// Of those, records that the server already had, if it reports them.
    pub duplicates: u64,
    /// Records that the server permanently refused.
    pub rejected: u64,
    /// Of those, records that were written to the outbox's dead-letter file.
    pub dead_lettered: u64,
    /// Records that were accepted and then lost: dropped for newer ones, unreadable in a damaged outbox, or not
    /// delivered, without an outbox, when delivery ended.
    pub dropped: u64,
    /// Records that were not accepted: without a customer, without room in the queue, or not valid JSON.
    pub refused: u64,
    /// Records that are only on disk at the moment.
    pub spilled: u64,
    /// Records that are set aside at the moment: the server fails on them while others get through. They are tried again at
    /// growing intervals.
    pub set_aside: u64,
    /// Requests in progress.
    pub in_flight: u64,
    /// When the oldest pending record was accepted, in milliseconds since 1970; 0 if no record is pending.
    pub oldest_since: u64,
    /// Attempts that were answered or failed.
    pub requests: u64,
    /// Of those, attempts that repeated an earlier one.
    pub retries: u64,
    /// Records in all attempts; divided by `requests`, the mean size of a batch.
    pub sent: u64,
    /// The largest batch, in records.
    pub largest_batch: u64,
    /// The duration of all attempts; divided by `requests`, their mean latency.
    pub busy: Duration,
    /// The duration of the slowest attempt.
    pub slowest: Duration,
    /// True while nothing can be delivered.
    pub circuit_open: bool,
}

impl Stats {
    /// Records that are pending: in memory or in the outbox.
    pub fn queued(&self) -> u64 {
        let done = self.delivered + self.rejected + self.dropped;
        (self.accepted + self.recovered).saturating_sub(done)
    }

    /// How long the oldest record has been pending; zero if no record is, or if the clock was set back.
    pub fn oldest_age(&self) -> Duration {
        match self.oldest_since {
            0 => Duration::ZERO,
            since => Duration::from_millis(now_ms().saturating_sub(since)),
        }
    }
}

/// Milliseconds since 1970, by this machine's clock.
pub(crate) fn now_ms() -> u64 {
    ms(SystemTime::now())
}
