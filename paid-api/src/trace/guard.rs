//! The handle of tracing.

use std::sync::Arc;
use std::time::Duration;

use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData};

use super::identity::{Identity, Stamp};
use super::layer::PaidLayer;
use super::notices;
use super::pipeline::Pipeline;
use super::processor::PaidSpanProcessor;
use super::signals::TraceSignals;
use super::stats::TraceStats;
use crate::dispatch::{FlushError, Stats};
use crate::report::RecordKind;
use crate::scope::{self, Scope};

/// The handle of tracing: keep it until the program ends. Dropping it sends the queued spans, for up to 10 seconds
/// unless [`patience`](super::TraceBuilder::patience) is set, and then stops. If the process ends before that, as with
/// [`std::process::exit`], queued spans are sent all the same, see [`Emitter`](crate::Emitter).
#[derive(Debug)]
#[must_use = "tracing ends when the guard is dropped: keep it in a variable of `main`"]
pub struct TraceGuard {
    /// `None` if tracing is turned off.
    pipeline: Option<Arc<Pipeline>>,
}

impl TraceGuard {
    pub(super) fn over(pipeline: Arc<Pipeline>) -> Self {
        Self { pipeline: Some(pipeline) }
    }

    pub(super) fn disabled() -> Self {
        Self { pipeline: None }
    }

    pub(super) fn pipeline(&self) -> Option<&Arc<Pipeline>> {
        self.pipeline.as_ref()
    }

    /// Returns true if tracing is on, and false if it was turned off, for example with `PAID_ENABLED=false`.
    pub fn is_enabled(&self) -> bool {
        self.pipeline.is_some()
    }

    /// Returns a traced scope that uses this guard's pipeline, even if another one is installed.
    pub fn scope(&self) -> Scope {
        match self.pipeline() {
            Some(pipeline) => scope::scope().over(Arc::clone(pipeline)).traced(),
            None => scope::scope(),
        }
    }

    /// Returns a `tracing` layer that records what other crates record inside traced scopes; add it to your subscriber.
    /// It works with any other layer, including that of `tracing-opentelemetry`. If a span also passes through
    /// [`processor`](Self::processor), its costs count twice: use only one of the two.
    pub fn layer(&self) -> PaidLayer {
        PaidLayer::over(self.pipeline().cloned())
    }

    /// Returns a span processor that exports what your own OpenTelemetry provider records inside traced scopes; add it
    /// to that provider. Spans that your provider does not sample are missing, but never the scopes' own spans and
    /// signals. If a span also passes through [`layer`](Self::layer), its costs count twice: use only one of the two.
    pub fn processor(&self) -> PaidSpanProcessor {
        if let Some(pipeline) = self.pipeline() {
            pipeline.attach();
        }
        PaidSpanProcessor::guest(self.pipeline().map(|pipeline| Arc::clone(&pipeline.exporter)))
    }

    /// Returns the provider of the pipeline, for instrumentation that needs one: all its spans inside traced scopes are
    /// exported. To make it the global provider, pass it to `opentelemetry::global::set_tracer_provider`. Call this
    /// when the program starts: from then on, scopes set OpenTelemetry's own context.
    pub fn provider(&self) -> SdkTracerProvider {
        match self.pipeline() {
            Some(pipeline) => {
                pipeline.attach();
                pipeline.provider().clone()
            }
            None => SdkTracerProvider::builder().with_sampler(opentelemetry_sdk::trace::Sampler::AlwaysOff).build(),
        }
    }

    /// Returns an emitter that sends signals to the collector instead of the API: `paid::install(guard.signals())`. The
    /// collector has no idempotency keys, and these signals are not kept on disk. If a response is lost, the spans are
    /// sent again with the same ids; it is not documented whether Paid then counts a signal once. Prefer an
    /// [`Emitter`](crate::Emitter) if you can use the API.
    pub fn signals(&self) -> TraceSignals {
        TraceSignals::over(self.pipeline().cloned())
    }

    /// The counters of spans so far.
    pub fn stats(&self) -> TraceStats {
        match self.pipeline() {
            Some(pipeline) => pipeline.exporter.stats(),
            None => TraceStats { skipped: notices::skipped(), ..TraceStats::default() },
        }
    }

    /// The counters of delivery in Prometheus' text format, as `paid_spans_*`; see [`Stats::prometheus`].
    pub fn prometheus(&self) -> String {
        let stats = self.pipeline().map(|pipeline| pipeline.exporter.dispatch.stats()).unwrap_or_default();
        stats.prometheus(RecordKind::Span)
    }

    /// Waits until every span that ended before is exported or refused.
    ///
    /// # Errors
    ///
    /// If that takes longer than `timeout`: with the number of spans that are not exported, which stay queued. If delivery has
    /// ended: with the number of those that it left.
    pub async fn flush(&self, timeout: Duration) -> Result<(), FlushError> {
        match &self.pipeline {
            Some(pipeline) => pipeline.exporter.dispatch.flush(timeout).await,
            None => Ok(()),
        }
    }

    /// Accepts no more spans, sends the queued ones, and ends the exporter's thread. Spans that are not exported after
    /// `timeout` are lost and counted.
    ///
    /// # Errors
    ///
    /// If spans were lost: with their number.
    pub async fn shutdown(&self, timeout: Duration) -> Result<(), FlushError> {
        match &self.pipeline {
            Some(pipeline) => pipeline.shutdown(timeout).await,
            None => Ok(()),
        }
    }

    /// Exports a span without a customer, as the pipeline's own processor does when it starts and ends. Returns true if it
    /// was accepted.
    #[allow(dead_code, reason = "feature `fuzzing` calls it")]
    pub(crate) fn export(&self, span: SpanData) -> bool {
        let Some(Pipeline { exporter, .. }) = self.pipeline.as_deref() else { return false };
        let identity = Arc::new(Identity::new(&[], None, None, None, None));
        exporter.span_starts(span.span_context.span_id(), Stamp { identity, scope_id: 1 });
        exporter.span_ends(span)
    }

    /// Dispatch's own counters of spans.
    #[allow(dead_code, reason = "feature `fuzzing` calls it")]
    pub(crate) fn dispatched(&self) -> Option<Stats> {
        self.pipeline.as_ref().map(|pipeline| pipeline.exporter.dispatch.stats())
    }

    /// Sets how long the end may take if a signal of the operating system ends the process.
    #[allow(dead_code, reason = "feature `sigterm` calls it")]
    pub(crate) fn name_time_on_signal(&self, time: Duration) {
        if let Some(pipeline) = &self.pipeline {
            pipeline.exporter.dispatch.name_time_on_signal(time);
        }
    }
}

impl Drop for TraceGuard {
    fn drop(&mut self) {
        if let Some(pipeline) = &self.pipeline {
            pipeline.end();
        }
    }
}
