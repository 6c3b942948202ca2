//! The sink of spans: OTLP over HTTP, as protobuf.
//!
//! `opentelemetry-proto` encodes the spans, but this module makes the request: the ready-made exporter obeys the
//! environment's `OTEL_EXPORTER_OTLP_HEADERS` and `_COMPRESSION`, and does not report what was refused.

use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::ResourceSpans;
use opentelemetry_proto::transform::common::tonic::ResourceAttributesWithSchema;
use prost::Message;
use prost::encoding::{WireType, encode_key, encode_varint};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, USER_AGENT};

use crate::client::{Connections, KeySource};
use crate::dispatch::{Batch, Sink, SinkFuture};
use crate::error::{ApiError, Error, Failure};
use crate::foreign;
use crate::report::Counts;
use crate::secret::Secret;
use crate::sinks::background::{SMALL_RESPONSE, header_aside};
use crate::transport::{Answered, exchange, guarded};
use crate::verdict::Verdict;

/// The name of the request in errors.
const OPERATION: &str = "export-spans";
/// A field number of `ExportTraceServiceRequest`.
const RESOURCE_SPANS: u32 = 1;
/// A field number of `ResourceSpans`.
const SCOPE_SPANS: u32 = 2;

pub(super) struct CollectorSink {
    connections: Connections,
    endpoint: String,
    key: KeySource,
    /// The time limit of one request.
    timeout: Duration,
    /// The resource, encoded as the first field of `ResourceSpans`.
    resource: Vec<u8>,
}

impl CollectorSink {
    pub(super) fn new(
        connections: Connections,
        endpoint: String,
        key: KeySource,
        timeout: Duration,
        resource: &opentelemetry_sdk::Resource,
    ) -> Self {
        let ResourceAttributesWithSchema { attributes, schema_url } = ResourceAttributesWithSchema::from(resource);
        let resource = Resource { attributes: attributes.0, ..Resource::default() };
        let schema_url = schema_url.unwrap_or_default();
        let resource = ResourceSpans { resource: Some(resource), scope_spans: Vec::new(), schema_url }.encode_to_vec();
        Self { connections, endpoint, key, timeout, resource }
    }

    /// An `ExportTraceServiceRequest`, assembled from parts that are already encoded.
    fn body(&self, batch: &Batch<'_>) -> Vec<u8> {
        let size = batch.records().map(|record| record.body().len() + 8).sum::<usize>();
        let mut resource_spans = Vec::with_capacity(self.resource.len() + size);
        resource_spans.extend_from_slice(&self.resource);
        for record in batch.records() {
            append_message(&mut resource_spans, SCOPE_SPANS, record.body());
        }
        let mut request = Vec::with_capacity(resource_spans.len() + 8);
        append_message(&mut request, RESOURCE_SPANS, &resource_spans);
        request
    }

    async fn export(&self, body: Vec<u8>, spans: usize) -> Result<Counts, Error> {
        let answered = guarded(self.answered(body)).await;
        let answered = answered.map_err(|failure| Error::no_response(OPERATION.into(), 1, failure))?;
        let Answered { status, headers, body, secret } = answered;
        if Verdict::is_done(status) {
            return Ok(counts(&body.bytes, spans as u64, &secret));
        }
        Err(Error::Api(Box::new(ApiError::without_key(OPERATION.into(), 1, status, headers, &body.bytes, &secret))))
    }

    async fn answered(&self, body: Vec<u8>) -> Result<Answered, Failure> {
        let limit = self.timeout;
        let http = self.connections.here()?;
        let key = header_aside(self.key.clone(), limit).await.map_err(Failure::Key)?;
        let secret = Secret::in_header(&key);
        let request = http
            .post(&self.endpoint)
            .timeout(limit)
            .header(AUTHORIZATION, key)
            .header(CONTENT_TYPE, "application/x-protobuf")
            .header(USER_AGENT, concat!("paid-rust/", env!("CARGO_PKG_VERSION")))
            .body(body);
        exchange(request, SMALL_RESPONSE, limit, secret).await
    }
}

impl Sink for CollectorSink {
    fn send<'a>(&'a self, batch: Batch<'a>) -> SinkFuture<'a> {
        let body = self.body(&batch);
        Box::pin(self.export(body, batch.len()))
    }
}

fn append_message(text: &mut Vec<u8>, field: u32, message: &[u8]) {
    encode_key(field, WireType::LengthDelimited, text);
    encode_varint(message.len() as u64, text);
    text.extend_from_slice(message);
}

/// The counts of a response. The collector reports how many spans it refused, but not which.
fn counts(body: &[u8], spans: u64, secret: &Secret) -> Counts {
    let answer = ExportTraceServiceResponse::decode(body).unwrap_or_default();
    let partial = answer.partial_success.unwrap_or_default();
    let failed = u64::try_from(partial.rejected_spans).unwrap_or(0).min(spans);
    if failed > 0 {
        let reason = crate::error::excerpt(&secret.removed(&partial.error_message), 200);
        foreign::log(|| tracing::warn!("the collector refused {failed} of {spans} spans: {reason}"));
    }
    Counts { ingested: spans - failed, duplicates: 0, failed }
}

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
    use opentelemetry_proto::tonic::trace::v1::{ScopeSpans, Span};

    use super::*;
    use crate::client::HttpSettings;

    #[test]
    fn a_body_put_together_from_parts_is_what_the_whole_message_would_be() {
        let scope_spans = |name: &str| ScopeSpans {
            spans: vec![Span { name: name.into(), ..Span::default() }],
            ..ScopeSpans::default()
        };
        let resource = opentelemetry_sdk::Resource::builder_empty().build();
        let resource_spans = ResourceSpans {
            resource: Some(Resource::default()),
            scope_spans: vec![scope_spans("a"), scope_spans("b")],
            schema_url: String::new(),
        };
        let whole = ExportTraceServiceRequest { resource_spans: vec![resource_spans] };
        let key = KeySource::Fixed(crate::ApiKey::new("paid_x").unwrap());
        let http = HttpSettings { connect_timeout: Duration::ZERO, configure: None, is_plain: true };
        let connections = Connections::new(http).unwrap();
        let collector = CollectorSink::new(connections, String::new(), key, Duration::ZERO, &resource);
        let mut parts = collector.resource;
        for name in ["a", "b"] {
            append_message(&mut parts, SCOPE_SPANS, &scope_spans(name).encode_to_vec());
        }
        let mut body = Vec::new();
        append_message(&mut body, RESOURCE_SPANS, &parts);
        assert_eq!(ExportTraceServiceRequest::decode(&*body).unwrap(), whole);
    }
}
