//! The sink behind a whole emitter, over an API that does what it likes.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::super::api::CostAnswer;
use super::super::{CostEmitter, CostEmitterBuilder, CostRecord, Spent};
use super::*;
use crate::money::{Currency, Money};
use crate::report::DeliveryError;

const SECOND: Duration = Duration::from_secs(1);

/// Does one thing after another; from the last on, it answers.
struct Script {
    calls: AtomicUsize,
    steps: &'static [Step],
}

#[derive(Clone, Copy)]
enum Step {
    Panic,
    PanicAtOnce,
    NotDone,
    Never,
}

impl CostApi for Script {
    fn create(&self, body: Vec<u8>) -> CostAnswer<'_> {
        let step = self.steps.get(self.calls.fetch_add(1, Ordering::SeqCst)).copied();
        if let Some(Step::PanicAtOnce) = step {
            panic!("at once");
        }
        Box::pin(async move {
            match step {
                Some(Step::Panic | Step::PanicAtOnce) => panic!("in the middle"),
                Some(Step::NotDone) => Err(Error::unavailable("not now")),
                Some(Step::Never) => std::future::pending().await,
                None => {
                    let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
                    let ingested = body["costs"].as_array().unwrap().len();
                    let answer = serde_json::json!({"ingested": ingested, "duplicates": 0});
                    Ok(serde_json::from_value(answer).unwrap())
                }
            }
        })
    }
}

fn over(steps: &'static [Step]) -> (Arc<Script>, CostEmitterBuilder) {
    let script = Arc::new(Script { calls: AtomicUsize::new(0), steps });
    let builder = CostEmitterBuilder::over(Arc::clone(&script) as Arc<dyn CostApi>);
    (script, builder.retry_delays(SECOND / 1000, SECOND / 100).linger(SECOND / 50))
}

fn record(costs: &CostEmitter, records: usize) -> Vec<crate::Receipt> {
    let cost = || -> CostRecord<Spent> { CostRecord::amount(Money::parse("1", Currency::USD).unwrap()).customer("a") };
    (0..records).map(|_| costs.record(cost())).collect()
}

#[tokio::test]
async fn a_panic_leaves_records_uncertain_and_the_emitter_working() {
    for steps in [&[Step::Panic], &[Step::PanicAtOnce]] {
        for records in [1, 5] {
            let (script, builder) = over(steps);
            let costs = builder.build().unwrap();
            for receipt in record(&costs, records) {
                let failure = receipt.await.unwrap_err().to_string();
                assert!(failure.contains("uncertain"), "{failure}");
            }
            assert_eq!(script.calls.load(Ordering::SeqCst), 1, "not sent again");
            for receipt in record(&costs, 2) {
                receipt.await.unwrap();
            }
            assert_eq!((costs.uncertain(), costs.stats().delivered), (records, 2));
        }
    }
}

#[tokio::test]
async fn what_is_not_done_is_sent_again() {
    let (script, builder) = over(&[Step::NotDone, Step::NotDone]);
    let costs = builder.build().unwrap();
    for receipt in record(&costs, 3) {
        receipt.await.unwrap();
    }
    assert_eq!((script.calls.load(Ordering::SeqCst), costs.uncertain()), (3, 0));
}

#[tokio::test]
async fn an_end_that_does_not_wait_leaves_records_uncertain() {
    let (script, builder) = over(&[Step::Never]);
    let costs = builder.build().unwrap();
    let receipts = record(&costs, 2);
    while script.calls.load(Ordering::SeqCst) == 0 {
        tokio::time::sleep(SECOND / 100).await;
    }
    assert!(costs.shutdown(SECOND / 10).await.is_err());
    for receipt in receipts {
        assert!(matches!(receipt.await, Err(DeliveryError::NotDelivered { .. })));
    }
    assert_eq!(costs.uncertain(), 2);
}
