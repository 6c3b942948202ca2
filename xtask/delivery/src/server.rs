//! A minimal server for signals: parses the JSON, remembers the keys that it has seen, and counts.

use std::collections::HashSet;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde_json::{Value, json};

type Keys = Arc<Mutex<HashSet<String>>>;

async fn take(State(keys): State<Keys>, body: Bytes) -> Response {
    let Ok(body) = serde_json::from_slice::<Value>(&body) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let mut keys = keys.lock().unwrap_or_else(PoisonError::into_inner);
    let signals = body["signals"].as_array().map(Vec::as_slice).unwrap_or_default();
    let is_new = |signal: &&Value| signal["idempotencyKey"].as_str().is_none_or(|key| keys.insert(key.to_owned()));
    let ingested = signals.iter().filter(is_new).count();
    let answer = json!({ "ingested": ingested, "duplicates": signals.len() - ingested, "failed": 0 });
    ([("content-type", "application/json")], answer.to_string()).into_response()
}

async fn forget(State(keys): State<Keys>) {
    keys.lock().unwrap_or_else(PoisonError::into_inner).clear();
}

pub(crate) fn run(port: u16) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        println!("{}", listener.local_addr()?.port());
        let router = Router::new()
            .route("/signals/bulk", post(take))
            .route("/forget", post(forget))
            .layer(DefaultBodyLimit::disable())
            .with_state(Keys::default());
        axum::serve(listener, router).await?;
        Ok(())
    })
}
