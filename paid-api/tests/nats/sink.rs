//! The fleet's side: what NATS takes, what it never will, and what it cannot take now.

use std::sync::{Arc, Mutex};

use paid::{Delivery, DeliveryError};

use super::*;

async fn stream_of(nats: &NatsServer, config: stream::Config) -> (jetstream::Context, stream::Stream) {
    let context = jetstream::new(paid::async_nats::connect(&nats.url).await.unwrap());
    let config = stream::Config { name: "paid".into(), subjects: vec!["paid.signals".into()], ..config };
    let stream = context.get_or_create_stream(config).await.unwrap();
    (context, stream)
}

fn fleet(context: &jetstream::Context, reports: &Arc<Mutex<Vec<String>>>) -> Emitter {
    let reports = Arc::clone(reports);
    EmitterBuilder::over(NatsSink::new(context.clone(), "paid.signals"))
        .linger(Duration::from_millis(5))
        .retry_delays(Duration::from_millis(10), Duration::from_millis(40))
        .patience(Duration::ZERO)
        .on_error(move |failure| reports.lock().unwrap().push(failure.to_string()))
        .build()
        .unwrap()
}

fn signal(number: usize) -> Signal {
    Signal::new("sent").customer("c").idempotency_key(key(number))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signal_that_nats_will_never_take_is_refused_alone_and_the_others_pass() {
    let Some(nats) = nats_server().await else { return };
    let config = stream::Config { max_message_size: 200_000, ..Default::default() };
    let (context, mut stream) = stream_of(&nats, config).await;
    for (run, size, reason) in [(0, 300_000, "exceeds maximum"), (1, 2 << 20, "`max_payload`")] {
        let reports = Arc::default();
        let fleet = fleet(&context, &reports);
        let first = run * 100;
        (first..first + 20).for_each(|number| drop(fleet.emit(signal(number))));
        let large = fleet.emit(signal(first + 99).field("text", &"x".repeat(size)));
        (first + 20..first + 40).for_each(|number| drop(fleet.emit(signal(number))));
        fleet.flush(Duration::from_secs(30)).await.unwrap();
        let stats = fleet.stats();
        assert_eq!((stats.delivered, stats.rejected, stats.dropped), (40, 1, 0));
        assert!(matches!(large.await, Err(DeliveryError::NotDelivered { records: 1, .. })));
        let reports = reports.lock().unwrap();
        assert!(reports.len() == 1 && reports[0].contains(reason), "{reports:?}");
    }
    assert_eq!(stream.info().await.unwrap().state.messages, 80);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_key_is_one_message_whatever_is_in_it() {
    let Some(nats) = nats_server().await else { return };
    let (context, mut stream) = stream_of(&nats, stream::Config::default()).await;
    let fleet = fleet(&context, &Arc::default());
    let keys = [
        "a",
        "a\r\nNats-Expected-Stream: x",
        "a\rb",
        "a\nb",
        "a\0b",
        "ab",
        "bestellung-ü-1",
        "bestellung-u-1",
        "  k  ",
        "k",
        "%20%20k%20%20",
        "%",
        "%25",
        "a:b",
        "a\tb",
    ];
    for key in keys {
        for expected in [Delivery::Delivered, Delivery::Duplicate] {
            let sent = fleet.send(Signal::new("sent").customer("c").idempotency_key(key));
            let outcome = tokio::time::timeout(Duration::from_secs(30), sent).await.unwrap();
            assert_eq!(outcome.unwrap(), expected, "{key:?}");
        }
    }
    assert_eq!(stream.info().await.unwrap().state.messages, keys.len() as u64);
    let first = stream.get_raw_message(2).await.unwrap();
    let json: serde_json::Value = serde_json::from_slice(&first.payload).unwrap();
    assert_eq!(json["idempotencyKey"], keys[1], "Paid sees the key as it is");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signals_wait_for_a_stream_that_is_missing_or_full() {
    let Some(nats) = nats_server().await else { return };
    let context = jetstream::new(paid::async_nats::connect(&nats.url).await.unwrap());
    let fleet = fleet(&context, &Arc::default());
    (0..10).for_each(|number| drop(fleet.emit(signal(number))));
    fleet.flush(Duration::from_millis(300)).await.unwrap_err();
    let full = stream::Config { max_messages: 4, discard: stream::DiscardPolicy::New, ..Default::default() };
    let (_, mut stream) = stream_of(&nats, full).await;
    fleet.flush(Duration::from_millis(300)).await.unwrap_err();
    assert_eq!(stream.info().await.unwrap().state.messages, 4);
    assert_eq!((fleet.stats().rejected, fleet.stats().dropped), (0, 0));
    let config = stream::Config { max_messages: -1, ..stream.info().await.unwrap().config.clone() };
    context.update_stream(config).await.unwrap();
    fleet.flush(Duration::from_secs(30)).await.unwrap();
    assert_eq!((stream.info().await.unwrap().state.messages, fleet.stats().delivered), (10, 10));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_may_be_larger_than_what_the_context_lets_be_pending() {
    let Some(nats) = nats_server().await else { return };
    let (context, mut stream) = stream_of(&nats, stream::Config::default()).await;
    drop(context);
    let client = paid::async_nats::connect(&nats.url).await.unwrap();
    let context = jetstream::context::ContextBuilder::new().max_ack_inflight(8).build(client);
    let fleet = fleet(&context, &Arc::default());
    (0..500).for_each(|number| drop(fleet.emit(signal(number))));
    fleet.flush(Duration::from_secs(30)).await.unwrap();
    assert_eq!(stream.info().await.unwrap().state.messages, 500);
}
