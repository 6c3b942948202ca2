//! Tracing over a collector that is simulated.

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use opentelemetry::trace::{SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState};
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};

use crate::client::KeySource;
use crate::dispatch::Host;
use crate::error::ConfigError;
use crate::trace::{TraceBuilder, TraceGuard, TraceStats};
use crate::{ApiKey, FlushError, Sink, Stats};

/// Tracing whose spans are given.
#[derive(Debug)]
pub struct Traces(TraceGuard);

impl Traces {
    /// A builder of tracing whose work runs on this host.
    pub fn builder(host: Arc<dyn Host>) -> TraceBuilder {
        let mut builder = TraceBuilder::default();
        builder.settings.host = host;
        builder
    }

    /// Starts tracing over this collector.
    ///
    /// # Errors
    ///
    /// If no thread can be started.
    pub fn start(builder: TraceBuilder, collector: impl Sink + 'static) -> Result<Self, ConfigError> {
        let key = KeySource::Fixed(ApiKey::new("paid_simulated")?);
        builder.start(key, |_, _| Arc::new(collector)).map(Self)
    }

    /// Exports the span with this number, which starts and ends at once. Its name, or that of its signal, is `e` and the
    /// number. Returns true if it is accepted.
    pub fn export(&self, number: u32, text: String, is_signal: bool) -> bool {
        let name = format!("e{number}");
        let mut attributes = vec![KeyValue::new("text", text)];
        if is_signal {
            attributes.push(KeyValue::new("event_name", name.clone()));
        }
        let id = SpanId::from(u64::from(number) + 1);
        let trace = TraceId::from(1);
        self.0.export(SpanData {
            span_context: SpanContext::new(trace, id, TraceFlags::SAMPLED, false, TraceState::NONE),
            parent_span_id: SpanId::INVALID,
            parent_span_is_remote: false,
            span_kind: SpanKind::Internal,
            name: if is_signal { "signal".into() } else { name.into() },
            start_time: UNIX_EPOCH,
            end_time: UNIX_EPOCH,
            attributes,
            dropped_attributes_count: 0,
            events: SpanEvents::default(),
            links: SpanLinks::default(),
            status: Status::Unset,
            instrumentation_scope: InstrumentationScope::builder("paid.rust").build(),
        })
    }

    /// The counters of spans.
    pub fn stats(&self) -> TraceStats {
        self.0.stats()
    }

    /// The counters of what delivers the spans.
    pub fn dispatched(&self) -> Stats {
        self.0.dispatched().unwrap_or_default()
    }

    /// See [`TraceGuard::flush`].
    ///
    /// # Errors
    ///
    /// If spans are not exported in time.
    pub async fn flush(&self, timeout: Duration) -> Result<(), FlushError> {
        self.0.flush(timeout).await
    }

    /// See [`TraceGuard::shutdown`].
    ///
    /// # Errors
    ///
    /// If spans were lost.
    pub async fn shutdown(&self, timeout: Duration) -> Result<(), FlushError> {
        self.0.shutdown(timeout).await
    }
}
