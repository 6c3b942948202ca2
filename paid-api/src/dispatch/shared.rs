//! What the handles of a dispatch, its thread and its couriers share: the counters, the reporter and the host.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::counters::{Counter, Counters};
use super::delivered::DeliveredHooks;
use super::doubt::Traffic;
use super::host::{Host, ms};
use super::metrics::Metrics;
use super::unanswered::Asked;
use crate::foreign;
use crate::report::{DeliveryError, RecordKind, Reporter, log};

pub(super) struct DispatchShared {
    pub(super) counts: Counters,
    pub(super) reporter: Reporter,
    pub(super) delivered: DeliveredHooks,
    pub(super) host: Arc<dyn Host>,
    /// How many records the end of delivery has lost.
    pub(super) lost_at_end: Counter,
    metrics: Metrics,
    recorder_panicked: AtomicBool,
    /// Answers about content, and failures since the last of them.
    answers: Counter,
    failures: Counter,
    /// Until when the sink has asked to be left alone.
    asked: Mutex<Option<Instant>>,
    /// When it was last logged that nothing can be delivered.
    told: Mutex<Option<Instant>>,
}

/// What cannot be delivered is logged at most this often.
const TOLD_EVERY: Duration = Duration::from_secs(60);

impl DispatchShared {
    pub(super) fn new(kind: RecordKind, reporter: Reporter, host: Arc<dyn Host>) -> Self {
        let clock = Arc::clone(&host);
        let reporter = reporter.with_clock(move || clock.instant().into_std());
        Self {
            counts: Counters::default(),
            reporter,
            delivered: DeliveredHooks::default(),
            host,
            lost_at_end: Counter::default(),
            metrics: Metrics::new(kind),
            recorder_panicked: AtomicBool::new(false),
            answers: Counter::default(),
            failures: Counter::default(),
            asked: Mutex::default(),
            told: Mutex::default(),
        }
    }

    pub(super) fn with_delivered(mut self, delivered: DeliveredHooks) -> Self {
        self.delivered = delivered;
        self
    }

    /// A request is sent now; it is answered, or given up, when what is returned is dropped.
    pub(super) fn asks(&self) -> Asked<'_> {
        self.counts.unanswered.ask(ms(self.host.now()))
    }

    /// A request has not been answered for this long.
    pub(super) fn is_slow(&self, kind: RecordKind, records: usize, after: Duration) {
        self.counts.slow.add(1);
        let records = kind.counted(records);
        self.is_stuck(format_args!(
            "the server has not answered a request of {records} for {after:?}: it is waited for"
        ));
        self.publish();
    }

    /// Counts an attempt that was answered or failed.
    pub(super) fn answered(&self, records: usize, took: Duration) {
        self.counts.answered(records, took);
        let took = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.with_metrics(|metrics| metrics.attempt(records as u64, took));
    }

    /// The sink answered about content: it works.
    pub(super) fn gets_through(&self) {
        self.counts.circuit_open.set(false);
        self.answers.add(1);
        self.failures.set(0);
    }

    /// The sink said nothing about content.
    pub(super) fn fails(&self) {
        self.failures.add(1);
    }

    /// The sink asks to be left alone until then, by whatever request.
    pub(super) fn ask(&self, until: Instant) {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        *asked = Some(asked.map_or(until, |before| before.max(until)));
    }

    pub(super) fn asked(&self) -> Option<Instant> {
        *self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn traffic(&self) -> Traffic {
        Traffic { answers: self.answers.read(), failures: self.failures.read() }
    }

    /// Notes that nothing can be delivered, and logs why: once until something is, and not more often than every minute.
    pub(super) fn is_stuck(&self, why: std::fmt::Arguments<'_>) {
        if self.counts.circuit_open.set(true) {
            return;
        }
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if told.is_none_or(|told| now.duration_since(told) >= TOLD_EVERY) {
            *told = Some(now);
            drop(told);
            log(&why);
        }
    }

    /// Counts, logs and reports a load that was not accepted.
    pub(super) fn refuse(&self, failure: &DeliveryError) {
        self.counts.refused.add(1);
        self.reporter.report(failure);
    }

    /// The recorder is the program's. One that panics is left alone from then on.
    fn with_metrics(&self, publish: impl FnOnce(&Metrics)) {
        if self.recorder_panicked.load(Ordering::Relaxed) {
            return;
        }
        if let Err(panic) = foreign::call(|| publish(&self.metrics)) {
            self.recorder_panicked.store(true, Ordering::Relaxed);
            log(&format_args!("the recorder of `metrics` {panic}: it gets no more of these metrics"));
        }
    }

    pub(super) fn publish(&self) {
        let stats = self.counts.read();
        self.with_metrics(|metrics| metrics.publish(&stats));
    }
}
