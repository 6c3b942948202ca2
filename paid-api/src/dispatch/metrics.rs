//! Publishes the counters through the `metrics` facade: feature `metrics`. Does nothing without it.

use crate::report::RecordKind;

/// The names under which one kind of record is published.
pub(super) struct Metrics {
    kind: RecordKind,
}

impl Metrics {
    pub(super) fn new(kind: RecordKind) -> Self {
        Self { kind }
    }
}

#[cfg(feature = "metrics")]
mod facade {
    use super::{Metrics, RecordKind};
    use crate::dispatch::stats::Stats;

    impl Metrics {
        fn name(&self, what: &str) -> String {
            let kind = match self.kind {
                RecordKind::Signal => "signals",
                RecordKind::Cost => "costs",
                RecordKind::Span => "spans",
            };
            format!("paid_{kind}_{what}")
        }

        /// Publishes one attempt: its number of records and its duration in microseconds.
        pub(in crate::dispatch) fn attempt(&self, records: u64, took: u64) {
            #[allow(clippy::cast_precision_loss)]
            let (records, seconds) = (records as f64, took as f64 / 1e6);
            metrics::histogram!(self.name("batch_size")).record(records);
            metrics::histogram!(self.name("request_duration_seconds")).record(seconds);
        }

        /// Publishes all counters and gauges.
        pub(in crate::dispatch) fn publish(&self, stats: &Stats) {
            for (what, value) in [
                ("accepted_total", stats.accepted),
                ("recovered_total", stats.recovered),
                ("delivered_total", stats.delivered),
                ("duplicate_total", stats.duplicates),
                ("rejected_total", stats.rejected),
                ("dead_lettered_total", stats.dead_lettered),
                ("dropped_total", stats.dropped),
                ("refused_total", stats.refused),
                ("requests_total", stats.requests),
                ("retries_total", stats.retries),
            ] {
                metrics::counter!(self.name(what)).absolute(value);
            }
            #[allow(clippy::cast_precision_loss)]
            for (what, value) in [
                ("queued", stats.queued() as f64),
                ("spilled", stats.spilled as f64),
                ("set_aside", stats.set_aside as f64),
                ("in_flight", stats.in_flight as f64),
                ("oldest_age_seconds", stats.oldest_age().as_secs_f64()),
                ("circuit_open", f64::from(u8::from(stats.circuit_open))),
            ] {
                metrics::gauge!(self.name(what)).set(value);
            }
        }
    }
}

#[cfg(not(feature = "metrics"))]
mod silent {
    use super::Metrics;
    use crate::dispatch::stats::Stats;

    impl Metrics {
        #[allow(clippy::unused_self)]
        pub(in crate::dispatch) fn attempt(&self, _: u64, _: u64) {}

        #[allow(clippy::unused_self)]
        pub(in crate::dispatch) fn publish(&self, _: &Stats) {}
    }
}
