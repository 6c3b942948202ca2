//! What an emitter has done, in numbers.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

/// What an emitter has done so far, and what it has before it.
///
/// With feature `metrics` the same is published through the `metrics` facade, for the process' emitter. Counters:
/// `paid_signals_accepted_total`, `_recovered_total`, `_delivered_total`, `_duplicate_total`, `_rejected_total`,
/// `_dead_lettered_total`, `_dropped_total`, `_refused_total`, `_requests_total`, `_retries_total`. Gauges:
/// `paid_signals_queued`, `_spilled`, `_in_flight`, `_oldest_age_seconds`, `_circuit_open` (0 or 1). Histograms:
/// `paid_signals_batch_size`, `paid_signals_request_duration_seconds`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Signals taken in.
    pub accepted: u64,
    /// Signals of an earlier run that were found in the outbox.
    pub recovered: u64,
    /// Signals that Paid has.
    pub delivered: u64,
    /// Of those, signals that Paid had before, as far as it says so.
    pub duplicates: u64,
    /// Signals that Paid refused for good.
    pub rejected: u64,
    /// Of those, signals that were written to the outbox's dead-letter file.
    pub dead_lettered: u64,
    /// Signals that were taken in and then lost: dropped for newer ones, unreadable in a damaged outbox, or left without
    /// an outbox when the emitter ended.
    pub dropped: u64,
    /// Signals that were never taken in: without a customer, without room, or not JSON.
    pub refused: u64,
    /// Signals that are only on disk at the moment.
    pub spilled: u64,
    /// Requests that are under way.
    pub in_flight: u64,
    /// When the signal that waits longest was taken in, in milliseconds since 1970; 0 when none waits.
    pub oldest_since: u64,
    /// Attempts that got an answer or failed.
    pub requests: u64,
    /// Of those, attempts that repeated one before.
    pub retries: u64,
    /// Signals in all attempts together; divided by `requests`, the mean size of a batch.
    pub sent: u64,
    /// The largest batch.
    pub largest_batch: u64,
    /// How long all attempts took together; divided by `requests`, their mean latency.
    pub busy: Duration,
    /// How long the slowest attempt took.
    pub slowest: Duration,
    /// Whether nothing gets through at the moment.
    pub circuit_open: bool,
}

impl Stats {
    /// Signals that are on their way: in memory or in the outbox.
    pub fn queued(&self) -> u64 {
        let done = self.delivered + self.rejected + self.dropped;
        (self.accepted + self.recovered).saturating_sub(done)
    }

    /// How long the oldest signal has waited; zero when none waits, or when the clock was put back.
    pub fn oldest_age(&self) -> Duration {
        match self.oldest_since {
            0 => Duration::ZERO,
            since => Duration::from_millis(now_ms().saturating_sub(since)),
        }
    }
}

/// Milliseconds since 1970.
pub(super) fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[derive(Default)]
pub(super) struct Counter(AtomicU64);

impl Counter {
    pub(super) fn add(&self, number: u64) {
        self.0.fetch_add(number, Ordering::Relaxed);
    }

    pub(super) fn subtract(&self, number: u64) {
        self.0.fetch_sub(number, Ordering::Relaxed);
    }

    pub(super) fn set(&self, number: u64) {
        self.0.store(number, Ordering::Relaxed);
    }

    fn raise(&self, number: u64) {
        self.0.fetch_max(number, Ordering::Relaxed);
    }

    fn read(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

#[derive(Default)]
pub(super) struct Flag(AtomicBool);

impl Flag {
    /// Sets it and tells what it was.
    pub(super) fn set(&self, value: bool) -> bool {
        self.0.swap(value, Ordering::Relaxed)
    }

    fn read(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

#[derive(Default)]
pub(super) struct Counters {
    pub(super) accepted: Counter,
    pub(super) recovered: Counter,
    pub(super) delivered: Counter,
    pub(super) duplicates: Counter,
    pub(super) rejected: Counter,
    pub(super) dead_lettered: Counter,
    pub(super) dropped: Counter,
    pub(super) refused: Counter,
    pub(super) spilled: Counter,
    pub(super) in_flight: Counter,
    pub(super) oldest_since: Counter,
    requests: Counter,
    pub(super) retries: Counter,
    sent: Counter,
    largest_batch: Counter,
    /// Microseconds.
    busy: Counter,
    slowest: Counter,
    pub(super) circuit_open: Flag,
}

impl Counters {
    /// An attempt was answered, or failed.
    pub(super) fn answered(&self, signals: usize, took: Duration) {
        let (signals, took) = (signals as u64, u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
        self.requests.add(1);
        self.sent.add(signals);
        self.largest_batch.raise(signals);
        self.busy.add(took);
        self.slowest.raise(took);
        super::metrics::attempt(signals, took);
    }

    pub(super) fn read(&self) -> Stats {
        Stats {
            // In an order in which `queued` is never too small.
            delivered: self.delivered.read(),
            rejected: self.rejected.read(),
            dropped: self.dropped.read(),
            duplicates: self.duplicates.read(),
            dead_lettered: self.dead_lettered.read(),
            refused: self.refused.read(),
            spilled: self.spilled.read(),
            in_flight: self.in_flight.read(),
            oldest_since: self.oldest_since.read(),
            requests: self.requests.read(),
            retries: self.retries.read(),
            sent: self.sent.read(),
            largest_batch: self.largest_batch.read(),
            busy: Duration::from_micros(self.busy.read()),
            slowest: Duration::from_micros(self.slowest.read()),
            circuit_open: self.circuit_open.read(),
            recovered: self.recovered.read(),
            accepted: self.accepted.read(),
        }
    }
}
