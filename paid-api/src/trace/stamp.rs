//! What is exported of a span, in pure steps: official names and attributes are added, contents and secrets removed,
//! and token counts unified.

use std::borrow::Cow;

use opentelemetry::trace::Status;
use opentelemetry::{Array, KeyValue, StringValue, Value};
use opentelemetry_sdk::trace::SpanData;

use super::identity::{Stamp, TRACER};
use super::{openinference, prompts};

const PREFIX: &str = "paid.trace.";

/// What all spans of a batch have in common.
pub(super) struct Stationery<'a> {
    /// `batch` or `simple`.
    pub(super) mode: &'static str,
    /// The API key, which is never exported.
    pub(super) secret: KeyText<'a>,
}

/// The API key's text, to recognise it in spans.
#[derive(Clone, Copy)]
pub(super) struct KeyText<'a>(Option<&'a str>);

impl<'a> KeyText<'a> {
    /// The API key in an `Authorization` header.
    pub(super) fn in_header(header: Option<&'a reqwest::header::HeaderValue>) -> Self {
        Self(header.and_then(|header| header.to_str().ok()?.strip_prefix("Bearer ")))
    }

    fn is_in(self, text: &str) -> bool {
        self.0.is_some_and(|secret| text.len() >= secret.len() && text.contains(secret))
    }

    fn is_in_value(self, value: &Value) -> bool {
        match value {
            Value::String(text) => self.is_in(text.as_str()),
            Value::Array(Array::String(texts)) => texts.iter().any(|text: &StringValue| self.is_in(text.as_str())),
            _ => false,
        }
    }
}

/// The span as it is exported.
pub(super) fn finish(mut span: SpanData, stamp: &Stamp, stationery: &Stationery<'_>) -> SpanData {
    let is_ours = span.instrumentation_scope.name() == TRACER;
    if !is_ours {
        openinference::unify(&mut span.attributes);
    }
    let stores_prompts = stamp.identity.store_prompts;
    if !stores_prompts {
        drop_contents(&mut span, is_ours);
    }
    drop_secrets(&mut span, stationery.secret);
    span.name = prefixed(span.name);
    span.attributes.reserve(stamp.identity.attributes.len() + 3);
    span.attributes.extend(stamp.identity.attributes.iter().cloned());
    span.attributes.push(KeyValue::new("paid_scope_id", i64::from(stamp.scope_id)));
    span.attributes.push(KeyValue::new("paid.sdk.version", concat!("rust-", env!("CARGO_PKG_VERSION"))));
    span.attributes.push(KeyValue::new("paid_span_processor_mode", stationery.mode));
    span
}

fn prefixed(name: Cow<'static, str>) -> Cow<'static, str> {
    match &*name {
        "parent_span" => "paid.trace.parent_span".into(),
        "signal" => "paid.trace.signal".into(),
        other if other.starts_with(PREFIX) => name,
        other => format!("{PREFIX}{other}").into(),
    }
}

/// Removes contents. Events are removed, too, except the types of exceptions: the names of `tracing` events are
/// messages.
fn drop_contents(span: &mut SpanData, is_ours: bool) {
    span.attributes.retain(|attribute| !prompts::is_content(attribute.key.as_str()));
    span.events.events.retain_mut(|event| {
        event.attributes.retain(|attribute| attribute.key.as_str() == "exception.type");
        event.name == "exception"
    });
    for link in &mut span.links.links {
        link.attributes.retain(|attribute| !prompts::is_content(attribute.key.as_str()));
    }
    if let (false, Status::Error { description }) = (is_ours, &mut span.status) {
        *description = Cow::Borrowed("");
    }
}

fn drop_secrets(span: &mut SpanData, secret: KeyText<'_>) {
    let is_clean = |attribute: &KeyValue| {
        !matches!(attribute.key.as_str(), "token" | "api.key") && !secret.is_in_value(&attribute.value)
    };
    span.attributes.retain(is_clean);
    for event in &mut span.events.events {
        event.attributes.retain(is_clean);
    }
    span.events.events.retain(|event| !secret.is_in(&event.name));
    for link in &mut span.links.links {
        link.attributes.retain(is_clean);
    }
    if secret.is_in(&span.name) {
        span.name = "span".into();
    }
    if let Status::Error { description } = &mut span.status
        && secret.is_in(description)
    {
        *description = Cow::Borrowed("");
    }
}
