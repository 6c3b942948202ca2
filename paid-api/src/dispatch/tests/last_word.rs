//! The thread ends before its time: nobody waits for it, and nothing is lost in silence.

use super::*;
use crate::dispatch::{DiskSettings, Dispatch, Record};

/// Cargo that panics when it is written, if its load is true.
struct Grenades;

impl Cargo for Grenades {
    type Load = bool;
    type Ink = ();

    const KIND: RecordKind = RecordKind::Signal;

    fn name(_: &bool) -> std::borrow::Cow<'static, str> {
        "bang".into()
    }

    fn weight(_: &bool) -> usize {
        1
    }

    fn ink(&self) {}

    fn write(explodes: bool, (): &(), page: &mut RecordWriter) {
        assert!(!explodes, "this one is meant to");
        page.copy(&Record::new(Self::KIND, "bang", "key", 1, b"{}"));
    }
}

#[tokio::test]
async fn a_panic_of_the_thread_answers_counts_and_reports_everything() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let hear = Arc::clone(&told);
    let mut settings = DispatchSettings {
        queue: Limits { records: 3, bytes: 1 << 20 },
        overflow: Overflow::Wait,
        batch: Limits { records: 2, bytes: 1 << 20 },
        linger: Duration::from_secs(600),
        ..DispatchSettings::default()
    };
    settings.add_hook(move |failure| hear.lock().unwrap().push(failure.to_string()));
    let server: Arc<dyn Sink> = Arc::new(Arc::new(Server::default()));
    let dispatch = Dispatch::start(Grenades, server, settings, &DiskSettings::none(RecordKind::Signal)).unwrap();
    let mut receipts = Vec::new();
    let mut accepted = 0;
    for _ in 0..3 {
        let (tell, receipt) = Receipt::new(RecordKind::Signal);
        accepted += u64::from(dispatch.push(true, Some(tell), None));
        receipts.push(receipt);
    }
    // The second one was a batch.
    assert!(accepted >= 2);
    for receipt in receipts {
        assert!(receipt.await.is_err());
    }
    // Whoever comes later, or waits for room or for a flush, hears of it at once.
    while dispatch.room_for(&true).await.is_some() {
        tokio::task::yield_now().await;
    }
    let _ = dispatch.shutdown(Duration::from_secs(600)).await;
    assert!(!dispatch.push(true, None, None));
    assert_eq!(dispatch.flush(Duration::from_secs(600)).await.unwrap_err().left, 3, "lost, and said");
    let stats = dispatch.stats();
    assert_eq!((stats.dropped, stats.queued()), (stats.accepted, 0));
    let told = told.lock().unwrap().join("; ");
    assert!(told.contains("the thread that delivers has panicked"), "{told}");
}

/// Never answers.
struct Silence;

impl Sink for Silence {
    fn send<'a>(&'a self, _: Batch<'a>) -> SinkFuture<'a> {
        Box::pin(std::future::pending())
    }
}

#[tokio::test]
async fn after_a_panic_of_the_thread_no_request_is_in_progress() {
    let settings = DispatchSettings { linger: Duration::ZERO, ..DispatchSettings::default() };
    let disk = DiskSettings::none(RecordKind::Signal);
    let dispatch = Dispatch::start(Grenades, Arc::new(Silence), settings, &disk).unwrap();
    assert!(dispatch.push(false, None, None));
    while dispatch.stats().in_flight == 0 {
        tokio::task::yield_now().await;
    }
    let (tell, receipt) = Receipt::new(RecordKind::Signal);
    dispatch.push(true, Some(tell), None);
    assert!(receipt.await.is_err());
    let _ = dispatch.shutdown(Duration::from_secs(600)).await;
    let stats = dispatch.stats();
    assert_eq!((stats.dropped, stats.in_flight, stats.oldest_since), (2, 0, 0));
}
