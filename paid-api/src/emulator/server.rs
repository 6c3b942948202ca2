//! HTTP around the store: keys, faults, the contract, the error format.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::Response;
use serde_json::{Value, json};

use super::Recorded;
use super::contract::Contract;
use super::fault::{Fault, Kind};
use super::store::{Refusal, Store};
use super::webhooks;

/// Requests that are remembered; older ones are forgotten, so that a long run stays small.
const REMEMBERED: usize = 10_000;

/// What all connections share.
#[derive(Debug)]
pub(crate) struct Shared {
    store: Mutex<Store>,
    faults: Mutex<VecDeque<Fault>>,
    requests: Mutex<VecDeque<Recorded>>,
    /// For webhooks.
    http: reqwest::Client,
    #[cfg(feature = "trace")]
    collected: Mutex<super::collector::Collected>,
}

/// A poisoned lock only means that another request's task was stopped; the data is whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    pub(crate) fn new() -> Self {
        Self {
            store: Mutex::new(Store::default()),
            faults: Mutex::default(),
            requests: Mutex::default(),
            http: reqwest::Client::new(),
            #[cfg(feature = "trace")]
            collected: Mutex::default(),
        }
    }

    pub(crate) fn add_fault(&self, fault: Fault) {
        lock(&self.faults).push_back(fault);
    }

    pub(crate) fn requests(&self) -> Vec<Recorded> {
        lock(&self.requests).iter().cloned().collect()
    }

    pub(crate) fn idempotency_keys(&self) -> std::collections::BTreeSet<String> {
        lock(&self.store).keys.clone()
    }

    #[cfg(feature = "trace")]
    pub(crate) fn collected<T>(&self, look: impl FnOnce(&mut super::collector::Collected) -> T) -> T {
        look(&mut lock(&self.collected))
    }

    /// Changes the store, and sends the webhooks that come of it.
    pub(crate) async fn change<T>(&self, change: impl FnOnce(&mut Store) -> T) -> T {
        let outcome = change(&mut lock(&self.store));
        self.send_webhooks().await;
        outcome
    }

    /// Sends what is to be sent, in order; whether all was acknowledged.
    async fn send_webhooks(&self) -> bool {
        let outgoing = lock(&self.store).webhooks.take_outgoing();
        let mut success = true;
        for outgoing in outgoing {
            let acknowledged = webhooks::deliver(&self.http, &outgoing).await;
            lock(&self.store).webhooks.sent(&outgoing.event, acknowledged);
            success &= acknowledged;
        }
        success
    }

    pub(crate) fn reset(&self) {
        *lock(&self.store) = Store::default();
        lock(&self.faults).clear();
        lock(&self.requests).clear();
        #[cfg(feature = "trace")]
        self.collected(|collected| *collected = super::collector::Collected::default());
    }

    fn record(&self, request: Recorded) {
        let mut requests = lock(&self.requests);
        if requests.len() == REMEMBERED {
            requests.pop_front();
        }
        requests.push_back(request);
    }

    fn take_fault(&self, operation: Option<&str>) -> Option<Fault> {
        let mut faults = lock(&self.faults);
        // The collector is no part of the API: a fault has to name it.
        let is_meant = |fault: &Fault| operation != Some("traces") || fault.operation.is_some();
        let at = faults.iter().position(|fault| fault.concerns(operation) && is_meant(fault))?;
        let fault = faults.get_mut(at)?;
        fault.times -= 1;
        let taken = fault.clone();
        if taken.times == 0 {
            faults.remove(at);
        }
        Some(taken)
    }
}

/// Everything is one fallback: the contract does the routing.
pub(crate) fn router(shared: Arc<Shared>) -> Router {
    Router::new().fallback(handle).with_state(shared)
}

struct Answer {
    status: u16,
    body: Value,
}

impl Answer {
    fn error(status: u16, error: &str, code: &str, details: Option<&str>) -> Self {
        let mut body = json!({"error": error, "code": code});
        if let Some(details) = details {
            body["details"] = details.into();
        }
        Self { status, body }
    }
}

impl From<Refusal> for Answer {
    fn from(refusal: Refusal) -> Self {
        Self::error(refusal.status, &refusal.error, refusal.code, refusal.details.as_deref())
    }
}

async fn handle(
    State(shared): State<Arc<Shared>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let body = unpacked(&headers, body);
    #[cfg(feature = "trace")]
    if uri.path() == "/v1/traces" {
        return collect(&shared, &headers, body).await;
    }
    let path = uri.path().strip_prefix("/api/v2").unwrap_or_else(|| uri.path());
    let query = uri.query().unwrap_or_default();
    let checked = Contract::of_paid().check(method.as_str(), path, query, &body);
    let operation = match &checked {
        Ok(matched) => Some(matched.operation.clone()),
        Err(violation) => violation.operation.clone(),
    };
    let fault = shared.take_fault(operation.as_deref());
    if let Some(Fault { kind: Kind::Latency(latency), .. }) = &fault {
        tokio::time::sleep(*latency).await;
    }
    let spoiled = fault.as_ref().is_some_and(|fault| !fault.after_work && !matches!(fault.kind, Kind::Latency(_)));
    let answer = if spoiled {
        Answer { status: 500, body: Value::Null }
    } else if !is_let_in(&headers) {
        Answer::error(403, "missing or invalid API key", "forbidden", Some("send `Authorization: Bearer paid_…`"))
    } else {
        match checked {
            Err(violation) => {
                let code = if violation.status == 400 { "validation_error" } else { "not_found" };
                Answer::error(
                    violation.status,
                    &format!("the request is not what the document says: {violation}"),
                    code,
                    Some(&violation.place),
                )
            }
            Ok(matched) => {
                let value = serde_json::from_slice(&body).unwrap_or_default();
                let mut done = lock(&shared.store).perform(&matched, &value);
                let acknowledged = shared.send_webhooks().await;
                if let Ok(answer) = &mut done
                    && matched.operation == "test-webhook"
                {
                    answer["success"] = acknowledged.into();
                }
                done.map_or_else(Answer::from, |body| checked_answer(&matched.operation, matched.status, body))
            }
        }
    };
    let response = respond(fault.as_ref(), &answer);
    shared.record(Recorded {
        operation,
        method: method.to_string(),
        target: uri.to_string(),
        body: serde_json::from_slice(&body).unwrap_or_default(),
        status: response.as_ref().map_or(0, |response| response.status().as_u16()),
    });
    match response {
        Some(response) => response,
        // Unwinding ends the connection's task and with it the connection; the panic hook is not called.
        None => std::panic::resume_unwind(Box::new("the connection is dropped on demand")),
    }
}

/// The collector. A fault concerns it as the operation `traces`.
#[cfg(feature = "trace")]
async fn collect(shared: &Shared, headers: &HeaderMap, body: Bytes) -> Response {
    let fault = shared.take_fault(Some("traces"));
    if let Some(Fault { kind: Kind::Latency(latency), .. }) = &fault {
        tokio::time::sleep(*latency).await;
    }
    let spoiled = fault.as_ref().is_some_and(|fault| !fault.after_work && !matches!(fault.kind, Kind::Latency(_)));
    let is_protobuf = headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind == "application/x-protobuf");
    let answer = if spoiled {
        Answer { status: 500, body: Value::Null }
    } else if !is_let_in(headers) {
        Answer::error(403, "missing or invalid API key", "forbidden", Some("send `Authorization: Bearer paid_…`"))
    } else {
        match is_protobuf.then(|| shared.collected(|collected| collected.take(body))).flatten() {
            Some(done) if fault.is_none() => return response(200, "application/x-protobuf", Body::from(done)),
            Some(_) => Answer { status: 200, body: Value::Null },
            None => Answer::error(400, "no OTLP request as protobuf", "validation_error", None),
        }
    };
    match respond(fault.as_ref(), &answer) {
        Some(response) => response,
        None => std::panic::resume_unwind(Box::new("the connection is dropped on demand")),
    }
}

/// A compressed body as it was before; what cannot be read is left to the contract.
fn unpacked(headers: &HeaderMap, body: Bytes) -> Bytes {
    use std::io::Read;
    if headers.get(header::CONTENT_ENCODING).is_none_or(|encoding| encoding != "gzip") {
        return body;
    }
    let mut plain = Vec::new();
    let limit = 64 << 20;
    let read = flate2::read::GzDecoder::new(&*body).take(limit).read_to_end(&mut plain);
    if read.is_ok() { plain.into() } else { body }
}

/// The emulator is held to the document too.
fn checked_answer(operation: &str, status: u16, body: Value) -> Answer {
    match Contract::of_paid().check_answer(operation, &body) {
        Ok(()) => Answer { status, body },
        Err(violation) => Answer::error(
            500,
            &format!("the emulator's answer is not what the document says: {violation}"),
            "emulator_bug",
            None,
        ),
    }
}

fn is_let_in(headers: &HeaderMap) -> bool {
    let value = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    value.is_some_and(|value| value.starts_with("Bearer paid_"))
}

/// `None` drops the connection.
fn respond(fault: Option<&Fault>, answer: &Answer) -> Option<Response> {
    let text = answer.body.to_string();
    let json = |status: u16, text: String| response(status, "application/json", Body::from(text));
    let mut response = match fault.map(|fault| &fault.kind) {
        None | Some(Kind::Latency(_)) => json(answer.status, text),
        Some(Kind::Drop) => return None,
        Some(Kind::Status(status)) => {
            let body = json!({"error": "failing on demand", "code": "emulator_fault"});
            json(*status, body.to_string())
        }
        Some(Kind::Body(status, html)) => response(*status, "text/html", Body::from(html.clone())),
        Some(Kind::Truncate) => {
            let half = Bytes::from(text.as_bytes()[..text.len() / 2].to_vec());
            let parts = [Ok(half), Err(std::io::Error::other("cut off on demand"))];
            let mut response =
                response(answer.status, "application/json", Body::from_stream(futures_util::stream::iter(parts)));
            response.headers_mut().insert(header::CONTENT_LENGTH, text.len().into());
            response
        }
    };
    for (name, value) in fault.into_iter().flat_map(|fault| &fault.headers) {
        if let (Ok(name), Ok(value)) = (header::HeaderName::try_from(name), header::HeaderValue::try_from(value)) {
            response.headers_mut().insert(name, value);
        }
    }
    Some(response)
}

fn response(status: u16, kind: &'static str, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static(kind));
    response
}
