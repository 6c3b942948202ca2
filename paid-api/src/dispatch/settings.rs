//! What can be set of dispatch, the same for signals, cost records and spans.

use std::time::Duration;

use crate::report::{DeliveryError, Reporter};
use crate::verdict::Backoff;

/// What a full queue does with one more record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Overflow {
    /// Refuses it: its receipt, the log and the hook say so. The default.
    Reject,
    /// Lets those who can wait do so: [`send`](crate::Emitter::send) and [`store`](crate::Emitter::store) wait for room.
    /// `emit`, which never waits, refuses.
    Wait,
    /// Drops the record that has waited longest in the queue: its receipt, the log and the hook say so.
    DropOldest,
}

/// Limits of what may be in memory at once: queued, waiting for a request, or in one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) records: usize,
    pub(crate) bytes: usize,
}

/// What a sink's partial success means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Partial {
    /// The batch is halved and sent again: a record that is there already is a duplicate.
    SendAgain,
    /// The rest is there, and would be there twice.
    Keep,
}

/// How records are queued, batched and tried again.
#[derive(Debug)]
pub(crate) struct DispatchSettings {
    /// The name of the thread.
    pub(crate) thread: &'static str,
    pub(crate) queue: Limits,
    pub(crate) overflow: Overflow,
    pub(crate) batch: Limits,
    pub(crate) linger: Duration,
    pub(crate) backoff: Backoff,
    pub(crate) in_flight: usize,
    pub(crate) partial: Partial,
    pub(crate) patience: Duration,
    pub(crate) reporter: Reporter,
}

impl Default for DispatchSettings {
    fn default() -> Self {
        Self {
            thread: "paid-emitter",
            queue: Limits { records: 10_000, bytes: 64 << 20 },
            overflow: Overflow::Reject,
            batch: Limits { records: 500, bytes: 1 << 20 },
            linger: Duration::from_millis(100),
            backoff: Backoff { base: Duration::from_millis(500), max: Duration::from_secs(60) },
            in_flight: 4,
            partial: Partial::SendAgain,
            patience: Duration::from_secs(5),
            reporter: Reporter::default(),
        }
    }
}

impl DispatchSettings {
    /// How many records dispatch's thread may have in memory.
    pub(super) fn window(&self) -> Limits {
        let requests = self.in_flight.saturating_mul(2);
        Limits {
            records: self.batch.records.saturating_mul(requests).min(self.queue.records.div_ceil(2)),
            bytes: self.batch.bytes.saturating_mul(requests).min(self.queue.bytes.div_ceil(2)),
        }
    }

    pub(crate) fn add_hook(&mut self, hook: impl Fn(&DeliveryError) + Send + Sync + 'static) {
        self.reporter.add_hook(hook);
    }
}

/// Writes the setters that every builder over dispatch has. The builder has a field `settings`.
macro_rules! dispatch_setters {
    ($records:literal) => {
        #[doc = concat!("Called for every failure to deliver ", $records, ", from the thread that notices it. The failure has been")]
        /// logged already. Replaces no hook that was added before.
        pub fn on_error(mut self, hook: impl Fn(&$crate::DeliveryError) + Send + Sync + 'static) -> Self {
            self.settings.add_hook(hook);
            self
        }

        #[doc = concat!("How many ", $records, " may be in memory, waiting or on their way. One more goes to the outbox, if there is")]
        /// one; otherwise it is treated as [`overflow`](Self::overflow) says.
        pub fn queue(mut self, limit: usize) -> Self {
            self.settings.queue.records = limit.max(1);
            self
        }

        #[doc = concat!("About how many bytes of ", $records, " may be in memory; 64 MiB by default.")]
        pub fn queue_bytes(mut self, bytes: usize) -> Self {
            self.settings.queue.bytes = bytes.max(1);
            self
        }

        /// What a full queue does without an outbox, or with one that cannot be written;
        /// [`Overflow::Reject`](crate::Overflow::Reject) by default.
        pub fn overflow(mut self, overflow: $crate::Overflow) -> Self {
            self.settings.overflow = overflow;
            self
        }

        #[doc = concat!("How many ", $records, " go into one request.")]
        pub fn max_batch(mut self, records: usize) -> Self {
            self.settings.batch.records = records.max(1);
            self
        }

        /// How many bytes go into one request; 1 MiB by default. A larger record goes alone.
        pub fn max_bytes(mut self, bytes: usize) -> Self {
            self.settings.batch.bytes = bytes.max(1);
            self
        }

        #[doc = concat!("How long ", $records, " wait for others to go with them.")]
        pub fn linger(mut self, linger: std::time::Duration) -> Self {
            self.settings.linger = linger;
            self
        }

        /// The bounds of the first wait and of every wait before delivery is tried again; 500 ms and a minute by default.
        /// A server that asks for a wait of its own gets it, unless it asks for more than an hour.
        pub fn retry_delays(mut self, base: std::time::Duration, max: std::time::Duration) -> Self {
            self.settings.backoff.base = base;
            self.settings.backoff.max = max;
            self
        }

        #[doc = concat!("How long dropping the last handle waits for ", $records, " that are queued.")]
        pub fn patience(mut self, patience: std::time::Duration) -> Self {
            self.settings.patience = patience;
            self
        }
    };
}

pub(crate) use dispatch_setters;
