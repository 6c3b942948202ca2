//! The exporter of spans, and the stamps of spans that have not ended.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use opentelemetry::trace::SpanId;
use opentelemetry_sdk::trace::SpanData;

use super::cargo::{Ended, Spans};
use super::identity::Stamp;
use super::live::Live;
use super::stats::{TraceCounters, TraceStats};
use crate::dispatch::Dispatch;

pub(super) struct Exporter {
    pub(super) dispatch: Dispatch<Spans>,
    pub(super) counters: Arc<TraceCounters>,
    /// The time limit of a flush by an OpenTelemetry provider.
    pub(super) timeout: Duration,
    live: Live,
}

impl Exporter {
    pub(super) fn new(dispatch: Dispatch<Spans>, counters: Arc<TraceCounters>, timeout: Duration) -> Self {
        Self { dispatch, counters, timeout, live: Live::default() }
    }

    /// Notes that a span of traced work has started.
    pub(super) fn span_starts(&self, id: SpanId, stamp: Stamp) {
        self.live.start(id, stamp);
    }

    /// The stamp of a span that has not ended.
    pub(super) fn stamp_of(&self, id: SpanId) -> Option<Stamp> {
        self.live.get(id)
    }

    /// Exports a span that has ended, if it belongs to traced work. Returns true if it was accepted.
    pub(super) fn span_ends(&self, span: SpanData) -> bool {
        let stamp = self.live.end(span.span_context.span_id());
        stamp.is_some_and(|stamp| self.dispatch.push(Ended { span, stamp }, None, None))
    }

    pub(super) fn forget_live_spans(&self) {
        self.live.clear();
    }

    pub(super) fn stats(&self) -> TraceStats {
        self.counters.read(&self.dispatch.stats())
    }
}

impl fmt::Debug for Exporter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Exporter({:?})", self.stats())
    }
}
