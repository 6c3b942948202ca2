//! The handle of tracing: keep it as long as the program runs.

use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;

use opentelemetry_sdk::trace::SdkTracerProvider;

use super::builder::Thread;
use super::layer::PaidLayer;
use super::pipeline::{PaidSpanProcessor, Pipeline};
use super::queue::TraceStats;
use super::signals::TraceSignals;
use crate::delivery::within;
use crate::emit;
use crate::signal::scope::{self, Scope};

/// Tracing, as long as this lives. Dropping it sends what is queued, waiting up to 10 seconds unless
/// [`patience`](super::TraceBuilder::patience) says otherwise, and then stops.
#[derive(Debug)]
#[must_use = "tracing ends when the guard is dropped: keep it in a variable of `main`"]
pub struct TraceGuard {
    /// `None` when tracing is turned off.
    inner: Option<Arc<Inner>>,
    patience: Duration,
}

struct Inner {
    pipeline: Arc<Pipeline>,
    runtime: tokio::runtime::Handle,
    done: Mutex<mpsc::Receiver<()>>,
    ended: tokio::sync::watch::Receiver<bool>,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.pipeline.fmt(formatter)
    }
}

/// What a flush did not get done in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{left} span(s) are not exported after {after:?}; the collector cannot be reached, or needs longer")]
#[non_exhaustive]
pub struct TraceFlushError {
    /// How many spans are left.
    pub left: u64,
    /// How long was waited.
    pub after: Duration,
}

impl TraceGuard {
    pub(super) fn over(pipeline: Arc<Pipeline>, thread: Thread, patience: Duration) -> Self {
        let Thread { runtime, done, ended } = thread;
        let inner = Inner { pipeline, runtime, done: Mutex::new(done), ended };
        Self { inner: Some(Arc::new(inner)), patience }
    }

    pub(super) fn disabled() -> Self {
        Self { inner: None, patience: Duration::ZERO }
    }

    pub(super) fn pipeline(&self) -> Option<&Arc<Pipeline>> {
        self.inner.as_ref().map(|inner| &inner.pipeline)
    }

    /// Whether anything is traced; not with `PAID_ENABLED=false`.
    pub fn is_enabled(&self) -> bool {
        self.inner.is_some()
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
        PaidSpanProcessor { queue: self.pipeline().map(|pipeline| Arc::clone(&pipeline.queue)), is_guest: true }
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
        self.pipeline().map(|pipeline| pipeline.queue.stats()).unwrap_or_default()
    }

    /// Waits until every span that ended before is exported or given up.
    ///
    /// # Errors
    ///
    /// When that takes longer than `timeout`: how many spans are left. They stay queued.
    pub async fn flush(&self, timeout: Duration) -> Result<(), TraceFlushError> {
        let Some(inner) = &self.inner else { return Ok(()) };
        let flushed = inner.pipeline.queue.flushed();
        let is_flushed = within(&inner.runtime, timeout, flushed).await.is_some_and(|told| told.is_ok());
        self.outcome(is_flushed, timeout)
    }

    fn outcome(&self, is_done: bool, after: Duration) -> Result<(), TraceFlushError> {
        let left = self.stats().queued();
        if is_done || left == 0 { Ok(()) } else { Err(TraceFlushError { left, after }) }
    }

    /// Takes no more spans, sends what is queued, and ends the exporter's thread. What is left after `timeout` is lost
    /// and counted.
    ///
    /// # Errors
    ///
    /// When something was lost: how much.
    pub async fn shutdown(&self, timeout: Duration) -> Result<(), TraceFlushError> {
        let Some(inner) = &self.inner else { return Ok(()) };
        inner.shutdown(timeout).await
    }

    /// When the process is told to end (SIGTERM, or SIGINT from Ctrl-C), sends what is queued for up to `timeout`, and then
    /// lets the process end by the signal as it would have without this. Feature `sigterm`.
    ///
    /// # Errors
    ///
    /// When the operating system allows no handler.
    #[cfg(feature = "sigterm")]
    pub fn shutdown_on_sigterm(&self, timeout: Duration) -> Result<(), crate::ConfigError> {
        let Some(inner) = &self.inner else { return Ok(()) };
        let inner = Arc::downgrade(inner);
        crate::delivery::on_sigterm(async move || {
            if let Some(inner) = inner.upgrade()
                && let Err(left) = inner.shutdown(timeout).await
            {
                emit::log(&left);
            }
        })
    }
}

impl Inner {
    async fn shutdown(&self, timeout: Duration) -> Result<(), TraceFlushError> {
        let before = self.pipeline.queue.stats();
        self.pipeline.uninstall();
        self.pipeline.queue.close(timeout);
        let mut ended = self.ended.clone();
        let limit = timeout + Duration::from_secs(1);
        within(&self.runtime, limit, async move { ended.wait_for(|ended| *ended).await.is_ok() }).await;
        let _ = self.pipeline.provider().shutdown_with_timeout(Duration::ZERO);
        let stats = self.pipeline.queue.stats();
        let left = stats.queued() + (stats.dropped - before.dropped);
        if left == 0 { Ok(()) } else { Err(TraceFlushError { left, after: timeout }) }
    }
}

impl Drop for TraceGuard {
    fn drop(&mut self) {
        let Some(inner) = &self.inner else { return };
        inner.pipeline.uninstall();
        inner.pipeline.queue.close(self.patience);
        let done = inner.done.lock().unwrap_or_else(PoisonError::into_inner);
        // The thread gives up by itself when its patience ends; a request may still hang for a moment then.
        let limit = self.patience + Duration::from_secs(1);
        let is_late = matches!(done.recv_timeout(limit), Err(mpsc::RecvTimeoutError::Timeout));
        let left = self.stats().queued();
        if is_late && left > 0 {
            emit::log(&format_args!("tracing ended, and {left} span(s) are left after {limit:?}"));
        }
        let _ = inner.pipeline.provider().shutdown_with_timeout(Duration::ZERO);
    }
}
