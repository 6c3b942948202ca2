//! A server that takes one expected call after the other and checks each against the document.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use super::Input;
use super::derive::Operation;
use super::same::same_json;

/// The server and what it waits for.
pub(crate) struct Server {
    pub(crate) url: String,
    shared: Arc<Shared>,
}

struct Shared {
    document: Value,
    expected: Mutex<Option<(Operation, Input, Value)>>,
}

impl Server {
    /// Sets what the next request must be, and what it is answered with.
    pub(crate) fn expect(&self, operation: Operation, input: Input, answer: Value) {
        *self.shared.expected.lock().unwrap() = Some((operation, input, answer));
    }
}

/// Listens on loopback.
pub(crate) async fn start(document: Value) -> Server {
    let shared = Arc::new(Shared { document, expected: Mutex::default() });
    let router = Router::new().fallback(answer).with_state(Arc::clone(&shared));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/api/v2/", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    Server { url, shared }
}

async fn answer(
    State(shared): State<Arc<Shared>>,
    method: Method,
    uri: Uri,
    headers: axum::http::HeaderMap,
    body: Bytes,
) -> Response {
    let Some((operation, input, answer)) = shared.expected.lock().unwrap().take() else {
        return (StatusCode::IM_A_TEAPOT, "no request was expected").into_response();
    };
    let authorized = headers.get(header::AUTHORIZATION).is_some_and(|value| value == "Bearer paid_test");
    let problem = if authorized {
        check(&shared.document, &operation, &input, &method, &uri, &body)
    } else {
        Some("no bearer token".into())
    };
    match problem {
        Some(problem) => {
            (StatusCode::BAD_REQUEST, axum::response::Html(serde_json::json!({"error": problem}).to_string()))
                .into_response()
        }
        None => {
            let status = StatusCode::from_u16(operation.status).unwrap();
            (status, [(header::CONTENT_TYPE, "application/json")], answer.to_string()).into_response()
        }
    }
}

fn check(
    document: &Value,
    operation: &Operation,
    input: &Input,
    method: &Method,
    uri: &Uri,
    body: &[u8],
) -> Option<String> {
    if method.as_str() != operation.method {
        return Some(format!("method {method} instead of {}", operation.method));
    }
    let segments = |path: &str| path.split('/').map(str::to_owned).collect::<Vec<_>>();
    let expected = segments(&format!("/api/v2{}", operation.path));
    let got = segments(uri.path());
    if expected.len() != got.len() {
        return Some(format!("path {} instead of {}", uri.path(), operation.path));
    }
    for (expected, got) in expected.iter().zip(&got) {
        let got = percent_encoding::percent_decode_str(got).decode_utf8_lossy();
        let value = expected.strip_prefix('{').and_then(|name| input.path.get(name.trim_end_matches('}')));
        if *got != **value.unwrap_or(expected) {
            return Some(format!("path segment {got} instead of {expected}"));
        }
    }
    let query: std::collections::BTreeMap<String, String> = uri
        .query()
        .unwrap_or_default()
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let decode = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
            (decode(name), decode(value))
        })
        .collect();
    if query != input.query {
        return Some(format!("query {query:?} instead of {:?}", input.query));
    }
    check_body(document, operation, input, body)
}

fn check_body(document: &Value, operation: &Operation, input: &Input, body: &[u8]) -> Option<String> {
    let Some(schema) = operation.body_schema() else {
        return (!body.is_empty()).then(|| "a body where there is none".to_owned());
    };
    let got: Value = match serde_json::from_slice(body) {
        Ok(got) => got,
        Err(error) => return Some(format!("the body is no JSON: {error}")),
    };
    let mut root = schema.clone();
    root["components"] = document["components"].clone();
    let validator = jsonschema::options().should_validate_formats(true).build(&root).unwrap();
    if let Err(error) = validator.validate(&got) {
        return Some(format!("body at {}: {error}", error.instance_path()));
    }
    let expected = input.body.clone().unwrap_or_default();
    let empty = schema["properties"].as_object().is_some_and(serde_json::Map::is_empty);
    (!empty && !same_json(&got, &expected)).then(|| format!("body {got} instead of {expected}"))
}
