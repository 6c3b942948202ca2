//! A recorder of `metrics` that panics.
#![allow(clippy::unwrap_used, missing_docs)]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};
use paid::{Batch, Counts, EmitterBuilder, Signal, Sink, SinkFuture};

struct Takes;

impl Sink for Takes {
    fn send<'a>(&'a self, batch: Batch<'a>) -> SinkFuture<'a> {
        let ingested = batch.len() as u64;
        Box::pin(async move { Ok(Counts { ingested, ..Counts::default() }) })
    }
}

static CALLS: AtomicUsize = AtomicUsize::new(0);

struct Panics;

impl Panics {
    fn panic(&self) -> ! {
        CALLS.fetch_add(1, Ordering::SeqCst);
        panic!("the recorder is broken")
    }
}

impl Recorder for Panics {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, _: &Key, _: &Metadata<'_>) -> Counter {
        self.panic()
    }

    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        self.panic()
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        self.panic()
    }
}

#[tokio::test]
async fn a_recorder_that_panics_is_called_once_and_stops_nothing() {
    metrics::set_global_recorder(Panics).unwrap();
    let emitter = EmitterBuilder::over(Takes).build().unwrap();
    for _ in 0..10 {
        emitter.send(Signal::new("sent").customer("acme")).await.unwrap();
    }
    emitter.shutdown(Duration::from_secs(10)).await.unwrap();
    assert_eq!(emitter.stats().delivered, 10);
    assert_eq!(CALLS.load(Ordering::SeqCst), 1);
}
