//! What is set of one request, and its answer as it came.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use paid::types::CreateSignalsRequest;
use paid::{Client, Error, Method, RetryPolicy};
use serde_json::json;

use super::server::{Server, json};
use super::{KEY, client};

fn retrying(url: &str) -> Client {
    let quick = RetryPolicy::default().delays(Duration::from_millis(1), Duration::from_millis(2));
    Client::builder().api_key(KEY).base_url(url).retry(quick).build().unwrap()
}

#[tokio::test]
async fn a_request_has_its_own_timeout_and_retries() {
    let server = Server::start(|_| {
        std::thread::sleep(Duration::from_secs(5));
        json(200, &json!({}))
    });
    let begun = Instant::now();
    let call = client(&server.url).request(Method::GET, "/slow").timeout(Duration::from_millis(50));
    let error = call.await.unwrap_err();
    assert!(matches!(error, Error::Timeout { .. }), "{error:?}");
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());

    let busy = Server::start(|_| json(503, &json!({"error": "busy"})));
    let asked = |policy: Option<RetryPolicy>| {
        let call = retrying(&busy.url).request(Method::GET, "/busy");
        let call = policy.map_or(call.clone(), |policy| call.retry(policy));
        let before = busy.seen().len();
        let busy = &busy;
        async move {
            assert!(call.await.is_err());
            busy.seen().len() - before
        }
    };
    assert_eq!(asked(None).await, 3);
    assert_eq!(asked(Some(RetryPolicy::never())).await, 1);
}

#[tokio::test]
async fn a_header_is_sent_and_the_client_s_own_are_not_replaced() {
    let server = Server::start(|_| json(200, &json!({})));
    let call = || client(&server.url).request(Method::GET, "/x");
    call().header("X-Trace-Id", "first").header("x-trace-id", "4711").await.unwrap();
    let seen = server.seen();
    assert_eq!(seen[0].header("x-trace-id"), "4711");
    assert!(seen[0].header("authorization").ends_with(KEY));
    for (name, value) in [("Authorization", "Bearer x"), ("host", "x"), ("no name", "x"), ("x", "a\nb")] {
        let error = call().header(name, value).await.unwrap_err();
        assert!(matches!(error, Error::Request(_)), "{name}: {error}");
    }
    assert_eq!(server.seen().len(), 1, "nothing was sent");
}

#[tokio::test]
async fn an_answer_as_it_came_has_id_headers_and_bytes_and_becomes_its_type() {
    let attempts = AtomicUsize::new(0);
    let server = Server::start(move |_| {
        if attempts.fetch_add(1, Ordering::SeqCst) == 0 {
            return super::server::answer(503, &[], "{}");
        }
        let headers = [("x-request-id", "req-7"), ("x-echo", KEY), ("content-type", "application/json")];
        super::server::answer(200, &headers, r#"{"ingested":1,"duplicates":0,"failed":0, "new":true}"#)
    });
    let request = CreateSignalsRequest::new([]);
    let answer = retrying(&server.url).signals().create(&request).send_raw().await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.request_id(), answer.attempts()), (200, Some("req-7"), 2));
    assert!(!format!("{:?} {answer:?}", answer.headers()).contains("secret"));
    assert!(answer.body().ends_with(br#" "new":true}"#));
    assert_eq!(answer.decode().unwrap().ingested, 1);
}

#[tokio::test]
async fn a_list_is_a_call_too_with_settings_for_all_its_pages() {
    use futures_util::StreamExt;
    let server = Server::start(|_| {
        json(200, &json!({"data": [], "pagination": {"limit": 1, "offset": 0, "total": 0, "hasMore": false}}))
    });
    let call = client(&server.url).customers().list().limit(1).into_call().header("x-tenant", "acme");
    assert_eq!(call.stream().count().await, 0);
    assert_eq!(server.seen()[0].header("x-tenant"), "acme");
}
