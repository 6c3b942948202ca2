//! Signals over the collector: a span `signal` with the event's name and data.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use opentelemetry::trace::{Span as _, Tracer};
use opentelemetry::{Context, KeyValue};
use serde_json::{Value, json};

use super::pipeline::{self, Pipeline};
use super::work::{self, Asked, Identity, Stamp, Work};
use crate::emit::{Emit, EmitError};
use crate::signal::Signal;
use crate::signal::scope::Scope;
use crate::types::{CustomerAttribution, ProductAttribution};

/// Sends signals as spans; see [`TraceGuard::signals`](super::TraceGuard::signals).
#[derive(Clone, Debug)]
pub struct TraceSignals {
    pipeline: Option<Arc<Pipeline>>,
}

impl TraceSignals {
    pub(super) fn over(pipeline: Option<Arc<Pipeline>>) -> Self {
        Self { pipeline }
    }

    /// Through the pipeline of the current scope, or else the installed one.
    pub(crate) fn current() -> Option<Self> {
        let current = Scope::with_current(|scope| scope.and_then(Scope::work).map(|work| Arc::clone(&work.pipeline)));
        let pipeline = current.or_else(pipeline::installed)?;
        Some(Self { pipeline: Some(pipeline) })
    }
}

impl Emit for TraceSignals {
    fn emit(&self, signal: Signal) {
        self.offer(signal);
    }

    fn fail(&self, _: EmitError) {
        if let Some(pipeline) = &self.pipeline {
            pipeline.queue.counts.refused_signals.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn offer(&self, signal: Signal) -> bool {
        // Turned off: as with the official clients, nothing is sent.
        let Some(pipeline) = &self.pipeline else { return true };
        match send(pipeline, &signal) {
            Ok(()) => true,
            Err(failure) => {
                crate::emit::log(&failure);
                self.fail(failure);
                false
            }
        }
    }

    fn is_over_trace(&self) -> bool {
        true
    }
}

fn send(pipeline: &Arc<Pipeline>, signal: &Signal) -> Result<(), EmitError> {
    let is_known = matches!(signal.customer(), Some(CustomerAttribution::ExternalId(_)))
        && matches!(signal.product(), Some(ProductAttribution::ExternalId(_)) | None);
    if !is_known || signal.unit().is_some() {
        return Err(EmitError::OverTrace { name: signal.name.clone() });
    }
    let work = pipeline::current_work();
    let asked = Asked::default();
    let outer = work.as_deref().map(Work::identity);
    let identity = Arc::new(Identity::new(&asked, signal.customer(), signal.product(), outer));
    let scope_id = work.as_deref().map_or_else(work::random_id, |work| work.stamp().scope_id);
    let context = work.as_deref().map_or_else(Context::current, Work::context);
    let mut attributes = vec![KeyValue::new("event_name", signal.name().to_owned())];
    if !signal.data().is_empty() {
        attributes.push(KeyValue::new("data", signal.data().to_string()));
    }
    let mut builder = pipeline.tracer().span_builder("signal").with_attributes(attributes);
    if let Some(time) = signal.timestamp() {
        builder = builder.with_start_time(time.system_time());
    }
    let context = context.with_value(Stamp { identity, scope_id });
    let mut span = builder.start_with_context(pipeline.tracer(), &context);
    span.set_status(opentelemetry::trace::Status::Ok);
    span.end();
    Ok(())
}

/// What makes a signal carry its work's costs, and hands it over. One signal of a piece of work is to do that.
pub(crate) fn attribute(mut signal: Signal, is_over_trace: bool, hand_over: impl FnOnce(Signal) -> bool) {
    let Some(work) = pipeline::current_work() else {
        if let Some(pipeline) = pipeline::installed() {
            pipeline.queue.counts.unattributed.fetch_add(1, Ordering::Relaxed);
        }
        pipeline::report_unattributed(signal.name());
        hand_over(signal);
        return;
    };
    let claim = work.claim();
    let mark = if is_over_trace {
        json!({ "enable_cost_tracing": true })
    } else {
        json!({ "paid_scope_id": claim.scope_id() })
    };
    merge(&mut signal, mark);
    let name = signal.name.clone();
    // What was refused leaves the costs to the next one.
    if hand_over(signal) && claim.renew() > 0 {
        work.pipeline.queue.counts.repeated_attributions.fetch_add(1, Ordering::Relaxed);
        tracing::warn!(
            "signal `{name}` is another cost-attributed signal of the same work: costs may count twice; give each its own \
             scope, or leave `cost_attributed` out of all but one"
        );
    }
}

/// Keeps what else stands under `paid`.
fn merge(signal: &mut Signal, mark: Value) {
    match signal.data.take("paid") {
        Some(Value::Object(mut own)) => {
            if let Value::Object(mark) = mark {
                own.extend(mark);
            }
            signal.data.field("paid", &own);
        }
        _ => signal.data.field("paid", &mark),
    }
}
