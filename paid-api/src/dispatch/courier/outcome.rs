//! What becomes of records when their part has been answered, or will not be.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Courier, Part, Sent};
use crate::dispatch::disk::Rejected;
use crate::dispatch::doubt::Suspicion;
use crate::dispatch::mode::Mode;
use crate::dispatch::receipt::Delivery;
use crate::dispatch::record::Item;
use crate::dispatch::settings::Partial;
use crate::dispatch::shared::DispatchShared;
use crate::error::Error;
use crate::report::{Counts, DeliveryError, RecordKind};

impl Courier {
    /// Handles a part that was answered; returns what is to be sent again.
    pub(super) fn answered(&mut self, part: Part, counts: Counts) -> Vec<Part> {
        if is_all(counts, part.items.len()) {
            self.delivered(part, counts);
        } else if self.policy.partial == Partial::Keep {
            self.partly_refused(part, counts);
        } else if part.items.len() == 1 {
            self.failed(part, counts);
        } else {
            return part.halves(Suspicion::none()).into();
        }
        Vec::new()
    }

    /// Handles a part that was refused; returns what is to be sent again.
    pub(super) fn refused(&mut self, part: Part, error: Error) -> Vec<Part> {
        if part.items.len() > 1 {
            return part.halves(Suspicion::none()).into();
        }
        let error = Arc::new(error);
        for item in part.items {
            let failure = item.record.not_delivered(Arc::clone(&error));
            // Letters that were refused for one reason say the same.
            let reason = DeliveryError::not_delivered(item.record.kind(), 1, Some(Arc::clone(&error))).to_string();
            self.reject(item, failure, reason);
        }
        Vec::new()
    }

    /// Handles one record of a part, which was sent alone.
    pub(super) fn one_of(&mut self, part: &mut Part, place: usize, sent: Sent) {
        let items = vec![part.items.remove(place)];
        let one = Part { items, sent_before: true, suspicion: Suspicion::none(), failing_since: None };
        let _ = match sent {
            Sent::Answered(counts) => self.answered(one, counts),
            Sent::Refused(error) => self.refused(one, error),
            Sent::Stuck(_) | Sent::Unclear | Sent::Undecided(_) | Sent::GivenUp(_) => Vec::new(),
        };
    }

    fn delivered(&mut self, part: Part, counts: Counts) {
        let number = part.items.len() as u64;
        if self.policy.mode != Mode::Live {
            return self.shown(part);
        }
        self.shared.counts.delivered.add(number);
        // If the part was sent before, a record may be a duplicate of itself.
        if !part.sent_before {
            self.shared.counts.duplicates.add(counts.duplicates.min(number));
        }
        let alone = number == 1 && counts.duplicates == 1 && !part.sent_before;
        let delivery = if alone { Delivery::Duplicate } else { Delivery::Delivered };
        self.acknowledged(part, delivery);
    }

    /// Handles records that were logged in place of being sent.
    fn shown(&mut self, part: Part) {
        self.shared.counts.skipped.add(part.items.len() as u64);
        for item in part.items {
            self.finished.count(item.chunk);
            item.answer(Ok(Delivery::NotSent));
        }
    }

    fn acknowledged(&mut self, part: Part, delivery: Delivery) {
        self.shared.delivered.tell(&part.items, delivery);
        for item in part.items {
            self.finished.count(item.chunk);
            item.answer(Ok(delivery));
        }
    }

    /// Handles a single record that was counted as failed, or not counted.
    fn failed(&mut self, part: Part, counts: Counts) {
        for item in part.items {
            let record = &item.record;
            let (name, key) = (record.name().to_owned().into(), record.key().to_owned());
            let failure = DeliveryError::Failed { kind: record.kind(), name, key, counts };
            let reason = failure.to_string();
            self.reject(item, failure, reason);
        }
    }

    fn reject(&mut self, item: Item, failure: DeliveryError, reason: String) {
        if self.policy.has_disk {
            self.shared.counts.unwritten.add(1);
        }
        self.shared.counts.rejected.add(1);
        self.finished.count(item.chunk);
        self.finished.rejected.push(Rejected { chunk: item.chunk, record: item.record.clone(), reason });
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

    /// Handles a single record that fails while others get through. It is tried again later.
    pub(super) fn set_aside(&mut self, part: Part, error: Error) {
        let error = Arc::new(error);
        self.finished.aside.extend(part.items.into_iter().map(|item| (item, Arc::clone(&error))));
    }

    /// If the order is kept, the later records of a customer wait behind the one that was set aside.
    pub(super) fn hold_back(&mut self, parts: &mut [Part]) {
        let Some(lane) = self.finished.aside.last().map(|(item, _)| item.record.lane()) else { return };
        if !self.policy.keeps_order {
            return;
        }
        for part in parts.iter_mut().rev() {
            let (behind, others) =
                std::mem::take(&mut part.items).into_iter().partition(|item| item.record.lane() == lane);
            part.items = others;
            self.finished.behind.extend::<Vec<_>>(behind);
        }
    }

    /// Handles records of an attempt that decided nothing.
    pub(super) fn bring_back(&mut self, part: Part, error: Error) {
        let error = Arc::new(error);
        self.finished.back.extend(part.items.into_iter().map(|item| (item, Arc::clone(&error))));
    }

    /// Handles records that are not delivered when time runs out: they stay in the outbox, or are lost. Reported once
    /// for each kind, answered one by one.
    pub(super) fn left(&mut self, part: Part, error: Option<Error>) {
        if self.policy.has_disk {
            self.finished.left.extend(part.items);
            return;
        }
        for item in &part.items {
            self.finished.count(item.chunk);
        }
        lose(&self.shared, part.items, error.map(Arc::new));
    }
}

/// Counts, reports and answers records that were not delivered in time.
pub(in crate::dispatch) fn lose(shared: &DispatchShared, items: Vec<Item>, error: Option<Arc<Error>>) {
    shared.counts.dropped.add(items.len() as u64);
    shared.lost_at_end.add(items.len() as u64);
    let failure = |kind, records| DeliveryError::not_delivered(kind, records, error.clone());
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
