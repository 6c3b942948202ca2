//! The settings of dispatch, the same for signals, cost records and spans.

use std::sync::Arc;
use std::time::Duration;

use super::delivered::DeliveredHooks;
use super::host::{Host, Machine};
use super::mode::Mode;
use crate::client;
use crate::error::ConfigError;
use crate::report::{DeliveryError, Reporter};
use crate::verdict::Backoff;

/// What a full queue does with one more record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Overflow {
    /// Refuses the record; its receipt, the log and the error hook say so. The default.
    Reject,
    /// Callers that can wait do: [`send`](crate::Emitter::send) and [`store`](crate::Emitter::store) wait for room, first
    /// come, first served, on any runtime, and are never refused because the queue is full. `emit`, which never waits,
    /// refuses the record: if it does not fit, or if others wait.
    Wait,
    /// Drops the records that have waited longest in the queue, as many as the new one needs; the receipt of each, the
    /// log and the error hook say so. The new one is refused if that is not enough: records that are already being sent
    /// are not dropped. Nor is any record for one that exceeds `queue_bytes` by itself.
    DropOldest,
}

/// Limits of what may be in memory at once: queued, waiting for a request, or in one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) records: usize,
    pub(crate) bytes: usize,
}

/// What to do if a sink accepts only some records of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Partial {
    /// Halve the batch and send it again: records that the sink already has are duplicates.
    SendAgain,
    /// Keep the result: the accepted records would be counted twice if they were sent again.
    Keep,
}

/// How records are queued, batched and retried.
#[derive(Debug)]
pub(crate) struct DispatchSettings {
    /// The thread's name.
    pub(crate) thread: &'static str,
    pub(crate) queue: Limits,
    pub(crate) overflow: Overflow,
    pub(crate) batch: Limits,
    pub(crate) linger: Duration,
    pub(crate) backoff: Backoff,
    /// The longest wait that a server may ask for.
    pub(crate) longest_asked: Duration,
    pub(crate) in_flight: usize,
    pub(crate) partial: Partial,
    /// Whether the records of a customer wait while one of theirs is set aside.
    pub(crate) keeps_order: bool,
    pub(crate) patience: Duration,
    pub(crate) reporter: Reporter,
    pub(crate) delivered: DeliveredHooks,
    /// Whether records are sent; if it is not set, the environment decides.
    pub(crate) enabled: Option<bool>,
    pub(crate) dry_run: bool,
    /// Whether the client has no API key, because sending was switched off when it was made.
    pub(crate) is_keyless: bool,
    pub(crate) host: Arc<dyn Host>,
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
            longest_asked: Duration::from_secs(60 * 60),
            in_flight: 4,
            partial: Partial::SendAgain,
            keeps_order: false,
            patience: Duration::from_secs(5),
            reporter: Reporter::default(),
            delivered: DeliveredHooks::default(),
            enabled: None,
            dry_run: false,
            is_keyless: false,
            host: Arc::new(Machine),
        }
    }
}

impl DispatchSettings {
    /// How many records and bytes dispatch's thread may have in memory.
    pub(super) fn window(&self) -> Limits {
        let requests = self.in_flight.saturating_mul(2);
        Limits {
            records: self.batch.records.saturating_mul(requests).min(self.queue.records.div_ceil(2)),
            bytes: self.batch.bytes.saturating_mul(requests).min(self.queue.bytes.div_ceil(2)),
        }
    }

    /// What becomes of records.
    ///
    /// # Errors
    ///
    /// If the environment does not say clearly whether anything is sent, or it would be sent without an API key.
    pub(crate) fn mode(&self) -> Result<Mode, ConfigError> {
        let is_on = self.enabled.map_or_else(client::is_switched_on, Ok)?;
        if is_on && !self.dry_run && self.is_keyless {
            return Err(ConfigError::new(
                "sending is turned on, and the client has no API key: PAID_ENABLED was `false` when it was made, and PAID_API_KEY \
                 was not set; set PAID_API_KEY",
            ));
        }
        Ok(match (is_on, self.dry_run) {
            (false, _) => Mode::Off,
            (true, true) => Mode::DryRun,
            (true, false) => Mode::Live,
        })
    }

    pub(crate) fn add_hook(&mut self, hook: impl Fn(&DeliveryError) + Send + Sync + 'static) {
        self.reporter.add_hook(hook);
    }
}

/// Defines the setters of every builder over dispatch. The builder needs a field `settings`.
macro_rules! dispatch_setters {
    ($records:literal, queue: $queue:literal, batch: $batch:literal, linger: $linger:literal, delays: $delays:literal, patience: $patience:literal) => {
        #[doc = concat!("Adds a function that is called once for every failure to deliver ", $records, ", in order, after the failure was")]
        /// logged. Hooks that were added before stay.
        ///
        /// Hooks run on a thread of their own, so they may block, call back into this library, and even panic. A failure
        /// that a hook itself causes on that thread is counted and logged, but calls no hook. If 1,000 failures wait for a
        /// hook, it is told of further ones together, with their number
        /// ([`Untold`](crate::DeliveryError::Untold)). When delivery ends, it waits for the hooks within its
        /// time.
        pub fn on_error(mut self, hook: impl Fn(&$crate::DeliveryError) + Send + Sync + 'static) -> Self {
            self.settings.add_hook(hook);
            self
        }

        #[doc = concat!("Sets whether ", $records, " are sent. By default they are, unless `PAID_ENABLED` is `false`, which turns off signals,")]
        /// cost records and spans alike. What is turned off is said once in the log, counted, and never an error: it is not
        /// even checked, no outbox is opened, and no API key is needed.
        pub fn enabled(mut self, enabled: bool) -> Self {
            self.settings.enabled = Some(enabled);
            self
        }

        #[doc = concat!("Sets whether ", $records, " are logged and counted instead of sent; they are sent by default. They are checked and batched as")]
        /// ever, and each is logged as a warning, or printed to stderr if no `tracing` subscriber listens: signals and cost
        /// records as the JSON that would be sent, spans by their name and size. No outbox is opened, and nothing leaves the process.
        pub fn dry_run(mut self, dry_run: bool) -> Self {
            self.settings.dry_run = dry_run;
            self
        }

        #[doc = concat!("Sets how many ", $records, " may be in memory at once, queued or being sent; ", $queue, " by default. For further ones an")]
        /// outbox makes room, if there is one; otherwise [`overflow`](Self::overflow) decides.
        pub fn queue(mut self, limit: usize) -> Self {
            self.settings.queue.records = limit.max(1);
            self
        }

        #[doc = concat!("Sets about how many bytes of ", $records, " may be in memory at once, queued or being sent; 64 MiB by default.")]
        /// One that is larger by itself is accepted only while there is no other. With an outbox, those on disk do not
        /// count, of which up to half as much is in memory to be sent.
        pub fn queue_bytes(mut self, bytes: usize) -> Self {
            self.settings.queue.bytes = bytes.max(1);
            self
        }

        /// Sets what happens to further records if the queue is full and there is no outbox, or it cannot be written;
        /// [`Overflow::Reject`](crate::Overflow::Reject) by default. Where no call can wait, [`Overflow::Wait`](crate::Overflow::Wait)
        /// rejects too.
        pub fn overflow(mut self, overflow: $crate::Overflow) -> Self {
            self.settings.overflow = overflow;
            self
        }

        #[doc = concat!("Sets how many ", $records, " may go into one request; ", $batch, " by default.")]
        pub fn max_batch(mut self, records: usize) -> Self {
            self.settings.batch.records = records.max(1);
            self
        }

        /// Sets how many bytes may go into one request; 1 MiB by default. A larger record is sent alone.
        pub fn max_bytes(mut self, bytes: usize) -> Self {
            self.settings.batch.bytes = bytes.max(1);
            self
        }

        #[doc = concat!("Sets how long ", $records, " wait for others before a request that is not full is sent; ", $linger, " by default.")]
        pub fn linger(mut self, linger: std::time::Duration) -> Self {
            self.settings.linger = linger;
            self
        }

        #[doc = concat!("Sets the upper bounds of the first wait and of every wait before a retry; ", $delays, " by default. A wait that the")]
        /// server asks for is kept, if it is longer and not absurd: an hour for signals and cost records, the largest wait for
        /// spans.
        pub fn retry_delays(mut self, base: std::time::Duration, max: std::time::Duration) -> Self {
            self.settings.backoff.base = base;
            self.settings.backoff.max = max;
            self
        }

        #[doc = concat!("Sets how long dropping the last handle waits for queued ", $records, "; ", $patience, " by default. The end of the process")]
        /// waits as long, but not more than a minute.
        pub fn patience(mut self, patience: std::time::Duration) -> Self {
            self.settings.patience = patience;
            self
        }
    };
}

/// Defines the setter of the hook for what was delivered, of builders whose records have keys.
macro_rules! delivered_setter {
    ($records:literal, resent: $resubmit:literal) => {
        #[doc = concat!("Adds a function that is called with ", $records, " that Paid has acknowledged, each with its key: those of a request together, or a")]
        /// part of them. Functions that were added before stay.
        ///
        /// It runs on a thread of its own, so it may block and even panic. If 1,000 requests wait for it, it is not told of
        /// further ones, and the log says how many records it missed. When delivery ends, it waits for the function within
        /// its time, so it must not end delivery itself. After a crash, a delivered record may never be told, or be told again by the
        #[doc = concat!("next run: compare keys. What ", $resubmit, " sends again is in its own result.")]
        pub fn on_delivered(mut self, hook: impl Fn(&[$crate::Delivered]) + Send + Sync + 'static) -> Self {
            self.settings.delivered.add(hook);
            self
        }
    };
}

pub(crate) use {delivered_setter, dispatch_setters};
