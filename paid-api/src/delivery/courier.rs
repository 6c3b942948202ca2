//! One batch on its way: repeated until there is an answer about its content, halved until the bad signals stand alone.

use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::chunk::{Head, Item};
use super::lanes::Taken;
use super::receipt::Delivery;
use super::shared::Shared;
use super::sink::{Counts, SignalBatch, Sink, SinkFuture};
use super::worker::Settings;
use crate::emit::{self, EmitError};
use crate::error::Error;

/// When the emitter has to end, once its last handle is gone or it is shut down.
pub(super) type End = watch::Receiver<Option<Instant>>;

/// What became of a batch.
#[derive(Default)]
pub(super) struct Finished {
    pub(super) taken: Taken,
    /// How many signals of which chunk are done, for good or bad.
    pub(super) done: Vec<(u64, u32)>,
    /// What Paid refused.
    pub(super) rejected: Vec<Rejected>,
}

/// A signal that Paid refused for good; goes to the dead letters.
#[cfg_attr(not(feature = "outbox"), allow(dead_code))]
pub(super) struct Rejected {
    pub(super) json: bytes::Bytes,
    pub(super) reason: String,
}

/// Signals that are sent together, and whether they were sent before.
struct Batch {
    items: Vec<Item>,
    sent_before: bool,
}

pub(super) struct Courier {
    pub(super) sink: Arc<dyn Sink>,
    pub(super) shared: Arc<Shared>,
    pub(super) settings: Settings,
    pub(super) end: End,
    pub(super) finished: Finished,
}

impl Courier {
    /// The first half goes first: order is kept.
    pub(super) async fn deliver(mut self, items: Vec<Item>) -> Finished {
        let mut parts = vec![Batch { items, sent_before: false }];
        while let Some(part) = parts.pop() {
            if part.items.is_empty() {
                continue;
            }
            match self.send(&part).await {
                Ok(counts) if is_all(counts, part.items.len()) => self.delivered(part, counts),
                Err(failure) if self.has_given_up() => self.left(part, &failure),
                refused if part.items.len() == 1 => self.refused(part, &refused),
                _ => {
                    let mut first = part.items;
                    let second = first.split_off(first.len() / 2);
                    parts.push(Batch { items: second, sent_before: true });
                    parts.push(Batch { items: first, sent_before: true });
                }
            }
        }
        self.finished
    }

    /// Until there is an answer about the batch's content, or the end.
    async fn send(&mut self, batch: &Batch) -> Result<Counts, EmitError> {
        let signals = batch.items.len();
        let mut attempt = 0;
        loop {
            let begun = Instant::now();
            let sending = guarded(self.sink.send(SignalBatch::new(&batch.items)));
            let answer = before(self.end.clone(), sending).await;
            if answer.is_some() {
                self.shared.counts.answered(signals, begun.elapsed());
            }
            let error = match answer {
                Some(Ok(counts)) => {
                    self.shared.counts.circuit_open.set(false);
                    return Ok(counts);
                }
                Some(Err(error)) if is_about_content(&error) => {
                    self.shared.counts.circuit_open.set(false);
                    return Err(EmitError::NotDelivered { signals, error: Some(Arc::new(error)) });
                }
                Some(Err(error)) => error,
                None => return Err(EmitError::NotDelivered { signals, error: None }),
            };
            if !self.shared.counts.circuit_open.set(true) {
                emit::log(&format_args!("signals wait, and are tried again until they get through: {error}"));
            }
            if !self.wait(attempt).await {
                return Err(EmitError::NotDelivered { signals, error: Some(Arc::new(error)) });
            }
            attempt += 1;
            self.shared.counts.retries.add(1);
        }
    }

    fn has_given_up(&self) -> bool {
        self.end.borrow().is_some_and(|end| Instant::now() >= end)
    }

    /// Waits before the next attempt; `false` when the end has come.
    async fn wait(&mut self, attempt: u32) -> bool {
        let bound = self.settings.base_delay.saturating_mul(1_u32.checked_shl(attempt).unwrap_or(u32::MAX));
        let pause = bound.min(self.settings.max_delay).mul_f64(fastrand::f64().max(0.1));
        let until = Instant::now() + pause;
        let mut end = self.end.clone();
        let is_ending = tokio::time::timeout_at(until, end.wait_for(Option::is_some)).await.is_ok();
        if !is_ending {
            return true;
        }
        // At the end there is no time for long waits.
        let last = self.end.borrow().unwrap_or(until);
        let left = last.saturating_duration_since(Instant::now());
        let until = until.min(Instant::now() + (left / 10).max(Duration::from_millis(1))).min(last);
        tokio::time::sleep_until(until).await;
        Instant::now() < last
    }

    fn delivered(&mut self, batch: Batch, counts: Counts) {
        let number = batch.items.len() as u64;
        self.shared.counts.delivered.add(number);
        // What was sent before may be a duplicate of itself.
        if !batch.sent_before {
            self.shared.counts.duplicates.add(counts.duplicates.min(number));
        }
        let alone = number == 1 && counts.duplicates == 1 && !batch.sent_before;
        let delivery = if alone { Delivery::Duplicate } else { Delivery::Delivered };
        for item in batch.items {
            self.finished.count(item.chunk);
            item.answer(Ok(delivery));
        }
    }

    fn refused(&mut self, batch: Batch, answer: &Result<Counts, EmitError>) {
        for item in batch.items {
            let failure = match answer {
                Err(failure) => failure.clone(),
                Ok(counts) => {
                    let head = Head::read(&item.record.json).unwrap_or_default();
                    let key = head.idempotency_key.unwrap_or_default();
                    EmitError::Failed { name: head.event_name.into(), key, counts: *counts }
                }
            };
            self.shared.counts.rejected.add(1);
            self.finished.count(item.chunk);
            self.finished.rejected.push(Rejected { json: item.record.json.clone(), reason: failure.to_string() });
            emit::log(&failure);
            self.shared.report(&failure);
            item.answer(Err(failure));
        }
    }

    /// What is left when the emitter ends: still in the outbox, or lost; reported once, answered each.
    fn left(&mut self, batch: Batch, failure: &EmitError) {
        if self.settings.has_outbox {
            let waiting = EmitError::InOutbox { signals: batch.items.len() };
            for item in batch.items {
                item.answer(Err(waiting.clone()));
            }
            return;
        }
        self.shared.counts.dropped.add(batch.items.len() as u64);
        emit::log(failure);
        self.shared.report(failure);
        for item in batch.items {
            self.finished.count(item.chunk);
            item.answer(Err(failure.clone()));
        }
    }
}

impl Finished {
    fn count(&mut self, chunk: u64) {
        match self.done.last_mut() {
            Some((last, number)) if *last == chunk => *number += 1,
            _ => self.done.push((chunk, 1)),
        }
    }
}

/// Whether what was answered is about the batch's content. All else (the network, the load, the key, a wrong address, a
/// proxy's page) says nothing about the signals: they are kept and tried again.
pub(crate) fn is_about_content(error: &Error) -> bool {
    match error {
        Error::Api(error) => matches!(error.status.as_u16(), 400 | 409 | 413 | 422),
        Error::Request(_) | Error::Config(_) => true,
        Error::Elsewhere(error) => !error.retryable,
        Error::Transport(_) | Error::Timeout { .. } | Error::Decode(_) => false,
    }
}

/// Whether an answer vouches for every signal of a batch.
fn is_all(counts: Counts, signals: usize) -> bool {
    counts.failed == 0 && counts.ingested.saturating_add(counts.duplicates) >= signals as u64
}

/// The outcome of a future, or `None` when the end comes first.
async fn before<F: Future>(mut end: End, future: F) -> Option<F::Output> {
    let ended = async move {
        let at = end.wait_for(Option::is_some).await.ok().and_then(|at| *at);
        match at {
            Some(at) => tokio::time::sleep_until(at).await,
            None => std::future::pending().await,
        }
    };
    let (mut ended, mut future) = (std::pin::pin!(ended), std::pin::pin!(future));
    std::future::poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(outcome) => Poll::Ready(Some(outcome)),
        Poll::Pending => ended.as_mut().poll(context).map(|()| None),
    })
    .await
}

/// A sink that panics has refused the batch.
async fn guarded(mut sending: SinkFuture<'_>) -> Result<Counts, Error> {
    std::future::poll_fn(|context| {
        let polled = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| sending.as_mut().poll(context)));
        polled.unwrap_or_else(|_| Poll::Ready(Err(Error::refused("the sink panicked"))))
    })
    .await
}
