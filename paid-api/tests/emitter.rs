//! The emitter over the client, against the emulator.
#![allow(clippy::unwrap_used, missing_docs)]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use paid::emulator::{Emulator, Fault};
use paid::types::CreateProductRequest;
use paid::{ApiKey, Client, Delivery, DeliveryError, Emitter, RetryPolicy, Signal};

fn client(emulator: &Emulator) -> Client {
    let quick = RetryPolicy::default().delays(Duration::from_millis(1), Duration::from_millis(2));
    Client::builder().api_key("paid_secret").base_url(emulator.url()).retry(quick).build().unwrap()
}

#[paid::signal("email_sent", product = "sdr", data(words))]
fn send_email(words: u32) -> Result<(), String> {
    if words > 0 { Ok(()) } else { Err("empty".into()) }
}

fn sent(emulator: &Emulator) -> Vec<serde_json::Value> {
    let requests = emulator.requests();
    let signals = requests.iter().filter(|request| request.operation.as_deref() == Some("create-signals"));
    signals.flat_map(|request| request.body["signals"].as_array().cloned().unwrap_or_default()).collect()
}

#[tokio::test]
async fn annotated_functions_reach_paid_with_customer_key_and_time() {
    let emulator = Emulator::start().await.unwrap();
    emulator.client().products().create(&CreateProductRequest::new("AI SDR").external_id("sdr")).await.unwrap();
    let emitter = Emitter::new(client(&emulator)).unwrap();
    paid::scope().customer("acme").emitter(emitter.clone()).run_sync(|| {
        for words in 0..3 {
            let _ = send_email(words);
        }
    });
    // No deadlock on a current-thread runtime: the emitter has a thread of its own.
    emitter.flush(Duration::from_secs(10)).await.unwrap();
    let stats = emitter.stats();
    assert_eq!((stats.accepted, stats.delivered, stats.rejected, stats.refused), (2, 2, 0, 0));
    let signals = sent(&emulator);
    assert_eq!(signals[0]["eventName"], "email_sent");
    assert_eq!(signals[0]["customer"]["externalCustomerId"], "acme");
    assert_eq!(signals[0]["attribution"]["externalProductId"], "sdr");
    assert_eq!(signals[1]["data"]["words"], 2);
    assert!(signals.iter().all(|signal| signal["idempotencyKey"].is_string() && signal["timestamp"].is_string()));
}

#[tokio::test]
async fn a_lost_answer_is_repeated_and_bills_once() {
    let emulator = Emulator::start().await.unwrap();
    let emitter = Emitter::new(client(&emulator)).unwrap();
    emulator.fault(Fault::drop_connection().after_work().operation("create-signals"));
    emitter.emit(complete("email_sent"));
    emitter.flush(Duration::from_secs(10)).await.unwrap();
    let stats = emitter.stats();
    assert_eq!((stats.delivered, stats.duplicates, stats.rejected), (1, 1, 0));
    let keys: Vec<_> = sent(&emulator).iter().map(|signal| signal["idempotencyKey"].clone()).collect();
    assert_eq!(keys[0], keys[1]);
}

fn complete(name: &'static str) -> Signal {
    Signal::new(name)
        .customer("acme")
        .idempotency_key(format!("{name}-{}", std::time::UNIX_EPOCH.elapsed().unwrap().as_nanos()))
}

type Heard = Arc<Mutex<Vec<String>>>;

fn hooked(client: Client) -> (Emitter, Heard) {
    let heard = Heard::default();
    let listener = Arc::clone(&heard);
    let hook = move |failure: &DeliveryError| listener.lock().unwrap().push(failure.to_string());
    (Emitter::builder(client).queue(2).linger(Duration::ZERO).on_error(hook).build().unwrap(), heard)
}

#[tokio::test]
async fn whatever_goes_wrong_is_counted_and_offered_to_the_hook() {
    let emulator = Emulator::start().await.unwrap();
    let (emitter, heard) = hooked(client(&emulator));
    // A success that holds a failure: the product does not exist.
    emitter.emit(complete("email_sent").product("nobody's"));
    emitter.flush(Duration::from_secs(10)).await.unwrap();
    // No customer anywhere.
    paid::scope().emitter(emitter.clone()).run_sync(|| send_email(1)).unwrap();
    // Refused.
    emulator.fault(Fault::status(400).operation("create-signals"));
    emitter.emit(complete("email_sent"));
    emitter.flush(Duration::from_secs(10)).await.unwrap();
    let stats = emitter.stats();
    assert_eq!((stats.accepted, stats.delivered, stats.rejected, stats.refused), (2, 0, 2, 1));
    let heard = heard.lock().unwrap().clone();
    for (heard, expected) in heard.iter().zip([
        "Paid counted signal `email_sent` as failed",
        "signal `email_sent` has no customer",
        "1 signal not delivered: create-signals: 400",
    ]) {
        assert!(heard.starts_with(expected), "{heard}");
        assert!(!heard.contains("secret"));
    }
    assert_eq!(heard.len(), 3);
}

#[tokio::test]
async fn a_full_queue_refuses_and_says_so_and_never_blocks() {
    let emulator = Emulator::start().await.unwrap();
    emulator.fault(Fault::latency(Duration::from_millis(1_500)).operation("create-signals"));
    let (emitter, heard) = hooked(client(&emulator));
    emitter.emit(complete("first"));
    tokio::time::sleep(Duration::from_millis(500)).await;
    for _ in 0..5 {
        emitter.emit(complete("later"));
    }
    emitter.flush(Duration::from_secs(10)).await.unwrap();
    let stats = emitter.stats();
    assert_eq!((stats.accepted, stats.delivered, stats.refused), (2, 2, 4));
    assert!(heard.lock().unwrap()[0].contains("signal `later`: the queue is full (2 signals)"));
}

#[test]
fn it_works_without_a_runtime_and_dropping_the_last_handle_sends_what_is_left() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let emulator = runtime.block_on(Emulator::start()).unwrap();
    let product = CreateProductRequest::new("AI SDR").external_id("sdr");
    runtime.block_on(emulator.client().products().create(&product).send()).unwrap();
    let emitter = Emitter::new(client(&emulator)).unwrap();
    let other = emitter.clone();
    paid::scope().customer("acme").emitter(emitter).run_sync(|| {
        for words in 1..=40 {
            send_email(words).unwrap();
        }
    });
    drop(other);
    assert_eq!(sent(&emulator).len(), 40);
}

#[tokio::test]
async fn a_hook_that_panics_takes_nothing_with_it() {
    let emulator = Emulator::start().await.unwrap();
    let emitter = Emitter::builder(client(&emulator)).on_error(|_| panic!("on purpose")).build().unwrap();
    emulator.fault(Fault::status(400).operation("create-signals"));
    emitter.emit(complete("one"));
    emitter.flush(Duration::from_secs(10)).await.unwrap();
    emitter.emit(complete("two"));
    emitter.flush(Duration::from_secs(10)).await.unwrap();
    assert_eq!((emitter.stats().rejected, emitter.stats().delivered), (1, 1));
}

#[tokio::test]
async fn a_receipt_says_what_became_of_a_signal() {
    let emulator = Emulator::start().await.unwrap();
    let emitter = Emitter::builder(client(&emulator)).linger(Duration::ZERO).build().unwrap();
    assert_eq!(emitter.send(complete("one")).await.unwrap(), Delivery::Delivered);
    let again = Signal::new("two").customer("acme").idempotency_key("k");
    emitter.send(&again).await.unwrap();
    assert_eq!(emitter.send(&again).await.unwrap(), Delivery::Duplicate);
    let nobody = emitter.send(Signal::new("three")).await.unwrap_err();
    assert!(matches!(nobody, DeliveryError::NoCustomer { .. }), "{nobody}");
}

#[tokio::test]
async fn a_flush_that_takes_too_long_says_what_is_left_and_loses_nothing() {
    let emulator = Emulator::start().await.unwrap();
    emulator.fault(Fault::status(503).operation("create-signals").times(6));
    let emitter = Emitter::builder(client(&emulator))
        .retry_delays(Duration::from_secs(1), Duration::from_secs(1))
        .build()
        .unwrap();
    emitter.emit(complete("one"));
    let error = emitter.flush(Duration::from_millis(50)).await.unwrap_err();
    assert_eq!(error.left, 1);
    emitter.flush(Duration::from_secs(10)).await.unwrap();
    assert_eq!(emitter.stats().delivered, 1);
}

#[tokio::test]
async fn a_rotated_key_loses_nothing() {
    let emulator = Emulator::start().await.unwrap();
    // The emulator lets in keys that start with `paid_`.
    let key = Arc::new(Mutex::new(ApiKey::new("revoked").unwrap()));
    let current = Arc::clone(&key);
    let client = Client::builder()
        .api_key_from(move || current.lock().unwrap().clone())
        .base_url(emulator.url())
        .build()
        .unwrap();
    let quick = Duration::from_millis(20);
    let emitter = Emitter::builder(client).linger(Duration::ZERO).retry_delays(quick, quick).build().unwrap();
    let receipt = emitter.emit(complete("one"));
    emitter.flush(Duration::from_millis(100)).await.unwrap_err();
    assert!(emitter.stats().circuit_open);
    *key.lock().unwrap() = ApiKey::new("paid_fresh").unwrap();
    assert_eq!(receipt.await.unwrap(), Delivery::Delivered);
    assert!(!emitter.stats().circuit_open);
}

#[tokio::test]
async fn bodies_are_compressed_when_asked_for() {
    let emulator = Emulator::start().await.unwrap();
    let client = Client::builder().api_key("paid_x").base_url(emulator.url()).gzip(true).build().unwrap();
    let emitter = Emitter::new(client).unwrap();
    for _ in 0..100 {
        emitter.emit(Signal::new("email_sent").customer("acme"));
    }
    emitter.flush(Duration::from_secs(10)).await.unwrap();
    assert_eq!((emitter.stats().delivered, sent(&emulator).len()), (100, 100));
}

/// A process that is told to end sends what it has first, and then ends by the signal.
#[cfg(all(unix, feature = "sigterm"))]
#[test]
fn a_process_that_is_told_to_end_sends_what_it_has() {
    use std::io::{BufRead, BufReader};
    use std::os::unix::process::ExitStatusExt;
    const URL: &str = "PAID_TEST_URL";
    if let Ok(url) = std::env::var(URL) {
        let client = Client::builder().api_key("paid_x").base_url(url).build().unwrap();
        let emitter = Emitter::builder(client).linger(Duration::from_secs(60)).build().unwrap();
        emitter.shutdown_on_sigterm(Duration::from_secs(10)).unwrap();
        for _ in 0..100 {
            emitter.emit(Signal::new("email_sent").customer("acme"));
        }
        println!("ready");
        std::thread::sleep(Duration::from_secs(60));
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    for (signal, number) in [("-TERM", 15), ("-INT", 2)] {
        let emulator = runtime.block_on(Emulator::start()).unwrap();
        let mut child = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "a_process_that_is_told_to_end_sends_what_it_has", "--nocapture"])
            .env(URL, emulator.url())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(lines.map_while(Result::ok).any(|line| line.ends_with("ready")));
        std::process::Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
        let status = child.wait().unwrap();
        assert_eq!(status.signal(), Some(number), "it ends as it would have without a handler");
        assert_eq!(emulator.idempotency_keys().len(), 100);
    }
}
