//! Signals sent to the collector: a span `signal` with the event's name and data.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use opentelemetry::trace::{Span as _, Tracer};
use opentelemetry::{Context, KeyValue};
use serde_json::json;

use super::identity::{Identity, Stamp, random_id};
use super::notices;
use super::pipeline::{self, Pipeline};
use super::work::{Work, current_work};
use crate::Timestamp;
use crate::emit::{accept_made, current, fail, hashed, lose, made};
use crate::listener::Emit;
use crate::report::{DataProblem, DeliveryError, RecordKind, log};
use crate::signal::{PaidSignal, Signal};
use crate::types::{CustomerAttribution, ProductAttribution};

/// Emits a signal as a span to the collector instead of the API. A customer and product that the signal does not set
/// come from the current scope. Tracing must be initialised, and customer and product must be your own ids. Inside a
/// [`Recorder`](crate::testing::Recorder) the signal is recorded.
///
/// The collector has no idempotency keys, and these signals are not kept on disk; prefer [`paid::emit`](crate::emit())
/// for signals that are billed.
pub fn emit<S: PaidSignal>(signal: S) {
    let emitter = current();
    if let Some(recorder) = emitter.as_ref().filter(|emitter| emitter.takes_signals_for_the_collector()) {
        return accept_made(&**recorder, made(signal));
    }
    if let Some(signals) = TraceSignals::current() {
        return accept_made(&signals, made(signal));
    }
    if notices::skip() {
        return;
    }
    match emitter {
        Some(emitter) => {
            let failure =
                made(signal).map_or_else(|failure| failure, |signal| DeliveryError::NoTracing { name: signal.name });
            fail(&*emitter, failure);
        }
        None => lose(signal),
    }
}

/// Sends signals to the collector; see [`TraceGuard::signals`](super::TraceGuard::signals).
#[derive(Clone, Debug)]
pub struct TraceSignals {
    pipeline: Option<Arc<Pipeline>>,
}

impl TraceSignals {
    pub(super) fn over(pipeline: Option<Arc<Pipeline>>) -> Self {
        Self { pipeline }
    }

    /// Uses the pipeline of the current scope, or else the installed one.
    fn current() -> Option<Self> {
        let current = current_work().map(|work| Arc::clone(&work.pipeline));
        let pipeline = current.or_else(pipeline::installed)?;
        Some(Self { pipeline: Some(pipeline) })
    }
}

impl Emit for TraceSignals {
    fn emit(&self, signal: Signal) -> bool {
        let Some(pipeline) = &self.pipeline else { return true };
        match hashed(signal, pipeline.hash_key.as_ref()).and_then(|signal| send(pipeline, &signal)) {
            Ok(()) => true,
            Err(failure) => {
                log(&failure);
                self.fail(failure);
                false
            }
        }
    }

    /// While tracing is off, nothing is sent, as by the official clients.
    fn skip(&self) -> bool {
        self.pipeline.is_none() && notices::skip()
    }

    fn fail(&self, failure: DeliveryError) {
        if let Some(pipeline) = &self.pipeline {
            pipeline.exporter.counters.refused_signals.add(1);
            pipeline.exporter.dispatch.tell_hooks(&failure);
        }
    }

    fn takes_signals_for_the_collector(&self) -> bool {
        true
    }
}

fn send(pipeline: &Arc<Pipeline>, signal: &Signal) -> Result<(), DeliveryError> {
    let is_known = matches!(signal.customer_ref(), Some(CustomerAttribution::ExternalId(_)))
        && matches!(signal.product_ref(), Some(ProductAttribution::ExternalId(_)) | None);
    if !is_known || signal.unit_ref().is_some() {
        return Err(DeliveryError::NotForCollector { name: signal.name.clone() });
    }
    let time = signal.timestamp_ref().map(|time| system_time(*time).ok_or_else(|| unknown_time(signal))).transpose()?;
    let work = current_work();
    let outer = work.as_deref().map(Work::identity);
    let identity = Arc::new(Identity::new(&[], None, signal.customer_ref(), signal.product_ref(), outer));
    let scope_id = work.as_deref().map_or_else(random_id, |work| work.stamp().scope_id);
    let context = work.as_deref().map_or_else(Context::current, Work::context);
    let mut attributes = vec![KeyValue::new("event_name", signal.name().to_owned())];
    attributes.extend(data(signal).map(|data| KeyValue::new("data", data)));
    let mut builder = pipeline.tracer().span_builder("signal").with_attributes(attributes);
    if let Some(time) = time {
        builder = builder.with_start_time(time);
    }
    let context = context.with_value(Stamp { identity, scope_id });
    let mut span = builder.start_with_context(pipeline.tracer(), &context);
    span.set_status(opentelemetry::trace::Status::Ok);
    span.end();
    Ok(())
}

/// The time for a clock that counts nanoseconds since 1970; `None` if that cannot express it.
fn system_time(time: Timestamp) -> Option<SystemTime> {
    let nanoseconds = u64::try_from(time.timestamp_nanos_opt()?).ok()?;
    UNIX_EPOCH.checked_add(Duration::from_nanos(nanoseconds))
}

fn unknown_time(signal: &Signal) -> DeliveryError {
    let problem = DataProblem::new("timestamp", "is before 1970 or after 2262, which the collector cannot express");
    DeliveryError::data(RecordKind::Signal, signal.name.clone(), problem)
}

/// The data of a signal. If the signal is cost-attributed, it tells the collector to count the scope's costs as the
/// signal's.
fn data(signal: &Signal) -> Option<String> {
    if signal.costs_of.is_none() {
        return (!signal.data().is_empty()).then(|| signal.data().to_string());
    }
    let mut text = Vec::new();
    signal.data().write_json_with_paid(&mut text, json!({ "enable_cost_tracing": true }));
    String::from_utf8(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_that_a_clock_of_nanoseconds_cannot_express_are_none() {
        for (text, is_some) in
            [("1969-12-31", false), ("1970-01-01", true), ("2261-01-01", true), ("2263-01-01", false)]
        {
            assert_eq!(system_time(text.parse().unwrap()).is_some(), is_some, "{text}");
        }
    }
}
