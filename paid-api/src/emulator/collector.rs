//! A collector beside the API: receives spans as OTLP over HTTP, in protobuf and in JSON, and shows them. Feature `trace`.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::Response;
use axum::routing::any;
use chrono::DateTime;
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use serde_json::{Value, json as value};

use super::Emulator;
use super::costs::usage::usage;
use super::fault::{COLLECTOR, Fault, Faults};
use super::http::{JsonAnswer, Take, decompressed, has_api_key, respond, response, send_or_drop};

const PATH: &str = "/v1/traces";
const PROTOBUF: &str = "application/x-protobuf";
const JSON: &str = "application/json";

/// How a request and its response are encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Protobuf,
    Json,
}

impl Emulator {
    /// The URL that receives spans, for [`TraceBuilder::endpoint`](crate::trace::TraceBuilder::endpoint) or
    /// `PAID_OTEL_COLLECTOR_ENDPOINT`.
    pub fn collector_url(&self) -> String {
        format!("http://{}{PATH}", self.address)
    }

    /// Returns the spans that the collector received.
    pub fn spans(&self) -> Vec<CollectedSpan> {
        self.collector.collected().spans.clone()
    }

    /// Returns the bodies of the requests that the collector received, one for each request, without their compression.
    pub fn span_requests(&self) -> Vec<Bytes> {
        self.collector.collected().bodies.clone()
    }

    /// Makes the collector respond to its next request that it rejected this many of the spans.
    pub fn refuse_spans(&self, spans: u32) {
        self.collector.collected().refuse = spans.into();
    }
}

/// A span that the emulator's collector received.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct CollectedSpan {
    /// What the span is called, with the prefix `paid.trace.`.
    pub name: String,
    /// Which tracer created it: its instrumentation scope.
    pub tracer: String,
    /// The trace id, in hexadecimal.
    pub trace_id: String,
    /// The span id, in hexadecimal.
    pub span_id: String,
    /// The parent's span id, in hexadecimal; empty for a root span.
    pub parent_span_id: String,
    /// The kind, as a number of OTLP: 1 is internal.
    pub kind: i32,
    /// The status, as a number of OTLP: 0 is unset, 1 is ok, 2 is an error.
    pub status: i32,
    /// What the status says about an error; empty if it says nothing.
    pub status_message: String,
    /// What is recorded about the span, by key.
    pub attributes: BTreeMap<String, Value>,
    /// The span's events, each with its name and attributes.
    pub events: Vec<(String, BTreeMap<String, Value>)>,
    /// The attributes of the span's resource.
    pub resource: BTreeMap<String, Value>,
    /// The start time, in nanoseconds since 1970.
    pub start: u64,
    /// The end time, in nanoseconds since 1970.
    pub end: u64,
}

impl CollectedSpan {
    /// Looks up what is recorded under this key; null if there is nothing.
    pub fn attribute(&self, key: &str) -> &Value {
        self.attributes.get(key).unwrap_or(&Value::Null)
    }
}

/// The collector, with the state that its connections share.
#[derive(Debug, Default, Clone)]
pub(super) struct Collector {
    collected: Arc<Mutex<Collected>>,
}

impl Collector {
    /// `take` is given the signals and the costs among the spans.
    pub(super) fn routes(&self, faults: Arc<Faults>, take: Take) -> Router {
        Router::new().route(PATH, any(collect)).with_state((self.clone(), faults, take))
    }

    pub(super) fn reset(&self) {
        *self.collected() = Collected::default();
    }

    fn collected(&self) -> MutexGuard<'_, Collected> {
        self.collected.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn collect(
    State((collector, faults, take)): State<(Collector, Arc<Faults>, Take)>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let body = decompressed(&headers, body);
    let fault = faults.take(Some(COLLECTOR));
    if let Some(fault) = &fault {
        fault.delay().await;
    }
    let answer = if fault.as_ref().is_some_and(Fault::prevents_work) {
        JsonAnswer::not_executed()
    } else if has_api_key(&headers) {
        let encoding = Encoding::of(&headers);
        let received = encoding.and_then(|encoding| collector.collected().receive(encoding, body));
        let encoded = match received {
            Some((encoded, taken)) => {
                take(taken).await;
                encoding.zip(Some(encoded))
            }
            None => None,
        };
        match (encoded, &fault) {
            (Some((encoding, encoded)), None) => return response(200, encoding.content_type(), Body::from(encoded)),
            (Some(_), Some(_)) => JsonAnswer::new(200, Value::Null),
            (None, _) => {
                let error = "the body is not an OTLP request in protobuf or JSON, as its content type says";
                JsonAnswer::error(400, error, "validation_error", None)
            }
        }
    } else {
        JsonAnswer::forbidden()
    };
    send_or_drop(respond(fault.as_ref(), &answer))
}

impl Encoding {
    /// `None` if the content type is no encoding of OTLP.
    fn of(headers: &HeaderMap) -> Option<Self> {
        let kind = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
        let kind = kind.split(';').next().unwrap_or_default().trim();
        [Self::Protobuf, Self::Json].into_iter().find(|encoding| kind.eq_ignore_ascii_case(encoding.content_type()))
    }

    fn content_type(self) -> &'static str {
        match self {
            Self::Protobuf => PROTOBUF,
            Self::Json => JSON,
        }
    }

    fn decode(self, body: &Bytes) -> Option<ExportTraceServiceRequest> {
        match self {
            Self::Protobuf => ExportTraceServiceRequest::decode(body.clone()).ok(),
            // Serde would read a list as a message too.
            Self::Json => serde_json::from_value(Value::Object(serde_json::from_slice(body).ok()?)).ok(),
        }
    }

    fn encode(self, response: &ExportTraceServiceResponse) -> Vec<u8> {
        match (self, &response.partial_success) {
            (Self::Protobuf, _) => response.encode_to_vec(),
            (Self::Json, None) => b"{}".to_vec(),
            (Self::Json, Some(partial)) => {
                let partial = serde_json::json!({
                    // Numbers of 64 bits are strings in JSON.
                    "rejectedSpans": partial.rejected_spans.to_string(),
                    "errorMessage": partial.error_message,
                });
                serde_json::json!({"partialSuccess": partial}).to_string().into()
            }
        }
    }
}

#[derive(Debug, Default)]
struct Collected {
    spans: Vec<CollectedSpan>,
    bodies: Vec<Bytes>,
    /// The number of spans that the next response reports as rejected.
    refuse: i64,
}

impl Collected {
    /// Stores the spans of a request, encodes the response, and returns the signals and costs among the spans; `None` if the
    /// body is not an OTLP request.
    fn receive(&mut self, encoding: Encoding, body: Bytes) -> Option<(Vec<u8>, [Vec<Value>; 2])> {
        let request = encoding.decode(&body)?;
        self.bodies.push(body);
        let before = self.spans.len();
        for of_resource in request.resource_spans {
            let resource = object(&of_resource.resource.unwrap_or_default().attributes);
            for of_scope in of_resource.scope_spans {
                let tracer = of_scope.scope.map(|scope| scope.name).unwrap_or_default();
                self.spans.extend(of_scope.spans.iter().map(|span| collected(span, &tracer, &resource)));
            }
        }
        let rejected_spans = std::mem::take(&mut self.refuse);
        let partial_success = (rejected_spans > 0).then(|| ExportTracePartialSuccess {
            rejected_spans,
            error_message: "the test asked to reject spans".to_owned(),
        });
        let spans = self.spans.get(before..).unwrap_or_default();
        let taken = [spans.iter().filter_map(signal).collect(), spans.iter().filter_map(cost).collect()];
        Some((encoding.encode(&ExportTraceServiceResponse { partial_success }), taken))
    }
}

fn collected(span: &Span, tracer: &str, resource: &BTreeMap<String, Value>) -> CollectedSpan {
    let status = span.status.clone().unwrap_or_default();
    CollectedSpan {
        name: span.name.clone(),
        tracer: tracer.to_owned(),
        trace_id: const_hex::encode(&span.trace_id),
        span_id: const_hex::encode(&span.span_id),
        parent_span_id: const_hex::encode(&span.parent_span_id),
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

/// The signal that a span stands for, as `POST /signals/bulk` takes it; `None` for other spans.
fn signal(span: &CollectedSpan) -> Option<Value> {
    let text = |key: &str| span.attribute(key).as_str().filter(|text| !text.is_empty());
    if span.name.rsplit('.').next() != Some("signal") {
        return None;
    }
    let mut signal = value!({
        "eventName": text("event_name")?,
        "customer": {"externalCustomerId": text("external_customer_id")?},
        // A batch of spans that is sent again brings no signal twice.
        "idempotencyKey": format!("{}-{}", span.trace_id, span.span_id),
    });
    if let Some(product) = text("external_agent_id") {
        signal["attribution"] = value!({"externalProductId": product});
    }
    if let Some(start) = started(span) {
        signal["timestamp"] = start;
    }
    if let Some(data) = text("data").and_then(|data| serde_json::from_str::<Value>(data).ok()).filter(Value::is_object)
    {
        signal["data"] = data;
    }
    Some(signal)
}

/// The cost that a span of a model's call stands for, as `POST /costs/bulk` takes it; `None` for other spans, and without a scope.
fn cost(span: &CollectedSpan) -> Option<Value> {
    let text = |keys: &[&str]| keys.iter().find_map(|key| span.attribute(key).as_str().filter(|text| !text.is_empty()));
    let usage = usage(|key| span.attributes.get(key));
    let customer = text(&["external_customer_id"])?;
    let vendor = text(&["gen_ai.provider.name", "gen_ai.system"])?;
    let model = text(&["gen_ai.response.model", "gen_ai.request.model"])?;
    if usage.is_empty() {
        return None;
    }
    let mut cost = value!({
        "type": "usage",
        "customer": {"externalCustomerId": customer},
        "vendor": vendor,
        "model": model,
        "usage": usage,
        "idempotencyKey": format!("{}-{}", span.trace_id, span.span_id),
    });
    if let Some(product) = text(&["external_agent_id"]) {
        cost["product"] = value!({ "externalProductId": product });
    }
    if let Some(start) = started(span) {
        cost["timestamp"] = start;
    }
    Some(cost)
}

fn started(span: &CollectedSpan) -> Option<Value> {
    let start = i64::try_from(span.start).ok().filter(|start| *start > 0)?;
    Some(DateTime::from_timestamp_nanos(start).to_rfc3339().into())
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
        Some(any_value::Value::KvlistValue(list)) => {
            list.values.iter().map(|entry| (entry.key.clone(), json(entry.value.as_ref()))).collect()
        }
        Some(any_value::Value::ArrayValue(array)) => array.values.iter().map(|value| json(Some(value))).collect(),
        _ => Value::Null,
    }
}
