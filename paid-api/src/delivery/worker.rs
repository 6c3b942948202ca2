//! The thread behind the queue: collects batches, delivers each until it is delivered or refused for good.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;

use super::receipt::{Delivery, Outcome};
use super::sink::{Counts, Sink};
use super::stats::Counters;
use crate::emit::{self, EmitError};
use crate::error::Error;
use crate::signal::Signal;

pub(super) type Hook = dyn Fn(&EmitError) + Send + Sync;

/// How batches are made and tried again.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) max_batch: usize,
    pub(super) max_bytes: usize,
    pub(super) linger: Duration,
    pub(super) base_delay: Duration,
    pub(super) max_delay: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            max_batch: 500,
            max_bytes: 1 << 20,
            linger: Duration::from_millis(100),
            base_delay: Duration::from_millis(500),
            max_delay: Duration::from_secs(60),
        }
    }
}

/// A signal on its way.
pub(super) struct Queued {
    pub(super) signal: Signal,
    pub(super) receipt: Option<oneshot::Sender<Outcome>>,
}

/// What the thread is told, in one order.
pub(super) enum Order {
    Send(Box<Queued>),
    /// Everything before this is done.
    Flush(oneshot::Sender<()>),
}

impl Order {
    pub(super) fn name(&self) -> Cow<'static, str> {
        match self {
            Self::Send(queued) => queued.signal.name.clone(),
            Self::Flush(_) => "".into(),
        }
    }

    pub(super) fn answer(self, outcome: Outcome) {
        if let Self::Send(queued) = self {
            queued.answer(outcome);
        }
    }
}

impl Queued {
    fn answer(self, outcome: Outcome) {
        if let Some(receipt) = self.receipt {
            // Nobody has to wait for it.
            let _ = receipt.send(outcome);
        }
    }
}

/// What the handles and the thread share.
pub(super) struct Shared {
    pub(super) counts: Counters,
    hook: Option<Box<Hook>>,
}

impl Shared {
    pub(super) fn new(hook: Option<Box<Hook>>) -> Self {
        Self { counts: Counters::default(), hook }
    }

    pub(super) fn report(&self, failure: &EmitError) {
        if let Some(hook) = &self.hook {
            // A hook that panics must not take the caller or the thread with it.
            let called = std::panic::AssertUnwindSafe(|| hook(failure));
            if std::panic::catch_unwind(called).is_err() {
                emit::log(&"the emitter's error hook panicked");
            }
        }
    }
}

/// A signal with its JSON.
struct Written {
    queued: Queued,
    json: Vec<u8>,
}

/// Signals that are sent together, and whether they were sent before.
struct Batch {
    signals: Vec<Written>,
    sent_before: bool,
}

pub(super) struct Worker {
    sink: Arc<dyn Sink>,
    shared: Arc<Shared>,
    settings: Settings,
    closed: watch::Receiver<bool>,
    patience: Duration,
    /// When to give up, once the last handle is gone.
    deadline: Option<Instant>,
}

impl Worker {
    pub(super) fn new(
        sink: Arc<dyn Sink>,
        shared: Arc<Shared>,
        settings: Settings,
        closed: watch::Receiver<bool>,
        patience: Duration,
    ) -> Self {
        Self { sink, shared, settings, closed, patience, deadline: None }
    }

    pub(super) async fn run(mut self, mut orders: mpsc::Receiver<Order>) {
        let mut batch = Vec::new();
        let mut bytes = 0;
        let mut due: Option<Instant> = None;
        loop {
            let order = match due {
                Some(due) => tokio::time::timeout_at(due, orders.recv()).await,
                None => Ok(orders.recv().await),
            };
            match order {
                Ok(Some(Order::Send(queued))) => {
                    let mut json = Vec::new();
                    queued.signal.write_json(&mut json);
                    if bytes + json.len() > self.settings.max_bytes && !batch.is_empty() {
                        self.deliver(std::mem::take(&mut batch)).await;
                        (bytes, due) = (0, None);
                    }
                    bytes += json.len();
                    batch.push(Written { queued: *queued, json });
                    due.get_or_insert_with(|| Instant::now() + self.settings.linger);
                    if batch.len() < self.settings.max_batch {
                        continue;
                    }
                    self.deliver(std::mem::take(&mut batch)).await;
                }
                Ok(Some(Order::Flush(tell))) => {
                    self.deliver(std::mem::take(&mut batch)).await;
                    let _ = tell.send(());
                }
                // It has lingered long enough.
                Err(_) => self.deliver(std::mem::take(&mut batch)).await,
                Ok(None) => {
                    self.deliver(std::mem::take(&mut batch)).await;
                    return;
                }
            }
            (bytes, due) = (0, None);
        }
    }

    /// Halves what is refused until the bad signals stand alone. The first half goes first: order is kept.
    async fn deliver(&mut self, signals: Vec<Written>) {
        let mut parts = vec![Batch { signals, sent_before: false }];
        while let Some(part) = parts.pop() {
            if part.signals.is_empty() {
                continue;
            }
            match self.send(&part).await {
                Ok(counts) if counts.failed == 0 => self.delivered(part, counts),
                Err(failure) if self.has_given_up() => self.left(part, &failure),
                refused if part.signals.len() == 1 => self.refused(part, &refused),
                _ => {
                    let mut first = part.signals;
                    let second = first.split_off(first.len() / 2);
                    parts.push(Batch { signals: second, sent_before: true });
                    parts.push(Batch { signals: first, sent_before: true });
                }
            }
        }
    }

    /// Until there is an answer about the batch's content, or patience has ended.
    async fn send(&mut self, batch: &Batch) -> Result<Counts, EmitError> {
        let signals = batch.signals.len();
        let mut attempt = 0;
        loop {
            let error = match self.attempt(&batch.signals).await {
                Some(Ok(counts)) => {
                    self.shared.counts.circuit_open.store(false, Ordering::Relaxed);
                    return Ok(counts);
                }
                Some(Err(error)) if !is_temporary(&error) => {
                    self.shared.counts.circuit_open.store(false, Ordering::Relaxed);
                    return Err(EmitError::NotDelivered { signals, error: Some(Arc::new(error)) });
                }
                Some(Err(error)) => error,
                None => return Err(EmitError::NotDelivered { signals, error: None }),
            };
            if !self.shared.counts.circuit_open.swap(true, Ordering::Relaxed) {
                emit::log(&format_args!("signals wait, and are tried again until they get through: {error}"));
            }
            if !self.wait(attempt).await {
                return Err(EmitError::NotDelivered { signals, error: Some(Arc::new(error)) });
            }
            attempt += 1;
            self.shared.counts.retries.add(1);
        }
    }

    /// One request; `None` when patience ends first.
    async fn attempt(&mut self, signals: &[Written]) -> Option<Result<Counts, Error>> {
        let sink = Arc::clone(&self.sink);
        let mut sending = sink.send(body(signals), signals.len());
        if self.deadline.is_none() {
            let mut closed = std::pin::pin!(self.closed.wait_for(|closed| *closed));
            let answer = std::future::poll_fn(|context| {
                if let Poll::Ready(answer) = sending.as_mut().poll(context) {
                    return Poll::Ready(Some(answer));
                }
                closed.as_mut().poll(context).map(|_| None)
            });
            if let Some(answer) = answer.await {
                return Some(answer);
            }
            self.deadline = Some(Instant::now() + self.patience);
        }
        let deadline = self.deadline?;
        tokio::time::timeout_at(deadline, sending).await.ok()
    }

    fn has_given_up(&self) -> bool {
        self.deadline.is_some_and(|deadline| Instant::now() >= deadline)
    }

    /// What is left when the emitter ends: reported once, answered each.
    fn left(&self, batch: Batch, failure: &EmitError) {
        self.shared.counts.failed.add(batch.signals.len() as u64);
        emit::log(failure);
        self.shared.report(failure);
        for written in batch.signals {
            written.queued.answer(Err(failure.clone()));
        }
    }

    /// Waits before the next attempt; `false` when the last handle is gone and patience has ended.
    async fn wait(&mut self, attempt: u32) -> bool {
        let bound = self.settings.base_delay.saturating_mul(1_u32.checked_shl(attempt).unwrap_or(u32::MAX));
        let bound = bound.min(self.settings.max_delay);
        let pause = bound.mul_f64(fastrand::f64().max(0.1));
        let until = Instant::now() + pause;
        if self.deadline.is_none() {
            let closed = self.closed.wait_for(|closed| *closed);
            match tokio::time::timeout_at(until, closed).await {
                Err(_) => return true,
                Ok(_) => self.deadline = Some(Instant::now() + self.patience),
            }
        }
        let deadline = self.deadline.unwrap_or(until);
        // At the end there is no time for long waits.
        let until = until.min(Instant::now() + self.patience / 10).min(deadline);
        tokio::time::sleep_until(until).await;
        Instant::now() < deadline
    }

    fn delivered(&self, batch: Batch, counts: Counts) {
        let number = batch.signals.len() as u64;
        self.shared.counts.delivered.add(number);
        // What was sent before may be a duplicate of itself.
        if !batch.sent_before {
            self.shared.counts.duplicates.add(counts.duplicates.min(number));
        }
        let alone = number == 1 && counts.duplicates == 1 && !batch.sent_before;
        let delivery = if alone { Delivery::Duplicate } else { Delivery::Delivered };
        for written in batch.signals {
            written.queued.answer(Ok(delivery));
        }
    }

    fn refused(&self, batch: Batch, answer: &Result<Counts, EmitError>) {
        for written in batch.signals {
            let failure = match answer {
                Err(failure) => failure.clone(),
                Ok(counts) => EmitError::Failed { name: written.queued.signal.name.clone(), counts: *counts },
            };
            self.shared.counts.failed.add(1);
            emit::log(&failure);
            self.shared.report(&failure);
            written.queued.answer(Err(failure));
        }
    }
}

/// Whether the same batch may get through later: the network, the load, or the key is at fault, not the signals.
fn is_temporary(error: &Error) -> bool {
    error.is_retryable() || error.status().is_some_and(|status| matches!(status.as_u16(), 401 | 403))
}

fn body(signals: &[Written]) -> Vec<u8> {
    let size = signals.iter().map(|written| written.json.len() + 1).sum::<usize>() + 16;
    let mut body = Vec::with_capacity(size);
    body.extend_from_slice(b"{\"signals\":[");
    for (index, written) in signals.iter().enumerate() {
        if index > 0 {
            body.push(b',');
        }
        body.extend_from_slice(&written.json);
    }
    body.extend_from_slice(b"]}");
    body
}
