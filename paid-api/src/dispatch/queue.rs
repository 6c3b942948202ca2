//! The bounded queue between callers and dispatch's thread: loads and flushes in one order.

mod line;
mod load;
mod room;
mod state;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use tokio::sync::mpsc;

use super::cargo::Cargo;
use super::event::DispatchEvent;
use super::settings::{Limits, Overflow};
use crate::foreign;
use crate::report::{DeliveryError, is_in_hook};
use load::Order;
use state::QueueState;

pub(super) use load::{Content, FlushTell, Queued};
pub(crate) use room::Room;
pub(super) use state::Held;

/// What wakes the thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wake {
    /// The next order.
    First,
    /// A full batch, or a flush.
    Batch,
    /// A flush.
    Flush,
}

/// What is in the queue.
#[derive(Clone, Copy, Debug)]
pub(super) struct QueueView {
    pub(super) orders: usize,
    pub(super) full_batch: bool,
    pub(super) flushes: usize,
}

pub(super) struct Queue<C: Cargo> {
    state: Mutex<QueueState<C>>,
    limits: Limits,
    overflow: Overflow,
    batch: Limits,
    /// Whether a load that a caller wants on disk is written before the next commit is due.
    stores_at_once: bool,
    thread: mpsc::UnboundedSender<DispatchEvent>,
}

/// The result of a push.
pub(super) enum Pushed<C: Cargo> {
    Queued,
    /// Queued in place of these.
    Instead(Vec<Queued<C>>),
    Refused(Queued<C>, DeliveryError),
}

impl<C: Cargo> Queue<C> {
    pub(super) fn new(
        limits: Limits,
        overflow: Overflow,
        batch: Limits,
        patient: bool,
        thread: mpsc::UnboundedSender<DispatchEvent>,
    ) -> Self {
        let state = Mutex::new(QueueState::new(limits, overflow, patient));
        Self { state, limits, overflow, batch, stores_at_once: false, thread }
    }

    /// Writes a load that a caller wants on disk before the next commit is due.
    pub(super) fn store_at_once(mut self, at_once: bool) -> Self {
        self.stores_at_once = at_once;
        self
    }

    fn lock(&self) -> MutexGuard<'_, QueueState<C>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn overflow(&self) -> Overflow {
        self.overflow
    }

    /// Queues a load, or returns it with the reason. Waits only for an outbox to make room.
    pub(super) fn push(&self, queued: Queued<C>) -> Pushed<C> {
        let weight = queued.content.weight();
        let state = self.lock();
        if state.has_room(weight) || !state.patient || state.closed {
            return self.push_now(state, queued, weight);
        }
        drop(state);
        match self.wait_for_disk(weight) {
            Some(room) => self.push_into(room, queued),
            None => self.push_now(self.lock(), queued, weight),
        }
    }

    /// Queues a load in the room that was kept free for it.
    pub(super) fn push_into(&self, room: Room<'_, C>, queued: Queued<C>) -> Pushed<C> {
        let mut state = self.lock();
        state.promised.remove(room.into_weight());
        if state.closed {
            return self.refuse_closed(state, queued);
        }
        let weight = queued.content.weight();
        self.put(state, queued, weight);
        Pushed::Queued
    }

    fn put(&self, mut state: MutexGuard<'_, QueueState<C>>, queued: Queued<C>, weight: usize) {
        if self.stores_at_once && queued.stored.is_some() {
            self.press(&mut state);
        }
        state.add(queued, weight);
        self.wake(state);
    }

    fn push_now(&self, mut state: MutexGuard<'_, QueueState<C>>, queued: Queued<C>, weight: usize) -> Pushed<C> {
        if state.closed {
            return self.refuse_closed(state, queued);
        }
        if state.has_room(weight) {
            self.put(state, queued, weight);
            return Pushed::Queued;
        }
        // What a hook emits displaces nobody: the hook would not hear of that.
        if !is_in_hook()
            && let Some(others) = state.make_way_for(&queued.content, weight)
        {
            self.put(state, queued, weight);
            return Pushed::Instead(others);
        }
        drop(state);
        let (kind, name, limit) = (queued.content.kind(), queued.content.name(), self.limits.records);
        Pushed::Refused(queued, DeliveryError::QueueFull { kind, name, limit })
    }

    fn refuse_closed(&self, state: MutexGuard<'_, QueueState<C>>, queued: Queued<C>) -> Pushed<C> {
        drop(state);
        let (kind, name) = (queued.content.kind(), queued.content.name());
        Pushed::Refused(queued, DeliveryError::ShutDown { kind, name })
    }

    /// Queues a flush; returns false if the thread has ended and will not answer it.
    pub(super) fn flush(&self, tell: FlushTell) -> bool {
        let mut state = self.lock();
        if state.has_ended {
            return false;
        }
        state.orders.push_back(Order::Flush(tell));
        state.flushes += 1;
        self.call(&mut state, Wake::Flush);
        !self.thread.is_closed()
    }

    /// The thread ends: nobody answers a flush any more, and those that still wait hear of it. What is in the queue
    /// stays there for [`abandon`](Self::abandon).
    pub(super) fn end(&self) {
        let mut state = self.lock();
        state.has_ended = true;
        let orders = std::mem::take(&mut state.orders).into_iter();
        let (flushes, loads): (VecDeque<_>, _) = orders.partition(|order| matches!(order, Order::Flush(_)));
        (state.orders, state.flushes) = (loads, 0);
        drop(state);
        drop(flushes);
    }

    /// Accepts no more loads; whoever waits for room hears of it.
    pub(super) fn shut(&self) {
        let mut state = self.lock();
        state.closed = true;
        let woken = state.line.close();
        drop(state);
        wake_all(woken);
    }

    /// Accepts no more loads, and tells the thread.
    pub(super) fn close(&self) {
        self.shut();
        let _ = self.thread.send(DispatchEvent::Closed);
    }

    /// The thread has ended, however it did: accepts nothing more, and returns the loads that nobody will take.
    pub(super) fn abandon(&self) -> Vec<Queued<C>> {
        self.shut();
        let mut state = self.lock();
        state.has_ended = true;
        let (loads, flushes) = state.drain();
        drop(state);
        drop(flushes);
        loads
    }

    /// Sets whether callers may wait for the outbox.
    pub(super) fn set_patient(&self, patient: bool) {
        let mut state = self.lock();
        state.patient = patient;
        let woken = state.line.wakers();
        drop(state);
        wake_all(woken);
    }

    fn wake(&self, mut state: MutexGuard<'_, QueueState<C>>) {
        let reached = match state.wake {
            Some(Wake::First) => true,
            Some(Wake::Batch) => state.is_full_batch(self.batch),
            Some(Wake::Flush) | None => false,
        };
        if reached {
            state.wake = None;
        }
        self.share_out(state);
        if reached {
            let _ = self.thread.send(DispatchEvent::Ready);
        }
    }

    fn call(&self, state: &mut QueueState<C>, reason: Wake) {
        if state.wake.take().is_some() || reason == Wake::Flush {
            let _ = self.thread.send(DispatchEvent::Ready);
        }
    }

    /// Wakes the thread because a caller waits for room, or for the disk: it may itself be waiting for a full batch.
    fn press(&self, state: &mut QueueState<C>) {
        if !std::mem::replace(&mut state.is_pressed, true) {
            self.call(state, Wake::Flush);
        }
    }

    /// Gives the room that there is to those who wait, and wakes them and no one else.
    fn share_out(&self, mut state: MutexGuard<'_, QueueState<C>>) {
        if state.line.is_empty() {
            return;
        }
        let woken = state.admit();
        if !state.line.is_empty() {
            self.press(&mut state);
        }
        drop(state);
        wake_all(woken);
    }

    /// Sets what wakes the thread, and returns what is already in the queue.
    pub(super) fn arm(&self, wake: Wake) -> QueueView {
        let mut state = self.lock();
        state.wake = Some(wake);
        QueueView { orders: state.orders.len(), full_batch: state.is_full_batch(self.batch), flushes: state.flushes }
    }

    /// Returns true if a caller has waited for room, or for the disk, since the last call.
    pub(super) fn was_pressed(&self) -> bool {
        std::mem::take(&mut self.lock().is_pressed)
    }

    /// Takes loads up to these limits and up to the next flush, which it returns.
    pub(super) fn take(&self, most: Limits, into: &mut Vec<Queued<C>>) -> Option<FlushTell> {
        let mut state = self.lock();
        let mut bytes = 0;
        while into.len() < most.records && bytes < most.bytes {
            match state.orders.pop_front()? {
                Order::Load(queued) => {
                    let weight = queued.content.weight();
                    bytes += weight;
                    into.push(queued);
                    state.queued.remove(weight);
                    state.taken.add(weight);
                }
                Order::Flush(tell) => {
                    state.flushes -= 1;
                    return Some(tell);
                }
            }
        }
        None
    }

    /// Gives back the share of loads that are done or on disk.
    pub(super) fn release(&self, held: Held) {
        if held.records == 0 {
            return;
        }
        let mut state = self.lock();
        state.taken.subtract(held);
        self.share_out(state);
    }
}

/// Never under the lock: what is woken may run at once.
fn wake_all(woken: Vec<Waker>) {
    for waker in woken {
        // It is code of the user's runtime.
        let _ = foreign::call(|| waker.wake());
    }
}
