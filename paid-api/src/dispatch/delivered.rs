//! The user's hooks for what was delivered: told on a thread of their own, a batch at a time. They may block and panic.

use std::fmt;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, channel, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use super::counters::Counter;
use super::receipt::Delivery;
use super::record::Item;
use crate::foreign;
use crate::report::{RecordKind, log};

/// A signal or cost record that Paid has acknowledged.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Delivered {
    /// Whether it was a signal, a cost or a span.
    pub kind: RecordKind,
    /// The event name of a signal.
    pub name: String,
    /// The idempotency key of a signal; the key of a cost record, which only this library knows.
    pub key: String,
    /// How it was acknowledged.
    pub delivery: Delivery,
}

/// Called with each batch, or part of one, that was acknowledged.
pub(crate) type DeliveredHook = dyn Fn(&[Delivered]) + Send + Sync;

/// Batches that may wait for the hooks. Those that find no room are only counted.
const LONGEST: usize = 1_000;

/// The hooks, and their thread.
#[derive(Default)]
pub(crate) struct DeliveredHooks {
    hooks: Vec<Box<DeliveredHook>>,
    thread: Option<Thread>,
}

struct Thread {
    /// `None` when delivery has ended.
    tell: Mutex<Option<SyncSender<Vec<Delivered>>>>,
    /// Fails when the thread has ended.
    ended: Mutex<Receiver<()>>,
    untold: Counter,
}

impl DeliveredHooks {
    pub(crate) fn add(&mut self, hook: impl Fn(&[Delivered]) + Send + Sync + 'static) {
        self.hooks.push(Box::new(hook));
    }

    /// Calls the hooks on a thread of their own from now on.
    pub(super) fn with_own_thread(mut self) -> Self {
        if self.hooks.is_empty() {
            return self;
        }
        let (tell, told) = sync_channel::<Vec<Delivered>>(LONGEST);
        let (alive, ended) = channel::<()>();
        let hooks = std::mem::take(&mut self.hooks);
        let run = move || {
            let _alive = alive;
            while let Ok(batch) = told.recv() {
                call(&hooks, &batch);
            }
        };
        // A thread that cannot be started is the end of this process's threads: nobody is told.
        match std::thread::Builder::new().name("paid-delivered".into()).spawn(run) {
            Ok(_) => {
                let (tell, ended) = (Mutex::new(Some(tell)), Mutex::new(ended));
                self.thread = Some(Thread { tell, ended, untold: Counter::default() });
            }
            Err(error) => log(&format_args!("the hook for what is delivered is not called: no thread: {error}")),
        }
        self
    }

    /// Tells the hooks that these records were delivered.
    pub(super) fn tell(&self, items: &[Item], delivery: Delivery) {
        if self.hooks.is_empty() && self.thread.is_none() {
            return;
        }
        let delivered = |item: &Item| {
            let record = &item.record;
            Delivered { kind: record.kind(), name: record.name().to_owned(), key: record.key().to_owned(), delivery }
        };
        let batch: Vec<_> = items.iter().map(delivered).collect();
        match &self.thread {
            Some(thread) => thread.tell(batch),
            None => call(&self.hooks, &batch),
        }
    }

    /// Waits until the hooks have heard of everything, but no longer than until then.
    pub(super) fn finish(&self, until: Instant) {
        if let Some(thread) = &self.thread {
            thread.finish(until);
        }
    }
}

impl Thread {
    fn tell(&self, batch: Vec<Delivered>) {
        let tell = self.tell.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(tell) = &*tell else { return };
        if let Err(TrySendError::Full(batch) | TrySendError::Disconnected(batch)) = tell.try_send(batch) {
            let is_first = self.untold.read() == 0;
            self.untold.add(batch.len() as u64);
            if is_first {
                log(&"the hook for what is delivered is too slow: it is not told of everything");
            }
        }
    }

    fn finish(&self, until: Instant) {
        drop(self.tell.lock().unwrap_or_else(PoisonError::into_inner).take());
        let left = until.saturating_duration_since(Instant::now());
        let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner).recv_timeout(left);
        if ended == Err(RecvTimeoutError::Timeout) {
            log(&"delivery ends before the hook for what is delivered has heard of everything");
        }
        if self.untold.read() > 0 {
            log(&format_args!("the hook for what is delivered was not told of {} records", self.untold.read()));
        }
    }
}

fn call(hooks: &[Box<DeliveredHook>], batch: &[Delivered]) {
    for hook in hooks {
        if let Err(panic) = foreign::call(|| hook(batch)) {
            log(&format_args!("the hook for what is delivered {panic}"));
        }
    }
}

impl fmt::Debug for DeliveredHooks {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "DeliveredHooks({})", self.hooks.len())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, mpsc};
    use std::time::Duration;

    use super::*;

    fn delivered() -> Vec<Delivered> {
        let (kind, delivery) = (RecordKind::Signal, Delivery::Delivered);
        vec![Delivered { kind, name: "email_sent".into(), key: "k".into(), delivery }]
    }

    #[test]
    fn a_hook_that_blocks_holds_up_nobody_and_what_it_misses_is_counted() {
        let (unblock, blocks) = mpsc::channel::<()>();
        let blocks = Mutex::new(blocks);
        let mut hooks = DeliveredHooks::default();
        hooks.add(move |_| {
            let _ = blocks.lock().unwrap().recv();
        });
        let hooks = hooks.with_own_thread();
        let thread = hooks.thread.as_ref().unwrap();
        (0..LONGEST + 10).for_each(|_| thread.tell(delivered()));
        assert!((9..=10).contains(&thread.untold.read()), "{}", thread.untold.read());
        drop(unblock);
        hooks.finish(Instant::now() + Duration::from_secs(60));
    }

    #[test]
    fn the_end_waits_for_hooks_and_a_panic_stops_none() {
        let heard = Arc::new(Counter::default());
        let counter = Arc::clone(&heard);
        let mut hooks = DeliveredHooks::default();
        hooks.add(|_| panic!("on purpose"));
        hooks.add(move |batch| counter.add(batch.len() as u64));
        let hooks = hooks.with_own_thread();
        let thread = hooks.thread.as_ref().unwrap();
        (0..3).for_each(|_| thread.tell(delivered()));
        hooks.finish(Instant::now() + Duration::from_secs(60));
        assert_eq!(heard.read(), 3);
    }
}
