//! What a test makes happen over HTTP, in any language: `POST /__emulator/…` posts and pays invoices and ends checkouts.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::post;
use serde_json::json;

use super::http::{JsonAnswer, has_api_key, respond, send_or_drop};
use super::server::EmulatorState;
use super::store::Store;

/// The routes beside the API. They need the API key too.
pub(super) fn routes(state: Arc<EmulatorState>) -> Router {
    Router::new().route("/__emulator/{kind}/{id}/{action}", post(act)).with_state(state)
}

async fn act(
    State(state): State<Arc<EmulatorState>>,
    Path((kind, id, action)): Path<(String, String, String)>,
    headers: HeaderMap,
) -> Response {
    let answer = if !has_api_key(&headers) {
        JsonAnswer::forbidden()
    } else {
        match change(&kind, &action) {
            None => JsonAnswer::error(404, "the emulator cannot do this", "not_found", Some("path")),
            Some(change) => match state.change(|store| change(store, &id)).await {
                true => JsonAnswer::new(200, json!({"success": true})),
                false => {
                    JsonAnswer::error(409, "there is none, or it cannot do this any more", "conflict", Some("path"))
                }
            },
        }
    };
    send_or_drop(respond(None, &answer))
}

/// Returns true if the object was there and changed.
type Change = fn(&mut Store, &str) -> bool;

fn change(kind: &str, action: &str) -> Option<Change> {
    let change: Change = match (kind, action) {
        ("invoices", "post") => |store, id| store.post_invoice(id),
        ("invoices", "pay") => |store, id| store.pay_invoice(id),
        ("invoices", "fail-payment") => |store, id| store.fail_payment(id),
        ("checkouts", "complete") => |store, id| store.end_checkout(id, "completed"),
        ("checkouts", "expire") => |store, id| store.end_checkout(id, "expired"),
        _ => return None,
    };
    Some(change)
}
