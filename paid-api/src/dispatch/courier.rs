//! The delivery of one batch: it is repeated until the server answers about its content, and halved until each bad
//! record is alone.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::time::Instant;

use super::disk::Rejected;
use super::end::{EndTime, before};
use super::event::Finished;
use super::receipt::Delivery;
use super::record::Item;
use super::settings::Partial;
use super::shared::DispatchShared;
use super::sink::{Batch, Sink};
use crate::error::Error;
use crate::report::{Counts, DeliveryError, RecordKind, log};
use crate::verdict::{Backoff, Verdict};

/// How couriers deliver their batches.
#[derive(Clone, Copy, Debug)]
pub(super) struct CourierPolicy {
    pub(super) kind: RecordKind,
    pub(super) backoff: Backoff,
    /// A server that asks for a longer wait is not believed.
    pub(super) longest_asked: Duration,
    pub(super) partial: Partial,
    pub(super) has_disk: bool,
}

/// Records that are sent together, and whether they were sent before.
struct Part {
    items: Vec<Item>,
    sent_before: bool,
}

pub(super) struct Courier {
    pub(super) sink: Arc<dyn Sink>,
    pub(super) shared: Arc<DispatchShared>,
    pub(super) policy: CourierPolicy,
    pub(super) end: EndTime,
    pub(super) finished: Finished,
}

/// How sending a part ended.
enum Sent {
    /// The sink answered.
    Answered(Counts),
    /// The sink refused the content.
    Refused(Error),
    /// Time ran out; with the last error, if there was one.
    GivenUp(Option<Error>),
}

impl Courier {
    /// Delivers the items. The first half of a batch goes first, which keeps the order.
    pub(super) async fn deliver(mut self, items: Vec<Item>) -> Finished {
        let mut parts = vec![Part { items, sent_before: false }];
        while let Some(part) = parts.pop() {
            if part.items.is_empty() {
                continue;
            }
            match self.send(&part).await {
                Sent::Answered(counts) if is_all(counts, part.items.len()) => self.delivered(part, counts),
                Sent::Answered(counts) if self.policy.partial == Partial::Keep => self.partly_refused(part, counts),
                Sent::GivenUp(error) => self.left(part, error),
                Sent::Refused(error) if part.items.len() == 1 => self.refused(part, Arc::new(error)),
                Sent::Answered(counts) if part.items.len() == 1 => self.failed(part, counts),
                Sent::Refused(_) | Sent::Answered(_) => {
                    let mut first = part.items;
                    let second = first.split_off(first.len() / 2);
                    parts.push(Part { items: second, sent_before: true });
                    parts.push(Part { items: first, sent_before: true });
                }
            }
        }
        self.finished
    }

    /// Sends a part until the sink answers about its content, or time runs out.
    async fn send(&mut self, part: &Part) -> Sent {
        let mut attempts = 0;
        loop {
            if self.has_given_up() {
                return Sent::GivenUp(None);
            }
            let begun = Instant::now();
            let Some(answer) = before(self.end.clone(), self.attempt(part)).await else { return Sent::GivenUp(None) };
            self.shared.answered(part.items.len(), begun.elapsed());
            let error = match answer {
                Ok(counts) => {
                    self.gets_through();
                    return Sent::Answered(counts);
                }
                Err(error) if error.verdict() == Verdict::BadContent => {
                    self.gets_through();
                    return Sent::Refused(error);
                }
                Err(error) => error,
            };
            self.is_stuck(&error);
            attempts += 1;
            if !self.pause(attempts, error.asked_to_wait(self.shared.host.now())).await {
                return Sent::GivenUp(Some(error));
            }
            self.shared.counts.retries.add(1);
        }
    }

    /// One attempt. A sink that panics counts as having refused the part.
    async fn attempt(&self, part: &Part) -> Result<Counts, Error> {
        let sending = async { self.sink.send(Batch::new(&part.items)).await };
        let answer = std::panic::AssertUnwindSafe(sending).catch_unwind().await;
        answer.unwrap_or_else(|_| Err(Error::refused("the sink panicked")))
    }

    fn gets_through(&self) {
        self.shared.counts.circuit_open.set(false);
    }

    /// Logs the error, once until something is delivered again.
    fn is_stuck(&self, error: &Error) {
        if !self.shared.counts.circuit_open.set(true) {
            log(&format_args!("{}s cannot be delivered and are retried until they are: {error}", self.policy.kind));
        }
    }

    fn has_given_up(&self) -> bool {
        self.end.borrow().is_some_and(|end| Instant::now() >= end)
    }

    /// Waits before the next attempt; returns false if time has run out.
    async fn pause(&mut self, attempts: u32, asked: Option<Duration>) -> bool {
        let own = self.policy.backoff.wait(attempts, fastrand::f64());
        // A server that names a time that is past, or none at all, gets a pause all the same.
        let asked = asked.filter(|asked| *asked <= self.policy.longest_asked).unwrap_or_default();
        let until = Instant::now() + own.max(asked);
        let mut end = self.end.clone();
        let is_ending = tokio::time::timeout_at(until, end.wait_for(Option::is_some)).await.is_ok();
        if !is_ending {
            return true;
        }
        // During a shutdown there is no time for long waits.
        let last = self.end.borrow().unwrap_or(until);
        let left = last.saturating_duration_since(Instant::now());
        let until = until.min(Instant::now() + (left / 10).max(Duration::from_millis(1))).min(last);
        tokio::time::sleep_until(until).await;
        Instant::now() < last
    }

    fn delivered(&mut self, part: Part, counts: Counts) {
        let number = part.items.len() as u64;
        self.shared.counts.delivered.add(number);
        // If the part was sent before, a record may be a duplicate of itself.
        if !part.sent_before {
            self.shared.counts.duplicates.add(counts.duplicates.min(number));
        }
        let alone = number == 1 && counts.duplicates == 1 && !part.sent_before;
        let delivery = if alone { Delivery::Duplicate } else { Delivery::Delivered };
        for item in part.items {
            self.finished.count(item.chunk);
            item.answer(Ok(delivery));
        }
    }

    /// Handles a refusal of a single record.
    fn refused(&mut self, part: Part, error: Arc<Error>) {
        for item in part.items {
            let kind = item.record.kind();
            self.reject(item, DeliveryError::NotDelivered { kind, records: 1, error: Some(Arc::clone(&error)) });
        }
    }

    /// Handles a single record that was counted as failed, or not counted.
    fn failed(&mut self, part: Part, counts: Counts) {
        for item in part.items {
            let record = &item.record;
            let (name, key) = (record.name().to_owned().into(), record.key().to_owned());
            let failure = DeliveryError::Failed { kind: record.kind(), name, key, counts };
            self.reject(item, failure);
        }
    }

    fn reject(&mut self, item: Item, failure: DeliveryError) {
        self.shared.counts.rejected.add(1);
        self.finished.count(item.chunk);
        self.finished.rejected.push(Rejected {
            chunk: item.chunk,
            record: item.record.clone(),
            reason: failure.to_string(),
        });
        self.shared.reporter.report(&failure);
        item.answer(Err(failure));
    }

    /// Handles a partial success that must not be repeated: sending everything again would double the accepted records.
    fn partly_refused(&mut self, part: Part, counts: Counts) {
        let number = part.items.len() as u64;
        let failed = counts.failed.min(number);
        self.shared.counts.rejected.add(failed);
        self.shared.counts.delivered.add(number - failed);
        for (kind, records) in kinds(&part.items) {
            self.shared.reporter.report(&DeliveryError::PartlyRefused { kind, records, failed });
        }
        for item in part.items {
            self.finished.count(item.chunk);
            item.answer(Ok(Delivery::Delivered));
        }
    }

    /// Handles records that are not delivered when time runs out: they stay in the outbox, or are lost. Reported once
    /// for each kind, answered one by one.
    fn left(&mut self, part: Part, error: Option<Error>) {
        if self.policy.has_disk {
            let records = part.items.len();
            for item in part.items {
                item.answer(Err(DeliveryError::InOutbox { kind: self.policy.kind, records }));
            }
            return;
        }
        for item in &part.items {
            self.finished.count(item.chunk);
        }
        lose(&self.shared, part.items, error.map(Arc::new));
    }
}

/// Counts, reports and answers records that were not delivered in time.
pub(super) fn lose(shared: &DispatchShared, items: Vec<Item>, error: Option<Arc<Error>>) {
    shared.counts.dropped.add(items.len() as u64);
    let failure = |kind, records| DeliveryError::NotDelivered { kind, records, error: error.clone() };
    let counted = kinds(&items);
    for (kind, records) in &counted {
        shared.reporter.report(&failure(*kind, *records));
    }
    for item in items {
        let kind = item.record.kind();
        let records = counted.get(&kind).copied().unwrap_or(1);
        item.answer(Err(failure(kind, records)));
    }
}

/// The number of records of each kind.
fn kinds(items: &[Item]) -> BTreeMap<RecordKind, usize> {
    let mut kinds = BTreeMap::new();
    for item in items {
        *kinds.entry(item.record.kind()).or_default() += 1;
    }
    kinds
}

/// Returns true if the counts account for every record of a batch.
fn is_all(counts: Counts, records: usize) -> bool {
    counts.failed == 0 && counts.ingested.saturating_add(counts.duplicates) >= records as u64
}
