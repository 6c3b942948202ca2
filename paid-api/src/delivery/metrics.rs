//! The counters through the `metrics` facade: feature `metrics`.

use super::stats::Stats;

/// One attempt: how many signals, how many microseconds.
#[cfg(feature = "metrics")]
pub(super) fn attempt(signals: u64, took: u64) {
    #[allow(clippy::cast_precision_loss)]
    let (signals, seconds) = (signals as f64, took as f64 / 1e6);
    metrics::histogram!("paid_signals_batch_size").record(signals);
    metrics::histogram!("paid_signals_request_duration_seconds").record(seconds);
}

/// All counters and gauges.
#[cfg(feature = "metrics")]
pub(super) fn publish(stats: &Stats) {
    for (name, value) in [
        ("paid_signals_accepted_total", stats.accepted),
        ("paid_signals_recovered_total", stats.recovered),
        ("paid_signals_delivered_total", stats.delivered),
        ("paid_signals_duplicate_total", stats.duplicates),
        ("paid_signals_rejected_total", stats.rejected),
        ("paid_signals_dead_lettered_total", stats.dead_lettered),
        ("paid_signals_dropped_total", stats.dropped),
        ("paid_signals_refused_total", stats.refused),
        ("paid_signals_requests_total", stats.requests),
        ("paid_signals_retries_total", stats.retries),
    ] {
        metrics::counter!(name).absolute(value);
    }
    #[allow(clippy::cast_precision_loss)]
    for (name, value) in [
        ("paid_signals_queued", stats.queued() as f64),
        ("paid_signals_spilled", stats.spilled as f64),
        ("paid_signals_in_flight", stats.in_flight as f64),
        ("paid_signals_oldest_age_seconds", stats.oldest_age().as_secs_f64()),
        ("paid_signals_circuit_open", f64::from(u8::from(stats.circuit_open))),
    ] {
        metrics::gauge!(name).set(value);
    }
}

#[cfg(not(feature = "metrics"))]
pub(super) fn attempt(_: u64, _: u64) {}

#[cfg(not(feature = "metrics"))]
pub(super) fn publish(_: &Stats) {}
