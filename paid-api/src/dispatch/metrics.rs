//! Publishes the counters through the `metrics` facade: feature `metrics`. Does nothing without it.

use std::sync::atomic::AtomicBool;

use crate::report::RecordKind;

/// The names under which one kind of record is published.
pub(super) struct Metrics {
    kind: RecordKind,
    is_described: AtomicBool,
}

impl Metrics {
    pub(super) fn new(kind: RecordKind) -> Self {
        Self { kind, is_described: AtomicBool::new(false) }
    }
}

#[cfg(feature = "metrics")]
mod facade {
    use std::sync::atomic::Ordering;

    use super::Metrics;
    use crate::dispatch::measures::{BATCH_SIZE, DURATION, MEASURES, Value, full_name};
    use crate::dispatch::stats::Stats;

    impl Metrics {
        /// Publishes one attempt: its number of records and its duration in microseconds.
        pub(in crate::dispatch) fn attempt(&self, records: u64, took: u64) {
            #[allow(clippy::cast_precision_loss)]
            let (records, seconds) = (records as f64, took as f64 / 1e6);
            metrics::histogram!(full_name(self.kind, BATCH_SIZE.0)).record(records);
            metrics::histogram!(full_name(self.kind, DURATION.0)).record(seconds);
        }

        /// Publishes all counters and gauges; the first time with what they mean.
        pub(in crate::dispatch) fn publish(&self, stats: &Stats) {
            if !self.is_described.swap(true, Ordering::Relaxed) {
                self.describe();
            }
            for measure in &MEASURES {
                let name = full_name(self.kind, measure.name);
                match measure.value {
                    Value::Counter(read) => metrics::counter!(name).absolute(read(stats)),
                    Value::Gauge(read) => metrics::gauge!(name).set(read(stats)),
                }
            }
        }

        fn describe(&self) {
            for measure in &MEASURES {
                let name = full_name(self.kind, measure.name);
                match measure.value {
                    Value::Counter(_) => metrics::describe_counter!(name, measure.help),
                    Value::Gauge(_) => metrics::describe_gauge!(name, measure.help),
                }
            }
            for (name, help) in [BATCH_SIZE, DURATION] {
                metrics::describe_histogram!(full_name(self.kind, name), help);
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
