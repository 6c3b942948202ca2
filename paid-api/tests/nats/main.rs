//! A fleet, a stream and a forwarder, on a real nats-server. Skips aloud where there is none.
#![cfg(unix)]
#![allow(clippy::unwrap_used, missing_docs)]

mod forwarder;
mod sink;

use std::collections::BTreeSet;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use paid::async_nats::jetstream::{self, consumer, stream};
use paid::emulator::{Emulator, Fault};
use paid::nats::NatsSink;
use paid::{Client, Emitter, EmitterBuilder, RetryPolicy, Signal};

const NATS: &str = "PAID_TEST_NATS";
const URL: &str = "PAID_TEST_URL";

struct NatsServer {
    process: Child,
    url: String,
    _folder: tempfile::TempDir,
}

impl Drop for NatsServer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A server with JetStream on a port of loopback, or `None`, aloud.
async fn nats_server() -> Option<NatsServer> {
    let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
    let mut command = Command::new("nats-server");
    command.args(["--jetstream", "--addr", "127.0.0.1", "--port", &port.to_string(), "--store_dir"]).arg(folder.path());
    let Ok(process) = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn() else {
        eprintln!("skipped: no nats-server here (Debian's package is called so)");
        return None;
    };
    let server = NatsServer { process, url: format!("nats://127.0.0.1:{port}"), _folder: folder };
    for _ in 0..100 {
        if paid::async_nats::connect(&server.url).await.is_ok() {
            return Some(server);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("nats-server does not start");
}

async fn consumer(url: &str) -> (jetstream::Context, consumer::PullConsumer) {
    let context = jetstream::new(paid::async_nats::connect(url).await.unwrap());
    let config = stream::Config { name: "paid".into(), subjects: vec!["paid.signals".into()], ..Default::default() };
    let stream = context.get_or_create_stream(config).await.unwrap();
    let durable = consumer::pull::Config {
        durable_name: Some("paid".into()),
        ack_wait: Duration::from_millis(1_500),
        max_ack_pending: 500,
        ..Default::default()
    };
    (context, stream.get_or_create_consumer("paid", durable).await.unwrap())
}

fn emitter(url: &str) -> Emitter {
    let retry = RetryPolicy::default().delays(Duration::from_millis(1), Duration::from_millis(5));
    let client = Client::builder().api_key("paid_x").base_url(url).retry(retry).build().unwrap();
    Emitter::builder(client)
        .max_batch(50)
        .linger(Duration::from_millis(5))
        .retry_delays(Duration::from_millis(10), Duration::from_millis(40))
        .build()
        .unwrap()
}

fn key(number: usize) -> String {
    format!("key-{number:05}")
}

/// Publishes signals as the fleet does.
async fn publish(context: &jetstream::Context, numbers: std::ops::Range<usize>) {
    let fleet = EmitterBuilder::over(NatsSink::new(context.clone(), "paid.signals")).build().unwrap();
    for number in numbers {
        let signal = Signal::new("sent").customer(format!("c{}", number % 9)).product("p");
        fleet.emit(signal.idempotency_key(key(number)));
    }
    fleet.flush(Duration::from_secs(30)).await.unwrap();
    assert_eq!((fleet.stats().rejected, fleet.stats().refused), (0, 0));
    fleet.shutdown(Duration::from_secs(5)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_forwarder_drains_the_stream_and_acknowledges_what_paid_has() {
    let Some(nats) = nats_server().await else { return };
    let emulator = Emulator::start().await.unwrap();
    emulator.add_product("p");
    let (context, consumer) = consumer(&nats.url).await;
    publish(&context, 0..1_000).await;
    // Once more, as after an answer that got lost: JetStream knows the keys.
    publish(&context, 500..1_000).await;
    // What is no signal must not block the others.
    context.publish("paid.signals", "no signal".into()).await.unwrap().await.unwrap();
    let emitter = emitter(&emulator.url());
    let stop = async {
        while emulator.idempotency_keys().len() < 1_000 || emitter.stats().refused == 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let forwarded = tokio::time::timeout(Duration::from_secs(60), paid::forward(&consumer, &emitter, stop));
    let forwarded = forwarded.await.unwrap().unwrap();
    assert_eq!((forwarded.delivered, forwarded.refused, forwarded.returned), (1_000, 1, 0));
    assert_eq!(emitter.stats().duplicates, 0);
    // The server hears of the last acknowledgements in its own time.
    let settled = async {
        loop {
            let info = consumer.get_info().await.unwrap();
            if (info.num_ack_pending, info.num_pending) == (0, 0) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), settled).await.expect("every message is acknowledged");
}

/// The forwarder that is killed.
#[test]
fn child() {
    let (Ok(nats), Ok(url)) = (std::env::var(NATS), std::env::var(URL)) else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (_, consumer) = consumer(&nats).await;
        let emitter = emitter(&url);
        paid::forward(&consumer, &emitter, std::future::pending()).await.unwrap();
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_forwarder_that_is_killed_in_mid_batch_loses_nothing_and_bills_nothing_twice() {
    const SIGNALS: usize = 3_000;
    let Some(nats) = nats_server().await else { return };
    let emulator = Emulator::start().await.unwrap();
    emulator.add_product("p");
    let (context, consumer) = consumer(&nats.url).await;
    publish(&context, 0..SIGNALS).await;
    let forwarder = || {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "child"]).env(NATS, &nats.url).env(URL, emulator.url());
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    };
    for _ in 0..6 {
        // Answers that come late, or never: the work is done, and not known to be.
        for fault in [Fault::latency(Duration::from_millis(50)), Fault::drop_connection().after_work()] {
            emulator.fault(fault.operation("create-signals").times(2));
        }
        let before = emulator.idempotency_keys().len();
        let mut child = forwarder();
        for _ in 0..200 {
            tokio::time::sleep(Duration::from_millis(5)).await;
            if emulator.idempotency_keys().len() > before + 60 {
                break;
            }
        }
        child.kill().unwrap();
        child.wait().unwrap();
    }
    assert!(emulator.idempotency_keys().len() < SIGNALS, "the kills came too late");
    let mut last = forwarder();
    for _ in 0..600 {
        tokio::time::sleep(Duration::from_millis(50)).await;
        let info = consumer.get_info().await.unwrap();
        if info.num_ack_pending == 0 && info.num_pending == 0 {
            break;
        }
    }
    last.kill().unwrap();
    last.wait().unwrap();
    let info = consumer.get_info().await.unwrap();
    assert_eq!((info.num_ack_pending, info.num_pending), (0, 0), "every message is acknowledged");
    // The emulator knows every key once; what came again was counted as a duplicate.
    assert_eq!(emulator.idempotency_keys(), (0..SIGNALS).map(key).collect::<BTreeSet<_>>());
}
