//! Counters of spans.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::dispatch::Stats;
use crate::report::{DeliveryError, RecordKind};
use crate::verdict::Verdict;

/// Counters of spans so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct TraceStats {
    /// Spans inside scopes that have ended.
    pub ended: u64,
    /// Spans that the collector accepted.
    pub exported: u64,
    /// Spans that the collector refused.
    pub rejected: u64,
    /// Spans that had no room in the queue, or were not sent when tracing ended.
    pub dropped: u64,
    /// Of those, signals: work that is not billed.
    pub dropped_signals: u64,
    /// Signals that were not accepted: without a customer, or with Paid's own ids.
    pub refused_signals: u64,
    /// While tracing is turned off: the traced scopes and signals of the process that were not recorded. In a dry run: the spans
    /// that were logged.
    pub skipped: u64,
    /// Requests that were answered or failed.
    pub requests: u64,
    /// Of those, requests that repeated an earlier one.
    pub retries: u64,
    /// Cost-attributed signals that were not the first one of their work.
    pub repeated_attributions: u64,
    /// Signals and calls of models outside traced work: their costs cannot be attributed.
    pub unattributed: u64,
}

impl TraceStats {
    /// Spans that are pending: queued or being sent.
    pub fn queued(&self) -> u64 {
        self.ended.saturating_sub(self.exported + self.rejected + self.dropped + self.skipped)
    }
}

/// Counters that tracing has beside dispatch.
#[derive(Debug, Default)]
pub(super) struct TraceCounters {
    dropped_signals: TraceCounter,
    pub(super) refused_signals: TraceCounter,
    pub(super) repeated_attributions: TraceCounter,
    pub(super) unattributed: TraceCounter,
}

#[derive(Debug, Default)]
pub(super) struct TraceCounter(AtomicU64);

impl TraceCounter {
    pub(super) fn add(&self, number: usize) {
        self.0.fetch_add(number as u64, Ordering::Relaxed);
    }

    fn read(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl TraceCounters {
    /// Counts signals that are lost on the way to the collector.
    pub(super) fn notice(&self, failure: &DeliveryError) {
        if failure.kind() != RecordKind::Signal {
            return;
        }
        let lost = match failure {
            DeliveryError::QueueFull { .. } | DeliveryError::ShutDown { .. } | DeliveryError::Dropped { .. } => 1,
            DeliveryError::NotDelivered { records, error, .. } => {
                let is_refused = error.as_ref().is_some_and(|error| error.verdict() == Verdict::BadContent);
                if is_refused { 0 } else { *records }
            }
            _ => 0,
        };
        self.dropped_signals.add(lost);
    }

    pub(super) fn read(&self, spans: &Stats) -> TraceStats {
        TraceStats {
            ended: spans.accepted + spans.refused,
            exported: spans.delivered,
            rejected: spans.rejected,
            dropped: spans.dropped + spans.refused,
            dropped_signals: self.dropped_signals.read(),
            refused_signals: self.refused_signals.read(),
            skipped: spans.skipped,
            requests: spans.requests,
            retries: spans.retries,
            repeated_attributions: self.repeated_attributions.read(),
            unattributed: self.unattributed.read(),
        }
    }
}
