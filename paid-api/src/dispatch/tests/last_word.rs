//! The thread ends before its time: nobody waits for it, and nothing is lost in silence.

use super::*;
use crate::dispatch::{DiskSettings, Dispatch};

/// Cargo that panics when it is written.
struct Grenades;

impl Cargo for Grenades {
    type Load = ();
    type Ink = ();

    const KIND: RecordKind = RecordKind::Signal;

    fn name((): &()) -> std::borrow::Cow<'static, str> {
        "bang".into()
    }

    fn weight((): &()) -> usize {
        1
    }

    fn ink(&self) {}

    fn write((): (), (): &(), _: &mut RecordWriter) {
        panic!("this one is meant to");
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
        accepted += u64::from(dispatch.push((), Some(tell), None));
        receipts.push(receipt);
    }
    // The second one was a batch.
    assert!(accepted >= 2);
    for receipt in receipts {
        assert!(receipt.await.is_err());
    }
    // Whoever comes later, or waits for room or for a flush, hears of it at once.
    while dispatch.room_for(&()).await.is_some() {
        tokio::task::yield_now().await;
    }
    let _ = dispatch.shutdown(Duration::from_secs(600)).await;
    assert!(!dispatch.push((), None, None));
    assert_eq!(dispatch.flush(Duration::from_secs(600)).await.unwrap_err().left, 3, "lost, and said");
    let stats = dispatch.stats();
    assert_eq!((stats.dropped, stats.queued()), (stats.accepted, 0));
    let told = told.lock().unwrap().join("; ");
    assert!(told.contains("the thread that delivers has panicked"), "{told}");
}
