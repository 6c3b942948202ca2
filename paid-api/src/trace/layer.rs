//! A layer that records what other crates record through `tracing`, as spans of the current scope.
//!
//! It is independent of other layers: it sets no OpenTelemetry context, and stores its spans under its own type, so
//! that a layer of `tracing-opentelemetry` works beside it unchanged.

use std::sync::Arc;

use opentelemetry::trace::{Span as _, SpanBuilder, SpanKind, Status, TraceContextExt, Tracer};
use opentelemetry::{Context as OtelContext, KeyValue};
use opentelemetry_sdk::trace::Span;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use super::pipeline::Pipeline;
use super::work::{Work, current_work};
use crate::foreign;

/// A layer for a `tracing` subscriber; see [`TraceGuard::layer`](super::TraceGuard::layer) and [`layer()`].
#[derive(Clone, Debug)]
pub struct PaidLayer {
    pipeline: Option<Arc<Pipeline>>,
    /// True if it serves any pipeline: that of the current scope.
    is_open: bool,
    max_level: Level,
}

/// Returns a layer that serves whichever pipeline the current scope has. It can be part of a subscriber that is set up
/// before tracing is initialised.
pub fn layer() -> PaidLayer {
    PaidLayer { pipeline: None, is_open: true, max_level: Level::INFO }
}

impl PaidLayer {
    pub(super) fn over(pipeline: Option<Arc<Pipeline>>) -> Self {
        Self { pipeline, is_open: false, max_level: Level::INFO }
    }

    /// Sets the least severe level of spans that are recorded; `INFO` by default.
    #[must_use]
    pub fn max_level(mut self, level: Level) -> Self {
        self.max_level = level;
        self
    }

    fn serves(&self, work: &Work) -> bool {
        self.is_open || self.pipeline.as_ref().is_some_and(|own| Arc::ptr_eq(own, &work.pipeline))
    }
}

/// The exported span, stored with that of `tracing`.
struct Opened {
    span: Span,
    work: Arc<Work>,
}

impl<S> Layer<S> for PaidLayer
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let metadata = attributes.metadata();
        if *metadata.level() > self.max_level {
            return;
        }
        let Some(new) = context.span(id) else { return };
        let around = if attributes.is_contextual() { context.lookup_current() } else { new.parent() };
        let current = current_work();
        // The nearest enclosing span that was recorded, and its work.
        let above = around.and_then(|span| {
            span.scope().find_map(|span| {
                let extensions = span.extensions();
                let opened = extensions.get::<Opened>()?;
                Some((opened.span.span_context().clone(), Arc::clone(&opened.work)))
            })
        });
        let (work, parent) = match (current, above) {
            (Some(current), Some((parent, work))) if Arc::ptr_eq(&current, &work) => (work, parent),
            (Some(current), _) => (Arc::clone(&current), current.span_context().clone()),
            (None, Some((parent, work))) => (work, parent),
            (None, None) => return,
        };
        if !self.serves(&work) {
            return;
        }
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        let tracer = work.pipeline.guest_tracer();
        let context = OtelContext::new().with_remote_span_context(parent).with_value(work.stamp());
        let builder: SpanBuilder = tracer
            .span_builder(fields.name.take().unwrap_or_else(|| metadata.name().to_owned()))
            .with_kind(fields.kind.take().unwrap_or(SpanKind::Internal));
        let mut span = builder.start_with_context(tracer, &context);
        fields.apply(&mut span);
        new.extensions_mut().replace(Opened { span, work });
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        if span.extensions().get::<Opened>().is_none() {
            return;
        }
        // Not while the span is locked: the `Debug` of a value may record, too.
        let mut fields = Fields::default();
        values.record(&mut fields);
        if let Some(opened) = span.extensions_mut().get_mut::<Opened>() {
            fields.apply(&mut opened.span);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let Some(span) = context.event_span(event) else { return };
        let Some(stores_prompts) = span.extensions().get::<Opened>().map(|opened| opened.work.stores_prompts()) else {
            return;
        };
        // Messages are contents: they are exported only if the scope stores prompts.
        let is_exported = stores_prompts && *event.metadata().level() <= self.max_level;
        let mut fields = Fields::default();
        if is_exported {
            // Not while the span is locked: the `Debug` of a value may record, too.
            event.record(&mut fields);
        }
        let mut extensions = span.extensions_mut();
        let Some(opened) = extensions.get_mut::<Opened>() else { return };
        if *event.metadata().level() == Level::ERROR {
            opened.span.set_status(Status::error(""));
        }
        if is_exported {
            let name = fields.take_message().unwrap_or_else(|| event.metadata().name().to_owned());
            opened.span.add_event(name, fields.attributes);
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let opened = context.span(&id).and_then(|span| span.extensions_mut().remove::<Opened>());
        if let Some(mut opened) = opened {
            opened.span.end();
        }
    }
}

/// The fields of a span; those with a special meaning in `tracing-opentelemetry` are kept apart.
#[derive(Default)]
struct Fields {
    attributes: Vec<KeyValue>,
    name: Option<String>,
    kind: Option<SpanKind>,
    status: Option<Status>,
}

impl Fields {
    fn apply(self, span: &mut Span) {
        for attribute in self.attributes {
            span.set_attribute(attribute);
        }
        if let Some(name) = self.name {
            span.update_name(name);
        }
        if let Some(status) = self.status {
            span.set_status(status);
        }
    }

    fn take_message(&mut self) -> Option<String> {
        let index = self.attributes.iter().position(|attribute| attribute.key.as_str() == "message")?;
        Some(self.attributes.remove(index).value.as_str().into_owned())
    }
}

impl Visit for Fields {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.attributes.push(KeyValue::new(field.name(), value));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.attributes.push(KeyValue::new(field.name(), value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        match i64::try_from(value) {
            Ok(value) => self.record_i64(field, value),
            Err(_) => self.attributes.push(KeyValue::new(field.name(), value.to_string())),
        }
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.attributes.push(KeyValue::new(field.name(), value));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "otel.name" => self.name = Some(value.to_owned()),
            "otel.kind" => {
                self.kind = match value.to_ascii_lowercase().as_str() {
                    "client" => Some(SpanKind::Client),
                    "server" => Some(SpanKind::Server),
                    "producer" => Some(SpanKind::Producer),
                    "consumer" => Some(SpanKind::Consumer),
                    _ => Some(SpanKind::Internal),
                };
            }
            "otel.status_code" => {
                self.status = match value.to_ascii_lowercase().as_str() {
                    "ok" => Some(Status::Ok),
                    "error" => Some(Status::error("")),
                    _ => None,
                };
            }
            "otel.status_description" => self.status = Some(Status::error(value.to_owned())),
            name => self.attributes.push(KeyValue::new(name, value.to_owned())),
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        if let Ok(text) = foreign::call(|| format!("{value:?}")) {
            self.record_str(field, &text);
        }
    }
}
