//! Emission while a thread panics or ends.

use std::cell::RefCell;
use std::sync::{Arc, mpsc};
use std::task::Context;
use std::time::{Duration, Instant};

use paid::costs::{CostEmitter, CostRecord};
use paid::{Client, Currency, Emitter, Money, Signal};

use super::{Gate, Heard, Server, flush, signal};

/// Does something when it is dropped.
struct Last(Option<Box<dyn FnOnce()>>);

impl Drop for Last {
    fn drop(&mut self) {
        if let Some(last) = self.0.take() {
            last();
        }
    }
}

thread_local! {
    static LAST: RefCell<Option<Last>> = const { RefCell::new(None) };
}

#[paid::signal("annotated", customer = customer.to_owned(), data(n = 1))]
fn annotated(customer: &str) -> usize {
    customer.len()
}

/// Does it in a thread that has used the library and whose thread-locals are being destroyed. `false` if it panicked.
fn at_the_end_of_a_thread(emitter: &Emitter, last: impl FnOnce() + Send + 'static) -> bool {
    let emitter = emitter.clone();
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        // Registered first and so destroyed last: those of the library are gone by then.
        LAST.set(Some(Last(Some(Box::new(move || {
            let is_fine = std::panic::catch_unwind(std::panic::AssertUnwindSafe(last)).is_ok();
            let _ = tell.send(is_fine);
        })))));
        paid::scope().customer("acme").emitter(emitter).traced().run_sync(|| paid::emit(Signal::new("before")));
    })
    .join()
    .unwrap();
    told.recv_timeout(Duration::from_secs(20)).unwrap()
}

#[test]
fn signals_are_sent_from_destructors_of_thread_locals_with_their_scope() {
    let server = Server::default();
    let heard = Heard::default();
    let emitter = server.emitter().on_error(heard.hook()).build().unwrap();
    let own = emitter.clone();
    assert!(at_the_end_of_a_thread(&emitter, move || {
        paid::scope().customer("acme").emitter(own.clone()).run_sync(|| {
            paid::emit(Signal::new("scoped"));
            paid::scope().product("p").traced().run_sync(|| paid::emit(Signal::new("traced").cost_attributed()));
            annotated("acme");
        });
        drop(own.emit(signal("direct")));
        drop(own.emit(Signal::new("no_customer")));
    }));
    flush(&emitter);
    let mut names = server.names();
    names.sort();
    assert_eq!(names, ["annotated", "before", "direct", "scoped", "traced"]);
    assert!(heard.wait_for(1)[0].contains("no customer"), "{:?}", heard.all());
}

#[test]
fn a_scope_that_is_left_in_a_thread_local_sends_and_panics_not() {
    thread_local! {
        static SCOPED: RefCell<Option<Last>> = const { RefCell::new(None) };
    }
    let server = Server::default();
    let emitter = server.emitter().build().unwrap();
    let own = emitter.clone();
    std::thread::spawn(move || {
        let scope = paid::scope().customer("acme").emitter(own);
        SCOPED.set(Some(Last(Some(Box::new(move || scope.run_sync(|| paid::emit(Signal::new("late"))))))));
    })
    .join()
    .unwrap();
    flush(&emitter);
    assert_eq!(server.names(), ["late"]);
}

#[test]
fn cost_records_and_traced_work_may_end_with_a_thread() {
    let emitter = Server::default().emitter().build().unwrap();
    let client = Client::builder().api_key("paid_x").base_url("http://127.0.0.1:1").build().unwrap();
    let costs = CostEmitter::builder(client).patience(Duration::ZERO).build().unwrap();
    let guard = paid::trace::builder().api_key("paid_x").endpoint("http://127.0.0.1:1").patience(Duration::ZERO);
    let guard = Arc::new(guard.build().unwrap());
    let (own, traced) = (costs.clone(), Arc::clone(&guard));
    assert!(at_the_end_of_a_thread(&emitter, move || {
        let money = Money::parse("1", Currency::USD).unwrap();
        paid::scope().customer("acme").run_sync(|| drop(own.record(CostRecord::amount(money))));
        traced.scope().customer("acme").run_sync(|| {
            paid::trace::emit(Signal::new("e"));
            drop(paid::trace::genai("openai", paid::trace::Operation::Chat).start());
            paid::trace::fail("on purpose");
        });
        let _ = paid::trace::TracingToken::new();
    }));
    assert_eq!(costs.stats().accepted, 1);
}

/// Wakes a thread, or panics.
struct Wakes(Option<std::thread::Thread>);

impl std::task::Wake for Wakes {
    fn wake(self: Arc<Self>) {
        match &self.0 {
            Some(thread) => thread.unpark(),
            None => panic!("on purpose"),
        }
    }
}

#[test]
fn a_waker_that_panics_keeps_no_other_task_waiting_for_the_end() {
    let gate = Gate::default();
    let emitter = paid::EmitterBuilder::over(gate.clone()).build().unwrap();
    drop(emitter.emit(signal("good")));
    let limit = Duration::from_secs(20);
    let (mut first, mut second) = (Box::pin(emitter.shutdown(limit)), Box::pin(emitter.shutdown(limit)));
    let (panics, wakes) = (Wakes(None), Wakes(Some(std::thread::current())));
    let (panics, wakes) = (Arc::new(panics).into(), Arc::new(wakes).into());
    assert!(first.as_mut().poll(&mut Context::from_waker(&panics)).is_pending());
    assert!(second.as_mut().poll(&mut Context::from_waker(&wakes)).is_pending());
    gate.open();
    let until = Instant::now() + limit / 2;
    while second.as_mut().poll(&mut Context::from_waker(&wakes)).is_pending() {
        std::thread::park_timeout(until.saturating_duration_since(Instant::now()));
        assert!(Instant::now() < until, "nobody woke the second one");
    }
    assert_eq!(emitter.stats().delivered, 1);
}

#[test]
fn guards_may_emit_while_a_panic_unwinds_even_if_values_panic_then() {
    struct Panics;
    impl serde::Serialize for Panics {
        fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            panic!("inside")
        }
    }
    let server = Server::default();
    let heard = Heard::default();
    let emitter = server.emitter().on_error(heard.hook()).build().unwrap();
    let own = emitter.clone();
    let thread = std::thread::spawn(move || {
        let _guard = Last(Some(Box::new(move || {
            paid::scope().customer("acme").emitter(own).run_sync(|| {
                paid::emit(Signal::new("while_panicking"));
                paid::emit(Signal::new("panics").field("x", &Panics));
                annotated("acme");
            });
        })));
        panic!("outside");
    });
    assert!(thread.join().is_err());
    flush(&emitter);
    assert_eq!(server.names(), ["while_panicking", "annotated"]);
    assert_eq!(heard.wait_for(1), ["signal `panics`: `x` panicked: inside (while it was written as JSON)"]);
}
