//! The collector beside the API: takes spans as OTLP over HTTP (protobuf) and shows them.

use std::collections::BTreeMap;

use axum::body::Bytes;
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use serde_json::Value;

/// A span that the emulator's collector got.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct CollectedSpan {
    /// Its name.
    pub name: String,
    /// The tracer that made it.
    pub tracer: String,
    /// Its trace, in hexadecimal.
    pub trace_id: String,
    /// Its id, in hexadecimal.
    pub span_id: String,
    /// Its parent's id; empty for a root.
    pub parent_span_id: String,
    /// 1 is internal, as in the protocol.
    pub kind: i32,
    /// 0 is unset, 1 ok, 2 an error, as in the protocol.
    pub status: i32,
    /// What the status says.
    pub status_message: String,
    /// Its attributes.
    pub attributes: BTreeMap<String, Value>,
    /// Its events: name and attributes.
    pub events: Vec<(String, BTreeMap<String, Value>)>,
    /// The attributes of its resource.
    pub resource: BTreeMap<String, Value>,
    /// When it started, in nanoseconds since 1970.
    pub start: u64,
    /// When it ended, in nanoseconds since 1970.
    pub end: u64,
}

impl CollectedSpan {
    /// An attribute, or null.
    pub fn attribute(&self, key: &str) -> &Value {
        self.attributes.get(key).unwrap_or(&Value::Null)
    }
}

/// What came so far.
#[derive(Debug, Default)]
pub(super) struct Collected {
    pub(super) spans: Vec<CollectedSpan>,
    pub(super) bodies: Vec<Bytes>,
    /// So many of the next spans are to be refused, as a partial success says.
    pub(super) refuse: i64,
}

impl Collected {
    /// Takes a request; `None` when it is none.
    pub(super) fn take(&mut self, body: Bytes) -> Option<Vec<u8>> {
        let request = ExportTraceServiceRequest::decode(body.clone()).ok()?;
        self.bodies.push(body);
        for of_resource in request.resource_spans {
            let resource = object(&of_resource.resource.unwrap_or_default().attributes);
            for of_scope in of_resource.scope_spans {
                let tracer = of_scope.scope.map(|scope| scope.name).unwrap_or_default();
                self.spans.extend(of_scope.spans.iter().map(|span| collected(span, &tracer, &resource)));
            }
        }
        let rejected_spans = std::mem::take(&mut self.refuse);
        let partial_success = (rejected_spans > 0)
            .then(|| ExportTracePartialSuccess { rejected_spans, error_message: "refused on demand".to_owned() });
        Some(ExportTraceServiceResponse { partial_success }.encode_to_vec())
    }
}

fn collected(span: &Span, tracer: &str, resource: &BTreeMap<String, Value>) -> CollectedSpan {
    let status = span.status.clone().unwrap_or_default();
    CollectedSpan {
        name: span.name.clone(),
        tracer: tracer.to_owned(),
        trace_id: hex(&span.trace_id),
        span_id: hex(&span.span_id),
        parent_span_id: hex(&span.parent_span_id),
        kind: span.kind,
        status: status.code,
        status_message: status.message,
        attributes: object(&span.attributes),
        events: span.events.iter().map(|event| (event.name.clone(), object(&event.attributes))).collect(),
        resource: resource.clone(),
        start: span.start_time_unix_nano,
        end: span.end_time_unix_nano,
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn object(attributes: &[KeyValue]) -> BTreeMap<String, Value> {
    attributes.iter().map(|attribute| (attribute.key.clone(), json(attribute.value.as_ref()))).collect()
}

fn json(value: Option<&AnyValue>) -> Value {
    match value.and_then(|value| value.value.as_ref()) {
        Some(any_value::Value::StringValue(text)) => text.clone().into(),
        Some(any_value::Value::BoolValue(value)) => (*value).into(),
        Some(any_value::Value::IntValue(number)) => (*number).into(),
        Some(any_value::Value::DoubleValue(number)) => (*number).into(),
        Some(any_value::Value::ArrayValue(array)) => array.values.iter().map(|value| json(Some(value))).collect(),
        _ => Value::Null,
    }
}
