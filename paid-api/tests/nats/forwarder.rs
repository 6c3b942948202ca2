//! The forwarder's side: a Paid that is down or slow, and a stop in the middle of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

async fn consumer_with(nats: &NatsServer, ack_wait: Duration) -> (jetstream::Context, consumer::PullConsumer) {
    let (context, _) = consumer(&nats.url).await;
    let stream = context.get_stream("paid").await.unwrap();
    let name = "patient";
    let durable = consumer::pull::Config {
        durable_name: Some(name.into()),
        ack_wait,
        max_ack_pending: 500,
        ..Default::default()
    };
    (context, stream.get_or_create_consumer(name, durable).await.unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_during_an_outage_returns_every_message_at_once_and_reports_none() {
    let Some(nats) = nats_server().await else { return };
    let (context, consumer) = consumer_with(&nats, Duration::from_secs(600)).await;
    publish(&context, 0..400).await;
    let reports = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&reports);
    let retry = RetryPolicy::default().delays(Duration::from_millis(1), Duration::from_millis(5));
    let nowhere = format!("http://127.0.0.1:{}", free_port());
    let client = Client::builder().api_key("paid_x").base_url(nowhere).retry(retry).build().unwrap();
    let emitter = Emitter::builder(client)
        .queue_bytes(50_000)
        .patience(Duration::from_millis(100))
        .on_error(move |_| {
            count.fetch_add(1, Ordering::SeqCst);
        })
        .build()
        .unwrap();
    let down = emitter.clone();
    // A task of its own, as in a service.
    let forwarding = tokio::spawn(async move {
        paid::forward(&consumer, &down, tokio::time::sleep(Duration::from_secs(1))).await.map(|done| (consumer, done))
    });
    let (consumer, forwarded) =
        tokio::time::timeout(Duration::from_secs(30), forwarding).await.unwrap().unwrap().unwrap();
    assert_eq!((forwarded.delivered, forwarded.refused), (0, 0));
    assert!(forwarded.returned > 50, "{forwarded:?}");
    assert_eq!((emitter.stats().refused, reports.load(Ordering::SeqCst)), (0, 0));
    // Long before `ack_wait`, another forwarder has them all.
    let emulator = Emulator::start().await.unwrap();
    emulator.add_product("p");
    let all_are_there = async {
        while emulator.idempotency_keys().len() < 400 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let next = self::emitter(&emulator.url());
    let forwarded = tokio::time::timeout(Duration::from_secs(60), paid::forward(&consumer, &next, all_are_there));
    assert_eq!(forwarded.await.unwrap().unwrap().delivered, 400);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_paid_makes_no_message_come_again() {
    let Some(nats) = nats_server().await else { return };
    let (context, consumer) = consumer_with(&nats, Duration::from_millis(600)).await;
    publish(&context, 0..20).await;
    let emulator = Emulator::start().await.unwrap();
    emulator.add_product("p");
    emulator.fault(Fault::latency(Duration::from_secs(3)).operation("create-signals").times(9));
    let emitter = emitter(&emulator.url());
    let all_are_there = async {
        while emitter.stats().delivered < 20 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let forwarded = tokio::time::timeout(Duration::from_secs(60), paid::forward(&consumer, &emitter, all_are_there));
    assert_eq!(forwarded.await.unwrap().unwrap().delivered, 20);
    assert_eq!(consumer.get_info().await.unwrap().delivered.consumer_sequence, 20, "each was delivered once");
    assert_eq!((emitter.stats().accepted, emitter.stats().duplicates), (20, 0));
}
