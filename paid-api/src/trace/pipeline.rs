//! The way from a span to the collector: a provider of its own, and what hands finished spans to the exporter's thread.
//! The one that is installed serves all scopes of the process that name no other.

use std::borrow::Cow;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Once, PoisonError, RwLock};
use std::time::Duration;

use opentelemetry::trace::{Span as _, TraceContextExt, TracerProvider};
use opentelemetry::{Context, InstrumentationScope};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Sampler, SdkTracer, SdkTracerProvider, Span, SpanData, SpanLimits, SpanProcessor};

use super::TRACER;
use super::queue::Queue;
use super::work::{Stamp, Work};
use crate::emit;
use crate::signal::scope::Scope;

static INSTALLED: RwLock<Option<Arc<Pipeline>>> = RwLock::new(None);
/// Whether somebody turned tracing off: then nobody is told that it is not there.
static IS_OFF: AtomicBool = AtomicBool::new(false);

pub(crate) struct Pipeline {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
    /// For what comes through `tracing`.
    guest: SdkTracer,
    pub(super) queue: Arc<Queue>,
    attaches: AtomicBool,
}

impl Pipeline {
    /// A provider that no `OTEL_*` variable and no other provider changes.
    pub(super) fn new(queue: Arc<Queue>, resource: Resource) -> Self {
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
            .with_span_processor(PaidSpanProcessor { queue: Some(Arc::clone(&queue)), is_guest: false })
            .build();
        let tracer = provider.tracer_with_scope(InstrumentationScope::builder(TRACER).build());
        let guest = provider.tracer_with_scope(InstrumentationScope::builder("tracing").build());
        Self { provider, tracer, guest, queue, attaches: AtomicBool::new(false) }
    }

    pub(crate) fn tracer(&self) -> &SdkTracer {
        &self.tracer
    }

    pub(super) fn guest_tracer(&self) -> &SdkTracer {
        &self.guest
    }

    pub(super) fn provider(&self) -> &SdkTracerProvider {
        &self.provider
    }

    /// The host's spans are exported too: they are to be children of the scope's.
    pub(super) fn attach(&self) {
        self.attaches.store(true, Ordering::Relaxed);
    }

    pub(super) fn attaches(&self) -> bool {
        self.attaches.load(Ordering::Relaxed)
    }

    pub(super) fn install(self: &Arc<Self>) {
        let before = INSTALLED.write().unwrap_or_else(PoisonError::into_inner).replace(Arc::clone(self));
        if before.is_some() {
            tracing::warn!("tracing was initialised already; spans go to the new pipeline from now on");
        }
    }

    pub(super) fn uninstall(self: &Arc<Self>) {
        let mut installed = INSTALLED.write().unwrap_or_else(PoisonError::into_inner);
        if installed.as_ref().is_some_and(|installed| Arc::ptr_eq(installed, self)) {
            *installed = None;
        }
    }
}

impl fmt::Debug for Pipeline {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Pipeline({:?})", self.queue.stats())
    }
}

pub(crate) fn installed() -> Option<Arc<Pipeline>> {
    INSTALLED.read().unwrap_or_else(PoisonError::into_inner).clone()
}

pub(super) fn turned_off() {
    IS_OFF.store(true, Ordering::Relaxed);
}

fn once(told: &Once, what: &dyn fmt::Display) {
    told.call_once(|| emit::log(what));
}

/// A scope is to be traced, and nothing is there to do it.
pub(super) fn report_missing() {
    static TOLD: Once = Once::new();
    if !IS_OFF.load(Ordering::Relaxed) {
        once(
            &TOLD,
            &"work is to be traced, and tracing is not initialised: call `paid::trace::init()` when the program starts",
        );
    }
}

/// A signal is to take costs with it, and is outside traced work.
pub(super) fn report_unattributed(name: &str) {
    static TOLD: Once = Once::new();
    if !IS_OFF.load(Ordering::Relaxed) {
        once(
            &TOLD,
            &format_args!(
                "signal `{name}` is cost-attributed and outside a traced scope: it is sent without costs; run the work in \
                 `paid::scope().traced()` or under `#[paid::trace]`"
            ),
        );
    }
}

/// A call of a model is outside traced work.
pub(super) fn report_call_outside() {
    static TOLD: Once = Once::new();
    once(
        &TOLD,
        &"a call of a model is outside a traced scope: nobody can tell whose costs it is, and it is not recorded; run the \
          work in `paid::scope().traced()` or under `#[paid::trace]`",
    );
}

/// The collector knows the caller's ids only.
pub(super) fn report_paids_own_id(what: &str) {
    static TOLD: Once = Once::new();
    once(
        &TOLD,
        &format_args!(
            "a traced scope names its {what} by Paid's own id; the collector takes your own ids only: the costs of this \
             work are attributed to nobody"
        ),
    );
}

/// Stamps the spans that start inside scopes and hands them over when they end; all others it leaves alone. It can be
/// plugged into a provider of your own, see [`TraceGuard::processor`](super::TraceGuard::processor).
#[derive(Debug)]
pub struct PaidSpanProcessor {
    pub(super) queue: Option<Arc<Queue>>,
    /// Whether the provider is somebody else's.
    pub(super) is_guest: bool,
}

impl PaidSpanProcessor {
    /// The scope the span is in: as its maker says, as the task says, or as its parent has it.
    fn stamp_for(queue: &Queue, context: &Context) -> Option<Stamp> {
        if let Some(stamp) = context.get::<Stamp>() {
            return Some(stamp.clone());
        }
        let current = Scope::with_current(|scope| scope.and_then(Scope::work).map(|work| work.stamp()));
        current.or_else(|| {
            let parent = context.span().span_context().span_id();
            queue.live.get(parent)
        })
    }
}

impl SpanProcessor for PaidSpanProcessor {
    fn on_start(&self, span: &mut Span, context: &Context) {
        let Some(queue) = &self.queue else { return };
        if let Some(stamp) = Self::stamp_for(queue, context) {
            queue.live.start(span.span_context().span_id(), stamp);
        }
    }

    fn on_end(&self, span: SpanData) {
        let Some(queue) = &self.queue else { return };
        if let Some(stamp) = queue.live.end(span.span_context.span_id()) {
            queue.push(span, stamp);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        let Some(queue) = &self.queue else { return Ok(()) };
        queue.flush_blocking(queue.settings.timeout);
        Ok(())
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        let Some(queue) = &self.queue else { return Ok(()) };
        if self.is_guest {
            // The provider ends, and not what it was a guest in.
            queue.flush_blocking(timeout);
        } else {
            queue.live.clear();
        }
        Ok(())
    }
}

/// The work around this call, and where its spans go.
pub(super) fn current_work() -> Option<Arc<Work>> {
    Scope::with_current(|scope| scope.and_then(Scope::work).cloned())
}

/// The work around this call failed.
pub(crate) fn fail_current(description: impl FnOnce(&Work) -> Cow<'static, str>) {
    if let Some(work) = current_work() {
        work.fail(description(&work));
    }
}
