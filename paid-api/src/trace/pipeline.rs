//! The way from a span to the collector: a dedicated provider, and the exporter behind it. The installed pipeline
//! serves all scopes of the process that name no other.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use opentelemetry::InstrumentationScope;
use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{Sampler, SdkTracer, SdkTracerProvider, SpanLimits};

use super::exporter::Exporter;
use super::identity::TRACER;
use super::notices;
use super::processor::PaidSpanProcessor;
use super::stats::TraceCounters;
use crate::dispatch::FlushError;
use crate::foreign;
use crate::scope::{self, Claim, Companion};
use crate::signal::HashKey;

static INSTALLED: RwLock<Option<Arc<Pipeline>>> = RwLock::new(None);

pub(super) struct Pipeline {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
    /// The tracer of spans that come through `tracing`.
    guest: SdkTracer,
    pub(super) exporter: Arc<Exporter>,
    /// For signals whose data is not sent in the clear.
    pub(super) hash_key: Option<HashKey>,
    attaches: AtomicBool,
}

impl Pipeline {
    /// Creates a pipeline whose provider is independent of `OTEL_*` variables and other providers.
    pub(super) fn new(exporter: Arc<Exporter>, resource: Resource, hash_key: Option<HashKey>) -> Self {
        let limits = SpanLimits {
            max_events_per_span: 128,
            max_attributes_per_span: 128,
            max_links_per_span: 128,
            max_attributes_per_event: 128,
            max_attributes_per_link: 128,
        };
        let provider = SdkTracerProvider::builder()
            .with_sampler(Sampler::AlwaysOn)
            .with_span_limits(limits)
            .with_resource(resource)
            .with_span_processor(PaidSpanProcessor::own(Arc::clone(&exporter)))
            .build();
        let tracer = provider.tracer_with_scope(InstrumentationScope::builder(TRACER).build());
        let guest = provider.tracer_with_scope(InstrumentationScope::builder("tracing").build());
        Self { provider, tracer, guest, exporter, hash_key, attaches: AtomicBool::new(false) }
    }

    pub(super) fn tracer(&self) -> &SdkTracer {
        &self.tracer
    }

    pub(super) fn guest_tracer(&self) -> &SdkTracer {
        &self.guest
    }

    pub(super) fn provider(&self) -> &SdkTracerProvider {
        &self.provider
    }

    /// From now on scopes set OpenTelemetry's context, so that the program's own spans become children of the scope's.
    pub(super) fn attach(&self) {
        self.attaches.store(true, Ordering::Relaxed);
    }

    pub(super) fn attaches(&self) -> bool {
        self.attaches.load(Ordering::Relaxed)
    }

    pub(super) fn install(self: &Arc<Self>) {
        let before = INSTALLED.write().unwrap_or_else(PoisonError::into_inner).replace(Arc::clone(self));
        if before.is_some() {
            foreign::log(|| {
                tracing::warn!("tracing was already initialised; spans go to the new pipeline from now on");
            });
        }
        scope::set_background(Some(Arc::new(OutsideScopes { counters: Arc::clone(&self.exporter.counters) })));
    }

    fn uninstall(&self) {
        let mut installed = INSTALLED.write().unwrap_or_else(PoisonError::into_inner);
        if installed.as_deref().is_some_and(|installed| std::ptr::eq(installed, self)) {
            *installed = None;
            scope::set_background(None);
        }
    }

    /// Accepts no more spans, and sends the queued ones for up to `timeout`.
    pub(super) async fn shutdown(&self, timeout: Duration) -> Result<(), FlushError> {
        self.uninstall();
        let outcome = self.exporter.dispatch.shutdown(timeout).await;
        let _ = self.provider.shutdown_with_timeout(Duration::ZERO);
        outcome
    }

    /// Like [`shutdown`](Self::shutdown), for a thread that may block; uses the exporter's patience.
    pub(super) fn end(&self) {
        self.uninstall();
        self.exporter.dispatch.end();
        let _ = self.provider.shutdown_with_timeout(Duration::ZERO);
    }
}

/// The companion of signals outside all scopes: their costs cannot be attributed.
struct OutsideScopes {
    counters: Arc<TraceCounters>,
}

impl Companion for OutsideScopes {
    fn claim(&self) -> Claim<'_> {
        self.counters.unattributed.add(1);
        Claim::Outside
    }
}

/// The companion of signals outside all scopes while tracing is turned off.
struct TurnedOff;

impl Companion for TurnedOff {
    fn claim(&self) -> Claim<'_> {
        Claim::Off
    }
}

/// Notes that tracing was turned off, so that it is not reported as missing.
pub(super) fn turned_off() {
    notices::turned_off();
    if installed().is_none() {
        scope::set_background(Some(Arc::new(TurnedOff)));
    }
}

impl fmt::Debug for Pipeline {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Pipeline({:?})", self.exporter.stats())
    }
}

pub(super) fn installed() -> Option<Arc<Pipeline>> {
    INSTALLED.read().unwrap_or_else(PoisonError::into_inner).clone()
}
