//! Functions of the user's that panic or block: the error of one attempt, and no more.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use paid::costs::{CostEmitter, CostRecord};
use paid::{ApiKey, Client, Currency, Emitter, Error, KeyProblem, Method, Money, RetryPolicy};

use super::server::{Server, accepts};
use super::{KEY, signal, wait_until};

const TICK: Duration = Duration::from_millis(5);

/// Panics so often, then returns the key.
fn panics(times: usize) -> impl Fn() -> ApiKey + Send + Sync {
    let calls = AtomicUsize::new(0);
    move || {
        assert!(calls.fetch_add(1, Ordering::SeqCst) >= times, "no key yet");
        ApiKey::new(KEY).unwrap()
    }
}

fn client(server: &Server, provider: impl Fn() -> ApiKey + Send + Sync + 'static) -> Client {
    let builder = Client::builder().api_key_from(provider).base_url(&server.url);
    builder.retry(RetryPolicy::default().delays(TICK, TICK)).build().unwrap()
}

#[tokio::test]
async fn a_provider_that_panics_fails_the_call_and_the_next_one_works() {
    let server = Server::start(accepts);
    let client = client(&server, panics(1));
    let error = client.request(Method::GET, "/products/").await.unwrap_err();
    assert!(matches!(error, Error::Key { problem: KeyProblem::Panicked, .. }), "{error:?}");
    assert!(error.to_string().contains("`api_key_from` panicked"), "{error}");
    assert!(server.seen().is_empty());
    client.request(Method::GET, "/products/").await.unwrap();
}

#[tokio::test]
async fn a_provider_that_panics_delays_signals_costs_and_spans_and_loses_none() {
    let server = Server::start(accepts);
    let emitter = Emitter::builder(client(&server, panics(3))).retry_delays(TICK, TICK).build().unwrap();
    emitter.send(signal("k-1")).await.unwrap();
    assert_eq!((emitter.stats().delivered, emitter.stats().rejected, emitter.stats().retries), (1, 0, 3));

    let costs = CostEmitter::builder(client(&server, panics(3))).retry_delays(TICK, TICK).build().unwrap();
    let cost = CostRecord::amount(Money::parse("0.01", Currency::USD).unwrap()).customer("acme");
    costs.record(cost).await.unwrap();
    assert_eq!(costs.uncertain(), 0);

    let endpoint = format!("{}/v1/traces", server.url);
    let spans = paid::trace::builder().api_key_from(panics(4)).endpoint(endpoint).retry_delays(TICK, TICK);
    let guard = spans.build().unwrap();
    guard.scope().customer("acme").run_sync(|| ());
    guard.flush(Duration::from_secs(10)).await.unwrap();
    assert_eq!(guard.stats().exported, 1);
}

#[tokio::test]
async fn a_provider_that_blocks_holds_up_no_end() {
    let server = Server::start(accepts);
    let (release, released) = mpsc::channel::<()>();
    let released = Arc::new(Mutex::new(released));
    let blocks = move || {
        let _ = released.lock().unwrap().recv();
        ApiKey::new(KEY).unwrap()
    };
    let emitter = Emitter::new(client(&server, blocks.clone())).unwrap();
    let endpoint = format!("{}/v1/traces", server.url);
    let guard = paid::trace::builder().api_key_from(blocks).endpoint(endpoint).build().unwrap();
    let receipt = emitter.emit(signal("k-1"));
    guard.scope().customer("acme").run_sync(|| ());
    assert_eq!(emitter.shutdown(TICK).await.unwrap_err().left, 1);
    assert!(receipt.await.is_err());
    assert!(guard.shutdown(TICK).await.is_err());
    drop(release);
}

#[tokio::test]
async fn a_provider_may_block_for_a_while() {
    let server = Server::start(accepts);
    let (release, released) = mpsc::channel::<()>();
    let (asked, is_asked) = mpsc::channel();
    let (released, asked) = (Mutex::new(released), Mutex::new(asked));
    let blocks = move || {
        let _ = asked.lock().unwrap().send(());
        let _ = released.lock().unwrap().recv();
        ApiKey::new(KEY).unwrap()
    };
    let emitter = Emitter::new(client(&server, blocks)).unwrap();
    let receipt = emitter.emit(signal("k-1"));
    tokio::task::spawn_blocking(move || is_asked.recv()).await.unwrap().unwrap();
    // Its thread still takes what is emitted.
    let flush = emitter.flush(TICK).await;
    assert!(flush.is_err());
    drop(release);
    receipt.await.unwrap();
}

#[test]
fn a_function_that_configures_and_panics_is_an_error_of_the_builder_or_of_the_attempt() {
    let panics = Client::builder().api_key(KEY).base_url("http://127.0.0.1:1").http(|_| panic!("no"));
    assert!(panics.build().unwrap_err().to_string().contains("panicked"));

    let server = Server::start(accepts);
    let calls = AtomicUsize::new(0);
    let client = Client::builder()
        .api_key(KEY)
        .base_url(&server.url)
        .http(move |http| {
            // Once for the builder, then for the emitter.
            assert_ne!(calls.fetch_add(1, Ordering::SeqCst), 1, "not now");
            http
        })
        .build()
        .unwrap();
    let emitter = Emitter::builder(client).retry_delays(TICK, TICK).build().unwrap();
    drop(emitter.emit(signal("k-1")));
    wait_until("the signal is delivered", || emitter.stats().delivered == 1);
    assert_eq!(emitter.stats().retries, 1);
}
