//! Counters of what was done.

use std::time::{Duration, SystemTime};

use serde::ser::{Serialize, SerializeStruct, Serializer};

use super::host::ms;
use super::measures;
use crate::report::RecordKind;

/// Counters of what was done and what is pending, in records: signals of an [`Emitter`](crate::Emitter), cost records
/// of a `CostEmitter`.
///
/// Feature `metrics` publishes the same counters through the `metrics` facade, as `paid_signals_*`, `paid_costs_*` and
/// `paid_spans_*`. Counters: `paid_signals_accepted_total`, `_recovered_total`, `_delivered_total`, `_duplicate_total`,
/// `_rejected_total`, `_dead_lettered_total`, `_dropped_total`, `_refused_total`, `_skipped_total`, `_requests_total`, `_retries_total`,
/// `_slow_requests_total`. Gauges: `paid_signals_queued`, `_spilled`, `_set_aside`, `_in_flight`, `_unanswered`,
/// `_unanswered_age_seconds`, `_oldest_age_seconds`, `_circuit_open` (0 or 1). Histograms: `paid_signals_batch_size`,
/// `paid_signals_request_duration_seconds`. Each is described to the recorder, which must be installed before the emitter is built.
/// [`prometheus`](Self::prometheus) writes them as text, without the facade.
///
/// As JSON (`serde::Serialize`), durations are in seconds, and `queued` and `oldest_age` are among the fields.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Records that were taken over for delivery.
    pub accepted: u64,
    /// Records of an earlier run that were found in the outbox.
    pub recovered: u64,
    /// Records that the server has.
    pub delivered: u64,
    /// Of those, records that the server already had, if it reports them.
    pub duplicates: u64,
    /// Records that the server permanently refused.
    pub rejected: u64,
    /// Of those, records that were written to the outbox's dead-letter file.
    pub dead_lettered: u64,
    /// Records that were accepted and then lost: dropped for newer ones, unreadable in a damaged outbox, or not
    /// delivered, without an outbox, when delivery ended.
    pub dropped: u64,
    /// Records that were not accepted: without a customer, without room in the queue, or not valid JSON.
    pub refused: u64,
    /// Records that were accepted and, on purpose, not sent: sending is turned off, or this is a dry run.
    pub skipped: u64,
    /// Records that are only on disk at the moment.
    pub spilled: u64,
    /// Records that are set aside at the moment: the server fails on them while others get through. They are tried again at
    /// growing intervals.
    pub set_aside: u64,
    /// Batches in delivery: in a request, or between two attempts.
    pub in_flight: u64,
    /// Requests that were sent and are not answered yet.
    pub unanswered: u64,
    /// When the oldest of those requests was sent, in milliseconds since 1970; 0 if every request is answered.
    pub unanswered_since: u64,
    /// When the oldest pending record was accepted, in milliseconds since 1970; 0 if no record is pending.
    pub oldest_since: u64,
    /// Attempts that were answered or failed.
    pub requests: u64,
    /// Of those, attempts that repeated an earlier one.
    pub retries: u64,
    /// Attempts that were not answered within 10 seconds. They are counted as soon as that time has passed.
    pub slow: u64,
    /// Records in all attempts; divided by `requests`, the mean size of a batch.
    pub sent: u64,
    /// How many records the largest request had.
    pub largest_batch: u64,
    /// The duration of all attempts; divided by `requests`, their mean latency.
    pub busy: Duration,
    /// The duration of the slowest attempt.
    pub slowest: Duration,
    /// True while nothing can be delivered.
    pub circuit_open: bool,
}

impl Stats {
    /// Records that are pending: in memory or in the outbox.
    pub fn queued(&self) -> u64 {
        let done = self.delivered + self.rejected + self.dropped + self.skipped;
        (self.accepted + self.recovered).saturating_sub(done)
    }

    /// How long the oldest record has been pending; zero if no record is, or if the clock was set back.
    pub fn oldest_age(&self) -> Duration {
        age(self.oldest_since)
    }

    /// How long the oldest request has been waiting for its answer; zero if none is, or if the clock was set back.
    pub fn unanswered_age(&self) -> Duration {
        age(self.unanswered_since)
    }

    /// Writes everything in Prometheus' text format, with HELP and TYPE, under the names of the facade: for a route `/metrics` of
    /// a program without a recorder. Texts of different kinds may follow each other.
    ///
    /// ```
    /// use paid::{RecordKind, Stats};
    ///
    /// let text = Stats::default().prometheus(RecordKind::Signal);
    /// assert!(text.contains("# TYPE paid_signals_delivered_total counter\npaid_signals_delivered_total 0\n"));
    /// ```
    pub fn prometheus(&self, kind: RecordKind) -> String {
        measures::prometheus(kind, self)
    }
}

fn age(since: u64) -> Duration {
    match since {
        0 => Duration::ZERO,
        since => Duration::from_millis(now_ms().saturating_sub(since)),
    }
}

/// Writes the fields of `Stats`. One that is not listed does not compile.
macro_rules! written {
    ($stats:ident, $serializer:ident: $($number:ident),*; seconds: $($duration:ident),*; not: $($other:ident),*) => {{
        let Stats { $($number,)* $($duration,)* $($other: _,)* } = $stats;
        let fields = [$(stringify!($number),)* $(stringify!($duration),)* "queued", "oldest_age", "unanswered_age"];
        let mut map = $serializer.serialize_struct("Stats", fields.len())?;
        $(map.serialize_field(stringify!($number), $number)?;)*
        $(map.serialize_field(stringify!($duration), &$duration.as_secs_f64())?;)*
        map.serialize_field("queued", &$stats.queued())?;
        map.serialize_field("oldest_age", &$stats.oldest_age().as_secs_f64())?;
        map.serialize_field("unanswered_age", &$stats.unanswered_age().as_secs_f64())?;
        map.end()
    }};
}

impl Serialize for Stats {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        written!(self, serializer: accepted, recovered, delivered, duplicates, rejected, dead_lettered, dropped, refused, skipped,
            spilled, set_aside, in_flight, unanswered, requests, retries, slow, sent, largest_batch, circuit_open;
            seconds: busy, slowest; not: oldest_since, unanswered_since)
    }
}

/// Milliseconds since 1970, by this machine's clock.
pub(crate) fn now_ms() -> u64 {
    ms(SystemTime::now())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_json_durations_are_seconds_and_what_is_pending_is_named() {
        let stats = Stats { accepted: 3, delivered: 1, slowest: Duration::from_millis(250), ..Stats::default() };
        let json = serde_json::to_value(stats).unwrap();
        assert_eq!(
            (&json["queued"], &json["slowest"], &json["circuit_open"]),
            (&2.into(), &0.25.into(), &false.into())
        );
        assert_eq!(json["oldest_age"], 0.0);
    }
}
