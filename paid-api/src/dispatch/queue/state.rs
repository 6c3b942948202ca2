//! The state of the queue behind its lock: what is held, what fits, and what makes way. Pure.

use std::collections::VecDeque;
use std::task::Waker;

use super::Wake;
use super::line::Line;
use super::load::{Content, FlushTell, Order, Queued};
use crate::dispatch::cargo::Cargo;
use crate::dispatch::settings::{Limits, Overflow};

/// The share of the queue's limits that records hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::dispatch) struct Held {
    pub(in crate::dispatch) records: usize,
    pub(in crate::dispatch) bytes: usize,
}

impl Held {
    pub(in crate::dispatch) fn add(&mut self, weight: usize) {
        self.records += 1;
        self.bytes += weight;
    }

    /// Splits off the share of this many records.
    pub(in crate::dispatch) fn take_part(&mut self, records: u32) -> Self {
        let records = usize::try_from(records).unwrap_or(usize::MAX).min(self.records);
        let bytes = (self.bytes / self.records.max(1)) * records;
        let bytes = if records == self.records { self.bytes } else { bytes };
        self.records -= records;
        self.bytes -= bytes;
        Self { records, bytes }
    }

    pub(super) fn remove(&mut self, weight: usize) {
        self.subtract(Self { records: 1, bytes: weight });
    }

    pub(super) fn subtract(&mut self, other: Self) {
        self.records = self.records.saturating_sub(other.records);
        self.bytes = self.bytes.saturating_sub(other.bytes);
    }

    fn plus(self, other: Self) -> Self {
        Self { records: self.records + other.records, bytes: self.bytes + other.bytes }
    }

    /// Returns true if one more load keeps the limits. A load that exceeds them by itself may be held alone.
    fn admits(self, weight: usize, limits: Limits) -> bool {
        let bytes = self.bytes.saturating_add(weight);
        self.records == 0 || (self.records < limits.records && bytes <= limits.bytes)
    }
}

pub(super) struct QueueState<C: Cargo> {
    pub(super) orders: VecDeque<Order<C>>,
    pub(super) flushes: usize,
    /// What is in the queue.
    pub(super) queued: Held,
    /// What the thread has taken and is not done.
    pub(super) taken: Held,
    /// What is kept free for callers that have waited for it.
    pub(super) promised: Held,
    pub(super) line: Line,
    pub(super) limits: Limits,
    pub(super) overflow: Overflow,
    pub(super) wake: Option<Wake>,
    pub(super) closed: bool,
    pub(super) has_ended: bool,
    pub(super) is_pressed: bool,
    /// Whether a caller may wait a moment for the outbox to make room.
    pub(super) patient: bool,
}

impl<C: Cargo> QueueState<C> {
    pub(super) fn new(limits: Limits, overflow: Overflow, patient: bool) -> Self {
        Self {
            orders: VecDeque::new(),
            flushes: 0,
            queued: Held::default(),
            taken: Held::default(),
            promised: Held::default(),
            line: Line::default(),
            limits,
            overflow,
            wake: Some(Wake::First),
            closed: false,
            has_ended: false,
            is_pressed: false,
            patient,
        }
    }

    pub(super) fn held(&self) -> Held {
        self.queued.plus(self.taken).plus(self.promised)
    }

    fn fits(&self, weight: usize) -> bool {
        self.held().admits(weight, self.limits)
    }

    /// Returns true if a load that has not waited may be queued now.
    pub(super) fn has_room(&self, weight: usize) -> bool {
        self.fits(weight) && self.may_overtake()
    }

    /// With [`Overflow::Wait`] nobody overtakes those who wait: otherwise a large load could wait forever. Elsewhere a
    /// load that has not waited would be lost, so it may.
    fn may_overtake(&self) -> bool {
        self.overflow != Overflow::Wait || self.line.is_empty()
    }

    /// Keeps room free for a load, if there is room and nobody waits.
    pub(super) fn promise(&mut self, weight: usize) -> bool {
        let is_free = self.line.is_empty() && self.fits(weight);
        if is_free {
            self.promised.add(weight);
        }
        is_free
    }

    /// Gives the room that there is to those who wait, in their order; returns whom to wake.
    pub(super) fn admit(&mut self) -> Vec<Waker> {
        let mut woken = Vec::new();
        while let Some(weight) = self.line.first()
            && self.fits(weight)
        {
            self.promised.add(weight);
            woken.extend(self.line.admit());
        }
        woken
    }

    pub(super) fn is_full_batch(&self, batch: Limits) -> bool {
        self.queued.records >= batch.records || self.queued.bytes >= batch.bytes
    }

    pub(super) fn add(&mut self, queued: Queued<C>, weight: usize) {
        self.orders.push_back(Order::Load(queued));
        self.queued.add(weight);
    }

    /// Takes everything out: loads and flushes, in their order.
    pub(super) fn drain(&mut self) -> (Vec<Queued<C>>, Vec<FlushTell>) {
        let (mut loads, mut flushes) = (Vec::new(), Vec::new());
        for order in std::mem::take(&mut self.orders) {
            match order {
                Order::Load(queued) => loads.push(queued),
                Order::Flush(tell) => flushes.push(tell),
            }
        }
        (self.queued, self.flushes) = (Held::default(), 0);
        (loads, flushes)
    }

    /// Removes the loads that the new one may replace, as many as it needs; none if they are not enough.
    pub(super) fn make_way_for(&mut self, new: &Content<C>, weight: usize) -> Option<Vec<Queued<C>>> {
        let places = self.who_makes_way(new, weight)?;
        let mut removed = Vec::with_capacity(places.len());
        for place in places {
            // Those removed before stood in front of it.
            if let Some(Order::Load(old)) = self.orders.remove(place - removed.len()) {
                self.queued.remove(old.content.weight());
                removed.push(old);
            }
        }
        Some(removed)
    }

    /// The places of the loads that the new one may replace, as many as it needs: first those that make way for others,
    /// then the oldest. Never one that goes before the new one, and none for a load that exceeds the limit by itself.
    fn who_makes_way(&self, new: &Content<C>, weight: usize) -> Option<Vec<usize>> {
        let drops_oldest = self.overflow == Overflow::DropOldest;
        if (!drops_oldest && !C::HAS_RANKS) || weight > self.limits.bytes || !self.may_overtake() {
            return None;
        }
        let is_ahead = !new.makes_way();
        let ranks = [(true, C::HAS_RANKS && (is_ahead || drops_oldest)), (false, is_ahead && drops_oldest)];
        let (mut held, mut places) = (self.held(), Vec::new());
        for (makes_way, _) in ranks.into_iter().filter(|(_, may_go)| *may_go) {
            for (place, order) in self.orders.iter().enumerate() {
                if held.admits(weight, self.limits) {
                    break;
                }
                if let Order::Load(old) = order
                    && old.content.makes_way() == makes_way
                {
                    held.remove(old.content.weight());
                    places.push(place);
                }
            }
        }
        places.sort_unstable();
        held.admits(weight, self.limits).then_some(places)
    }
}
