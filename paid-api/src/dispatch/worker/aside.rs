//! Records that are set aside: the server fails on them while others get through. Each is tried again alone, at growing
//! intervals; with the order kept, the later records of its customer wait for it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::Worker;
use crate::dispatch::cargo::Cargo;
use crate::dispatch::courier::Tries;
use crate::dispatch::disk::{Rejected, SetAside};
use crate::dispatch::lanes::Taken;
use crate::dispatch::queue::Held;
use crate::dispatch::record::Item;
use crate::error::Error;
use crate::report::DeliveryError;
use crate::verdict::Backoff;

/// At most this many are set aside.
const MOST: usize = 1_000;
/// The waits before further attempts grow up to this.
const LONGEST: Duration = Duration::from_secs(60 * 60);

struct Waiting {
    item: Item,
    error: Arc<Error>,
    due: Instant,
}

/// A record that tells a bad one from an outage.
pub(super) struct Probe {
    customer: u32,
    /// Later records of its customer may be tried before it.
    may_be_overtaken: bool,
}

pub(super) struct Aside {
    waiting: Vec<Waiting>,
    /// How many of them are being tried.
    trying: usize,
    /// The later records of a customer, if the order is kept.
    behind: BTreeMap<u32, VecDeque<Item>>,
    size: Held,
    has_changed: bool,
}

impl Aside {
    /// Nothing is set aside, but an earlier run may have said otherwise.
    pub(super) fn new() -> Self {
        Self { waiting: Vec::new(), trying: 0, behind: BTreeMap::new(), size: Held::default(), has_changed: true }
    }

    pub(super) fn len(&self) -> usize {
        self.waiting.len() + self.trying
    }

    /// The memory that they have for themselves: others must not wait for it.
    pub(super) fn size(&self) -> Held {
        self.size
    }

    fn grow(&mut self, item: &Item) {
        self.size.add(item.record.weight());
    }

    fn shrink(&mut self, weight: usize) {
        self.size.records = self.size.records.saturating_sub(1);
        self.size.bytes = self.size.bytes.saturating_sub(weight);
    }

    /// When the next record is tried again.
    pub(super) fn due(&self) -> Option<Instant> {
        self.waiting.iter().map(|waiting| waiting.due).min()
    }

    /// Takes a record that is due.
    fn next(&mut self, now: Instant) -> Option<Item> {
        let place = self.waiting.iter().position(|waiting| waiting.due <= now)?;
        self.trying += 1;
        Some(self.waiting.swap_remove(place).item)
    }

    /// The records of a customer wait if one of theirs is set aside, or is being tried.
    fn holds(&self, customer: u32) -> bool {
        self.behind.contains_key(&customer)
    }

    /// The memory of all that wait for a record of their customer that is set aside.
    fn behind_size(&self) -> Held {
        let customers: BTreeSet<u32> = self.waiting.iter().map(|waiting| waiting.item.record.lane()).collect();
        let mut size = Held::default();
        let behind = customers.iter().filter_map(|customer| self.behind.get(customer));
        behind.flatten().for_each(|item| size.add(item.record.weight()));
        size
    }

    /// Takes a record of the customer of whom most wait, if any do.
    fn take_most_in_the_way(&mut self) -> Option<(Item, Arc<Error>)> {
        let waits = |waiting: &Waiting| self.behind.get(&waiting.item.record.lane()).map_or(0, VecDeque::len);
        let in_the_way = self.waiting.iter().enumerate().filter(|(_, waiting)| waits(waiting) > 0);
        let (place, _) = in_the_way.max_by_key(|(_, waiting)| waits(waiting))?;
        let Waiting { item, error, .. } = self.waiting.swap_remove(place);
        Some((item, error))
    }

    pub(super) fn holds_any(&self) -> bool {
        !self.behind.is_empty()
    }

    fn drain(&mut self) -> Vec<Item> {
        let waiting = std::mem::take(&mut self.waiting).into_iter().map(|waiting| waiting.item);
        waiting.chain(std::mem::take(&mut self.behind).into_values().flatten()).collect()
    }
}

impl<C: Cargo> Worker<C> {
    /// Puts a record into its lane, or behind an earlier one of its customer that is set aside.
    pub(super) fn line_up(&mut self, item: Item) {
        match self.aside.behind.get_mut(&item.record.lane()) {
            Some(behind) => behind.push_back(item),
            None => self.lanes.push(item),
        }
    }

    /// Sets records aside, if there is room; otherwise Paid's failure is the outbox's dead letter, or an outage.
    pub(super) fn set_aside(&mut self, records: Vec<(Item, Arc<Error>)>, behind: Vec<Item>) {
        let mut outage = Vec::new();
        for (mut item, error) in records {
            let window = self.pace.window;
            let is_full = self.aside.len() >= MOST.min(window.records / 2).max(1)
                || (self.aside.len() > 0 && self.aside.size().bytes + item.record.weight() > window.bytes / 2);
            let (kind, customer) = (item.record.kind(), item.record.lane());
            if is_full && self.disk.is_some() {
                self.leave_memory(item.chunk, 1);
                self.bury_instead(item, error);
                continue;
            }
            if is_full {
                outage.push(item);
                continue;
            }
            let (name, key) = (item.record.name().to_owned().into(), item.record.key().to_owned());
            let failure = DeliveryError::SetAside { kind, name, key, error: Arc::clone(&error) };
            self.shared.reporter.report(&failure);
            if self.policy.keeps_order {
                self.hold(customer);
            }
            item.tries = 1;
            self.aside.grow(&item);
            self.leave_memory(item.chunk, 1);
            self.wait_aside(item, error);
        }
        // They are older than those that waited for a request.
        for item in behind.into_iter().rev() {
            match self.aside.behind.get_mut(&item.record.lane()) {
                Some(behind) => behind.push_front(item),
                None => self.lanes.push_front(item),
            }
        }
        for item in outage.into_iter().rev() {
            self.lanes.push_front(item);
        }
    }

    /// Lets the records of a customer wait.
    fn hold(&mut self, customer: u32) {
        let theirs = self.lanes.take_customer(customer);
        self.aside.behind.entry(customer).or_default().extend(theirs);
    }

    fn wait_aside(&mut self, item: Item, error: Arc<Error>) {
        let base = self.policy.backoff.max;
        let wait = Backoff { base, max: LONGEST.max(base) }.wait(item.tries, fastrand::f64());
        self.aside.waiting.push(Waiting { item, error, due: Instant::now() + wait });
        self.aside.has_changed = true;
    }

    fn bury_instead(&mut self, item: Item, error: Arc<Error>) {
        let reason = DeliveryError::not_delivered(item.record.kind(), 1, Some(Arc::clone(&error))).to_string();
        let failure = item.record.not_delivered(error);
        self.shared.counts.unwritten.add(1);
        self.shared.counts.rejected.add(1);
        self.shared.reporter.report(&failure);
        self.bury(vec![Rejected { chunk: item.chunk, record: item.record.clone(), reason }]);
        self.is_done(item.chunk, 1);
        item.answer(Err(failure));
    }

    /// Where the order is kept: if those that wait for a record of their customer fill half of the memory, nobody else's are
    /// read from disk, and the record becomes a dead letter.
    pub(super) fn make_room_behind(&mut self) {
        // In any order, records wait only for the answer to one that is being tried.
        if !self.policy.keeps_order || self.backlog.is_none() || self.is_closing() {
            return;
        }
        let (used, window) = (self.memory, self.pace.window);
        let is_half = |held: Held| held.records >= window.records.div_ceil(2) || held.bytes >= window.bytes.div_ceil(2);
        if !is_half(used) || !is_half(self.aside.behind_size()) {
            return;
        }
        let Some((item, error)) = self.aside.take_most_in_the_way() else { return };
        let (customer, weight) = (item.record.lane(), item.record.weight());
        self.bury_instead(item, error);
        self.aside.shrink(weight);
        self.aside.has_changed = true;
        self.release(customer);
    }

    /// Tries records that are due, some at a time.
    pub(super) fn try_those_aside(&mut self) {
        let now = Instant::now();
        while !self.is_closing() && self.aside.trying < self.pace.in_flight.div_ceil(2) {
            let Some(item) = self.aside.next(now) else { return };
            self.send_out(vec![item], Taken::default(), Tries::Once);
        }
    }

    /// Whether a record could be tried at its time: otherwise the end of another attempt wakes the thread.
    pub(super) fn next_try(&self) -> Option<Instant> {
        let may_try = !self.is_closing() && self.aside.trying < self.pace.in_flight.div_ceil(2);
        if may_try { self.aside.due() } else { None }
    }

    /// A batch of these lanes and customers is in doubt: tries one record of another customer that waits behind it.
    /// Whether that gets through tells a bad record from an outage. After some ten minutes it may be one of the same.
    pub(super) fn probe(&mut self, taken: Taken, customers: &BTreeSet<u32>, is_old: bool) {
        self.has_doubt = true;
        let may_overtake = is_old && !self.policy.keeps_order;
        if self.probing.is_some() || self.is_closing() {
            return;
        }
        let may = |customer| may_overtake || !customers.contains(&customer);
        // In turns one that waits behind the request, and one that waits because all requests are in use: all of one kind may
        // be bad.
        self.probes_behind = !self.probes_behind;
        let next = if self.probes_behind {
            self.next_behind(taken, may).or_else(|| self.lanes.next_batch(1, usize::MAX))
        } else {
            self.lanes.next_batch(1, usize::MAX).or_else(|| self.next_behind(taken, may))
        };
        let Some((items, taken)) = next else { return };
        let probe = |item: &Item| Probe { customer: item.record.lane(), may_be_overtaken: may_overtake };
        self.probing = items.first().map(probe);
        self.send_out(items, taken, Tries::Once);
    }

    /// A record that waits behind the request; its customer's later ones wait until it is decided.
    fn next_behind(&mut self, taken: Taken, may: impl Fn(u32) -> bool) -> Option<(Vec<Item>, Taken)> {
        let item = self.lanes.next_behind(taken, may)?;
        self.hold(item.record.lane());
        Some((vec![item], Taken::default()))
    }

    /// Handles the end of an extra attempt.
    pub(super) fn extra_finished(&mut self, was_aside: Option<(u32, usize)>, back: Vec<(Item, Arc<Error>)>) {
        let Some((customer, weight)) = was_aside else { return self.probed(back) };
        self.aside.trying -= 1;
        self.aside.has_changed = true;
        let is_decided = back.is_empty();
        if is_decided {
            self.aside.shrink(weight);
        }
        for (mut item, error) in back {
            item.tries = item.tries.saturating_add(1);
            self.wait_aside(item, error);
        }
        if is_decided && self.aside.holds(customer) {
            self.release(customer);
        }
    }

    /// Puts the record that was tried, if it failed, and those that waited for it back.
    fn probed(&mut self, back: Vec<(Item, Arc<Error>)>) {
        let probe = self.probing.take();
        let behind = probe.as_ref().and_then(|probe| self.aside.behind.remove(&probe.customer)).unwrap_or_default();
        let failed = back.len();
        let mut items: VecDeque<_> = back.into_iter().map(|(item, _)| item).chain(behind).collect();
        let Some(probe) = probe.filter(|_| failed > 0) else {
            return items.into_iter().rev().for_each(|item| self.lanes.push_front(item));
        };
        // It may be as bad as the one in doubt. Next time it is the turn of another customer, and after some ten minutes of
        // another record.
        items.extend(self.lanes.take_customer(probe.customer));
        if probe.may_be_overtaken {
            items.rotate_left(failed);
        }
        items.into_iter().for_each(|item| self.lanes.push(item));
    }

    /// Lets the records of a customer go on, if no other one of theirs is set aside.
    fn release(&mut self, customer: u32) {
        if self.aside.waiting.iter().any(|waiting| waiting.item.record.lane() == customer) {
            return;
        }
        for item in self.aside.behind.remove(&customer).unwrap_or_default() {
            self.lanes.push(item);
        }
        self.send_at.get_or_insert_with(Instant::now);
    }

    /// Shows in the counters, and in the outbox, what is set aside.
    pub(super) fn show_aside(&mut self) {
        if !std::mem::take(&mut self.aside.has_changed) {
            return;
        }
        self.shared.counts.set_aside.set(self.aside.len() as u64);
        let Some(disk) = &self.disk else { return };
        let now = Instant::now();
        let shown = |waiting: &Waiting| SetAside {
            record: waiting.item.record.clone(),
            reason: waiting.error.to_string(),
            tries: waiting.item.tries,
            next: waiting.due.saturating_duration_since(now),
        };
        disk.show_aside(self.aside.waiting.iter().map(shown).collect());
    }

    /// All that is set aside, when delivery ends.
    pub(super) fn take_aside(&mut self) -> Vec<Item> {
        self.aside.has_changed = true;
        self.aside.drain()
    }
}
