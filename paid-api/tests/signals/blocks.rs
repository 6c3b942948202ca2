//! `signal_block!`: parts of functions and closures are billed by the rules for functions.

use std::panic::{AssertUnwindSafe, catch_unwind};

use paid::signal_block;
use paid::testing::Recorder;
use serde_json::{Value, json};

struct Lead {
    id: String,
    account: String,
}

fn lead() -> Lead {
    Lead { id: "l1".into(), account: "acme".into() }
}

fn parsed(text: &str) -> Result<u32, std::num::ParseIntError> {
    text.parse()
}

fn sent(work: impl FnOnce()) -> Vec<Value> {
    let recorder = Recorder::new();
    recorder.run_sync(|| paid::scope().customer("acme").run_sync(work));
    recorder.signals().iter().map(paid::signal::Signal::to_json).collect()
}

fn wait<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

#[test]
fn a_block_emits_once_with_its_arguments() {
    let lead = lead();
    let signals = sent(|| {
        let value =
            signal_block!("counted", customer = lead.account, data(lead_id = lead.id, number = *ret), { parsed("7") });
        assert_eq!(value, Ok(7));
    });
    assert_eq!(signals.len(), 1);
    assert_eq!(signals[0]["eventName"], "counted");
    assert_eq!(signals[0]["data"], json!({"lead_id": "l1", "number": 7}));
}

#[test]
fn an_error_or_a_panic_in_a_block_sends_nothing() {
    let signals = sent(|| {
        assert!(signal_block!("counted", { parsed("x") }).is_err());
        assert!(signal_block!("counted", { None::<u32> }).is_none());
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            signal_block!("counted", {
                assert!(lead().id.is_empty());
            })
        }));
        assert!(panicked.is_err());
    });
    assert_eq!(signals, [Value::Null; 0]);
}

#[test]
fn question_marks_and_returns_end_the_block_and_not_the_function() {
    fn ends(text: &str) -> &'static str {
        let inside = signal_block!("counted", -> Result<u32, std::num::ParseIntError> {
            if text.is_empty() {
                return Ok(0);
            }
            let number = parsed(text)?;
            Ok(number + 1)
        });
        if inside.is_ok() { "ok" } else { "err" }
    }
    assert_eq!(sent(|| assert_eq!(ends(""), "ok")).len(), 1);
    assert_eq!(sent(|| assert_eq!(ends("7"), "ok")).len(), 1);
    assert_eq!(sent(|| assert_eq!(ends("x"), "err")).len(), 0);
}

#[test]
fn an_async_block_emits_when_it_has_succeeded_and_not_when_it_is_dropped() {
    let make = |text: &'static str| {
        signal_block!("counted", data(text), async move -> Result<u32, std::num::ParseIntError> {
            tokio::task::yield_now().await;
            let number = parsed(text)?;
            Ok(number)
        })
    };
    let signals = sent(|| assert_eq!(wait(make("7")), Ok(7)));
    assert_eq!((signals.len(), &signals[0]["data"]), (1, &json!({"text": "7"})));
    assert_eq!(sent(|| assert!(wait(make("x")).is_err())).len(), 0);
    assert_eq!(sent(|| drop(make("7"))).len(), 0);
    let half_way = || {
        let mut future = std::pin::pin!(make("7"));
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(future.as_mut().poll(&mut context).is_pending());
    };
    assert_eq!(sent(half_way).len(), 0);
}

#[test]
fn a_future_of_a_block_can_be_spawned() {
    fn is_send_and_static<F: Future + Send + 'static>(future: F) -> F {
        future
    }
    let (lead, not_sync) = (lead(), std::cell::Cell::new(7));
    let future =
        is_send_and_static(signal_block!("counted", customer = lead.account, data(found = *ret), async move {
            tokio::task::yield_now().await;
            drop(lead.id);
            not_sync.get()
        }));
    let signals = sent(|| assert_eq!(wait(future), 7));
    assert_eq!(signals[0]["data"], json!({"found": 7}));
}

#[test]
fn a_closure_emits_at_each_call_that_succeeds() {
    let signals = sent(|| {
        let numbers: Vec<_> =
            ["1", "x", "2"].into_iter().map(signal_block!("counted", data(text), |text| parsed(text))).collect();
        assert_eq!(numbers.iter().flatten().sum::<u32>(), 3);
    });
    let texts: Vec<_> = signals.iter().map(|signal| signal["data"]["text"].as_str().unwrap()).collect();
    assert_eq!(texts, ["1", "2"]);
}

#[test]
fn a_closure_stays_what_it_is() {
    let signals = sent(|| {
        let (name, mut calls, owned) = ("a".to_owned(), 0, "b".to_owned());
        let by_reference: &dyn Fn(&str) -> usize = &signal_block!("one", |more: &str| name.len() + more.len());
        assert_eq!((by_reference("bc"), by_reference("")), (3, 1));
        let mut counting = signal_block!("two", || calls += 1);
        counting();
        counting();
        assert_eq!(calls, 2);
        let once = signal_block!("three", move || -> String { owned });
        assert_eq!(once(), "b");
        assert_eq!(name, "a");
    });
    let names: Vec<_> = signals.iter().map(|signal| signal["eventName"].as_str().unwrap()).collect();
    assert_eq!(names, ["one", "one", "two", "two", "three"]);
}

#[test]
fn closures_that_make_futures_emit_when_these_succeed() {
    let signals = sent(|| {
        let outer = signal_block!("outer", |text: &'static str| async move { parsed(text) });
        let later = signal_block!("later", data(text), async |text: &str| parsed(text));
        drop(outer("7"));
        assert_eq!((wait(outer("7")), wait(outer("x")).is_err()), (Ok(7), true));
        assert_eq!((wait(later("7")), wait(later("x")).is_err()), (Ok(7), true));
    });
    let names: Vec<_> = signals.iter().map(|signal| signal["eventName"].as_str().unwrap()).collect();
    assert_eq!(names, ["outer", "later"]);
}

#[test]
fn a_block_is_judged_as_the_arguments_say() {
    let signals = sent(|| {
        signal_block!("found", success = |status| *status < 400, { 404 });
        signal_block!("found", success = |status| *status < 400, data(status = *ret), { 200 });
        let _ = signal_block!("failed", on = "error", data(why = err.to_string()), { parsed("x") });
        let _ = signal_block!("ended", on = "always", data(worked = result.is_ok()), { parsed("x") });
    });
    let data: Vec<_> = signals.iter().map(|signal| signal["data"].clone()).collect();
    assert_eq!(
        data,
        [json!({"status": 200}), json!({"why": "invalid digit found in string"}), json!({"worked": false})]
    );
}

#[test]
fn blocks_stand_in_each_other() {
    let signals = sent(|| {
        let _ = signal_block!("outer", {
            let inner = signal_block!("inner", data(of = 1), { parsed("7") });
            inner.and_then(|_| parsed("x"))
        });
    });
    assert_eq!(signals.len(), 1);
    assert_eq!(signals[0]["eventName"], "inner");
}
