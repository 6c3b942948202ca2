//! One batch on its way: repeated until there is an answer about its content, halved until the bad records stand alone.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use futures_util::FutureExt;
use tokio::time::Instant;

use super::disk::Rejected;
use super::end::{End, before};
use super::event::Finished;
use super::receipt::Delivery;
use super::record::Item;
use super::settings::Partial;
use super::shared::Shared;
use super::sink::{Batch, Sink};
use crate::error::Error;
use crate::report::{Counts, DeliveryError, RecordKind, log};
use crate::verdict::{Backoff, Verdict};

/// How a courier goes about its batches.
#[derive(Clone, Copy, Debug)]
pub(super) struct CourierPolicy {
    pub(super) kind: RecordKind,
    pub(super) backoff: Backoff,
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
    pub(super) shared: Arc<Shared>,
    pub(super) policy: CourierPolicy,
    pub(super) end: End,
    pub(super) finished: Finished,
}

/// How sending a part ended.
enum Sent {
    /// The sink answered.
    Answered(Counts),
    /// The sink says that the content is bad.
    Refused(Error),
    /// The end came first; with the last error, if there was one.
    GivenUp(Option<Error>),
}

/// A server that asks for a longer pause is not believed.
const LONGEST_PAUSE: Duration = Duration::from_secs(60 * 60);

impl Courier {
    /// The first half goes first: order is kept.
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

    /// Until there is an answer about the part's content, or the end.
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
            if !self.pause(attempts, error.asked_to_wait(SystemTime::now())).await {
                return Sent::GivenUp(Some(error));
            }
            self.shared.counts.retries.add(1);
        }
    }

    /// A sink that panics has refused the part.
    async fn attempt(&self, part: &Part) -> Result<Counts, Error> {
        let sending = async { self.sink.send(Batch::new(&part.items)).await };
        let answer = std::panic::AssertUnwindSafe(sending).catch_unwind().await;
        answer.unwrap_or_else(|_| Err(Error::refused("the sink panicked")))
    }

    fn gets_through(&self) {
        self.shared.counts.circuit_open.set(false);
    }

    /// Said once, until something gets through again.
    fn is_stuck(&self, error: &Error) {
        if !self.shared.counts.circuit_open.set(true) {
            log(&format_args!("{}s wait, and are tried again until they get through: {error}", self.policy.kind));
        }
    }

    fn has_given_up(&self) -> bool {
        self.end.borrow().is_some_and(|end| Instant::now() >= end)
    }

    /// Waits before the next attempt; `false` if the end has come.
    async fn pause(&mut self, attempts: u32, asked: Option<Duration>) -> bool {
        let own = self.policy.backoff.wait(attempts, fastrand::f64());
        let until = Instant::now() + asked.filter(|asked| *asked <= LONGEST_PAUSE).unwrap_or(own);
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

    fn delivered(&mut self, part: Part, counts: Counts) {
        let number = part.items.len() as u64;
        self.shared.counts.delivered.add(number);
        // What was sent before may be a duplicate of itself.
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

    /// A record that stands alone is refused for its content.
    fn refused(&mut self, part: Part, error: Arc<Error>) {
        for item in part.items {
            let kind = item.record.kind();
            self.reject(item, DeliveryError::NotDelivered { kind, records: 1, error: Some(Arc::clone(&error)) });
        }
    }

    /// A record that stands alone is counted as failed, or not counted at all.
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
        self.finished.rejected.push(Rejected { record: item.record.clone(), reason: failure.to_string() });
        self.shared.reporter.report(&failure);
        item.answer(Err(failure));
    }

    /// Some are there and some are not, and sending all again would double those that are.
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

    /// What is left at the end: still in the outbox, or lost; reported once for each kind, answered each.
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

/// Counts, reports and answers records that delivery had no time for.
pub(super) fn lose(shared: &Shared, items: Vec<Item>, error: Option<Arc<Error>>) {
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

/// How many there are of each kind.
fn kinds(items: &[Item]) -> BTreeMap<RecordKind, usize> {
    let mut kinds = BTreeMap::new();
    for item in items {
        *kinds.entry(item.record.kind()).or_default() += 1;
    }
    kinds
}

/// Whether an answer vouches for every record of a batch.
fn is_all(counts: Counts, records: usize) -> bool {
    counts.failed == 0 && counts.ingested.saturating_add(counts.duplicates) >= records as u64
}
