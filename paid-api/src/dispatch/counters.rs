//! The counters behind [`Stats`].

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use super::stats::Stats;
use super::unanswered::Unanswered;

#[derive(Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, number: u64) {
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

    pub(super) fn read(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

#[derive(Default)]
pub(super) struct Flag(AtomicBool);

impl Flag {
    /// Sets the flag and returns its previous value.
    pub(super) fn set(&self, value: bool) -> bool {
        self.0.swap(value, Ordering::Relaxed)
    }

    fn read(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

#[derive(Default)]
pub(crate) struct Counters {
    pub(super) accepted: Counter,
    pub(super) recovered: Counter,
    pub(super) delivered: Counter,
    pub(super) duplicates: Counter,
    pub(super) rejected: Counter,
    pub(super) dead_lettered: Counter,
    /// Refused records whose dead letters may not be written yet; only with an outbox.
    pub(super) unwritten: Counter,
    pub(super) dropped: Counter,
    pub(super) refused: Counter,
    pub(super) skipped: Counter,
    pub(super) spilled: Counter,
    pub(super) set_aside: Counter,
    pub(super) in_flight: Counter,
    pub(super) oldest_since: Counter,
    requests: Counter,
    pub(super) retries: Counter,
    pub(super) slow: Counter,
    sent: Counter,
    largest_batch: Counter,
    /// Microseconds.
    busy: Counter,
    slowest: Counter,
    pub(super) circuit_open: Flag,
    pub(super) unanswered: Unanswered,
}

impl Counters {
    /// Counts an attempt that was answered or failed.
    pub(super) fn answered(&self, records: usize, took: Duration) {
        let (records, took) = (records as u64, u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
        self.requests.add(1);
        self.sent.add(records);
        self.largest_batch.raise(records);
        self.busy.add(took);
        self.slowest.raise(took);
    }

    pub(crate) fn read(&self) -> Stats {
        let (unanswered, unanswered_since) = self.unanswered.read();
        Stats {
            // Read in an order in which `queued` is never too small.
            delivered: self.delivered.read(),
            rejected: self.rejected.read(),
            dropped: self.dropped.read(),
            duplicates: self.duplicates.read(),
            dead_lettered: self.dead_lettered.read(),
            refused: self.refused.read(),
            skipped: self.skipped.read(),
            spilled: self.spilled.read(),
            set_aside: self.set_aside.read(),
            in_flight: self.in_flight.read(),
            oldest_since: self.oldest_since.read(),
            requests: self.requests.read(),
            retries: self.retries.read(),
            slow: self.slow.read(),
            unanswered,
            unanswered_since,
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
