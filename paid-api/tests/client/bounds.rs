//! Bodies without end, and durations that stand for "for ever".

use std::time::Duration;

use paid::costs::{CostEmitter, CostRecord};
use paid::{Currency, Emitter, Error, Method, Money, RetryPolicy};

use super::server::{Server, accepts, answer, json};
use super::{builder, client, signal};

const MAX: Duration = Duration::MAX;

/// A body in chunks, without a length.
fn chunked(status: u16, size: usize) -> Vec<u8> {
    let mut bytes = format!("HTTP/1.1 {status} Whatever\r\ntransfer-encoding: chunked\r\n\r\n").into_bytes();
    for _ in 0..size.div_ceil(1000) {
        bytes.extend_from_slice(b"3e8\r\n");
        bytes.extend_from_slice(&[b' '; 1000]);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"2\r\n{}\r\n0\r\n\r\n");
    bytes
}

async fn outcome(bytes: Vec<u8>, limit: usize) -> Result<serde_json::Value, Error> {
    let server = Server::start(move |_| bytes.clone());
    let client = builder(&server.url).max_response_bytes(limit).build().unwrap();
    client.request(Method::GET, "/products/").await
}

#[tokio::test]
async fn a_response_has_a_limit_and_the_error_names_it() {
    let padded = |size: usize| answer(200, &[], format!("{}{{}}", " ".repeat(size - 2)));
    outcome(padded(3000), 3000).await.unwrap();
    outcome(chunked(200, 3000), 3002).await.unwrap();
    for large in [padded(3001), chunked(200, 3000), chunked(200, 1_000_000)] {
        let error = outcome(large, 3000).await.unwrap_err();
        assert!(matches!(error, Error::Decode(_)), "{error:?}");
        assert!(error.to_string().contains("3000 bytes; `ClientBuilder::max_response_bytes`"), "{error}");
    }
    // What is announced is not waited for.
    let announced = b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999999\r\n\r\n{".to_vec();
    let error = outcome(announced, 64 << 20).await.unwrap_err();
    assert!(error.to_string().contains("67108864 bytes"), "{error}");
    outcome(answer(204, &[], ""), 0).await.unwrap();
}

#[tokio::test]
async fn of_an_error_the_first_64_kib_are_kept() {
    for large in [answer(400, &[], vec![b'x'; 1 << 20]), chunked(400, 1 << 20)] {
        let error = outcome(large, 3000).await.unwrap_err();
        assert_eq!(error.as_api().unwrap().body.len(), 64 << 10);
    }
}

#[tokio::test]
async fn emitters_read_small_responses_only() {
    let server = Server::start(|request| {
        let body = String::from_utf8(accepts(request)).unwrap();
        let json = body.split("\r\n\r\n").nth(1).unwrap().to_owned();
        answer(200, &[], format!("{}{json}", " ".repeat(65_536)))
    });
    let emitter = Emitter::builder(client(&server.url)).retry_delays(MAX, MAX).build().unwrap();
    let receipt = emitter.emit(signal("k-1"));
    let _ = emitter.shutdown(Duration::from_millis(300)).await;
    let failure = receipt.await.unwrap_err();
    assert_eq!(emitter.stats().delivered, 0, "{failure}");
}

#[tokio::test]
async fn every_duration_may_be_for_ever() {
    let server = Server::start(accepts);
    for (timeout, connect, total) in [(MAX, MAX, MAX), (MAX - Duration::from_nanos(1), MAX / 2, MAX / 3)] {
        let policy = RetryPolicy::default().total(total).delays(MAX, MAX);
        let builder = builder(&server.url).timeout(timeout).connect_timeout(connect).retry(policy);
        let client = builder.http(|http| http.pool_idle_timeout(None)).build().unwrap();
        client.request(Method::GET, "/products/").await.unwrap();
        let emitter = Emitter::new(client.clone()).unwrap();
        emitter.send(signal("k-1")).await.unwrap();
        let costs = CostEmitter::new(client).unwrap();
        costs.shutdown(Duration::from_secs(5)).await.unwrap();
    }
    let spans = paid::trace::builder().api_key("paid_x").endpoint(format!("{}/v1/traces", server.url));
    let guard = spans.timeout(MAX).build().unwrap();
    guard.scope().customer("acme").run_sync(|| ());
    guard.flush(Duration::from_secs(5)).await.unwrap();
    assert!(server.seen().iter().any(|request| request.target() == "/v1/traces"));
}

/// Does something on a thread of its own, where dropping a handle waits; fails if it panics or does not end.
fn ends(what: &str, work: impl FnOnce() + Send + 'static) {
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        work();
        tell.send(()).unwrap();
    });
    assert_eq!(told.recv_timeout(Duration::from_secs(20)), Ok(()), "{what}");
}

#[test]
fn patience_and_linger_without_end_hold_up_neither_a_flush_nor_the_end() {
    let server = Server::start(accepts);
    let (client, url) = (client(&server.url), format!("{}/v1/traces", server.url));
    for sends in [false, true] {
        let to_paid = client.clone();
        ends("signals", move || {
            let emitter = Emitter::builder(to_paid).patience(MAX).linger(MAX).retry_delays(MAX, MAX).build().unwrap();
            if sends {
                emitter.emit(signal("k-1"));
            }
        });
        let to_paid = client.clone();
        ends("cost records", move || {
            let costs = CostEmitter::builder(to_paid).patience(MAX).linger(MAX).retry_delays(MAX, MAX).build().unwrap();
            if sends {
                costs.record(CostRecord::amount(Money::parse("1", Currency::USD).unwrap()).customer("acme"));
            }
        });
        let spans = paid::trace::builder().api_key("paid_x").endpoint(&url).patience(MAX).linger(MAX);
        ends("spans", move || {
            let guard = spans.retry_delays(MAX, MAX).build().unwrap();
            if sends {
                guard.scope().customer("acme").run_sync(|| ());
            }
        });
    }
    let targets: Vec<_> = server.seen().iter().map(|request| request.target().to_owned()).collect();
    assert_eq!(targets, ["/signals/bulk", "/costs/bulk", "/v1/traces"]);
}

#[tokio::test]
async fn a_wait_without_end_before_a_retry_is_cut_short_by_a_shutdown() {
    let fails = std::sync::atomic::AtomicUsize::new(2);
    let server = Server::start(move |request| {
        let left = fails.load(std::sync::atomic::Ordering::SeqCst);
        if left > 0 {
            fails.store(left - 1, std::sync::atomic::Ordering::SeqCst);
            return answer(503, &[], "{}");
        }
        accepts(request)
    });
    let emitter = Emitter::builder(client(&server.url)).retry_delays(MAX, MAX).in_flight(1).build().unwrap();
    emitter.emit(signal("k-1"));
    emitter.flush(Duration::from_millis(300)).await.unwrap_err();
    emitter.shutdown(Duration::from_secs(6)).await.unwrap();
    assert_eq!(emitter.stats().delivered, 1);
}

#[tokio::test]
async fn no_time_at_all_is_an_error() {
    let server = Server::start(|_| json(200, &serde_json::json!({})));
    for builder in [
        builder(&server.url).timeout(Duration::ZERO),
        builder(&server.url).retry(RetryPolicy::default().total(Duration::ZERO)),
    ] {
        let error = builder.build().unwrap().request(Method::GET, "/products/").await.unwrap_err();
        assert!(matches!(error, Error::Timeout { .. }), "{error:?}");
    }
}
