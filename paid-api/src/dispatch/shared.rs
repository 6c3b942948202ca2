//! What the handles of a dispatch, its thread and its couriers share: the counters, the reporter and the host.

use std::sync::Arc;
use std::time::Duration;

use super::counters::Counters;
use super::host::Host;
use super::metrics::Metrics;
use crate::report::{DeliveryError, RecordKind, Reporter};

pub(super) struct DispatchShared {
    pub(super) counts: Counters,
    pub(super) reporter: Reporter,
    pub(super) host: Arc<dyn Host>,
    metrics: Metrics,
}

impl DispatchShared {
    pub(super) fn new(kind: RecordKind, reporter: Reporter, host: Arc<dyn Host>) -> Self {
        Self { counts: Counters::default(), reporter, host, metrics: Metrics::new(kind) }
    }

    /// Counts an attempt that was answered or failed.
    pub(super) fn answered(&self, records: usize, took: Duration) {
        self.counts.answered(records, took);
        self.metrics.attempt(records as u64, u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
    }

    /// Counts, logs and reports a load that was not accepted.
    pub(super) fn refuse(&self, failure: &DeliveryError) {
        self.counts.refused.add(1);
        self.reporter.report(failure);
    }

    pub(super) fn publish(&self) {
        self.metrics.publish(&self.counts.read());
    }
}
