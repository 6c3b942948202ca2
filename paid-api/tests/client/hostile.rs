//! Servers and proxies that repeat the key, or send anything at all: no error shows the key, and nothing panics.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use paid::types::CreateSignalsRequest;
use paid::{Client, Emitter, Error, Method};
use proptest::prelude::*;
use serde_json::json;

use super::server::{Server, answer};
use super::{KEY, builder, client, signal};

const CREDENTIALS: &str = "Bearer paid_0123456789-secret";
/// `user:` and the key, as a proxy for Basic authentication writes it.
const BASIC: &str = "Basic dXNlcjpwYWlkXzAxMjM0NTY3ODktc2VjcmV0";

/// The error with all its causes, and everything in it that can be read.
fn shown(error: &Error) -> String {
    let mut text = format!("{error} {error:?} {error:#?}");
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text.push_str(&format!(" {cause} {cause:?}"));
        source = cause.source();
    }
    match error {
        Error::Api(error) => text.push_str(&format!(
            " {:?} {:?} {:?} {:?} {:?} {}",
            error.message,
            error.code,
            error.details,
            error.request_id,
            error.headers,
            String::from_utf8_lossy(&error.body)
        )),
        Error::Decode(error) => text.push_str(&format!(" {} {} {}", error.path, error.message, error.excerpt)),
        Error::Unreadable(error) => {
            text.push_str(&format!(" {} {} {:?} {}", error.path, error.message, error.id, error.json));
        }
        _ => {}
    }
    text
}

/// Nothing of the key that is longer than its public beginning.
fn is_clean(text: &str) -> bool {
    !text.to_ascii_lowercase().contains("paid_012") && !text.contains("cGFpZF8wMTIz") && !text.contains("BhaWRfMDEy")
}

async fn error(bytes: Vec<u8>) -> Error {
    let server = Server::start(move |_| bytes.clone());
    client(&server.url).signals().create(&CreateSignalsRequest::new([])).await.unwrap_err()
}

#[tokio::test]
async fn no_error_repeats_the_key() {
    let quoted = format!("{:?}", json!({ "headers": CREDENTIALS }).to_string());
    let percent = KEY.replace('_', "%5F").replace('-', "%2d");
    for echo in [CREDENTIALS, BASIC, &quoted, &percent, r"p\u0061id_0123456789-secret", &KEY.to_uppercase()] {
        let escaped = json!(echo).to_string();
        for body in [
            format!(r#"{{"error":{escaped},"code":{escaped},"details":[{escaped}]}}"#),
            format!(r#"{{"error":{{"message":{escaped}}}}}"#),
            format!("<html>{echo}</html>"),
            echo.to_owned(),
        ] {
            let headers = [("x-request-id", echo), ("cf-ray", echo), ("content-type", echo), ("x-debug", echo)];
            let error = error(answer(401, &headers, body)).await;
            assert!(error.as_api().is_some() && is_clean(&shown(&error)), "{}", shown(&error));
        }
        for body in [format!("<html>{echo}</html>"), format!("{echo} is no JSON"), escaped.clone()] {
            let error = error(answer(200, &[], body)).await;
            assert!(matches!(error, Error::Decode(_)) && is_clean(&shown(&error)), "{}", shown(&error));
        }
        for body in [
            format!(r#"{{"ingested":{escaped}}}"#),
            format!(r#"{{{escaped}:1}}"#),
            format!(r#"{{"ingested":{{{escaped}:1}}}}"#),
            format!(r#"{{"id":{escaped},"other":[{escaped}]}}"#),
        ] {
            let error = error(answer(200, &[], body)).await;
            assert!(matches!(error, Error::Unreadable(_)) && is_clean(&shown(&error)), "{}", shown(&error));
        }
    }
}

#[tokio::test]
async fn a_key_that_is_cut_off_is_not_shown_either() {
    // At 200 characters of a message, at 120 of an excerpt, at 64 KiB of a body, at the end of a body.
    for before in [175, 190, 195, 100, 110, 115, 65_510, 65_520, 65_530] {
        let padding = "x".repeat(before);
        let body = json!({ "error": format!("{padding}{KEY}") }).to_string();
        let error = error(answer(401, &[], body)).await;
        assert!(is_clean(&shown(&error)), "{before}");
        let error = super::hostile::error(answer(200, &[], format!("{padding}{KEY}"))).await;
        assert!(is_clean(&shown(&error)), "{before}");
    }
    for kept in 8..KEY.len() {
        let error = error(answer(401, &[], format!(r#"{{"error":"{}"#, &KEY[..kept]))).await;
        assert!(is_clean(&shown(&error)), "{kept}");
        let cut = format!("HTTP/1.1 401 No\r\ncontent-length: 900\r\nconnection: close\r\n\r\n{}", &KEY[..kept]);
        assert!(is_clean(&shown(&super::hostile::error(cut.into()).await)), "{kept}");
    }
}

#[tokio::test]
async fn the_key_of_the_attempt_is_meant_and_values_that_are_alike_stay() {
    let server =
        Server::start(|request| answer(401, &[], json!({ "error": request.header("authorization") }).to_string()));
    let rotated = Mutex::new(vec!["paid_second-key", "paid_first-key"]);
    let builder = Client::builder().base_url(&server.url);
    let client = builder.api_key_from(move || paid::ApiKey::new(rotated.lock().unwrap().pop().unwrap()).unwrap());
    let client = client.build().unwrap();
    for _ in 0..2 {
        let error = client.request(Method::GET, "/products/").await.unwrap_err();
        assert_eq!(error.as_api().unwrap().message.as_deref(), Some("Bearer [API key]"));
    }
    let server = Server::start(|_| answer(200, &[], json!({ "name": KEY }).to_string()));
    let answer = super::client(&server.url).request(Method::GET, "/products/").await.unwrap();
    assert_eq!(answer["name"], KEY, "a value of a response is the server's");
}

#[tokio::test]
async fn neither_hooks_nor_dead_letters_nor_receipts_show_the_key() {
    let server = Server::start(|request| {
        let echo = format!("rejected; the headers were {:?}", request.headers);
        answer(400, &[("x-request-id", request.header("authorization"))], json!({ "error": echo }).to_string())
    });
    let folder = tempfile::tempdir().unwrap();
    let heard = Arc::new(Mutex::new(String::new()));
    let hook = Arc::clone(&heard);
    let emitter = Emitter::builder(client(&server.url))
        .outbox(folder.path())
        .on_error(move |failure| hook.lock().unwrap().push_str(&format!("{failure} {failure:?}")))
        .build()
        .unwrap();
    let failure = emitter.send(signal("k-1")).await.unwrap_err();
    emitter.shutdown(Duration::from_secs(5)).await.unwrap();
    let letters = std::fs::read_to_string(folder.path().join("dead-letters.jsonl")).unwrap();
    let heard = heard.lock().unwrap().clone();
    for text in [format!("{failure} {failure:?}"), letters, heard] {
        assert!(text.contains("rejected; the headers were") && is_clean(&text), "{text}");
    }
}

/// Finds no address, and says so with the key.
struct Telling;

impl reqwest::dns::Resolve for Telling {
    fn resolve(&self, _: reqwest::dns::Name) -> reqwest::dns::Resolving {
        Box::pin(async { Err(format!("no address for {CREDENTIALS}").into()) })
    }
}

#[tokio::test]
async fn a_cause_that_contains_the_key_is_shown_without_it() {
    let client = builder("https://paid.test").http(|http| http.no_proxy().dns_resolver(Arc::new(Telling)));
    let error = client.build().unwrap().request(Method::GET, "/products/").await.unwrap_err();
    let text = shown(&error);
    assert!(text.contains("no address for Bearer [API key]") && is_clean(&text), "{text}");
    assert!(error.is_retryable(), "{text}");
}

#[tokio::test]
async fn urls_that_cannot_be_sent_are_errors() {
    let client = client("http://127.0.0.1:1");
    for call in [
        client.request(Method::GET, "/products/").query("externalId", "x".repeat(100_000)),
        client.request(Method::GET, &format!("/{}", "x".repeat(100_000))),
    ] {
        let error = call.await.unwrap_err();
        assert!(matches!(error, Error::Request(_)), "{error:?}");
    }
    for url in ["http://127.0.0.1:0", "http://127.0.0.1:99999", "http://localhost:", "https://", "http://[::1", "\0"] {
        if let Ok(client) = builder(url).timeout(Duration::from_secs(5)).build() {
            client.request(Method::GET, "/\u{0}\u{7f}\u{1F980} %zz/").await.unwrap_err();
        }
    }
}

/// Texts with the key in them, and bytes that are no text.
fn hostile_bytes() -> impl Strategy<Value = Vec<u8>> {
    let part = prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..30),
        "[ -~]{0,20}".prop_map(String::into_bytes),
        Just(CREDENTIALS.as_bytes().to_vec()),
        Just(BASIC.as_bytes().to_vec()),
        Just(br#"{"error":""#.to_vec()),
        Just(br#"{"data":[{"id":1e400}],"pagination":{"hasMore":true,"total":-1}}"#.to_vec()),
        Just(b"\"}".to_vec()),
        Just(b"\xef\xbb\xbf".to_vec()),
        Just(vec![b'['; 300]),
    ];
    proptest::collection::vec(part, 0..5).prop_map(|parts| parts.concat())
}

/// The value of a header: anything but a line break.
fn hostile_header() -> impl Strategy<Value = Vec<u8>> {
    hostile_bytes().prop_map(|bytes| bytes.into_iter().filter(|byte| !b"\r\n\0".contains(byte)).collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    /// Whatever a server sends: an answer or an error, no panic, and never the key.
    #[test]
    fn whatever_a_server_sends_is_an_answer_or_an_error(
        status in prop_oneof![Just(200_u16), 200_u16..600, 0_u16..1000],
        values in proptest::collection::vec(hostile_header(), 6),
        body in hostile_bytes(),
    ) {
        let names = ["x-request-id", "content-type", "retry-after", "retry-after-ms", "x-ratelimit-reset", "set-cookie"];
        let mut bytes = format!("HTTP/1.1 {status:03} X\r\nconnection: close\r\ncontent-length: {}\r\n", body.len()).into_bytes();
        for (name, value) in names.iter().zip(&values) {
            bytes.extend_from_slice(name.as_bytes());
            bytes.extend_from_slice(b": ");
            bytes.extend_from_slice(value);
            bytes.extend_from_slice(b"\r\n");
        }
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(&body);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let error = runtime.block_on(async {
            let server = Server::start(move |_| bytes.clone());
            let client = builder(&server.url).timeout(Duration::from_secs(5)).build().unwrap();
            client.products().list().await.err()
        });
        if let Some(error) = error {
            prop_assert!(is_clean(&shown(&error)), "{}", shown(&error));
            let _ = (error.verdict(), error.status(), error.is_retryable());
        }
    }
}
