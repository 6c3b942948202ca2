//! What an emitter has done, in numbers.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// What an emitter has done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Signals taken into the queue.
    pub accepted: u64,
    /// Signals that Paid has.
    pub delivered: u64,
    /// Of those, signals that Paid had before, as far as it says so.
    pub duplicates: u64,
    /// Signals that Paid refused for good, or that were left when the emitter ended.
    pub failed: u64,
    /// Signals that were never queued: without a customer, without room, or not JSON.
    pub refused: u64,
    /// Requests that were tried again.
    pub retries: u64,
    /// Whether nothing gets through at the moment.
    pub circuit_open: bool,
}

impl Stats {
    /// Signals that are on their way.
    pub fn queued(&self) -> u64 {
        self.accepted.saturating_sub(self.delivered).saturating_sub(self.failed)
    }
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

    fn read(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

#[derive(Default)]
pub(super) struct Counters {
    pub(super) accepted: Counter,
    pub(super) delivered: Counter,
    pub(super) duplicates: Counter,
    pub(super) failed: Counter,
    pub(super) refused: Counter,
    pub(super) retries: Counter,
    pub(super) circuit_open: AtomicBool,
}

impl Counters {
    pub(super) fn read(&self) -> Stats {
        Stats {
            // In an order in which `queued` is never too small.
            delivered: self.delivered.read(),
            duplicates: self.duplicates.read(),
            failed: self.failed.read(),
            refused: self.refused.read(),
            retries: self.retries.read(),
            circuit_open: self.circuit_open.load(Ordering::Relaxed),
            accepted: self.accepted.read(),
        }
    }
}
