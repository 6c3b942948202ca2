//! The background that exports spans, and what is known of spans that are under way.

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
    /// How long a provider's own flush may take.
    pub(super) timeout: Duration,
    live: Live,
}

impl Exporter {
    pub(super) fn new(dispatch: Dispatch<Spans>, counters: Arc<TraceCounters>, timeout: Duration) -> Self {
        Self { dispatch, counters, timeout, live: Live::default() }
    }

    /// A span that belongs to traced work starts.
    pub(super) fn span_starts(&self, id: SpanId, stamp: Stamp) {
        self.live.start(id, stamp);
    }

    /// What a span was stamped with that has not ended.
    pub(super) fn stamp_of(&self, id: SpanId) -> Option<Stamp> {
        self.live.get(id)
    }

    /// A span ends; it is exported if it belongs to traced work.
    pub(super) fn span_ends(&self, span: SpanData) {
        if let Some(stamp) = self.live.end(span.span_context.span_id()) {
            self.dispatch.push(Ended { span, stamp }, None, None);
        }
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
