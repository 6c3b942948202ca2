//! A server that takes one expected call after the other and checks each against the document as published.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use super::derive::{Exchange, pairs, sorted};
use super::same::same_json;

/// The server and what it waits for.
pub(crate) struct Server {
    pub(crate) url: String,
    shared: Arc<Shared>,
}

struct Shared {
    document: Arc<Value>,
    expected: Mutex<Option<Exchange>>,
    /// By schema.
    validators: Mutex<HashMap<String, Arc<jsonschema::Validator>>>,
}

impl Server {
    /// Sets what the next request must be, and what it is answered with.
    pub(crate) fn expect(&self, exchange: Exchange) {
        *self.shared.expected.lock().unwrap() = Some(exchange);
    }
}

/// Listens on loopback.
pub(crate) async fn start(document: Arc<Value>) -> Server {
    let shared = Arc::new(Shared { document, expected: Mutex::default(), validators: Mutex::default() });
    let router = Router::new().fallback(answer).with_state(Arc::clone(&shared));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/base", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    Server { url, shared }
}

async fn answer(State(shared): State<Arc<Shared>>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let Some(exchange) = shared.expected.lock().unwrap().take() else {
        return (StatusCode::IM_A_TEAPOT, "no request was expected").into_response();
    };
    if let Some(problem) = shared.check(&exchange, &method, &uri, &headers, &body) {
        let problem = serde_json::json!({"error": problem}).to_string();
        return (StatusCode::BAD_REQUEST, [(header::CONTENT_TYPE, "text/html")], problem).into_response();
    }
    let text = match exchange.answer {
        None => String::new(),
        Some(Value::String(text)) if !exchange.media.contains("json") => text,
        Some(json) => json.to_string(),
    };
    let mut response = Response::builder().status(exchange.status);
    if !exchange.media.is_empty() {
        response = response.header(header::CONTENT_TYPE, exchange.media);
    }
    response.body(Body::from(text)).unwrap()
}

fn decoded(text: &str) -> String {
    percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned()
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

impl Shared {
    fn check(&self, exchange: &Exchange, method: &Method, uri: &Uri, headers: &HeaderMap, body: &[u8]) -> Option<String> {
        let (operation, input) = (&exchange.operation, &exchange.input);
        if method.as_str() != operation.method {
            return Some(format!("method {method} instead of {}", operation.method));
        }
        if headers.get(header::AUTHORIZATION).is_none_or(|value| value != "Bearer paid_test") {
            return Some("no bearer token".into());
        }
        let mut path = format!("/base{}", operation.path);
        let (mut query, mut cookies) = (Vec::new(), Vec::new());
        for parameter in &operation.parameters {
            let (place, name) = (parameter["in"].as_str().unwrap(), parameter["name"].as_str().unwrap());
            let Some(value) = input.given(place, name) else { continue };
            match place {
                "path" => path = path.replace(&format!("{{{name}}}"), &plain(&value).replace('/', "\u{1}")),
                "query" => query.extend(pairs(parameter, &value)),
                "header" => {
                    let got = headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
                    if got.as_deref() != Some(&plain(&value)) {
                        return Some(format!("header {name}: {got:?} instead of {value}"));
                    }
                }
                _ => cookies.push(format!("{name}={}", plain(&value))),
            }
        }
        let got = uri.path().split('/').map(|step| decoded(step).replace('/', "\u{1}")).collect::<Vec<_>>().join("/");
        if got != path {
            return Some(format!("path {got} instead of {path}"));
        }
        let got = uri.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
        let got = sorted(got.map(|pair| pair.split_once('=').unwrap_or((pair, ""))).map(|(name, value)| (decoded(name), decoded(value))));
        if got != sorted(query.clone()) {
            return Some(format!("query {got:?} instead of {query:?}"));
        }
        let got = headers.get(header::COOKIE).map(|value| decoded(value.to_str().unwrap())).unwrap_or_default();
        if got != cookies.join("; ") {
            return Some(format!("cookies {got} instead of {cookies:?}"));
        }
        self.check_body(exchange, headers, body)
    }

    fn check_body(&self, exchange: &Exchange, headers: &HeaderMap, body: &[u8]) -> Option<String> {
        let content = exchange.operation.body.as_ref().and_then(|body| body["content"].as_object());
        let Some(content) = content.filter(|content| !content.is_empty()) else {
            return (!body.is_empty()).then(|| "a body where there is none".to_owned());
        };
        let expected = exchange.input.body.clone().unwrap_or_default();
        let media = headers.get(header::CONTENT_TYPE).map(|value| value.to_str().unwrap()).unwrap_or_default();
        let bare = |media: &str| media.split(';').next().unwrap_or(media).trim().to_lowercase();
        let Some((_, entry)) = content.iter().find(|(known, _)| bare(known) == bare(media) || **known == "*/*") else {
            return Some(format!("a body of type {media}, which is not documented"));
        };
        let text = String::from_utf8_lossy(body);
        match bare(media).as_str() {
            "application/x-www-form-urlencoded" => {
                let got = text.split('&').filter_map(|pair| pair.split_once('='));
                let got = sorted(got.map(|(name, value)| (decoded(name), decoded(value))));
                let wanted = expected.as_object().into_iter().flatten().flat_map(|(name, value)| {
                    let style = if value.is_object() { "deepObject" } else { "form" };
                    pairs(&serde_json::json!({"name": name, "style": style, "explode": true}), value)
                });
                let wanted = sorted(wanted);
                (got != wanted).then(|| format!("pairs {got:?} instead of {wanted:?}"))
            }
            "multipart/form-data" => {
                let boundary = format!("--{}", media.split_once("boundary=")?.1);
                let parts = text.split(&boundary).filter_map(|part| part.split_once("\r\n\r\n"));
                let got = parts.filter_map(|(head, content)| {
                    let name = head.split_once("name=\"")?.1.split_once('"')?.0;
                    Some((name.to_owned(), content.trim_end_matches("\r\n").to_owned()))
                });
                let got = sorted(got);
                let wanted = expected.as_object().into_iter().flatten().flat_map(|(name, value)| match value {
                    Value::Array(items) => items.iter().map(|item| (name.clone(), plain(item))).collect(),
                    Value::Null => Vec::new(),
                    other => vec![(name.clone(), plain(other))],
                });
                let wanted = sorted(wanted);
                (got != wanted).then(|| format!("parts {got:?} instead of {wanted:?}"))
            }
            other if other.contains("json") || other == "*/*" => {
                let got: Value = match serde_json::from_slice(body) {
                    Ok(got) => got,
                    Err(error) => return Some(format!("the body is no JSON: {error}")),
                };
                // Some documents contradict themselves: then no request is right.
                let derivable = self.invalid(&entry["schema"], &expected).is_none();
                if let Some(problem) = self.invalid(&entry["schema"], &got).filter(|_| derivable) {
                    return Some(problem);
                }
                (!same_json(&got, &expected)).then(|| format!("body {got} instead of {expected}"))
            }
            _ => (text != plain(&expected)).then(|| format!("body {text} instead of {expected}")),
        }
    }

    fn invalid(&self, schema: &Value, got: &Value) -> Option<String> {
        if schema.is_null() {
            return None;
        }
        let mut validators = self.validators.lock().unwrap();
        let validator = validators.entry(schema.to_string()).or_insert_with(|| {
            let mut root = serde_json::json!({"allOf": [schema]});
            root["components"] = self.document["components"].clone();
            Arc::new(jsonschema::options().should_validate_formats(true).build(&root).unwrap())
        });
        validator.validate(got).err().map(|error| format!("body at {}: {error} in {got}", error.instance_path()))
    }
}
