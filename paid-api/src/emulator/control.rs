//! What a test makes happen over HTTP, in any language, below `/__emulator/`: invoices move, products are archived,
//! checkouts end, time passes, requests fail, and everything begins anew.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, Request, State};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::{get, post};
use chrono::TimeDelta;
use serde::Deserialize;
use serde_json::{Value, json};

use super::fault::Fault;
use super::http::{JsonAnswer, has_api_key, respond, send_or_drop};
use super::journal::Entry;
use super::refusal::Refusal;
use super::server::EmulatorState;
use super::store::Store;
use crate::Timestamp;

/// The routes beside the API. They need the API key too.
/// `forget` resets what is beside the account.
pub(super) fn routes(state: Arc<EmulatorState>, forget: Arc<dyn Fn() + Send + Sync>) -> Router {
    let reset = async move |State(state): State<Arc<EmulatorState>>| {
        state.reset();
        forget();
        done()
    };
    Router::new()
        .route("/__emulator/reset", post(reset))
        .route("/__emulator/clock", get(clock).post(move_clock))
        .route("/__emulator/faults", get(faults).post(add_fault).delete(clear_faults))
        .route("/__emulator/state", get(state_of_page))
        .route("/__emulator/catalogue", get(catalogue_report))
        .route("/__emulator/{kind}/{id}/{action}", post(act))
        .layer(from_fn(with_key))
        .with_state(state)
}

async fn with_key(request: Request, next: Next) -> Response {
    if has_api_key(request.headers()) { next.run(request).await } else { answered(JsonAnswer::forbidden()) }
}

fn answered(answer: JsonAnswer) -> Response {
    send_or_drop(respond(None, &answer))
}

fn done() -> Response {
    answered(JsonAnswer::new(200, json!({"success": true})))
}

fn invalid(error: &str, place: &str) -> Response {
    answered(JsonAnswer::error(400, error, "validation_error", Some(place)))
}

/// The emulator's time.
async fn clock(State(state): State<Arc<EmulatorState>>) -> Response {
    let now = state.store().clock.shown();
    answered(JsonAnswer::new(200, json!({ "now": now })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Move {
    advance_seconds: Option<u64>,
    advance_days: Option<u64>,
    to: Option<Timestamp>,
}

/// `{"advanceDays": 30}`, `{"advanceSeconds": 60}` or `{"to": "2027-01-01T00:00:00Z"}`.
async fn move_clock(State(state): State<Arc<EmulatorState>>, body: Bytes) -> Response {
    let wanted: Move = match serde_json::from_slice(&body) {
        Ok(wanted) => wanted,
        Err(error) => return invalid(&error.to_string(), "body"),
    };
    let now = state.store().clock.now();
    let seconds = |seconds: Option<u64>, each: u64| {
        seconds.map(|count| i64::try_from(count.saturating_mul(each)).ok().and_then(TimeDelta::try_seconds))
    };
    let given = [
        seconds(wanted.advance_seconds, 1),
        seconds(wanted.advance_days, 24 * 60 * 60),
        wanted.to.map(|to| Some(*to - *now)),
    ];
    let mut given = given.into_iter().flatten();
    let (Some(by), None) = (given.next(), given.next()) else {
        return invalid("name one of advanceSeconds, advanceDays and to", "body");
    };
    match by {
        Some(by) if state.advance(by).await => clock(State(state)).await,
        _ => invalid("the time goes forward only, and not beyond the year 9998", "body"),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
struct Wanted {
    status: Option<u16>,
    html: Option<String>,
    latency_ms: Option<u64>,
    drop: bool,
    truncate: bool,
    after_work: bool,
    operation: Option<String>,
    times: u32,
    headers: BTreeMap<String, String>,
}

impl Default for Wanted {
    fn default() -> Self {
        Self {
            status: None,
            html: None,
            latency_ms: None,
            drop: false,
            truncate: false,
            after_work: false,
            operation: None,
            times: 1,
            headers: BTreeMap::new(),
        }
    }
}

impl Wanted {
    fn fault(self) -> Result<Fault, &'static str> {
        const ONE: &str = "name one of status (with or without html), latencyMs, drop and truncate";
        let kinds = [self.status.is_some(), self.latency_ms.is_some(), self.drop, self.truncate];
        if kinds.into_iter().filter(|is_named| *is_named).count() != 1 {
            return Err(ONE);
        }
        let mut fault = match (self.status, self.html, self.latency_ms) {
            (Some(status), ..) if !(100..=599).contains(&status) => return Err("status is 100 to 599"),
            (Some(status), Some(html), _) => Fault::html(status, html),
            (Some(status), None, _) => Fault::status(status),
            (None, Some(_), _) => return Err("html goes with a status"),
            (None, None, Some(latency)) => Fault::latency(Duration::from_millis(latency)),
            (None, None, None) if self.drop => Fault::drop_connection(),
            _ => Fault::truncate_body(),
        };
        if self.after_work {
            fault = fault.after_work();
        }
        if let Some(operation) = self.operation {
            fault = fault.operation(operation);
        }
        let headers = self.headers.into_iter();
        Ok(headers.fold(fault.times(self.times), |fault, (name, value)| fault.header(name, value)))
    }
}

async fn add_fault(State(state): State<Arc<EmulatorState>>, body: Bytes) -> Response {
    let wanted: Wanted = match serde_json::from_slice(&body) {
        Ok(wanted) => wanted,
        Err(error) => return invalid(&error.to_string(), "body"),
    };
    match wanted.fault() {
        Ok(fault) => {
            state.faults.add(fault);
            done()
        }
        Err(problem) => invalid(problem, "body"),
    }
}

async fn faults(State(state): State<Arc<EmulatorState>>) -> Response {
    answered(JsonAnswer::new(200, json!({ "data": state.faults.shown() })))
}

async fn clear_faults(State(state): State<Arc<EmulatorState>>) -> Response {
    state.faults.clear();
    done()
}

/// What the catalogue does not allow of what was received, and what was never received.
async fn catalogue_report(State(state): State<Arc<EmulatorState>>) -> Response {
    match &state.live {
        Some(live) => answered(JsonAnswer::new(200, live.report().to_json())),
        None => answered(JsonAnswer::error(404, "the emulator runs without a catalogue", "not_found", None)),
    }
}

/// What the page shows.
async fn state_of_page(State(state): State<Arc<EmulatorState>>) -> Response {
    let mut shown = state.store().overview();
    shown["faults"] = state.faults.shown();
    shown["requests"] = state.requests.received().into();
    answered(JsonAnswer::new(200, shown))
}

async fn act(
    State(state): State<Arc<EmulatorState>>,
    Path((kind, id, action)): Path<(String, String, String)>,
    body: Bytes,
) -> Response {
    let Some(act) = Act::named(&kind, &action) else {
        return answered(JsonAnswer::error(404, "the emulator cannot do this", "not_found", Some("path")));
    };
    let body = match serde_json::from_slice(if body.is_empty() { b"null" } else { &body[..] }) {
        Ok(body) => body,
        Err(error) => return invalid(&error.to_string(), "body"),
    };
    match state.act(act, &id, &body).await {
        Ok(()) => done(),
        Err(refusal) => answered(refusal.into()),
    }
}

/// What happens to an object.
#[derive(Debug, Clone, Copy)]
pub(super) struct Act {
    kind: &'static str,
    action: &'static str,
    change: Change,
}

#[derive(Debug, Clone, Copy)]
enum Change {
    /// Returns true if the object was there and changed.
    Plain(fn(&mut Store, &str) -> bool),
    /// The body says how.
    Chosen(fn(&mut Store, &str, &Value) -> Result<(), Refusal>),
}

const ACTS: [Act; 9] = [
    Act { kind: "invoices", action: "post", change: Change::Plain(|store, id| store.post_invoice(id)) },
    Act { kind: "invoices", action: "pay", change: Change::Plain(|store, id| store.pay_invoice(id)) },
    Act { kind: "invoices", action: "fail-payment", change: Change::Plain(|store, id| store.fail_payment(id)) },
    Act { kind: "payments", action: "post", change: Change::Plain(|store, id| store.end_draft_payment(id, "posted")) },
    Act { kind: "payments", action: "fail", change: Change::Plain(|store, id| store.end_draft_payment(id, "failed")) },
    Act { kind: "products", action: "archive", change: Change::Plain(|store, id| store.archive_product(id)) },
    Act { kind: "products", action: "restore", change: Change::Plain(|store, id| store.restore_product(id)) },
    Act { kind: "checkouts", action: "complete", change: Change::Chosen(Store::complete_checkout) },
    Act { kind: "checkouts", action: "expire", change: Change::Plain(|store, id| store.expire_checkout(id)) },
];

impl Act {
    pub(super) fn named(kind: &str, action: &str) -> Option<Self> {
        ACTS.into_iter().find(|act| act.kind == kind && act.action == action)
    }

    pub(super) fn apply(self, store: &mut Store, id: &str, body: &Value) -> Result<(), Refusal> {
        let done = match self.change {
            Change::Chosen(change) => store.attempt(|store| change(store, id, body)),
            Change::Plain(_) if body.as_object().is_some_and(|body| !body.is_empty()) => {
                Err(Refusal::invalid("body", "this takes no body"))
            }
            Change::Plain(change) if change(store, id) => Ok(()),
            Change::Plain(_) => {
                Err(Refusal::conflict("conflict", "path", "there is none, or it cannot do this any more"))
            }
        };
        // What was posted or paid may bring credits.
        store.settle_credits();
        done
    }

    /// How it is recorded.
    pub(super) fn entry(self, id: &str, at: Timestamp, body: &Value) -> Entry {
        let target = format!("/__emulator/{}/{id}/{}", self.kind, self.action);
        Entry::of_control(at, target, body)
    }

    /// What was recorded under this path.
    pub(super) fn of_target(target: &str) -> Option<(Self, &str)> {
        let mut parts = target.strip_prefix("/__emulator/")?.split('/');
        let (kind, id, action) = (parts.next()?, parts.next()?, parts.next()?);
        Some((Self::named(kind, action)?, id))
    }
}
