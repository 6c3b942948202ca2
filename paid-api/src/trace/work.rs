//! A piece of work in the collector's terms: whom it is for, the id that its costs and its signal share, and its span.

use std::any::Any;
use std::borrow::Cow;
use std::fmt::Display;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use opentelemetry::trace::{Span as _, SpanContext, Status, TraceContextExt, Tracer};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::Span;

use super::identity::{Identity, Stamp, random_id};
use super::notices;
use super::pipeline::{self, Pipeline};
use crate::scope::{Begun, Claim, Companion, CostClaim, Scope, ScopeEnd};
use crate::types::{CustomerAttribution, ProductAttribution};

/// The tracing settings of a scope.
#[derive(Clone, Default)]
pub(super) struct Asked {
    pub(super) traced: bool,
    /// The parent, from a tracing token or a `traceparent`.
    pub(super) parent: Option<SpanContext>,
    pub(super) store_prompts: Option<bool>,
    pub(super) metadata: Vec<KeyValue>,
    pub(super) pipeline: Option<Arc<Pipeline>>,
    /// The work that the scope is part of already, if it is asked once it has begun.
    work: Option<Arc<Work>>,
}

/// The id that costs and their signal share. A signal takes the current id, and a new one begins.
#[derive(Debug)]
struct ScopeId {
    now: AtomicU32,
    /// How many signals have taken an id; locked while a signal is handed over.
    taken: Mutex<u32>,
}

impl ScopeId {
    fn new() -> Self {
        Self { now: AtomicU32::new(random_id()), taken: Mutex::new(0) }
    }
}

pub(super) struct Work {
    identity: Arc<Identity>,
    id: Arc<ScopeId>,
    /// The span that everything inside is a child of.
    context: SpanContext,
    pub(super) pipeline: Arc<Pipeline>,
    span: Mutex<Option<Span>>,
    has_failed: AtomicBool,
}

impl Work {
    /// The work of a scope: new work, or that of the enclosing scope. Work for another customer or product has its own
    /// id.
    pub(super) fn of(
        asked: &Asked,
        customer: Option<&CustomerAttribution>,
        product: Option<&ProductAttribution>,
        outer: Option<&Arc<Self>>,
    ) -> Option<Arc<Self>> {
        if !asked.traced && outer.is_none() {
            return None;
        }
        let pipeline = asked.pipeline.clone().or_else(|| outer.map(|outer| Arc::clone(&outer.pipeline)));
        let Some(pipeline) = pipeline.or_else(pipeline::installed) else {
            notices::report_missing();
            return None;
        };
        let identity = Arc::new(Identity::new(
            &asked.metadata,
            asked.store_prompts,
            customer,
            product,
            outer.map(|outer| &*outer.identity),
        ));
        if let (false, Some(outer)) = (asked.traced, outer) {
            let is_for_another = !identity.is_whose(&outer.identity);
            if !is_for_another && asked.store_prompts.is_none() && asked.metadata.is_empty() {
                return Some(Arc::clone(outer));
            }
            let id = if is_for_another { Arc::new(ScopeId::new()) } else { Arc::clone(&outer.id) };
            return Some(Arc::new(Self::over(identity, id, outer.context.clone(), pipeline, None)));
        }
        let id = Arc::new(ScopeId::new());
        let around = asked.parent.clone().or_else(|| outer.map(|outer| outer.context.clone()));
        let stamp = Stamp { identity: Arc::clone(&identity), scope_id: id.now.load(Ordering::Relaxed) };
        let context = match around {
            Some(parent) => Context::new().with_remote_span_context(parent),
            None => Context::current(),
        };
        let tracer = pipeline.tracer();
        let span = tracer.span_builder("parent_span").start_with_context(tracer, &context.with_value(stamp));
        let context = span.span_context().clone();
        Some(Arc::new(Self::over(identity, id, context, pipeline, Some(span))))
    }

    fn over(
        identity: Arc<Identity>,
        id: Arc<ScopeId>,
        context: SpanContext,
        pipeline: Arc<Pipeline>,
        span: Option<Span>,
    ) -> Self {
        Self { identity, id, context, pipeline, span: Mutex::new(span), has_failed: AtomicBool::new(false) }
    }

    pub(super) fn stamp(&self) -> Stamp {
        Stamp { identity: Arc::clone(&self.identity), scope_id: self.id.now.load(Ordering::Acquire) }
    }

    pub(super) fn identity(&self) -> &Identity {
        &self.identity
    }

    pub(super) fn stores_prompts(&self) -> bool {
        self.identity.store_prompts
    }

    pub(super) fn span_context(&self) -> &SpanContext {
        &self.context
    }

    /// The context in which spans of this library start inside the work.
    pub(super) fn context(&self) -> Context {
        Context::new().with_remote_span_context(self.context.clone())
    }

    /// Marks the work as failed: its span has this status when it ends.
    pub(super) fn fail(&self, description: Cow<'static, str>) {
        self.has_failed.store(true, Ordering::Relaxed);
        if let Some(span) = &mut *self.own_span() {
            span.set_status(Status::Error { description });
        }
    }

    fn own_span(&self) -> MutexGuard<'_, Option<Span>> {
        self.span.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Asked {
    /// What was asked of a scope so far.
    pub(super) fn of(companion: &Arc<dyn Companion>) -> Self {
        let any: Arc<dyn Any + Send + Sync> = Arc::clone(companion) as _;
        match any.downcast::<Self>() {
            Ok(asked) => (*asked).clone(),
            Err(any) => Self { work: any.downcast().ok(), ..Self::default() },
        }
    }
}

impl Companion for Asked {
    fn begin(
        self: Arc<Self>,
        outer: Option<&Arc<dyn Companion>>,
        customer: Option<&CustomerAttribution>,
        product: Option<&ProductAttribution>,
    ) -> Option<Begun> {
        let outer = outer.and_then(as_work).or_else(|| self.work.clone());
        let work = Work::of(&self, customer, product, outer.as_ref())?;
        Some(Begun { companion: work, ends: self.traced })
    }

    fn claim(&self) -> Claim<'_> {
        Claim::Outside
    }
}

impl Companion for Work {
    /// Continues this work elsewhere; inside other work it becomes part of that.
    fn begin(
        self: Arc<Self>,
        outer: Option<&Arc<dyn Companion>>,
        customer: Option<&CustomerAttribution>,
        product: Option<&ProductAttribution>,
    ) -> Option<Begun> {
        let outer = outer.and_then(as_work).unwrap_or(self);
        outer.inherit(customer, product).map(|companion| Begun { companion, ends: false })
    }

    fn inherit(
        self: Arc<Self>,
        customer: Option<&CustomerAttribution>,
        product: Option<&ProductAttribution>,
    ) -> Option<Arc<dyn Companion>> {
        Self::of(&Asked::default(), customer, product, Some(&self)).map(|work| work as Arc<dyn Companion>)
    }

    /// Makes the program's own spans children of this work's, if they are exported, too.
    fn enter(&self) -> Option<Box<dyn Any>> {
        let attaches = self.pipeline.attaches();
        attaches.then(|| {
            let context = Context::current().with_remote_span_context(self.context.clone());
            Box::new(context.attach()) as Box<dyn Any>
        })
    }

    fn end(&self, how: ScopeEnd) {
        let Some(mut span) = self.own_span().take() else { return };
        match how {
            ScopeEnd::Done if !self.has_failed.load(Ordering::Relaxed) => span.set_status(Status::Ok),
            ScopeEnd::Panicked => span.set_status(Status::error("panicked")),
            ScopeEnd::Done | ScopeEnd::Cancelled => {}
        }
        span.end();
    }

    fn claim(&self) -> Claim<'_> {
        let taken = self.id.taken.lock().unwrap_or_else(PoisonError::into_inner);
        Claim::Granted(Box::new(ScopeIdClaim { work: self, taken }))
    }
}

fn as_work(companion: &Arc<dyn Companion>) -> Option<Arc<Work>> {
    let any: Arc<dyn Any + Send + Sync> = Arc::clone(companion) as _;
    any.downcast().ok()
}

/// The work of the current scope.
pub(super) fn current_work() -> Option<Arc<Work>> {
    Scope::with_current(|scope| scope.and_then(Scope::companion).and_then(as_work))
}

/// The id of a scope while a signal that has it is handed over. Dropping it leaves the id to the next signal.
struct ScopeIdClaim<'a> {
    work: &'a Work,
    /// How many signals have taken an id before.
    taken: MutexGuard<'a, u32>,
}

impl CostClaim for ScopeIdClaim<'_> {
    fn scope_id(&self) -> u32 {
        self.work.id.now.load(Ordering::Relaxed)
    }

    fn accepted(mut self: Box<Self>, name: &str) {
        self.work.id.now.store(another_id(self.scope_id()), Ordering::Release);
        *self.taken += 1;
        let (work, is_repeated) = (self.work, *self.taken > 1);
        // Whoever hears the warning may emit a signal of the same work.
        drop(self);
        if is_repeated {
            work.pipeline.exporter.counters.repeated_attributions.add(1);
            notices::warn_of_repeated_attribution(name);
        }
    }
}

fn another_id(before: u32) -> u32 {
    loop {
        let next = random_id();
        if next != before {
            return next;
        }
    }
}

/// Makes the span of the current scope fail with this error. The error's text is exported only if the scope stores
/// prompts, because it may quote them; otherwise only the error's type is.
pub fn fail<E: Display + ?Sized>(error: &E) {
    if let Some(work) = current_work() {
        let description =
            if work.stores_prompts() { notices::text_of(error) } else { std::any::type_name::<E>().to_owned() };
        work.fail(description.into());
    }
}
