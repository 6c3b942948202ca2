//! The API over HTTP: checks the API key and the contract, applies faults, executes operations, sends webhooks.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, Uri};
use axum::response::Response;
use chrono::TimeDelta;
use serde_json::Value;
use tokio::task::JoinHandle;

use super::analytics::only_reads;
use super::compaction;
use super::contract::{Contract, Matched, Violation};
use super::control::Act;
use super::fault::{Fault, Faults};
use super::http::{JsonAnswer, decompressed, has_api_key, respond, send_or_drop};
use super::journal::{Entry, Journals, raw};
use super::live_check::LiveCheck;
use super::numbers;
use super::refusal::{Refusal, Reply};
use super::requests::{Kept, RequestLog};
use super::store::Store;
use super::webhooks::{self, WebhookClient};
use crate::Timestamp;

/// How long a response waits for the webhooks that it causes.
const WEBHOOK_WAIT: Duration = Duration::from_millis(250);

/// The state that all connections share.
#[derive(Debug, Default)]
pub(super) struct EmulatorState {
    pub(super) faults: Arc<Faults>,
    pub(super) requests: RequestLog,
    pub(super) journals: Journals,
    /// The catalogue that received signals are held against.
    pub(super) live: Option<LiveCheck>,
    /// Where it listens.
    pub(super) address: OnceLock<SocketAddr>,
    store: Arc<Mutex<Store>>,
    /// Sends webhooks, in order.
    http: Arc<tokio::sync::Mutex<WebhookClient>>,
}

impl EmulatorState {
    pub(super) fn new(live: Option<LiveCheck>) -> Self {
        Self { live, ..Self::default() }
    }

    pub(super) fn store(&self) -> MutexGuard<'_, Store> {
        locked(&self.store)
    }

    /// Notes what changed something.
    fn note(&self, entry: impl FnOnce() -> Entry) {
        if let Some(grown) = self.journals.changed(entry) {
            compaction::begin(grown);
        }
    }

    /// Changes the store, then sends the webhooks that result from it.
    pub(super) async fn change<T>(&self, change: impl FnOnce(&mut Store) -> T) -> T {
        let outcome = change(&mut self.store());
        self.send_webhooks().await;
        outcome
    }

    /// Does something to an object, at one time.
    pub(super) async fn act(&self, act: Act, id: &str, body: &Value) -> Result<(), Refusal> {
        self.change(|store| {
            let at = store.clock.now();
            store.clock.hold(Some(at));
            let done = act.apply(store, id, body);
            store.clock.hold(None);
            if done.is_ok() {
                self.note(|| act.entry(id, at, body));
            }
            done
        })
        .await
    }

    /// Like [`act`](Self::act), by the names of the control route. Returns true if the object was there and changed.
    pub(super) async fn act_named(&self, kind: &str, action: &str, id: &str) -> bool {
        match Act::named(kind, action) {
            Some(act) => self.act(act, id, &Value::Null).await.is_ok(),
            None => false,
        }
    }

    /// Moves the time forward: periods begin, and what posts by itself is posted. Returns false if there is no such time.
    pub(super) async fn advance(&self, by: TimeDelta) -> bool {
        self.change(|store| {
            let is_moved = store.clock.advance(by);
            if is_moved {
                store.roll();
                self.note(|| Entry::of_clock(by, store.clock.now()));
            }
            is_moved
        })
        .await
    }

    /// Does again what was recorded. Returns less of it that does the same, if that is worth it.
    pub(super) fn replay(&self, entries: Vec<Entry>) -> Result<Option<Vec<Entry>>, String> {
        let (store, smaller) = compaction::replayed(entries)?;
        *self.store() = store;
        Ok(smaller)
    }

    /// Creates what an account begins with, and notes it.
    pub(super) fn sow(&self, seed: &Value) -> Result<(), String> {
        for entry in self.store().sow(seed)? {
            self.note(|| entry);
        }
        Ok(())
    }

    pub(super) fn reset(&self) {
        *self.store() = Store::default();
        self.journals.clear();
        self.faults.clear();
        self.requests.clear();
        if let Some(live) = &self.live {
            live.clear();
        }
    }

    /// The file of an export, as long as it can be downloaded.
    pub(super) fn export_file(&self, id: &str) -> Option<String> {
        let store = self.store();
        store.summaries.file(id, store.clock.now()).map(str::to_owned)
    }

    /// Sends the queued webhooks in order. Returns true if every one was acknowledged.
    async fn send_webhooks(&self) -> bool {
        self.start_sending().await.unwrap_or(false)
    }

    /// Sends the queued webhooks in a task, after those of earlier tasks.
    fn start_sending(&self) -> JoinHandle<bool> {
        let outgoing = self.store().webhooks.take_outgoing();
        let (http, store) = (Arc::clone(&self.http), Arc::clone(&self.store));
        tokio::spawn(async move {
            let mut success = true;
            if outgoing.is_empty() {
                return success;
            }
            let http = http.lock().await;
            for outgoing in outgoing {
                let acknowledged = webhooks::deliver(&http, &outgoing).await;
                locked(&store).webhooks.sent(&outgoing.event, acknowledged);
                success &= acknowledged;
            }
            success
        })
    }

    /// Executes an operation, at one time, and notes it if it changes something. Also returns the status of a success.
    fn executed(&self, request: &Target<'_>, matched: &Matched, body: &Value) -> (Reply, u16) {
        let mut store = self.store();
        let at = store.clock.now();
        store.clock.hold(Some(at));
        let invoices = |store: &Store| store.settled.len() + store.announced.len();
        let before = invoices(&store);
        let reply = store.execute(matched, body);
        let status = if store.is_created { 201 } else { matched.status };
        store.clock.hold(None);
        // A request that only reads, or that is refused, may be the first that finds a period ended, which posts its invoice.
        let has_moved = invoices(&store) != before;
        let only_reads = request.method == Method::GET || only_reads(&matched.operation);
        if reply.is_ok() && (!only_reads || has_moved) {
            self.note(|| request.entry(at, Some(&matched.operation), status));
        } else if has_moved {
            self.note(|| Entry::of_clock(TimeDelta::zero(), at));
        }
        (reply, status)
    }

    async fn execute(&self, request: &Target<'_>, matched: &Matched, body: &Value) -> (Reply, u16) {
        let (mut reply, status) = self.executed(request, matched, body);
        if matched.operation != "test-webhook" {
            // A receiver that does not answer keeps nobody waiting for longer.
            let _ = tokio::time::timeout(WEBHOOK_WAIT, self.start_sending()).await;
            return (reply, status);
        }
        let acknowledged = self.send_webhooks().await;
        if let Ok(answer) = &mut reply {
            answer["success"] = acknowledged.into();
        }
        (reply, status)
    }

    /// Takes signals and costs that did not come over the API as if they had.
    pub(super) async fn take(&self, [signals, costs]: [Vec<Value>; 2]) {
        let costs = self.store().good_costs(costs);
        for (what, list) in [("signals", signals), ("costs", costs)] {
            let Ok(uri) = format!("/api/v2/{what}/bulk").parse::<Uri>() else { continue };
            if !list.is_empty() {
                let body = serde_json::json!({ what: list }).to_string().into_bytes();
                let target = Target { method: &Method::POST, uri: &uri, body: &body };
                self.answer(&target, check(&Method::POST, &uri, &body)).await;
            }
        }
    }

    /// A file of the emulator's own is downloaded from its address.
    fn addressed(&self, mut answer: Value) -> Value {
        if let (Some(path), Some(address)) = (answer["downloadUrl"].as_str(), self.address.get()) {
            answer["downloadUrl"] = format!("http://{address}{path}").into();
        }
        answer
    }

    async fn answer(&self, request: &Target<'_>, checked: Result<(Matched, Value), Violation>) -> JsonAnswer {
        let (matched, body) = match checked {
            Ok(checked) => checked,
            Err(violation) => return rejected(&violation),
        };
        if let Some(live) = &self.live {
            live.hear(&matched, &body, &self.store());
        }
        match self.execute(request, &matched, &body).await {
            (Ok(answer), status) => checked_answer(&Matched { status, ..matched }, self.addressed(answer)),
            (Err(refusal), _) => refusal.into(),
        }
    }
}

/// Where a request goes.
struct Target<'a> {
    method: &'a Method,
    uri: &'a Uri,
    body: &'a [u8],
}

impl Target<'_> {
    fn entry(&self, at: Timestamp, operation: Option<&str>, status: u16) -> Entry {
        Entry {
            at,
            method: self.method.to_string(),
            target: self.uri.path_and_query().map_or_else(|| self.uri.to_string(), ToString::to_string),
            operation: operation.map(str::to_owned),
            status,
            ids: None,
            body: raw(self.body),
        }
    }
}

/// A poisoned lock only means that another request's task was stopped; the data is complete.
fn locked(store: &Mutex<Store>) -> MutexGuard<'_, Store> {
    store.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One handler for every path: the contract does the routing.
pub(super) fn router(state: Arc<EmulatorState>) -> Router {
    Router::new().fallback(handle).with_state(state)
}

async fn handle(
    State(state): State<Arc<EmulatorState>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let body = decompressed(&headers, body);
    let target = Target { method: &method, uri: &uri, body: &body };
    let checked = check(&method, &uri, &body);
    let operation = match &checked {
        Ok((matched, _)) => Some(matched.operation.clone()),
        Err(violation) => violation.operation.clone(),
    };
    let fault = state.faults.take(operation.as_deref());
    if let Some(fault) = &fault {
        fault.delay().await;
    }
    let answer = if fault.as_ref().is_some_and(Fault::prevents_work) {
        JsonAnswer::not_executed()
    } else if has_api_key(&headers) {
        state.answer(&target, checked).await
    } else {
        JsonAnswer::forbidden()
    };
    let response = respond(fault.as_ref(), &answer);
    let status = response.as_ref().map_or(0, |response| response.status().as_u16());
    let at = state.store().clock.now();
    state.journals.received(|| target.entry(at, operation.as_deref(), status));
    state.requests.add(Kept { operation, method: method.to_string(), target: uri.to_string(), body, status });
    send_or_drop(response)
}

/// Which operation a request calls, and its body.
pub(super) fn check(method: &Method, uri: &Uri, body: &[u8]) -> Result<(Matched, Value), Violation> {
    let path = uri.path().strip_prefix("/api/v2").unwrap_or_else(|| uri.path());
    let (matched, read) =
        Contract::of_paid().read_request(method.as_str(), path, uri.query().unwrap_or_default(), body)?;
    match numbers::read(&matched.operation, read, body) {
        Ok(body) => Ok((matched, body)),
        Err((place, problem)) => Err(inexact(&matched, place, problem)),
    }
}

fn inexact(matched: &Matched, place: String, problem: String) -> Violation {
    Violation { status: 400, operation: Some(matched.operation.clone()), place, problem }
}

fn rejected(violation: &Violation) -> JsonAnswer {
    let code = if violation.status == 400 { "validation_error" } else { "not_found" };
    let error = format!("the request does not conform to the document: {violation}");
    JsonAnswer::error(violation.status, &error, code, Some(&violation.place))
}

/// The emulator's own responses have to conform to the document too.
fn checked_answer(matched: &Matched, body: Value) -> JsonAnswer {
    match Contract::of_paid().check_answer(&matched.operation, &body) {
        Ok(()) => JsonAnswer::new(matched.status, body),
        Err(violation) => {
            let error = format!("the emulator's response does not conform to the document: {violation}");
            JsonAnswer::error(500, &error, "emulator_bug", None)
        }
    }
}
