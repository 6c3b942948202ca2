//! A piece of work as the collector sees it: who it is for, the id that costs and signal share, and its span.

use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use opentelemetry::trace::{Span as _, SpanContext, Status, TraceContextExt, Tracer};
use opentelemetry::{Context, KeyValue, Value};
use opentelemetry_sdk::trace::Span;

use super::pipeline::{self, Pipeline};
use crate::types::{CustomerAttribution, ProductAttribution};

const CUSTOMER: &str = "external_customer_id";
/// The product's id, under the name that products once had.
const PRODUCT: &str = "external_agent_id";

/// What a scope asks for.
#[derive(Clone, Default)]
pub(crate) struct Asked {
    pub(crate) traced: bool,
    /// Where the trace comes from: a token, or another process' span.
    pub(crate) parent: Option<SpanContext>,
    pub(crate) store_prompts: Option<bool>,
    pub(crate) metadata: Vec<KeyValue>,
    pub(crate) pipeline: Option<Arc<Pipeline>>,
}

/// Whose work it is, as span attributes.
#[derive(Debug)]
pub(crate) struct Identity {
    pub(crate) attributes: Vec<KeyValue>,
    metadata: Vec<KeyValue>,
    pub(crate) store_prompts: bool,
}

/// What a span gets when it starts.
#[derive(Clone, Debug)]
pub(crate) struct Stamp {
    pub(crate) identity: Arc<Identity>,
    pub(crate) scope_id: u32,
}

/// The number that costs and their signal share. One signal takes it, and a new one begins.
#[derive(Debug)]
struct ScopeId {
    now: AtomicU32,
    /// How many signals took one; held while a signal is handed over.
    taken: Mutex<u32>,
}

impl ScopeId {
    fn new() -> Self {
        Self { now: AtomicU32::new(random_id()), taken: Mutex::new(0) }
    }
}

/// As the official clients draw it: 1 to 2^31 - 1.
pub(super) fn random_id() -> u32 {
    fastrand::u32(1..=0x7fff_ffff)
}

pub(crate) struct Work {
    identity: Arc<Identity>,
    id: Arc<ScopeId>,
    /// Of the span that everything inside is a child of.
    context: SpanContext,
    pub(crate) pipeline: Arc<Pipeline>,
    span: Mutex<Option<Span>>,
    has_failed: AtomicBool,
}

impl Work {
    /// The work that a scope is: its own, or that of the scope around it. Work for somebody else has an id of its own.
    pub(crate) fn of(
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
            pipeline::report_missing();
            return None;
        };
        let identity = Arc::new(Identity::new(asked, customer, product, outer.map(|outer| &*outer.identity)));
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

    pub(crate) fn stamp(&self) -> Stamp {
        Stamp { identity: Arc::clone(&self.identity), scope_id: self.id.now.load(Ordering::Acquire) }
    }

    pub(super) fn identity(&self) -> &Identity {
        &self.identity
    }

    pub(crate) fn stores_prompts(&self) -> bool {
        self.identity.store_prompts
    }

    pub(crate) fn span_context(&self) -> &SpanContext {
        &self.context
    }

    /// The context that a span of ours inside is started in.
    pub(crate) fn context(&self) -> Context {
        Context::new().with_remote_span_context(self.context.clone())
    }

    /// What the host's own spans inside are to be children of, where they are exported too.
    pub(crate) fn attach(&self) -> Option<opentelemetry::ContextGuard> {
        let attaches = self.pipeline.attaches();
        attaches.then(|| Context::current().with_remote_span_context(self.context.clone()).attach())
    }

    /// Takes the id for a signal, which renews it when it is accepted.
    pub(crate) fn claim(&self) -> Claim<'_> {
        let taken = self.id.taken.lock().unwrap_or_else(PoisonError::into_inner);
        Claim { id: &self.id, taken }
    }

    /// The work failed: its span says so when it ends.
    pub(crate) fn fail(&self, description: Cow<'static, str>) {
        self.has_failed.store(true, Ordering::Relaxed);
        if let Some(span) = &mut *self.own_span() {
            span.set_status(Status::Error { description });
        }
    }

    fn own_span(&self) -> MutexGuard<'_, Option<Span>> {
        self.span.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn end(&self, end: End) {
        let Some(mut span) = self.own_span().take() else { return };
        match end {
            End::Done if !self.has_failed.load(Ordering::Relaxed) => span.set_status(Status::Ok),
            End::Panicked => span.set_status(Status::error("panicked")),
            End::Done | End::Cancelled => {}
        }
        span.end();
    }
}

/// How work ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum End {
    Done,
    Panicked,
    /// Its future was dropped.
    Cancelled,
}

/// A scope's id while a signal with it is handed over. Dropping it leaves the id to the next signal.
pub(crate) struct Claim<'a> {
    id: &'a ScopeId,
    taken: MutexGuard<'a, u32>,
}

impl Claim<'_> {
    pub(crate) fn scope_id(&self) -> u32 {
        self.id.now.load(Ordering::Relaxed)
    }

    /// The signal was accepted: what comes next belongs to another. Returns how many signals there were before it.
    pub(crate) fn renew(mut self) -> u32 {
        let before = self.scope_id();
        let mut next = random_id();
        while next == before {
            next = random_id();
        }
        self.id.now.store(next, Ordering::Release);
        let others = *self.taken;
        *self.taken += 1;
        others
    }
}

impl Identity {
    pub(super) fn new(
        asked: &Asked,
        customer: Option<&CustomerAttribution>,
        product: Option<&ProductAttribution>,
        outer: Option<&Self>,
    ) -> Self {
        let mut metadata = outer.map(|outer| outer.metadata.clone()).unwrap_or_default();
        for new in &asked.metadata {
            metadata.retain(|old| old.key != new.key);
            metadata.push(new.clone());
        }
        let mut attributes = Vec::with_capacity(metadata.len() + 2);
        match customer {
            Some(CustomerAttribution::ExternalId(id)) => attributes.push(text(CUSTOMER, id.as_str())),
            Some(_) => pipeline::report_paids_own_id("customer"),
            None => {}
        }
        match product {
            Some(ProductAttribution::ExternalId(id)) => attributes.push(text(PRODUCT, id.as_str())),
            Some(_) => pipeline::report_paids_own_id("product"),
            None => {}
        }
        attributes.extend(metadata.iter().cloned());
        let store_prompts = asked.store_prompts.or(outer.map(|outer| outer.store_prompts)).unwrap_or(false);
        Self { attributes, metadata, store_prompts }
    }

    /// Whether it is the same customer's and product's.
    fn is_whose(&self, other: &Self) -> bool {
        fn whose(identity: &Identity) -> impl Iterator<Item = &KeyValue> {
            identity.attributes.iter().filter(|attribute| matches!(attribute.key.as_str(), CUSTOMER | PRODUCT))
        }
        whose(self).eq(whose(other))
    }
}

/// Shared text: every span of the work has it.
fn text(key: &'static str, value: &str) -> KeyValue {
    KeyValue::new(key, Value::String(Arc::<str>::from(value).into()))
}
