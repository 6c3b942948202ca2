//! Sends the same text in every way that there is, to where its arguments say. The test looks for the text everywhere.
#![allow(clippy::unwrap_used)]

mod ways;

use std::sync::Arc;
use std::time::Duration;

use paid::async_nats::{self, jetstream};
use paid::nats::NatsSink;
use paid::testing::Recorder;
use paid::{Client, Emit, Emitter, EmitterBuilder, HashKey};

const SECRET: &[u8] = b"thirty-two bytes of a hash's key";

#[tokio::main]
async fn main() {
    tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_writer(std::io::stderr)
        .init();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["emitter", url, folder] => deliver(over_client(url).outbox(folder).hash_key(key())).await,
        ["without-key", url, folder] => deliver(over_client(url).outbox(folder)).await,
        ["nats", url] => deliver(over_nats(url).await.hash_key(key())).await,
        ["collector", url] => collect(url).await,
        ["recorder"] => record(),
        _ => panic!("emitter URL FOLDER | without-key URL FOLDER | nats URL | collector URL | recorder"),
    }
}

fn key() -> HashKey {
    HashKey::new(SECRET).unwrap()
}

fn over_client(url: &str) -> EmitterBuilder {
    let client = Client::builder().api_key("paid_canary").base_url(url).build().unwrap();
    Emitter::builder(client)
}

async fn over_nats(url: &str) -> EmitterBuilder {
    let context = jetstream::new(async_nats::connect(url).await.unwrap());
    let config =
        jetstream::stream::Config { name: "paid".into(), subjects: vec!["paid.signals".into()], ..Default::default() };
    context.get_or_create_stream(config).await.unwrap();
    EmitterBuilder::over(NatsSink::new(context, "paid.signals"))
}

/// Everything that a program may print of what it has.
async fn deliver(builder: EmitterBuilder) {
    let builder = builder.on_error(|failure| println!("hook: {failure} {failure:?}"));
    println!("{builder:?}");
    let emitter = builder.build().unwrap();
    paid::scope().customer("acme").emitter(emitter.clone()).run_sync(ways::all);
    println!("{:?}", emitter.shutdown(Duration::from_secs(3)).await);
    println!("{emitter:?}");
}

async fn collect(url: &str) {
    let tracing = paid::trace::builder().api_key("paid_canary").endpoint(url).hash_key(key()).build().unwrap();
    let emitter: Arc<dyn Emit> = Arc::new(tracing.signals());
    tracing.scope().customer("acme").emitter(emitter).run_sync(ways::all);
    tracing.scope().customer("acme").run_sync(ways::over_trace);
    println!("{:?} {tracing:?}", tracing.flush(Duration::from_secs(3)).await);
}

fn record() {
    let recorder = Recorder::new();
    recorder.scope().customer("acme").run_sync(ways::all);
    println!("{recorder:?} {:?} {:?}", recorder.signals(), recorder.failures());
}
