//! Logs failures and tells whoever wants to hear of them.

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::hooks::{self, Hook, HookThread};
use super::{DeliveryError, RecordKind, log};

/// Logs failures and tells the user's hooks about them.
#[derive(Default)]
pub(crate) struct Reporter {
    /// The library's own: told at once, whatever happens around them. They must not block.
    observers: Vec<Box<Hook>>,
    /// The user's, called where the failure is noticed.
    hooks: Vec<Box<Hook>>,
    /// The user's, called on their own thread.
    thread: Option<HookThread>,
    /// One for each kind: a flood of spans must not hide a signal.
    throttles: [Mutex<Throttle>; 3],
    clock: Clock,
}

/// The clock of the log.
struct Clock(Box<dyn Fn() -> Instant + Send + Sync>);

impl Default for Clock {
    fn default() -> Self {
        Self(Box::new(Instant::now))
    }
}

/// The state of the log for failures that may occur a million times a second.
#[derive(Default)]
struct Throttle {
    logged: Option<Instant>,
    /// How many records the failures were about that were not logged since.
    unlogged: u64,
}

impl Throttle {
    fn is_open(&self, now: Instant) -> bool {
        self.logged.is_none_or(|logged| now.duration_since(logged) >= LOGGED_EVERY)
    }
}

/// Such failures are logged at most this often.
const LOGGED_EVERY: Duration = Duration::from_secs(1);

impl Reporter {
    pub(crate) fn add_hook(&mut self, hook: impl Fn(&DeliveryError) + Send + Sync + 'static) {
        self.hooks.push(Box::new(hook));
    }

    #[allow(dead_code)] // Only tracing has one.
    pub(crate) fn add_observer(&mut self, observer: impl Fn(&DeliveryError) + Send + Sync + 'static) {
        self.observers.push(Box::new(observer));
    }

    /// Reads the time from this clock from now on.
    pub(crate) fn with_clock(mut self, clock: impl Fn() -> Instant + Send + Sync + 'static) -> Self {
        self.clock = Clock(Box::new(clock));
        self
    }

    /// Calls the hooks on a thread of their own from now on, so that a slow one stops neither delivery nor a caller.
    pub(crate) fn with_own_thread(mut self) -> Self {
        if !self.hooks.is_empty() {
            self.thread = Some(HookThread::new(std::mem::take(&mut self.hooks)));
        }
        self
    }

    /// Logs a failure and tells the hooks.
    pub(crate) fn report(&self, failure: &DeliveryError) {
        match failure.kind() {
            RecordKind::Signal | RecordKind::Cost => log(failure),
            RecordKind::Span => self.log_throttled(failure),
        }
        self.tell_hooks(failure);
    }

    /// Like [`report`](Self::report), for failures that may occur often: logs at most once a second, with the number of
    /// records in between.
    pub(crate) fn report_throttled(&self, failure: &DeliveryError) {
        self.log_throttled(failure);
        self.tell_hooks(failure);
    }

    fn log_throttled(&self, failure: &DeliveryError) {
        let [signals, costs, spans] = &self.throttles;
        let throttle = match failure.kind() {
            RecordKind::Signal => signals,
            RecordKind::Cost => costs,
            RecordKind::Span => spans,
        };
        let mut throttle = throttle.lock().unwrap_or_else(PoisonError::into_inner);
        let now = (self.clock.0)();
        if !throttle.is_open(now) {
            throttle.unlogged += failure.records();
            return;
        }
        let unlogged = std::mem::take(&mut throttle.unlogged);
        throttle.logged = Some(now);
        drop(throttle);
        match unlogged {
            0 => log(failure),
            more => log(&format_args!("{failure} (and {more} more since this was last logged)")),
        }
    }

    /// Logs how many records the failures were about that were not logged, if the last line is a second old.
    pub(crate) fn log_rest_if_due(&self) {
        self.log_rest_of(|throttle| throttle.unlogged > 0 && throttle.is_open((self.clock.0)()));
    }

    /// Like [`log_rest_if_due`](Self::log_rest_if_due), at once: nothing may follow.
    pub(crate) fn log_rest(&self) {
        self.log_rest_of(|throttle| throttle.unlogged > 0);
    }

    fn log_rest_of(&self, is_due: impl Fn(&Throttle) -> bool) {
        let kinds = [RecordKind::Signal, RecordKind::Cost, RecordKind::Span];
        for (kind, throttle) in kinds.into_iter().zip(&self.throttles) {
            let mut throttle = throttle.lock().unwrap_or_else(PoisonError::into_inner);
            if !is_due(&throttle) {
                continue;
            }
            let unlogged = std::mem::take(&mut throttle.unlogged);
            throttle.logged = Some((self.clock.0)());
            drop(throttle);
            log(&format_args!("{} more not delivered since this was last logged", kind.counted(unlogged)));
        }
    }

    /// Tells everybody, except hooks of a failure inside a hook: they would hear of themselves for ever.
    pub(crate) fn tell_hooks(&self, failure: &DeliveryError) {
        for observer in &self.observers {
            observer(failure);
        }
        if hooks::are_running_here() {
            return;
        }
        if !self.hooks.is_empty() {
            hooks::call(&self.hooks, failure);
        }
        if let Some(thread) = &self.thread {
            thread.tell(failure);
        }
    }

    /// Delivery ends on this thread, and waits for the hooks if it is not itself inside one.
    pub(crate) fn ends(&self) {
        if let Some(thread) = self.thread.as_ref().filter(|_| hooks::are_running_here()) {
            thread.wait_no_more();
        }
    }

    /// Waits until the hooks have heard of everything, but no longer than until then.
    pub(crate) fn finish(&self, until: Instant) {
        if let Some(thread) = &self.thread {
            thread.finish(until);
        }
    }
}

impl Drop for Reporter {
    fn drop(&mut self) {
        self.log_rest();
    }
}

impl fmt::Debug for Reporter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hooks = self.thread.as_ref().map_or(self.hooks.len(), HookThread::hooks);
        write!(formatter, "Reporter({hooks} hooks)")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Arc, mpsc};

    use super::*;

    fn failure() -> DeliveryError {
        DeliveryError::no_customer(RecordKind::Signal, "x")
    }

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(10)
    }

    /// A reporter in two places: where the failure is noticed, and on its own thread.
    fn both(hook: impl Fn(&DeliveryError) + Send + Sync + 'static) -> [Reporter; 2] {
        let hook = Arc::new(hook);
        [false, true].map(|has_thread| {
            let (hook, mut reporter) = (Arc::clone(&hook), Reporter::default());
            reporter.add_hook(move |failure| hook(failure));
            if has_thread { reporter.with_own_thread() } else { reporter }
        })
    }

    #[test]
    fn hooks_hear_of_every_failure_in_order_and_a_panic_ends_nothing() {
        let (tell, told) = mpsc::channel();
        let tell = Mutex::new(tell);
        for reporter in both(move |failure| {
            tell.lock().unwrap_or_else(PoisonError::into_inner).send(failure.to_string()).unwrap();
            panic!("on purpose");
        }) {
            let names: Vec<_> = (0..20).map(|number| format!("e{number}")).collect();
            for name in &names {
                reporter.tell_hooks(&DeliveryError::no_customer(RecordKind::Signal, name.clone()));
            }
            for name in &names {
                assert!(told.recv_timeout(Duration::from_secs(10)).unwrap().contains(&format!("`{name}`")));
            }
            assert!(told.try_recv().is_err());
        }
    }

    #[test]
    fn a_failure_inside_a_hook_calls_no_hook_but_the_librarys_own_observers() {
        for has_thread in [false, true] {
            let [own, other]: [Arc<std::sync::OnceLock<Reporter>>; 2] = Default::default();
            let [calls, seen]: [Arc<AtomicUsize>; 2] = Default::default();
            for reporter in [&own, &other] {
                let mut new = Reporter::default();
                let both = [Arc::clone(&own), Arc::clone(&other)];
                let (calls, seen) = (Arc::clone(&calls), Arc::clone(&seen));
                new.add_observer(move |_| {
                    seen.fetch_add(1, Ordering::SeqCst);
                });
                // The hooks of two emitters that emit through each other would call each other for ever.
                new.add_hook(move |failure| {
                    calls.fetch_add(1, Ordering::SeqCst);
                    both.iter().filter_map(|reporter| reporter.get()).for_each(|reporter| reporter.tell_hooks(failure));
                });
                let _ = reporter.set(if has_thread { new.with_own_thread() } else { new });
            }
            let own = own.get().unwrap();
            own.tell_hooks(&failure());
            own.finish(soon());
            assert_eq!((calls.load(Ordering::SeqCst), seen.load(Ordering::SeqCst)), (1, 3));
        }
    }

    #[test]
    fn a_hook_that_blocks_stops_nobody_and_what_it_misses_is_bounded() {
        let (open, opened) = mpsc::channel::<()>();
        let opened = Mutex::new(opened);
        let [heard, records]: [Arc<AtomicUsize>; 2] = Default::default();
        let counts = [Arc::clone(&heard), Arc::clone(&records)];
        let mut reporter = Reporter::default();
        reporter.add_hook(move |failure| {
            let _ = opened.lock().unwrap().recv();
            let about = usize::try_from(failure.unbilled()).unwrap();
            for (count, more) in counts.iter().zip([1, about]) {
                count.fetch_add(more, Ordering::SeqCst);
            }
        });
        let reporter = reporter.with_own_thread();
        for _ in 0..hooks::LONGEST + 10 {
            reporter.tell_hooks(&failure());
        }
        // Nobody waits for ever for a hook that does not return.
        reporter.finish(Instant::now());
        assert_eq!(heard.load(Ordering::SeqCst), 0);
        drop(open);
        reporter.finish(soon());
        // One is in the hook while the others wait, and the last call is for the rest.
        let heard = heard.load(Ordering::SeqCst);
        assert!((hooks::LONGEST + 1..=hooks::LONGEST + 2).contains(&heard), "{heard}");
        assert_eq!(records.load(Ordering::SeqCst), hooks::LONGEST + 10);
    }

    #[test]
    fn a_hook_that_ends_delivery_is_not_waited_for() {
        let reporter: Arc<std::sync::OnceLock<Reporter>> = Arc::default();
        let (inner, (tell, told)) = (Arc::clone(&reporter), mpsc::channel());
        let tell = Mutex::new(tell);
        let mut new = Reporter::default();
        new.add_hook(move |_| {
            let reporter = inner.get().unwrap();
            reporter.ends();
            // What dispatch's thread does before the hook hears that it has ended.
            std::thread::scope(|scope| drop(scope.spawn(|| reporter.finish(Instant::now() + Duration::from_secs(60)))));
            let _ = tell.lock().unwrap().send(());
        });
        let _ = reporter.set(new.with_own_thread());
        reporter.get().unwrap().tell_hooks(&failure());
        assert_eq!(told.recv_timeout(Duration::from_secs(20)), Ok(()));
    }

    #[test]
    fn hooks_are_dropped_with_their_reporter() {
        for is_used in [false, true] {
            let held = Arc::new(());
            let hook = Arc::clone(&held);
            let mut reporter = Reporter::default();
            reporter.add_hook(move |_| drop(Arc::clone(&hook)));
            let reporter = reporter.with_own_thread();
            if is_used {
                reporter.tell_hooks(&failure());
            }
            drop(reporter);
            let until = soon();
            while Arc::strong_count(&held) > 1 {
                assert!(Instant::now() < until, "the hook's thread has not ended");
                std::thread::yield_now();
            }
        }
    }
}
