//! HTTP that the API and the collector have in common: the API key, compressed bodies, and responses with faults.

use std::io::Read;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use flate2::read::GzDecoder;
use serde_json::{Value, json};

use super::fault::{Fault, FaultKind};
use super::refusal::Refusal;

/// The largest body after decompression, in bytes.
const DECOMPRESSED_LIMIT: u64 = 64 << 20;

/// A response with a JSON body, before a fault changes it.
pub(super) struct JsonAnswer {
    status: u16,
    body: Value,
}

impl JsonAnswer {
    pub(super) fn new(status: u16, body: Value) -> Self {
        Self { status, body }
    }

    /// An error in Paid's format.
    pub(super) fn error(status: u16, error: &str, code: &str, details: Option<&str>) -> Self {
        let mut body = json!({"error": error, "code": code});
        if let Some(details) = details {
            body["details"] = details.into();
        }
        Self { status, body }
    }

    pub(super) fn forbidden() -> Self {
        Self::error(403, "missing or invalid API key", "forbidden", Some("send `Authorization: Bearer paid_…`"))
    }

    /// The answer to a request that a fault keeps from being executed.
    pub(super) fn not_executed() -> Self {
        Self { status: 500, body: Value::Null }
    }
}

impl From<Refusal> for JsonAnswer {
    fn from(refusal: Refusal) -> Self {
        let mut answer = Self::error(refusal.status, &refusal.error, refusal.code, refusal.details.as_deref());
        if let Some(intent) = refusal.intent {
            answer.body["intentIndex"] = intent.into();
        }
        answer
    }
}

/// Any key that starts with `paid_` is accepted.
pub(super) fn has_api_key(headers: &HeaderMap) -> bool {
    let value = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    value.is_some_and(|value| value.starts_with("Bearer paid_"))
}

/// Decompresses a body. One that cannot be decompressed is returned unchanged; the contract rejects it.
pub(super) fn decompressed(headers: &HeaderMap, body: Bytes) -> Bytes {
    if headers.get(header::CONTENT_ENCODING).is_none_or(|encoding| encoding != "gzip") {
        return body;
    }
    let mut plain = Vec::new();
    match GzDecoder::new(&*body).take(DECOMPRESSED_LIMIT).read_to_end(&mut plain) {
        Ok(_) => plain.into(),
        Err(_) => body,
    }
}

/// The response, changed as the fault says; `None` if the fault drops the connection.
pub(super) fn respond(fault: Option<&Fault>, answer: &JsonAnswer) -> Option<Response> {
    let Some(fault) = fault else { return Some(json_response(answer)) };
    let mut response = match &fault.kind {
        FaultKind::Latency(_) => json_response(answer),
        FaultKind::Drop => return None,
        FaultKind::Status(status) => {
            json_response(&JsonAnswer::error(*status, "this failure was requested", "emulator_fault", None))
        }
        FaultKind::Body(status, html) => response(*status, "text/html", Body::from(html.clone())),
        FaultKind::Truncate => truncated(answer),
    };
    for (name, value) in &fault.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().insert(name, value);
        }
    }
    Some(response)
}

/// Returns the response, or closes the connection if there is none.
pub(super) fn send_or_drop(response: Option<Response>) -> Response {
    match response {
        Some(response) => response,
        // Unwinding ends the connection's task and with it the connection; the panic hook is not called.
        None => std::panic::resume_unwind(Box::new("a fault drops the connection")),
    }
}

fn json_response(answer: &JsonAnswer) -> Response {
    response(answer.status, "application/json", Body::from(answer.body.to_string()))
}

/// Half of the body, under a `Content-Length` that announces all of it.
fn truncated(answer: &JsonAnswer) -> Response {
    let text = answer.body.to_string();
    let half = Bytes::copy_from_slice(&text.as_bytes()[..text.len() / 2]);
    let parts = [Ok(half), Err(std::io::Error::other("a fault cuts the body off"))];
    let body = Body::from_stream(futures_util::stream::iter(parts));
    let mut response = response(answer.status, "application/json", body);
    response.headers_mut().insert(header::CONTENT_LENGTH, text.len().into());
    response
}

pub(super) fn response(status: u16, content_type: &'static str, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// Takes signals and costs that did not come over the API, in its form.
pub(super) type Take =
    std::sync::Arc<dyn Fn([Vec<Value>; 2]) -> futures_util::future::BoxFuture<'static, ()> + Send + Sync>;
