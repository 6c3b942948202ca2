//! The bounded queue between `emit` and the emitter's thread: signals and flushes in one order.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::{Notify, mpsc, oneshot};

use super::receipt::Outcome;
use super::worker::Event;
use crate::emit::EmitError;
use crate::signal::Signal;

/// What a full queue does with one signal more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Overflow {
    /// Refuses it: its receipt, the log and the hook say so. The default.
    Reject,
    /// Lets those who can wait do so: [`send`](crate::Emitter::send) and [`store`](crate::Emitter::store) wait for room.
    /// `emit`, which never waits, refuses.
    Wait,
    /// Drops the signal that has waited longest in the queue: its receipt, the log and the hook say so.
    DropOldest,
}

/// A signal on its way.
pub(super) struct Queued {
    pub(super) content: Content,
    pub(super) receipt: Option<oneshot::Sender<Outcome>>,
    /// Told when the signal is on disk.
    pub(super) stored: Option<oneshot::Sender<()>>,
}

/// A signal, or one that is JSON already.
pub(super) enum Content {
    Signal(Signal),
    #[cfg_attr(not(any(feature = "outbox", feature = "nats", feature = "cost-emitter")), allow(dead_code))]
    Json {
        text: Bytes,
        lane: u32,
    },
}

impl Content {
    pub(super) fn name(&self) -> String {
        match self {
            Self::Signal(signal) => signal.name().to_owned(),
            Self::Json { text, .. } => super::chunk::event_name(text),
        }
    }

    /// About as many bytes as it takes in memory.
    fn weight(&self) -> usize {
        match self {
            Self::Signal(signal) => 400 + signal.data.size(),
            Self::Json { text, .. } => 150 + text.len(),
        }
    }
}

impl Queued {
    pub(super) fn answer(self, outcome: Outcome) {
        if let Some(receipt) = self.receipt {
            // Nobody has to wait for it.
            let _ = receipt.send(outcome);
        }
    }
}

/// What the thread is told, in one order. Signals stand in the queue itself: that saves an allocation each.
#[allow(clippy::large_enum_variant)]
pub(super) enum Order {
    Signal(Queued),
    /// Everything before this is done.
    Flush(oneshot::Sender<()>),
}

/// Limits of what may be in memory at once: queued, waiting for a request, or in one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) signals: usize,
    pub(super) bytes: usize,
}

/// When the thread wants to be woken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wake {
    /// By the next order.
    First,
    /// By a full batch, or a flush.
    Batch,
    /// By a flush.
    Flush,
}

/// What waits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Waiting {
    pub(super) orders: usize,
    pub(super) full_batch: bool,
    pub(super) flushes: usize,
}

struct State {
    orders: VecDeque<Order>,
    flushes: usize,
    /// Signals and bytes in the queue.
    signals: usize,
    bytes: usize,
    /// The same of what was taken and is not done.
    taken: usize,
    taken_bytes: usize,
    wake: Option<Wake>,
    closed: bool,
    is_pressed: bool,
    /// Whether a caller may wait a moment for room: an outbox makes it.
    patient: bool,
}

pub(super) struct Queue {
    state: Mutex<State>,
    limits: Limits,
    overflow: Overflow,
    batch: Limits,
    room: Condvar,
    freed: Notify,
    thread: mpsc::UnboundedSender<Event>,
}

/// What became of a push.
pub(super) enum Pushed {
    Queued,
    /// Queued in the place of this one.
    Instead(Queued),
    Refused(Queued, EmitError),
}

/// How long `emit` waits for an outbox on a local disk, at most.
const DISK_PATIENCE: Duration = Duration::from_secs(1);

impl Queue {
    pub(super) fn new(
        limits: Limits,
        overflow: Overflow,
        batch: Limits,
        patient: bool,
        thread: mpsc::UnboundedSender<Event>,
    ) -> Self {
        let state = State {
            orders: VecDeque::new(),
            flushes: 0,
            signals: 0,
            bytes: 0,
            taken: 0,
            taken_bytes: 0,
            wake: Some(Wake::First),
            closed: false,
            is_pressed: false,
            patient,
        };
        Self { state: Mutex::new(state), limits, overflow, batch, room: Condvar::new(), freed: Notify::new(), thread }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn overflow(&self) -> Overflow {
        self.overflow
    }

    /// Puts a signal in, or says why not. Never waits, but for an outbox on disk to make room.
    pub(super) fn push(&self, queued: Queued) -> Pushed {
        let weight = queued.content.weight();
        let mut state = self.lock();
        if !state.has_room(weight, self.limits) && state.patient && !state.closed {
            state = self.wait_for_disk(state, weight);
        }
        if state.closed {
            drop(state);
            let name = queued.content.name().into();
            return Pushed::Refused(queued, EmitError::ShutDown { name });
        }
        if state.has_room(weight, self.limits) {
            state.add(queued, weight);
            self.wake(state);
            return Pushed::Queued;
        }
        if self.overflow == Overflow::DropOldest
            && let Some(oldest) = state.remove_oldest()
        {
            state.add(queued, weight);
            self.wake(state);
            return Pushed::Instead(oldest);
        }
        drop(state);
        let name = queued.content.name().into();
        Pushed::Refused(queued, EmitError::QueueFull { name, limit: self.limits.signals })
    }

    fn wait_for_disk<'a>(&'a self, mut state: MutexGuard<'a, State>, weight: usize) -> MutexGuard<'a, State> {
        let until = Instant::now() + DISK_PATIENCE;
        while !state.has_room(weight, self.limits) && state.patient && !state.closed {
            // The thread may still wait for a batch to fill up, or others may have taken what came free.
            if !std::mem::replace(&mut state.is_pressed, true) {
                self.call(&mut state, Wake::Flush);
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            state = self.room.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        state
    }

    /// Waits until there is room for a signal of everyday size, or the queue is closed.
    pub(super) async fn room(&self) {
        loop {
            let freed = self.freed.notified();
            let mut freed = std::pin::pin!(freed);
            freed.as_mut().enable();
            {
                let mut state = self.lock();
                if state.closed || state.has_room(0, self.limits) {
                    return;
                }
                state.is_pressed = true;
                self.call(&mut state, Wake::Flush);
            }
            freed.await;
        }
    }

    /// Puts in a flush; `false` when nobody will see to it any more.
    pub(super) fn flush(&self, tell: oneshot::Sender<()>) -> bool {
        let mut state = self.lock();
        state.orders.push_back(Order::Flush(tell));
        state.flushes += 1;
        self.call(&mut state, Wake::Flush);
        !self.thread.is_closed()
    }

    /// Takes no signal any more.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.room.notify_all();
        self.freed.notify_waiters();
        let _ = self.thread.send(Event::Closed);
    }

    /// Whether callers may wait for an outbox.
    pub(super) fn set_patient(&self, patient: bool) {
        self.lock().patient = patient;
        self.room.notify_all();
    }

    fn wake(&self, mut state: MutexGuard<'_, State>) {
        let reached = match state.wake {
            Some(Wake::First) => true,
            Some(Wake::Batch) => state.is_full_batch(self.batch),
            Some(Wake::Flush) | None => false,
        };
        if reached {
            state.wake = None;
            drop(state);
            let _ = self.thread.send(Event::Ready);
        }
    }

    fn call(&self, state: &mut State, reason: Wake) {
        if state.wake.take().is_some() || reason == Wake::Flush {
            let _ = self.thread.send(Event::Ready);
        }
    }

    /// Says when to be woken, and what waits already.
    pub(super) fn arm(&self, wake: Wake) -> Waiting {
        let mut state = self.lock();
        state.wake = Some(wake);
        Waiting { orders: state.orders.len(), full_batch: state.is_full_batch(self.batch), flushes: state.flushes }
    }

    /// Whether somebody waited for the outbox to make room since this was asked last.
    pub(super) fn was_pressed(&self) -> bool {
        std::mem::take(&mut self.lock().is_pressed)
    }

    /// Takes up to so many signals, until they have so many bytes, none after a flush, which it returns.
    pub(super) fn take(&self, most: Limits, into: &mut Vec<Queued>) -> Option<oneshot::Sender<()>> {
        let mut state = self.lock();
        let mut bytes = 0;
        while into.len() < most.signals && bytes < most.bytes {
            match state.orders.pop_front()? {
                Order::Signal(queued) => {
                    let weight = queued.content.weight();
                    bytes += weight;
                    into.push(queued);
                    state.signals -= 1;
                    state.bytes -= weight;
                    state.taken += 1;
                    state.taken_bytes += weight;
                }
                Order::Flush(tell) => {
                    state.flushes -= 1;
                    return Some(tell);
                }
            }
        }
        None
    }

    /// So many of the signals taken, and their bytes, are done or on disk.
    pub(super) fn release(&self, held: Held) {
        if held.signals == 0 {
            return;
        }
        let mut state = self.lock();
        state.taken = state.taken.saturating_sub(held.signals);
        state.taken_bytes = state.taken_bytes.saturating_sub(held.bytes);
        drop(state);
        self.room.notify_all();
        self.freed.notify_waiters();
    }
}

/// What a chunk holds of the queue's limits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Held {
    pub(super) signals: usize,
    pub(super) bytes: usize,
}

impl Held {
    pub(super) fn add(&mut self, content: &Content) {
        self.signals += 1;
        self.bytes += content.weight();
    }

    /// Takes so many signals' share.
    pub(super) fn take_part(&mut self, signals: u32) -> Self {
        let signals = usize::try_from(signals).unwrap_or(usize::MAX).min(self.signals);
        let bytes = (self.bytes / self.signals.max(1)) * signals;
        let bytes = if signals == self.signals { self.bytes } else { bytes };
        self.signals -= signals;
        self.bytes -= bytes;
        Self { signals, bytes }
    }
}

impl State {
    fn has_room(&self, weight: usize, limits: Limits) -> bool {
        let held = self.signals + self.taken;
        held == 0 || (held < limits.signals && self.bytes + self.taken_bytes + weight <= limits.bytes)
    }

    fn is_full_batch(&self, batch: Limits) -> bool {
        self.signals >= batch.signals || self.bytes >= batch.bytes
    }

    fn add(&mut self, queued: Queued, weight: usize) {
        self.orders.push_back(Order::Signal(queued));
        self.signals += 1;
        self.bytes += weight;
    }

    fn remove_oldest(&mut self) -> Option<Queued> {
        let at = self.orders.iter().position(|order| matches!(order, Order::Signal(_)))?;
        let Some(Order::Signal(queued)) = self.orders.remove(at) else { return None };
        self.signals -= 1;
        self.bytes -= queued.content.weight();
        Some(queued)
    }
}
