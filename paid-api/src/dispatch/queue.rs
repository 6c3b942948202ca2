//! The bounded queue between callers and dispatch's thread: loads and flushes in one order.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, mpsc, oneshot};

use super::cargo::Cargo;
use super::event::DispatchEvent;
use super::receipt::Outcome;
use super::record::{Record, RecordWriter};
use super::settings::{Limits, Overflow};
use crate::report::{DeliveryError, RecordKind};

/// A load in the queue.
pub(super) struct Queued<C: Cargo> {
    pub(super) content: Content<C>,
    pub(super) receipt: Option<oneshot::Sender<Outcome>>,
    /// Told when the load is on disk.
    pub(super) stored: Option<oneshot::Sender<()>>,
}

/// A load, or one that is already written as a record.
pub(super) enum Content<C: Cargo> {
    Load(C::Load),
    Record(Record),
}

impl<C: Cargo> Content<C> {
    pub(super) fn name(&self) -> Cow<'static, str> {
        match self {
            Self::Load(load) => C::name(load),
            Self::Record(record) => record.name().to_owned().into(),
        }
    }

    pub(super) fn kind(&self) -> RecordKind {
        match self {
            Self::Load(load) => C::kind(load),
            Self::Record(record) => record.kind(),
        }
    }

    /// The approximate size in memory, in bytes.
    pub(super) fn weight(&self) -> usize {
        match self {
            Self::Load(load) => C::weight(load),
            Self::Record(record) => record.weight(),
        }
    }

    fn makes_way(&self) -> bool {
        match self {
            Self::Load(load) => C::makes_way(load),
            Self::Record(_) => false,
        }
    }

    pub(super) fn write(self, ink: &C::Ink, page: &mut RecordWriter) {
        match self {
            Self::Load(load) => C::write(load, ink, page),
            Self::Record(record) => page.copy(&record),
        }
    }
}

impl<C: Cargo> Queued<C> {
    pub(super) fn answer(self, outcome: Outcome) {
        if let Some(receipt) = self.receipt {
            // The receipt may have been dropped.
            let _ = receipt.send(outcome);
        }
    }
}

/// An entry of the queue. Loads stand in the queue itself, which saves one allocation each.
#[allow(clippy::large_enum_variant)]
enum Order<C: Cargo> {
    Load(Queued<C>),
    /// Answered when everything before it is done.
    Flush(FlushTell),
}

/// Where a flush is answered.
pub(super) enum FlushTell {
    Task(oneshot::Sender<()>),
    Thread(std::sync::mpsc::Sender<()>),
}

impl FlushTell {
    pub(super) fn tell(self) {
        match self {
            Self::Task(tell) => drop(tell.send(())),
            Self::Thread(tell) => drop(tell.send(())),
        }
    }
}

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

struct QueueState<C: Cargo> {
    orders: VecDeque<Order<C>>,
    flushes: usize,
    /// Records and bytes in the queue.
    records: usize,
    bytes: usize,
    /// Records and bytes that the thread has taken and that are not done.
    taken: usize,
    taken_bytes: usize,
    wake: Option<Wake>,
    closed: bool,
    has_ended: bool,
    is_pressed: bool,
    /// Whether a caller may wait a moment for the outbox to make room.
    patient: bool,
}

pub(super) struct Queue<C: Cargo> {
    state: Mutex<QueueState<C>>,
    limits: Limits,
    overflow: Overflow,
    batch: Limits,
    room: Condvar,
    freed: Notify,
    thread: mpsc::UnboundedSender<DispatchEvent>,
}

/// The result of a push.
pub(super) enum Pushed<C: Cargo> {
    Queued,
    /// Queued in place of this one.
    Instead(Queued<C>),
    Refused(Queued<C>, DeliveryError),
}

/// The longest time that a caller waits for the outbox.
const DISK_PATIENCE: Duration = Duration::from_secs(1);

impl<C: Cargo> Queue<C> {
    pub(super) fn new(
        limits: Limits,
        overflow: Overflow,
        batch: Limits,
        patient: bool,
        thread: mpsc::UnboundedSender<DispatchEvent>,
    ) -> Self {
        let state = QueueState {
            orders: VecDeque::new(),
            flushes: 0,
            records: 0,
            bytes: 0,
            taken: 0,
            taken_bytes: 0,
            wake: Some(Wake::First),
            closed: false,
            has_ended: false,
            is_pressed: false,
            patient,
        };
        Self { state: Mutex::new(state), limits, overflow, batch, room: Condvar::new(), freed: Notify::new(), thread }
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
        let mut state = self.lock();
        if !state.has_room(weight, self.limits) && state.patient && !state.closed {
            state = self.wait_for_disk(state, weight);
        }
        if state.closed {
            drop(state);
            let (kind, name) = (queued.content.kind(), queued.content.name());
            return Pushed::Refused(queued, DeliveryError::ShutDown { kind, name });
        }
        if state.has_room(weight, self.limits) {
            state.add(queued, weight);
            self.wake(state);
            return Pushed::Queued;
        }
        if let Some(other) = state.make_way_for(&queued, self.overflow) {
            state.add(queued, weight);
            self.wake(state);
            return Pushed::Instead(other);
        }
        drop(state);
        let (kind, name, limit) = (queued.content.kind(), queued.content.name(), self.limits.records);
        Pushed::Refused(queued, DeliveryError::QueueFull { kind, name, limit })
    }

    fn wait_for_disk<'a>(
        &'a self,
        mut state: MutexGuard<'a, QueueState<C>>,
        weight: usize,
    ) -> MutexGuard<'a, QueueState<C>> {
        let until = Instant::now() + DISK_PATIENCE;
        while !state.has_room(weight, self.limits) && state.patient && !state.closed {
            // Wakes the thread: it may be waiting for a full batch, or other callers may have taken the room that it
            // made.
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

    /// Waits until there is room for a load of average size, or the queue is closed.
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

    /// The thread ends: nobody answers a flush any more, and those that still wait hear of it.
    pub(super) fn end(&self) {
        let mut state = self.lock();
        state.has_ended = true;
        state.orders.retain(|order| matches!(order, Order::Load(_)));
    }

    /// Closes the queue for new loads.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.room.notify_all();
        self.freed.notify_waiters();
        let _ = self.thread.send(DispatchEvent::Closed);
    }

    /// Sets whether callers may wait for the outbox.
    pub(super) fn set_patient(&self, patient: bool) {
        self.lock().patient = patient;
        self.room.notify_all();
    }

    fn wake(&self, mut state: MutexGuard<'_, QueueState<C>>) {
        let reached = match state.wake {
            Some(Wake::First) => true,
            Some(Wake::Batch) => state.is_full_batch(self.batch),
            Some(Wake::Flush) | None => false,
        };
        if reached {
            state.wake = None;
            drop(state);
            let _ = self.thread.send(DispatchEvent::Ready);
        }
    }

    fn call(&self, state: &mut QueueState<C>, reason: Wake) {
        if state.wake.take().is_some() || reason == Wake::Flush {
            let _ = self.thread.send(DispatchEvent::Ready);
        }
    }

    /// Sets what wakes the thread, and returns what is already in the queue.
    pub(super) fn arm(&self, wake: Wake) -> QueueView {
        let mut state = self.lock();
        state.wake = Some(wake);
        QueueView { orders: state.orders.len(), full_batch: state.is_full_batch(self.batch), flushes: state.flushes }
    }

    /// Returns true if a caller has waited for the outbox to make room since the last call.
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
                    state.records -= 1;
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

    /// Gives back the share of loads that are done or on disk.
    pub(super) fn release(&self, held: Held) {
        if held.records == 0 {
            return;
        }
        let mut state = self.lock();
        state.taken = state.taken.saturating_sub(held.records);
        state.taken_bytes = state.taken_bytes.saturating_sub(held.bytes);
        drop(state);
        self.room.notify_all();
        self.freed.notify_waiters();
    }
}

/// The share of the queue's limits that records hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Held {
    pub(super) records: usize,
    pub(super) bytes: usize,
}

impl Held {
    pub(super) fn add(&mut self, weight: usize) {
        self.records += 1;
        self.bytes += weight;
    }

    /// Splits off the share of this many records.
    pub(super) fn take_part(&mut self, records: u32) -> Self {
        let records = usize::try_from(records).unwrap_or(usize::MAX).min(self.records);
        let bytes = (self.bytes / self.records.max(1)) * records;
        let bytes = if records == self.records { self.bytes } else { bytes };
        self.records -= records;
        self.bytes -= bytes;
        Self { records, bytes }
    }
}

impl<C: Cargo> QueueState<C> {
    fn has_room(&self, weight: usize, limits: Limits) -> bool {
        let held = self.records + self.taken;
        held == 0 || (held < limits.records && self.bytes + self.taken_bytes + weight <= limits.bytes)
    }

    fn is_full_batch(&self, batch: Limits) -> bool {
        self.records >= batch.records || self.bytes >= batch.bytes
    }

    fn add(&mut self, queued: Queued<C>, weight: usize) {
        self.orders.push_back(Order::Load(queued));
        self.records += 1;
        self.bytes += weight;
    }

    fn position(&self, fits: impl Fn(&Content<C>) -> bool) -> Option<usize> {
        self.orders.iter().position(|order| matches!(order, Order::Load(old) if fits(&old.content)))
    }

    /// Removes a load that the new one may replace: never one that goes before it.
    fn make_way_for(&mut self, new: &Queued<C>, overflow: Overflow) -> Option<Queued<C>> {
        let drops_oldest = overflow == Overflow::DropOldest;
        if !drops_oldest && !C::HAS_RANKS {
            return None;
        }
        let is_ahead = !new.content.makes_way();
        let lowest = || self.position(|old| old.makes_way()).filter(|_| is_ahead || drops_oldest);
        let oldest = || self.position(|_| true).filter(|_| is_ahead && drops_oldest);
        let at = if C::HAS_RANKS { lowest().or_else(oldest) } else { oldest() }?;
        let Some(Order::Load(other)) = self.orders.remove(at) else { return None };
        self.records -= 1;
        self.bytes -= other.content.weight();
        Some(other)
    }
}
