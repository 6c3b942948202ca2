//! What is published of [`Stats`], as one table: for the `metrics` facade, and as text for Prometheus.

use std::fmt::Write as _;

use super::stats::Stats;
use crate::report::RecordKind;

/// One number that is published.
pub(super) struct Measure {
    /// The part of its name behind `paid_signals_`.
    pub(super) name: &'static str,
    pub(super) help: &'static str,
    pub(super) value: Value,
}

/// How it is read.
pub(super) enum Value {
    /// Only becomes larger.
    Counter(fn(&Stats) -> u64),
    Gauge(fn(&Stats) -> f64),
}

/// The number of records of each request.
pub(super) const BATCH_SIZE: (&str, &str) = ("batch_size", "Records in a request.");
/// How long each request took.
pub(super) const DURATION: (&str, &str) = ("request_duration_seconds", "How long a request took, answered or failed.");

const fn counter(name: &'static str, help: &'static str, read: fn(&Stats) -> u64) -> Measure {
    Measure { name, help, value: Value::Counter(read) }
}

const fn gauge(name: &'static str, help: &'static str, read: fn(&Stats) -> f64) -> Measure {
    Measure { name, help, value: Value::Gauge(read) }
}

/// A number of records or requests, which a double holds exactly.
#[allow(clippy::cast_precision_loss)]
fn number(number: u64) -> f64 {
    number as f64
}

pub(super) const MEASURES: [Measure; 20] = [
    counter("accepted_total", "Records that were accepted.", |stats| stats.accepted),
    counter("recovered_total", "Records of an earlier run, found in the outbox.", |stats| stats.recovered),
    counter("delivered_total", "Records that the server has.", |stats| stats.delivered),
    counter("duplicate_total", "Delivered records that the server already had.", |stats| stats.duplicates),
    counter("rejected_total", "Records that the server permanently refused.", |stats| stats.rejected),
    counter("dead_lettered_total", "Refused records that were written as dead letters.", |stats| stats.dead_lettered),
    counter("dropped_total", "Records that were accepted and then lost.", |stats| stats.dropped),
    counter("refused_total", "Records that were not accepted.", |stats| stats.refused),
    counter("skipped_total", "Records that were not sent on purpose: turned off, or a dry run.", |stats| stats.skipped),
    counter("requests_total", "Attempts that were answered or failed.", |stats| stats.requests),
    counter("retries_total", "Attempts that repeated an earlier one.", |stats| stats.retries),
    counter("slow_requests_total", "Attempts that were not answered within 10 seconds.", |stats| stats.slow),
    gauge("queued", "Records that are pending, in memory or in the outbox.", |stats| number(stats.queued())),
    gauge("spilled", "Records that are only on disk.", |stats| number(stats.spilled)),
    gauge("set_aside", "Records on which the server fails while others get through.", |stats| number(stats.set_aside)),
    gauge("in_flight", "Batches in delivery, in a request or between two.", |stats| number(stats.in_flight)),
    gauge("unanswered", "Requests that were sent and are not answered yet.", |stats| number(stats.unanswered)),
    gauge("unanswered_age_seconds", "How long the oldest of those requests has been waiting.", |stats| {
        stats.unanswered_age().as_secs_f64()
    }),
    gauge("oldest_age_seconds", "How long the oldest record has been pending.", |stats| {
        stats.oldest_age().as_secs_f64()
    }),
    gauge("circuit_open", "1 while nothing can be delivered, else 0.", |stats| f64::from(u8::from(stats.circuit_open))),
];

/// The name under which a number about this kind of record is published.
pub(super) fn full_name(kind: RecordKind, name: &str) -> String {
    let kind = match kind {
        RecordKind::Signal => "signals",
        RecordKind::Cost => "costs",
        RecordKind::Span => "spans",
    };
    format!("paid_{kind}_{name}")
}

/// Everything in Prometheus' text format.
pub(super) fn prometheus(kind: RecordKind, stats: &Stats) -> String {
    let mut text = String::new();
    for Measure { name, help, value } in &MEASURES {
        let (is_a, value) = match value {
            Value::Counter(read) => ("counter", read(stats).to_string()),
            Value::Gauge(read) => ("gauge", read(stats).to_string()),
        };
        let name = full_name(kind, name);
        let _ = write!(text, "# HELP {name} {help}\n# TYPE {name} {is_a}\n{name} {value}\n");
    }
    for ((name, help), sum) in [(BATCH_SIZE, number(stats.sent)), (DURATION, stats.busy.as_secs_f64())] {
        let (name, count) = (full_name(kind, name), stats.requests);
        let _ = write!(text, "# HELP {name} {help}\n# TYPE {name} summary\n{name}_sum {sum}\n{name}_count {count}\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_pages_have_every_name() {
        let operations = include_str!("../../../docs/operations.md");
        let reference = include_str!("../../../docs/reference/metrics.md");
        for name in MEASURES.map(|measure| measure.name).into_iter().chain([BATCH_SIZE.0, DURATION.0]) {
            assert!(operations.contains(&format!("`{name}`")), "{name}");
            assert!(reference.contains(&format!("`paid_KIND_{name}`")), "{name}");
        }
    }

    #[test]
    fn the_text_has_help_type_and_value_of_each_number() {
        let stats = Stats {
            accepted: 7,
            delivered: 4,
            requests: 2,
            sent: 5,
            busy: Duration::from_millis(1500),
            ..Stats::default()
        };
        let text = prometheus(RecordKind::Signal, &stats);
        for line in [
            "# HELP paid_signals_accepted_total Records that were accepted.",
            "# TYPE paid_signals_accepted_total counter",
            "paid_signals_accepted_total 7",
            "# TYPE paid_signals_queued gauge",
            "paid_signals_queued 3",
            "paid_signals_batch_size_sum 5",
            "paid_signals_request_duration_seconds_sum 1.5",
            "paid_signals_request_duration_seconds_count 2",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
        }
        let names: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")).collect();
        assert_eq!(names.len(), MEASURES.len() + 2);
        assert_eq!(text.matches("# HELP ").count(), names.len());
        assert!(text.ends_with('\n'));
    }
}
