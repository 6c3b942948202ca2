//! A value that changes, and that others wait for. tokio's `watch` wakes them in a random order; this one in the order in
//! which they began to wait, so that a simulation is the same every time.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

use crate::foreign;

struct Shared<T>(Mutex<Told<T>>);

struct Told<T> {
    value: T,
    /// The sender is gone.
    is_closed: bool,
    /// Those who wait, in the order in which they began.
    waiting: BTreeMap<u64, Waker>,
    next: u64,
}

impl<T> Shared<T> {
    fn lock(&self) -> MutexGuard<'_, Told<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes all who wait. A waker is code of the user's runtime: one that panics keeps no other from being woken.
    fn wake(&self) {
        let waiting = std::mem::take(&mut self.lock().waiting);
        for waker in waiting.into_values() {
            let _ = foreign::call(|| waker.wake());
        }
    }
}

/// Changes the value.
pub(super) struct Sender<T>(Arc<Shared<T>>);

/// Reads the value, and waits for it.
pub(super) struct Receiver<T>(Arc<Shared<T>>);

/// A copy of the value.
pub(super) struct Value<T>(T);

/// The sender is gone.
#[derive(Debug)]
pub(super) struct Closed;

pub(super) fn channel<T: Copy>(value: T) -> (Sender<T>, Receiver<T>) {
    let told = Told { value, is_closed: false, waiting: BTreeMap::new(), next: 0 };
    let shared = Arc::new(Shared(Mutex::new(told)));
    (Sender(Arc::clone(&shared)), Receiver(shared))
}

impl<T: Copy> Sender<T> {
    /// Changes the value, and wakes those who wait if `change` returns true.
    pub(super) fn send_if_modified(&self, change: impl FnOnce(&mut T) -> bool) -> bool {
        let is_changed = change(&mut self.0.lock().value);
        if is_changed {
            self.0.wake();
        }
        is_changed
    }

    pub(super) fn borrow(&self) -> Value<T> {
        Value(self.0.lock().value)
    }

    pub(super) fn receiver(&self) -> Receiver<T> {
        Receiver(Arc::clone(&self.0))
    }

    /// Replaces the value, and wakes those who wait.
    pub(super) fn send_replace(&self, value: T) -> T {
        let before = std::mem::replace(&mut self.0.lock().value, value);
        self.0.wake();
        before
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        self.0.lock().is_closed = true;
        self.0.wake();
    }
}

/// The place of somebody who waits; left when it is dropped.
struct Place<'a, T> {
    shared: &'a Shared<T>,
    number: u64,
}

impl<'a, T> Place<'a, T> {
    fn new(shared: &'a Shared<T>) -> Self {
        let mut told = shared.lock();
        told.next += 1;
        Self { shared, number: told.next }
    }
}

impl<T> Drop for Place<'_, T> {
    fn drop(&mut self) {
        // The waker is dropped after the lock: that, too, is code of the user's runtime.
        let waker = self.shared.lock().waiting.remove(&self.number);
        let _ = foreign::call(|| drop(waker));
    }
}

impl<T: Copy> Receiver<T> {
    pub(super) fn borrow(&self) -> Value<T> {
        Value(self.0.lock().value)
    }

    /// Waits for a value like this; fails if the sender is gone before.
    pub(super) async fn wait_for(&mut self, mut is_right: impl FnMut(&T) -> bool) -> Result<Value<T>, Closed> {
        let place = Place::new(&self.0);
        poll_fn(|context| {
            let waker = context.waker().clone();
            let mut told = place.shared.lock();
            if is_right(&told.value) {
                return Poll::Ready(Ok(Value(told.value)));
            }
            if told.is_closed {
                return Poll::Ready(Err(Closed));
            }
            let before = told.waiting.insert(place.number, waker);
            drop(told);
            drop(before);
            Poll::Pending
        })
        .await
    }
}

impl<T> Clone for Receiver<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Deref for Value<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use std::task::Context;
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn those_who_wait_are_woken_in_turn_and_hear_when_the_sender_is_gone() {
        for _ in 0..20 {
            let (sender, receiver) = channel(false);
            let woken = Arc::new(Mutex::new(Vec::new()));
            for number in 0..10 {
                let (mut receiver, woken) = (receiver.clone(), Arc::clone(&woken));
                tokio::spawn(async move {
                    receiver.wait_for(|value| *value).await.unwrap();
                    woken.lock().unwrap().push(number);
                });
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
            assert!(!sender.send_replace(true) && *receiver.borrow());
            tokio::time::sleep(Duration::from_millis(1)).await;
            assert!(woken.lock().unwrap().is_sorted() && woken.lock().unwrap().len() == 10);
            drop(sender);
            assert!(receiver.clone().wait_for(|value| !*value).await.is_err());
        }
    }

    struct Panics;

    impl std::task::Wake for Panics {
        fn wake(self: Arc<Self>) {
            panic!("on purpose");
        }
    }

    /// Counts how often it is called.
    #[derive(Default)]
    struct Counts(std::sync::atomic::AtomicUsize);

    impl std::task::Wake for Counts {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        }
    }

    #[test]
    fn a_waker_that_panics_keeps_no_other_from_being_woken() {
        type Tell = fn(Sender<bool>);
        let ways: [Tell; 3] = [
            |sender| assert!(!sender.send_replace(true)),
            |sender| assert!(sender.send_if_modified(|value| !std::mem::replace(value, true))),
            drop,
        ];
        for tell in ways {
            let (sender, receiver) = channel(false);
            let counts = Arc::<Counts>::default();
            let (panics, woken) = (Waker::from(Arc::new(Panics)), Waker::from(Arc::clone(&counts)));
            let mut waits: Vec<_> = (0..100)
                .map(|number| {
                    let mut receiver = receiver.clone();
                    let wait = Box::pin(async move { receiver.wait_for(|value| *value).await.is_ok() });
                    (wait, if number % 10 == 0 { &panics } else { &woken })
                })
                .collect();
            for (wait, waker) in &mut waits {
                assert!(wait.as_mut().poll(&mut Context::from_waker(waker)).is_pending());
            }
            tell(sender);
            assert_eq!(counts.0.load(std::sync::atomic::Ordering::SeqCst), 90);
        }
    }

    #[test]
    fn who_no_longer_waits_is_forgotten() {
        let (sender, receiver) = channel(false);
        for _ in 0..10 {
            let mut receiver = receiver.clone();
            let mut wait = Box::pin(async move { receiver.wait_for(|value| *value).await.is_ok() });
            for _ in 0..3 {
                assert!(wait.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
            }
            assert_eq!(sender.0.lock().waiting.len(), 1);
        }
        assert!(sender.0.lock().waiting.is_empty());
    }
}
