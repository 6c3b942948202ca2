//! A collector that fails, the end of tracing, and tracing that is turned off.

use super::*;

#[tokio::test]
async fn an_outage_of_the_collector_is_sat_out() {
    let emulator = Emulator::start().await.unwrap();
    let guard = tracing_to(&emulator);
    for fault in [Fault::status(503), Fault::drop_connection(), Fault::status(429).header("retry-after", "0")] {
        emulator.fault(fault.operation("traces"));
    }
    guard.scope().customer("acme").run(async {}).await;
    assert_eq!(spans(&emulator, &guard).await.len(), 1);
    let stats = guard.stats();
    assert_eq!((stats.exported, stats.requests, stats.retries, stats.dropped), (1, 4, 3, 0));
}

#[tokio::test]
async fn what_the_collector_refuses_is_counted_and_takes_no_other_span_along() {
    let emulator = Emulator::start().await.unwrap();
    let guard = tracing_to(&emulator);
    // A batch of four, refused; then its first half, and of that the first span alone.
    emulator.fault(Fault::status(400).operation("traces").times(3));
    for _ in 0..4 {
        guard.scope().customer("acme").run_sync(|| ());
    }
    assert_eq!(spans(&emulator, &guard).await.len(), 3);
    assert_eq!((guard.stats().exported, guard.stats().rejected), (3, 1));
    // A partial success is no success.
    emulator.refuse_spans(1);
    guard.scope().customer("acme").run_sync(|| ());
    guard.flush(10 * SECOND).await.unwrap();
    assert_eq!((guard.stats().exported, guard.stats().rejected), (3, 2));
    // A key that is refused says nothing about the spans.
    emulator.fault(Fault::status(403).operation("traces"));
    guard.scope().customer("acme").run_sync(|| ());
    guard.flush(10 * SECOND).await.unwrap();
    assert_eq!((guard.stats().exported, guard.stats().rejected), (4, 2));
}

#[tokio::test]
async fn a_collector_that_hangs_holds_nobody_up_and_what_finds_no_room_is_counted() {
    let emulator = Emulator::start().await.unwrap();
    emulator.fault(Fault::latency(60 * SECOND).operation("traces").times(1000));
    let builder = paid::trace::builder().api_key("paid_x").endpoint(emulator.collector_url()).enabled(true);
    let guard = builder.queue(100).max_batch(10).patience(Duration::from_millis(300)).build().unwrap();
    let begun = Instant::now();
    for _ in 0..1_000 {
        guard.scope().customer("acme").run_sync(|| ());
    }
    // Signals take the place of other spans.
    let scope = guard.scope().customer("acme").emitter(guard.signals());
    scope.run_sync(|| (0..20).for_each(|_| paid::emit(Signal::new("email_sent"))));
    assert!(begun.elapsed() < 30 * SECOND, "far less than one hanging request");
    let stats = guard.stats();
    assert_eq!(stats.ended, 1_021);
    assert!(stats.dropped >= 1_021 - 110 && stats.dropped_signals == 0, "{stats:?}");
    assert_eq!(stats.queued(), stats.ended - stats.dropped);
    assert!(guard.flush(Duration::from_millis(50)).await.is_err());
    let before_end = Instant::now();
    let left = guard.shutdown(Duration::from_millis(300)).await.unwrap_err();
    assert!(left.left > 0 && before_end.elapsed() < 5 * SECOND, "{left}");
    let stats = guard.stats();
    assert_eq!((stats.queued(), stats.dropped), (0, stats.ended), "nothing is unaccounted for");
    assert_eq!(stats.dropped_signals, 20);
}

/// A long wait before the next attempt must not cost what could still be sent.
#[tokio::test]
async fn the_end_cuts_waits_short_and_tries_once_more() {
    let emulator = Emulator::start().await.unwrap();
    let guard = tracing_to(&emulator);
    emulator.fault(Fault::status(503).operation("traces").header("retry-after", "25"));
    guard.scope().customer("acme").run_sync(|| ());
    assert!(guard.flush(SECOND).await.is_err(), "it waits");
    guard.shutdown(2 * SECOND).await.unwrap();
    assert_eq!((emulator.spans().len(), guard.stats().dropped), (1, 0));
}

#[tokio::test]
async fn dropping_the_guard_sends_what_is_queued() {
    let emulator = Emulator::start().await.unwrap();
    let guard = tracing_to(&emulator);
    guard.scope().customer("acme").run_sync(|| ());
    tokio::task::spawn_blocking(move || drop(guard)).await.unwrap();
    assert_eq!(emulator.spans().len(), 1);
}

#[tokio::test]
async fn simple_export_sends_each_span_at_once() {
    let emulator = Emulator::start().await.unwrap();
    let builder = paid::trace::builder().api_key("paid_x").endpoint(emulator.collector_url()).enabled(true);
    let guard = builder.export(Export::Simple).build().unwrap();
    for _ in 0..3 {
        guard.scope().customer("acme").run_sync(|| ());
    }
    let spans = spans(&emulator, &guard).await;
    assert_eq!((spans.len(), emulator.span_requests().len()), (3, 3));
    assert_eq!(spans[0].attribute("paid_span_processor_mode"), "simple");
}

#[tokio::test]
async fn turned_off_everything_runs_and_nothing_leaves() {
    let emulator = Emulator::start().await.unwrap();
    let builder = paid::trace::builder().endpoint(emulator.collector_url()).enabled(false);
    let guard = builder.build().unwrap();
    assert!(!guard.is_enabled());
    let scope = guard.scope().customer("acme").emitter(guard.signals());
    let output = scope
        .run(async {
            paid::emit(Signal::new("email_sent").cost_attributed());
            genai("openai", Operation::Chat).start().finish();
            7
        })
        .await;
    assert_eq!(output, 7);
    guard.flush(SECOND).await.unwrap();
    guard.shutdown(SECOND).await.unwrap();
    assert!(emulator.span_requests().is_empty());
}

#[test]
fn what_cannot_be_used_is_refused_at_the_start_without_showing_the_key() {
    let builder = || paid::trace::builder().enabled(true).api_key("paid_very_secret_key");
    for endpoint in ["http://collector.test:4318/v1/traces", "ftp://x", "no url", "https://u:p@x/v1/traces"] {
        let error = builder().endpoint(endpoint).build().unwrap_err().to_string();
        assert!(error.contains("collector"), "{error}");
        assert!(!error.contains("u:p"));
    }
    assert!(paid::trace::builder().enabled(true).api_key("not a key").build().is_err());
    let shown = format!("{:?}", builder());
    assert!(!shown.contains("secret"), "{shown}");
}

#[tokio::test]
async fn for_ever_is_a_time_like_any_other() {
    let emulator = Emulator::start().await.unwrap();
    let builder = || paid::trace::builder().api_key("paid_x").endpoint(emulator.collector_url()).enabled(true);
    let max = Duration::MAX;
    for builder in [
        builder().timeout(max),
        builder().timeout(max).export(Export::Simple),
        builder().patience(max),
        builder().linger(max),
        builder().retry_delays(max, max),
        builder().retry_delays(Duration::ZERO, max),
    ] {
        let guard = builder.build().unwrap();
        let before = emulator.spans().len();
        guard.scope().customer("acme").run_sync(|| ());
        // Blocks its thread, as OpenTelemetry's own providers do.
        let provider = guard.provider();
        tokio::task::spawn_blocking(move || provider.force_flush()).await.unwrap().unwrap();
        guard.flush(max).await.unwrap();
        assert_eq!(emulator.spans().len(), before + 1);
        guard.shutdown(max).await.unwrap();
    }
    for patience in [max, Duration::ZERO] {
        let guard = builder().patience(patience).linger(max).build().unwrap();
        guard.scope().customer("acme").run_sync(|| ());
        tokio::task::spawn_blocking(move || drop(guard)).await.unwrap();
    }
}

#[tokio::test]
async fn a_key_that_cannot_be_had_for_a_moment_loses_no_span() {
    use std::sync::atomic::{AtomicUsize, Ordering};
    let emulator = Emulator::start().await.unwrap();
    let asked = AtomicUsize::new(0);
    let key = paid::ApiKey::new("paid_very_secret_key").unwrap();
    let provider = move || {
        assert!(asked.fetch_add(1, Ordering::SeqCst) % 2 == 1, "the key cannot be had");
        key.clone()
    };
    let builder = paid::trace::builder().api_key_from(provider).endpoint(emulator.collector_url()).enabled(true);
    let guard = builder.retry_delays(Duration::from_millis(1), Duration::from_millis(2)).build().unwrap();
    for _ in 0..3 {
        guard.scope().customer("acme").metadata("key", "paid_very_secret_key").run_sync(|| ());
        guard.flush(10 * SECOND).await.unwrap();
    }
    assert_eq!((emulator.spans().len(), guard.stats().exported), (3, 3));
}

#[tokio::test]
async fn readers_and_errors_that_panic_cost_no_answer() {
    struct Silent;
    impl std::fmt::Display for Silent {
        fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            panic!("on purpose")
        }
    }
    let emulator = Emulator::start().await.unwrap();
    let guard = tracing_to(&emulator);
    let scope = guard.scope().customer("acme").store_prompts(true);
    scope
        .run(async {
            let call = || genai("openai", Operation::Chat).start();
            let answer = call().observe_with(async { Ok::<_, Silent>(7) }, |_: &i32, _| panic!("on purpose"));
            assert!(matches!(answer.await, Ok(7)));
            let answer = call().observe_with(async { Err::<i32, _>(Silent) }, |_, _| ());
            assert!(answer.await.is_err());
            paid::trace::fail(&Silent);
        })
        .await;
    guard.scope().customer(" ").run_sync(|| ());
    let spans = spans(&emulator, &guard).await;
    assert_eq!(spans.len(), 4);
    assert_eq!(spans.iter().filter(|span| span.attributes.contains_key("external_customer_id")).count(), 3);
}
