//! Waiting for room in the queue: from any task, or on a thread for a moment.

use std::pin::{Pin, pin};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use super::Queue;
use crate::dispatch::cargo::Cargo;

/// Room for one load, kept free until it is used or dropped.
pub(crate) struct Room<'a, C: Cargo> {
    queue: &'a Queue<C>,
    weight: usize,
    is_used: bool,
}

impl<'a, C: Cargo> Room<'a, C> {
    fn new(queue: &'a Queue<C>, weight: usize) -> Self {
        Self { queue, weight, is_used: false }
    }

    /// The room passes to a load.
    pub(super) fn into_weight(mut self) -> usize {
        self.is_used = true;
        self.weight
    }
}

impl<C: Cargo> Drop for Room<'_, C> {
    fn drop(&mut self) {
        if !self.is_used {
            self.queue.take_back(self.weight);
        }
    }
}

/// A wait for room, in line with others; dropping it gives the place to the next. It needs no runtime.
pub(in crate::dispatch) struct Waiting<'a, C: Cargo> {
    queue: &'a Queue<C>,
    weight: usize,
    ticket: Option<u64>,
}

impl<'a, C: Cargo> Future for Waiting<'a, C> {
    /// `None` if the queue is closed.
    type Output = Option<Room<'a, C>>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let is_admitted = match this.ticket {
            Some(ticket) => this.queue.lock().line.ask(ticket, context),
            None => this.queue.ask_for_room(this.weight, &mut this.ticket, context),
        };
        is_admitted.map(|is_admitted| {
            this.ticket = None;
            is_admitted.then(|| Room::new(this.queue, this.weight))
        })
    }
}

impl<C: Cargo> Drop for Waiting<'_, C> {
    fn drop(&mut self) {
        let Some(ticket) = self.ticket else { return };
        let mut state = self.queue.lock();
        if let Some(weight) = state.line.leave(ticket) {
            state.promised.remove(weight);
        }
        // If it stood first, the next one may need less.
        self.queue.share_out(state);
    }
}

/// The longest time that a caller waits for the outbox.
const DISK_PATIENCE: Duration = Duration::from_secs(1);

impl<C: Cargo> Queue<C> {
    /// Waits until there is room for a load of this weight, and keeps it free. Callers are served in the order of
    /// their first poll. `None` if the queue is closed.
    pub(in crate::dispatch) fn room(&self, weight: usize) -> Waiting<'_, C> {
        Waiting { queue: self, weight, ticket: None }
    }

    fn ask_for_room(&self, weight: usize, ticket: &mut Option<u64>, context: &Context<'_>) -> Poll<bool> {
        let mut state = self.lock();
        if state.closed {
            return Poll::Ready(false);
        }
        if state.promise(weight) {
            return Poll::Ready(true);
        }
        *ticket = Some(state.line.join(weight, context.waker().clone()));
        self.press(&mut state);
        Poll::Pending
    }

    /// Room that is not needed after all.
    fn take_back(&self, weight: usize) {
        let mut state = self.lock();
        state.promised.remove(weight);
        self.share_out(state);
    }

    /// Blocks for a moment until the outbox makes room.
    pub(super) fn wait_for_disk(&self, weight: usize) -> Option<Room<'_, C>> {
        let bell = Arc::new(Bell::default());
        let waker = Waker::from(Arc::clone(&bell));
        let mut waiting = pin!(self.room(weight));
        let until = Instant::now() + DISK_PATIENCE;
        loop {
            if let Poll::Ready(room) = waiting.as_mut().poll(&mut Context::from_waker(&waker)) {
                return room;
            }
            if !self.lock().patient || !bell.rings_before(until) {
                return None;
            }
        }
    }
}

/// Wakes a thread. Parking would do, but a runtime on this thread may park it, too, and would miss its own wake-up.
#[derive(Default)]
struct Bell {
    has_rung: Mutex<bool>,
    ringing: Condvar,
}

impl Bell {
    /// Waits until the bell rings; returns false if it does not ring before this time.
    fn rings_before(&self, until: Instant) -> bool {
        let mut has_rung = self.has_rung.lock().unwrap_or_else(PoisonError::into_inner);
        while !std::mem::take(&mut *has_rung) {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            has_rung = self.ringing.wait_timeout(has_rung, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        *self.has_rung.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.ringing.notify_one();
    }
}
