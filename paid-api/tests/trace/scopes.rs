//! Scopes that are used elsewhere, and what else a scope may meet.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use paid::{DeliveryError, Emit, Emitter, EmitterBuilder, Overflow, Scope};

use super::*;

/// Nobody is there.
fn nowhere() -> paid::trace::TraceBuilder {
    let builder = paid::trace::builder().api_key("paid_x").endpoint("http://127.0.0.1:9/v1/traces");
    builder.enabled(true).patience(Duration::ZERO).linger(100 * SECOND)
}

fn emitter() -> EmitterBuilder {
    let client = paid::Client::builder().api_key("paid_x").base_url("http://127.0.0.1:9").build().unwrap();
    Emitter::builder(client).patience(Duration::ZERO)
}

#[test]
fn the_current_scope_keeps_its_work_elsewhere_whatever_is_asked_of_it() {
    let guard = nowhere().build().unwrap();
    guard.scope().customer("acme").run_sync(|| {
        let outer = TracingToken::current().unwrap();
        let elsewhere = |scope: Scope| std::thread::spawn(|| scope.run_sync(TracingToken::current)).join().unwrap();
        let current = Scope::current();
        assert_eq!(elsewhere(current.clone()), Some(outer));
        assert_eq!(elsewhere(current.clone().metadata("k", "v")), Some(outer));
        assert_eq!(elsewhere(current.clone().store_prompts(true)), Some(outer));
        assert_eq!(elsewhere(current.clone().customer("other")), Some(outer));
        assert_eq!(elsewhere(current.traced()), Some(outer), "a span of its own, in the same trace");
    });
}

#[test]
fn a_signal_in_the_current_scope_run_elsewhere_has_its_costs() {
    let guard = nowhere().build().unwrap();
    let recorder = paid::testing::Recorder::new();
    guard.scope().customer("acme").emitter(recorder.clone()).run_sync(|| {
        let scope = Scope::current().metadata("step", "2");
        let emit = || paid::emit(Signal::new("email_sent").cost_attributed());
        std::thread::spawn(move || scope.run_sync(emit)).join().unwrap();
    });
    assert!(recorder.signals()[0].to_json()["data"]["paid"]["paid_scope_id"].is_u64());
}

#[test]
fn spans_never_take_the_place_of_signals() {
    let guard = nowhere().queue(4).overflow(Overflow::DropOldest).build().unwrap();
    paid::scope().customer("acme").emitter(guard.signals()).run_sync(|| {
        for _ in 0..4 {
            paid::emit(Signal::new("billed"));
        }
    });
    for _ in 0..4 {
        guard.scope().customer("acme").run_sync(|| ());
    }
    let stats = guard.stats();
    assert_eq!((stats.dropped, stats.dropped_signals), (4, 0));
}

/// Hands on through the emitter's own method.
struct Wrapper(Emitter);

impl Emit for Wrapper {
    fn emit(&self, signal: Signal) -> bool {
        drop(self.0.emit(signal));
        true
    }

    fn fail(&self, _: DeliveryError) {}
}

#[test]
fn an_emitter_that_hands_on_and_a_hook_that_emits_do_not_wait_for_themselves() {
    let guard = nowhere().build().unwrap();
    let emit = || {
        for _ in 0..3 {
            paid::emit(Signal::new("email_sent").cost_attributed());
        }
    };
    let wrapper = Wrapper(emitter().build().unwrap());
    guard.scope().customer("acme").emitter(wrapper).run_sync(emit);
    let hooked = emitter().queue(1).on_error(|failure| {
        if matches!(failure, DeliveryError::QueueFull { name, .. } if name == "email_sent") {
            paid::emit(Signal::new("lost_work").cost_attributed());
        }
    });
    guard.scope().customer("acme").emitter(hooked.build().unwrap()).run_sync(emit);
}

#[test]
fn the_hook_hears_of_signals_that_the_collector_does_not_take() {
    let heard = Arc::new(AtomicUsize::new(0));
    let hears = Arc::clone(&heard);
    let hook = move |_: &DeliveryError| {
        hears.fetch_add(1, Ordering::SeqCst);
    };
    let guard = nowhere().on_error(hook).build().unwrap();
    paid::scope().emitter(guard.signals()).run_sync(|| {
        paid::emit(Signal::new("nobodys"));
        paid::emit(Signal::new("by_paids_id").customer(CustomerId::from("c")));
    });
    assert_eq!((heard.load(Ordering::SeqCst), guard.stats().refused_signals), (2, 2));
}

#[tokio::test]
async fn the_key_is_asked_for_once_a_batch_and_once_a_request() {
    let emulator = Emulator::start().await.unwrap();
    let asked = Arc::new(AtomicUsize::new(0));
    let asks = Arc::clone(&asked);
    let key = move || {
        asks.fetch_add(1, Ordering::SeqCst);
        paid::ApiKey::new("paid_x").unwrap()
    };
    let builder = paid::trace::builder().api_key_from(key).endpoint(emulator.collector_url()).enabled(true);
    let guard = builder.linger(100 * SECOND).build().unwrap();
    for _ in 0..64 {
        guard.scope().customer("acme").run_sync(|| ());
    }
    guard.flush(10 * SECOND).await.unwrap();
    assert_eq!(emulator.spans().len(), 64);
    assert!(asked.load(Ordering::SeqCst) <= 4, "{asked:?}");
}
