//! The emitter over the client, against the emulator.
#![allow(clippy::unwrap_used, missing_docs)]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use paid::emulator::{Emulator, Fault};
use paid::types::CreateProductRequest;
use paid::{
    ApiKey, Batch, Client, Counts, Delivery, DeliveryError, Emitter, EmitterBuilder, Overflow, RetryPolicy, Signal,
    Sink, SinkFuture,
};

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
    emulator.add_product("p");
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
    emulator.add_product("p");
    let emitter = Emitter::new(client(&emulator)).unwrap();
    emulator.fault(Fault::drop_connection().after_work().operation("create-signals"));
    emitter.emit(complete("email_sent"));
    emitter.flush(Duration::from_secs(10)).await.unwrap();
    let stats = emitter.stats();
    // It is a duplicate only of itself.
    assert_eq!((stats.delivered, stats.duplicates, stats.rejected), (1, 0, 0));
    let keys: Vec<_> = sent(&emulator).iter().map(|signal| signal["idempotencyKey"].clone()).collect();
    assert_eq!(keys[0], keys[1]);
}

fn complete(name: &'static str) -> Signal {
    Signal::new(name)
        .customer("acme")
        .product("p")
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
    emulator.add_product("p");
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
    emulator.add_product("p");
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
    emulator.add_product("p");
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
    emulator.add_product("p");
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
    emulator.add_product("p");
    let emitter = Emitter::builder(client(&emulator)).linger(Duration::ZERO).build().unwrap();
    assert_eq!(emitter.send(complete("one")).await.unwrap(), Delivery::Delivered);
    let again = Signal::new("two").customer("acme").product("p").idempotency_key("k");
    emitter.send(&again).await.unwrap();
    assert_eq!(emitter.send(&again).await.unwrap(), Delivery::Duplicate);
    let nobody = emitter.send(Signal::new("three")).await.unwrap_err();
    assert!(matches!(nobody, DeliveryError::NoCustomer { .. }), "{nobody}");
}

#[tokio::test]
async fn a_flush_that_takes_too_long_says_what_is_left_and_loses_nothing() {
    let emulator = Emulator::start().await.unwrap();
    emulator.add_product("p");
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
    emulator.add_product("p");
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
    emitter.flush(Duration::from_secs(2)).await.unwrap_err();
    assert!(emitter.stats().circuit_open);
    *key.lock().unwrap() = ApiKey::new("paid_fresh").unwrap();
    assert_eq!(receipt.await.unwrap(), Delivery::Delivered);
    assert!(!emitter.stats().circuit_open);
}

#[tokio::test]
async fn bodies_are_compressed_when_asked_for() {
    let emulator = Emulator::start().await.unwrap();
    emulator.add_product("p");
    let client = Client::builder().api_key("paid_x").base_url(emulator.url()).gzip(true).build().unwrap();
    let emitter = Emitter::new(client).unwrap();
    for _ in 0..100 {
        emitter.emit(Signal::new("email_sent").customer("acme").product("p"));
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
            emitter.emit(Signal::new("email_sent").customer("acme").product("p"));
        }
        println!("ready");
        std::thread::sleep(Duration::from_secs(60));
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    for (signal, number) in [("-TERM", 15), ("-INT", 2)] {
        let emulator = runtime.block_on(Emulator::start()).unwrap();
        emulator.add_product("p");
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

/// A sink that takes everything after a moment and remembers how much was on its way at once.
#[derive(Default)]
struct Slow {
    delay: Duration,
    taken: Mutex<Vec<String>>,
}

impl Sink for Slow {
    fn send<'a>(&'a self, batch: Batch<'a>) -> SinkFuture<'a> {
        Box::pin(async move {
            tokio::time::sleep(self.delay).await;
            self.taken.lock().unwrap().extend(batch.records().map(|record| record.key().to_owned()));
            Ok(Counts { ingested: batch.len() as u64, ..Counts::default() })
        })
    }
}

fn over(sink: &Arc<Slow>) -> EmitterBuilder {
    EmitterBuilder::over(Arc::clone(sink)).linger(Duration::from_millis(1)).patience(Duration::ZERO)
}

fn large(key: usize, bytes: usize) -> Signal {
    complete("e").idempotency_key(key.to_string()).field("text", &"x".repeat(bytes))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whoever_may_wait_never_finds_the_queue_full() {
    for (records, bytes) in [(1, 1 << 20), (3, 1 << 20), (1_000, 2_000)] {
        let sink = Arc::new(Slow::default());
        let emitter =
            over(&sink).queue(records).queue_bytes(bytes).overflow(Overflow::Wait).on_error(|_| ()).build().unwrap();
        let senders: Vec<_> = (0..64)
            .map(|sender| {
                let emitter = emitter.clone();
                tokio::spawn(async move {
                    for turn in 0..5 {
                        // Some fill half of the queue, some are larger than it.
                        let size = if sender % 16 == 0 { 3_000 } else { 1_000 };
                        emitter.send(large(sender * 5 + turn, size)).await.unwrap();
                    }
                })
            })
            .collect();
        for sender in senders {
            sender.await.unwrap();
        }
        assert_eq!(sink.taken.lock().unwrap().len(), 320);
        assert_eq!((emitter.stats().refused, emitter.stats().delivered), (0, 320));
    }
}

/// Runs a future on this thread, without a runtime.
fn run<F: Future>(future: F) -> F::Output {
    struct Unpark(std::thread::Thread);
    impl std::task::Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Arc::new(Unpark(std::thread::current())).into();
    let mut context = std::task::Context::from_waker(&waker);
    let mut future = std::pin::pin!(future);
    loop {
        match future.as_mut().poll(&mut context) {
            std::task::Poll::Ready(output) => return output,
            std::task::Poll::Pending => std::thread::park(),
        }
    }
}

#[test]
fn waiting_for_room_needs_no_runtime() {
    let sink = Arc::new(Slow::default());
    let emitter = over(&sink).queue(1).overflow(Overflow::Wait).build().unwrap();
    std::thread::scope(|scope| {
        for sender in 0..8 {
            let emitter = &emitter;
            scope.spawn(move || run(emitter.send(large(sender, 10))).unwrap());
        }
    });
    assert_eq!(sink.taken.lock().unwrap().len(), 8);
}

#[test]
fn whoever_waits_for_room_hears_that_the_emitter_is_shut_down() {
    let sink = Arc::new(Slow { delay: Duration::from_secs(600), ..Slow::default() });
    let emitter = over(&sink).queue(1).overflow(Overflow::Wait).on_error(|_| ()).build().unwrap();
    let first = emitter.emit(large(0, 10));
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| run(emitter.send(large(1, 10))));
        assert!(run(emitter.shutdown(Duration::from_millis(50))).is_err());
        assert!(matches!(waiting.join().unwrap(), Err(DeliveryError::ShutDown { .. })));
    });
    assert!(matches!(run(first), Err(DeliveryError::NotDelivered { .. })));
}

#[test]
fn the_limit_in_bytes_holds_when_small_signals_are_dropped_for_large_ones() {
    const LIMIT: usize = 1 << 20;
    let sink = Arc::new(Slow { delay: Duration::from_secs(600), ..Slow::default() });
    let told = Arc::new(Mutex::new(0));
    let count = Arc::clone(&told);
    let hook = move |_: &DeliveryError| *count.lock().unwrap() += 1;
    let emitter = over(&sink).queue_bytes(LIMIT).overflow(Overflow::DropOldest).on_error(hook).build().unwrap();
    let mut receipts: Vec<_> = (0..2_000).map(|number| emitter.emit(large(number, 10))).collect();
    receipts.extend((2_000..2_100).map(|number| emitter.emit(large(number, 50_000))));
    let stats = emitter.stats();
    assert!(stats.dropped > 0);
    assert_eq!(stats.accepted + stats.refused, 2_100);
    drop(emitter);
    let failures: Vec<_> = receipts.into_iter().map(|receipt| run(receipt).unwrap_err()).collect();
    let (mut kept, mut pushed_out) = (0, 0);
    for (number, failure) in failures.iter().enumerate() {
        match failure {
            DeliveryError::NotDelivered { .. } => kept += if number < 2_000 { 1 } else { 50_000 },
            DeliveryError::Dropped { .. } | DeliveryError::QueueFull { .. } => pushed_out += 1,
            other => panic!("{other}"),
        }
    }
    // What is being sent is not dropped, but it counts.
    assert!((LIMIT / 3..=LIMIT).contains(&kept), "{kept}");
    assert_eq!((pushed_out, *told.lock().unwrap() >= pushed_out), (stats.dropped + stats.refused, true));
}

/// A sink that takes nothing, as during an outage.
#[cfg(feature = "outbox")]
struct Down;

#[cfg(feature = "outbox")]
impl Sink for Down {
    fn send<'a>(&'a self, _: Batch<'a>) -> SinkFuture<'a> {
        Box::pin(async { Err(paid::Error::unavailable("down")) })
    }
}

#[cfg(feature = "outbox")]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whoever_stores_during_an_outage_waits_for_the_disk_only() {
    for (records, bytes) in [(2, 1 << 20), (1_000, 2_000)] {
        let folder = tempfile::tempdir().unwrap();
        let builder = EmitterBuilder::over(Down).queue(records).queue_bytes(bytes).overflow(Overflow::Wait);
        let emitter = builder.outbox(folder.path()).patience(Duration::ZERO).on_error(|_| ()).build().unwrap();
        let stores: Vec<_> = (0..32)
            .map(|sender| {
                let emitter = emitter.clone();
                tokio::spawn(async move {
                    for turn in 0..3 {
                        let size = if sender % 8 == 0 { 3_000 } else { 500 };
                        drop(emitter.store(large(sender * 3 + turn, size)).await.unwrap());
                    }
                })
            })
            .collect();
        for store in stores {
            tokio::time::timeout(Duration::from_secs(60), store).await.expect("the disk makes room").unwrap();
        }
        assert_eq!((emitter.stats().accepted, emitter.stats().refused), (96, 0));
    }
}
