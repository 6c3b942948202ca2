//! What services need around an emitter: many signals at once, what was delivered, threads and pools, no runtime.
#![allow(clippy::unwrap_used, missing_docs)]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use paid::testing::Recorder;
use paid::{Batch, Counts, Delivered, Delivery, EmitterBuilder, Error, Signal, Sink, SinkFuture};

const LONG: Duration = Duration::from_secs(30);

/// Refuses what is called `bad`, and knows what is called `known`.
struct Picky;

impl Sink for Picky {
    fn send<'a>(&'a self, batch: Batch<'a>) -> SinkFuture<'a> {
        let names: Vec<_> = batch.records().map(|record| record.name().to_owned()).collect();
        Box::pin(async move {
            if names.iter().any(|name| name == "bad") {
                return Err(Error::refused("bad"));
            }
            let duplicates = names.iter().filter(|name| *name == "known").count() as u64;
            Ok(Counts { ingested: names.len() as u64 - duplicates, duplicates, failed: 0 })
        })
    }
}

fn signal(name: &'static str, key: &str) -> Signal {
    Signal::new(name).customer("acme").idempotency_key(key)
}

#[test]
fn what_was_acknowledged_is_told_once_with_its_key_and_nothing_else_is() {
    let heard = Arc::<Mutex<Vec<Delivered>>>::default();
    let hook = Arc::clone(&heard);
    let emitter = EmitterBuilder::over(Picky)
        .on_delivered(|_| panic!("on purpose"))
        .on_delivered(move |batch| hook.lock().unwrap().extend_from_slice(batch))
        .max_batch(4)
        .build()
        .unwrap();
    let names = ["good", "bad", "good", "good"];
    let receipts = emitter.emit_all(names.iter().zip(["a", "b", "c", "d"]).map(|(name, key)| signal(name, key)));
    let outcomes: Vec<_> = receipts.into_iter().map(|receipt| receipt.blocking_wait().is_ok()).collect();
    assert_eq!(outcomes, [true, false, true, true]);
    assert_eq!(emitter.blocking_send(signal("known", "e")).unwrap(), Delivery::Duplicate);
    emitter.blocking_shutdown(LONG).unwrap();
    let mut told: Vec<_> = heard.lock().unwrap().iter().map(|told| (told.key.clone(), told.delivery)).collect();
    told.sort_by(|one, other| one.0.cmp(&other.0));
    let delivered = |key: &str| (key.to_owned(), Delivery::Delivered);
    assert_eq!(told, [delivered("a"), delivered("c"), delivered("d"), ("e".to_owned(), Delivery::Duplicate)]);
}

#[test]
fn a_program_without_a_runtime_emits_flushes_and_ends() {
    let emitter = EmitterBuilder::over(Picky).build().unwrap();
    emitter.emit(signal("good", "a"));
    emitter.blocking_flush(LONG).unwrap();
    assert_eq!(emitter.stats().delivered, 1);
    emitter.blocking_shutdown(LONG).unwrap();
    assert!(emitter.blocking_send(signal("good", "b")).is_err(), "it has ended");
}

#[tokio::test]
async fn the_scope_goes_along_to_blocking_threads_and_to_those_of_a_pool() {
    let recorder = Recorder::new();
    let work = async {
        paid::spawn_blocking(|| paid::emit(Signal::new("blocking"))).await.unwrap();
        let here = paid::carried_scope();
        std::thread::scope(|threads| {
            for _ in 0..2 {
                threads.spawn(|| {
                    here.run(|| paid::emit(Signal::new("pooled")));
                    paid::emit(Signal::new("outside").customer("nobody"));
                });
            }
        });
        paid::emit_all(["one", "two"].map(Signal::new));
    };
    paid::scope().customer("acme").emitter(recorder.clone()).run(work).await;
    let names: Vec<_> = recorder.signals().iter().map(|signal| signal.to_json()["eventName"].clone()).collect();
    assert_eq!(names, ["blocking", "pooled", "pooled", "one", "two"]);
    assert!(recorder.signals().iter().all(|signal| signal.to_json()["customer"]["externalCustomerId"] == "acme"));
}

#[tokio::test]
async fn stats_are_json_and_text_for_prometheus() {
    let emitter = EmitterBuilder::over(Picky).build().unwrap();
    emitter.send(signal("good", "a")).await.unwrap();
    let json = serde_json::to_value(emitter.stats()).unwrap();
    assert_eq!((&json["delivered"], &json["queued"]), (&1.into(), &0.into()));
    let text = emitter.stats().prometheus(paid::RecordKind::Signal);
    assert!(text.contains("\npaid_signals_delivered_total 1\n"), "{text}");
}
