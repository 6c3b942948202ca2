//! The handle of tracing: keep it as long as the program runs.

use std::sync::Arc;
use std::time::Duration;

use opentelemetry_sdk::trace::SdkTracerProvider;

use super::layer::PaidLayer;
use super::pipeline::Pipeline;
use super::processor::PaidSpanProcessor;
use super::signals::TraceSignals;
use super::stats::TraceStats;
use crate::dispatch::FlushError;
use crate::scope::{self, Scope};

/// Tracing, as long as this lives. Dropping it sends what is queued, waiting up to 10 seconds unless
/// [`patience`](super::TraceBuilder::patience) says otherwise, and then stops.
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

    /// Returns true if anything is traced: false with `PAID_ENABLED=false`.
    pub fn is_enabled(&self) -> bool {
        self.pipeline.is_some()
    }

    /// A traced scope that uses this pipeline, whichever is installed.
    pub fn scope(&self) -> Scope {
        match self.pipeline() {
            Some(pipeline) => scope::scope().over(Arc::clone(pipeline)).traced(),
            None => scope::scope(),
        }
    }

    /// Takes what other crates record through `tracing` inside traced scopes; add it to your subscriber. It goes along
    /// with any other layer, that of `tracing-opentelemetry` too. A span that also comes through
    /// [`processor`](Self::processor) costs twice: take one of the two.
    pub fn layer(&self) -> PaidLayer {
        PaidLayer::over(self.pipeline().cloned())
    }

    /// Takes what your own OpenTelemetry provider records inside traced scopes; add it to that provider. The spans that
    /// your provider does not sample are missing then, but never the scopes' own and signals. A span that also comes
    /// through a [`layer`](Self::layer) of ours costs twice: take one of the two.
    pub fn processor(&self) -> PaidSpanProcessor {
        if let Some(pipeline) = self.pipeline() {
            pipeline.attach();
        }
        PaidSpanProcessor::guest(self.pipeline().map(|pipeline| Arc::clone(&pipeline.exporter)))
    }

    /// The provider behind it, for instrumentation that takes one: all its spans inside traced scopes are exported. To
    /// make it the process' own, hand it to `opentelemetry::global::set_tracer_provider`. Ask for it when the program starts: from
    /// then on, scopes enter OpenTelemetry's own context.
    pub fn provider(&self) -> SdkTracerProvider {
        match self.pipeline() {
            Some(pipeline) => {
                pipeline.attach();
                pipeline.provider().clone()
            }
            None => SdkTracerProvider::builder().with_sampler(opentelemetry_sdk::trace::Sampler::AlwaysOff).build(),
        }
    }

    /// Somewhere to send signals for those who only have the collector: `paid::install(guard.signals())`. They have no
    /// idempotency key there, and none is on disk; spans whose answer was lost are sent again with the ids they had, and
    /// whether Paid then counts a signal once is documented nowhere. With an API at hand, an [`Emitter`](crate::Emitter) is better.
    pub fn signals(&self) -> TraceSignals {
        TraceSignals::over(self.pipeline().cloned())
    }

    /// What has become of spans so far.
    pub fn stats(&self) -> TraceStats {
        self.pipeline().map(|pipeline| pipeline.exporter.stats()).unwrap_or_default()
    }

    /// Waits until every span that ended before is exported or given up.
    ///
    /// # Errors
    ///
    /// If that takes longer than `timeout`: how many spans are left. They stay queued.
    pub async fn flush(&self, timeout: Duration) -> Result<(), FlushError> {
        match &self.pipeline {
            Some(pipeline) => pipeline.exporter.dispatch.flush(timeout).await,
            None => Ok(()),
        }
    }

    /// Takes no more spans, sends what is queued, and ends the exporter's thread. What is left after `timeout` is lost
    /// and counted.
    ///
    /// # Errors
    ///
    /// If something was lost: how much.
    pub async fn shutdown(&self, timeout: Duration) -> Result<(), FlushError> {
        match &self.pipeline {
            Some(pipeline) => pipeline.shutdown(timeout).await,
            None => Ok(()),
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
