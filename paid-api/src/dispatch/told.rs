//! A value that changes, and that others wait for. tokio's `watch` wakes them in a random order; this one in the order in
//! which they began to wait, so that a simulation is the same every time.

use std::ops::Deref;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

struct Shared<T> {
    value: Mutex<Told<T>>,
    changed: Notify,
}

struct Told<T> {
    value: T,
    /// The sender is gone.
    is_closed: bool,
}

impl<T> Shared<T> {
    fn lock(&self) -> MutexGuard<'_, Told<T>> {
        self.value.lock().unwrap_or_else(PoisonError::into_inner)
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
    let shared = Arc::new(Shared { value: Mutex::new(Told { value, is_closed: false }), changed: Notify::new() });
    (Sender(Arc::clone(&shared)), Receiver(shared))
}

impl<T: Copy> Sender<T> {
    /// Changes the value, and wakes those who wait if `change` returns true.
    pub(super) fn send_if_modified(&self, change: impl FnOnce(&mut T) -> bool) -> bool {
        let is_changed = change(&mut self.0.lock().value);
        if is_changed {
            self.0.changed.notify_waiters();
        }
        is_changed
    }

    pub(super) fn borrow(&self) -> Value<T> {
        Value(self.0.lock().value)
    }

    /// Replaces the value, and wakes those who wait.
    pub(super) fn send_replace(&self, value: T) -> T {
        let before = std::mem::replace(&mut self.0.lock().value, value);
        self.0.changed.notify_waiters();
        before
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        self.0.lock().is_closed = true;
        self.0.changed.notify_waiters();
    }
}

impl<T: Copy> Receiver<T> {
    pub(super) fn borrow(&self) -> Value<T> {
        Value(self.0.lock().value)
    }

    /// Waits for a value like this; fails if the sender is gone before.
    pub(super) async fn wait_for(&mut self, mut is_right: impl FnMut(&T) -> bool) -> Result<Value<T>, Closed> {
        loop {
            let mut changed = pin!(self.0.changed.notified());
            changed.as_mut().enable();
            {
                let told = self.0.lock();
                if is_right(&told.value) {
                    return Ok(Value(told.value));
                }
                if told.is_closed {
                    return Err(Closed);
                }
            }
            changed.await;
        }
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
}
