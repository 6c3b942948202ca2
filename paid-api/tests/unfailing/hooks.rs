//! Error hooks that emit, panic, block, or end the emitter.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, mpsc};
use std::time::{Duration, Instant};

use paid::{Emitter, Signal};

use super::{Heard, Server, block_on, flush, signal};

/// An emitter whose hook gets the emitter.
fn hooked(server: &Server, hook: impl Fn(&Emitter) + Send + Sync + 'static) -> Emitter {
    let own: Arc<OnceLock<Emitter>> = Arc::default();
    let inner = Arc::clone(&own);
    let emitter = server.emitter().queue(2).on_error(move |_| hook(inner.get().unwrap())).build().unwrap();
    own.set(emitter.clone()).unwrap();
    emitter
}

#[test]
fn a_hook_that_emits_hears_nothing_of_what_it_causes_and_what_it_emits_is_sent() {
    let server = Server::default();
    let calls = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&calls);
    let emitter = hooked(&server, move |emitter| {
        count.fetch_add(1, Ordering::SeqCst);
        drop(emitter.emit(Signal::new("billing_error")));
        drop(emitter.emit(signal("ops")));
    });
    drop(emitter.emit(Signal::new("no_customer")));
    block_on(emitter.shutdown(Duration::from_secs(20))).unwrap();
    drop(emitter.emit(signal("too_late")));
    let until = Instant::now() + Duration::from_secs(20);
    while emitter.stats().refused < 5 && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(1));
    }
    // The first failure, that inside its hook, the late one, and both inside the second call of the hook.
    assert_eq!((calls.load(Ordering::SeqCst), emitter.stats().refused), (2, 5));
    assert_eq!(server.names(), ["ops"]);
}

#[test]
fn what_a_hook_emits_into_a_full_queue_displaces_nothing() {
    let server = Server::default();
    let own: Arc<OnceLock<Emitter>> = Arc::default();
    let inner = Arc::clone(&own);
    let heard = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&heard);
    let hook = move |failure: &paid::DeliveryError| {
        log.lock().unwrap().push(failure.to_string());
        drop(inner.get().unwrap().emit(signal("billing_error")));
    };
    let builder = server.emitter().queue(5).linger(Duration::from_secs(60)).overflow(paid::Overflow::DropOldest);
    let emitter = builder.on_error(hook).build().unwrap();
    own.set(emitter.clone()).unwrap();
    for _ in 0..5 {
        drop(emitter.emit(signal("good")));
    }
    drop(emitter.emit(Signal::new("no_customer")));
    let until = Instant::now() + Duration::from_secs(20);
    while emitter.stats().refused < 2 && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(1));
    }
    // The hook's own is refused; elsewhere the oldest makes way, and the hook hears of it.
    assert_eq!((emitter.stats().refused, emitter.stats().dropped), (2, 0));
    drop(emitter.emit(signal("newer")));
    block_on(emitter.shutdown(Duration::from_secs(20))).unwrap();
    assert_eq!(server.names(), ["good", "good", "good", "good", "newer"]);
    assert_eq!((heard.lock().unwrap().len(), emitter.stats().dropped), (2, 1));
}

#[test]
fn a_hook_that_blocks_stops_neither_callers_nor_delivery_nor_the_end() {
    let server = Server::default();
    let (open, opened) = mpsc::channel::<()>();
    let opened = Mutex::new(opened);
    let hook = move |_: &paid::DeliveryError| {
        let _ = opened.lock().unwrap().recv();
    };
    let emitter = server.emitter().on_error(hook).patience(Duration::from_millis(100)).build().unwrap();
    drop(emitter.emit(signal("refused")));
    flush(&emitter);
    for _ in 0..50 {
        drop(emitter.emit(Signal::new("no_customer")));
        drop(emitter.emit(signal("good")));
    }
    flush(&emitter);
    assert_eq!(server.names().len(), 50);
    let stats = emitter.stats();
    assert_eq!((stats.refused, stats.rejected, stats.delivered), (50, 1, 50));
    block_on(emitter.shutdown(Duration::from_millis(100))).unwrap();
    drop(emitter);
    // Only now may the hook return.
    drop(open);
}

#[test]
fn a_hook_may_flush_shut_down_and_drop_the_emitter() {
    let server = Server::default();
    for case in ["flush", "shutdown", "drop"] {
        let (tell, told) = mpsc::channel();
        let tell = Mutex::new(tell);
        let last: Arc<Mutex<Option<Emitter>>> = Arc::default();
        let inner = Arc::clone(&last);
        let hook = move |_: &paid::DeliveryError| {
            let emitter = inner.lock().unwrap().take().unwrap();
            let limit = Duration::from_secs(60);
            match case {
                "flush" => block_on(emitter.flush(limit)).unwrap(),
                "shutdown" => block_on(emitter.shutdown(limit)).unwrap(),
                _ => drop(emitter),
            }
            tell.lock().unwrap().send(()).unwrap();
        };
        let emitter = server.emitter().patience(Duration::from_secs(60)).on_error(hook).build().unwrap();
        *last.lock().unwrap() = Some(emitter.clone());
        drop(emitter.emit(signal("refused")));
        drop(emitter);
        assert_eq!(told.recv_timeout(Duration::from_secs(30)), Ok(()), "{case}");
    }
}

#[test]
fn a_hook_hears_of_what_is_lost_at_the_end() {
    let heard = Heard::default();
    let emitter = Server::default().emitter().on_error(heard.hook()).build().unwrap();
    drop(emitter.emit(signal("refused")));
    drop(emitter);
    assert_eq!(heard.all().len(), 1);
}

#[test]
fn an_emitter_of_ones_own_may_panic_or_call_itself() {
    struct Own(&'static str, Arc<AtomicUsize>);
    impl paid::Emit for Own {
        fn emit(&self, _: Signal) -> bool {
            self.1.fetch_add(1, Ordering::SeqCst);
            match self.0 {
                "panics" => panic!("on purpose"),
                _ => paid::emit(signal("another")),
            }
            true
        }

        fn fail(&self, _: paid::DeliveryError) {
            self.1.fetch_add(100, Ordering::SeqCst);
            match self.0 {
                "panics" => panic!("on purpose"),
                _ => paid::emit(Signal::new("another_without_customer")),
            }
        }
    }
    impl Drop for Own {
        fn drop(&mut self) {
            assert!(std::thread::panicking() || self.0 != "panics", "on purpose");
        }
    }
    for case in ["panics", "calls itself"] {
        let calls = Arc::new(AtomicUsize::new(0));
        let own = Arc::new(Own(case, Arc::clone(&calls)));
        paid::scope().emitter(Arc::clone(&own)).run_sync(|| {
            paid::emit(signal("e"));
            paid::emit(Signal::new("no_customer"));
        });
        let calls = calls.load(Ordering::SeqCst);
        assert!(calls > 101 && calls < 10_000, "{case}: {calls}");
        if let Some(own) = Arc::into_inner(own) {
            std::mem::forget(own);
        }
    }
}
