//! The emitter's counters through the `metrics` facade.
#![allow(clippy::unwrap_used, missing_docs)]

use std::collections::BTreeMap;
use std::time::Duration;

use metrics_util::debugging::{DebugValue, DebuggingRecorder};
use paid::{Batch, Counts, EmitterBuilder, Signal, Sink, SinkFuture};

struct Takes;

impl Sink for Takes {
    fn send<'a>(&'a self, batch: Batch<'a>) -> SinkFuture<'a> {
        let ingested = batch.len() as u64;
        Box::pin(async move { Ok(Counts { ingested, ..Counts::default() }) })
    }
}

#[tokio::test]
async fn what_stats_say_is_published() {
    let recorder = DebuggingRecorder::new();
    let snapshots = recorder.snapshotter();
    recorder.install().unwrap();
    let emitter = EmitterBuilder::over(Takes).build().unwrap();
    for _ in 0..10 {
        emitter.emit(Signal::new("sent").customer("acme"));
    }
    emitter.shutdown(Duration::from_secs(10)).await.unwrap();
    let snapshot = snapshots.snapshot().into_vec();
    assert!(snapshot.iter().all(|(_, _, help, _)| help.is_some()), "every number says what it is: {snapshot:?}");
    let found: BTreeMap<_, _> =
        snapshot.into_iter().map(|(key, _, _, value)| (key.key().name().to_owned(), value)).collect();
    assert_eq!(found["paid_signals_accepted_total"], DebugValue::Counter(10));
    assert_eq!(found["paid_signals_delivered_total"], DebugValue::Counter(10));
    assert_eq!(found["paid_signals_queued"], DebugValue::Gauge(0.0.into()));
    let DebugValue::Histogram(sizes) = &found["paid_signals_batch_size"] else { panic!("{found:?}") };
    assert_eq!(sizes.iter().map(|size| size.into_inner()).sum::<f64>(), 10.0);
    assert!(matches!(found["paid_signals_request_duration_seconds"], DebugValue::Histogram(_)));
}
