//! Records that are only on disk: when they go there, when they come back, and which stay there at the end.

use std::collections::BTreeMap;

use tokio::time::Instant;

use super::{InMemory, Worker};
use crate::dispatch::cargo::Cargo;
use crate::dispatch::disk::{Damaged, Frame, News};
use crate::dispatch::queue::Held;
use crate::dispatch::receipt::Outcome;
use crate::dispatch::record::Item;
use crate::dispatch::tell::Tell;
use crate::report::{DeliveryError, log};

/// A chunk that is only on disk.
#[derive(Default)]
pub(super) struct Spilled {
    /// Who waits for the result of which record.
    pub(super) receipts: BTreeMap<usize, Tell<Outcome>>,
    pub(super) records: usize,
    /// The share of the queue's limits that it holds until it is on disk.
    pub(super) held: Held,
}

/// The chunks that are only on disk: all from `next` on.
pub(super) struct Backlog {
    pub(super) next: u64,
    pub(super) loading: bool,
}

impl<C: Cargo> Worker<C> {
    /// Returns true if new records go to disk only: earlier ones did, or memory is full.
    pub(super) fn spills(&self) -> bool {
        self.disk.is_some() && (self.backlog.is_some() || self.is_memory_full())
    }

    pub(super) fn spill(&mut self, number: u64, items: Vec<Item>, held: Held) {
        self.backlog.get_or_insert(Backlog { next: number, loading: false });
        self.shared.counts.spilled.add(items.len() as u64);
        let records = items.len();
        let receipts = items.into_iter().enumerate().filter_map(|(place, item)| Some((place, item.receipt?)));
        self.spilled.insert(number, Spilled { receipts: receipts.collect(), records, held });
    }

    /// Reads chunks from disk if memory has room again.
    pub(super) fn read_back(&mut self) {
        self.make_room_behind();
        let used = self.memory;
        let (Some(disk), Some(backlog)) = (&self.disk, &mut self.backlog) else { return };
        let window = self.pace.window;
        let has_room = used.records < window.records.div_ceil(2) && used.bytes < window.bytes.div_ceil(2);
        // If all that is in memory fails, it is not known whether others would get through: one load more tells.
        // A single chunk may have more bytes than the memory has room for.
        let is_large = used.bytes >= window.bytes && self.chunks.len() > 1;
        let is_full = used.records >= window.records || is_large;
        let is_blind = self.has_doubt && !self.has_looked_further && self.lanes.len() == 0;
        let looks_further = !has_room && !is_full && is_blind;
        // A disk that is full can still be read, and what is sent makes room.
        if (has_room || looks_further) && !backlog.loading {
            self.has_looked_further |= looks_further;
            backlog.loading = true;
            let records = window.records.saturating_sub(used.records).max(1);
            disk.load(backlog.next, self.next_chunk, records, window.bytes / 2);
        }
    }

    pub(super) fn hear_of_disk(&mut self, news: News) {
        match news {
            News::Stored(chunks) => chunks.into_iter().for_each(|chunk| self.stored(chunk)),
            News::Loaded { frames, next } => self.loaded(frames, next),
            News::Lost(records) => {
                self.shared.counts.dropped.add(records);
                self.report_outbox(format!("{} on disk can no longer be read", C::KIND.counted(records)));
            }
            News::Damaged(damaged) => self.forget_damaged(damaged),
            News::Problem(problem) => self.report_outbox(problem),
            News::LettersFailing(problem) => {
                // Once, until letters can be written again.
                if !std::mem::replace(&mut self.letters_fail, true) {
                    self.report_outbox(problem);
                }
            }
            News::Buried(records) => {
                self.letters_fail = false;
                self.shared.counts.dead_lettered.add(records);
            }
            News::LettersHandled(records) => {
                self.burying = self.burying.saturating_sub(1);
                self.shared.counts.unwritten.subtract(records);
            }
            News::Failing(problem) => {
                self.disk_fails = true;
                self.queue.set_patient(false);
                self.report_outbox(problem);
            }
            News::Working => {
                self.disk_fails = false;
                self.queue.set_patient(self.shared.host.may_block());
                log(&format_args!("the outbox of {}s can be written again", C::KIND));
            }
        }
    }

    fn report_outbox(&self, problem: String) {
        self.shared.reporter.report(&DeliveryError::Outbox { kind: C::KIND, problem });
    }

    pub(super) fn stored(&mut self, chunk: u64) {
        for tell in self.storing.remove(&chunk).unwrap_or_default() {
            tell.send(());
        }
        if let Some(kept) = self.chunks.get_mut(&chunk) {
            // Otherwise a long outage would leave too little room for larger ones, though the disk has it.
            self.queue.release(std::mem::take(&mut kept.held));
        }
        if let Some(spilled) = self.spilled.get_mut(&chunk) {
            self.queue.release(std::mem::take(&mut spilled.held));
            if spilled.receipts.is_empty() {
                self.spilled.remove(&chunk);
            }
        }
    }

    /// Chunks before this one that were not read back are no longer there; they have been counted and reported.
    fn forget_lost(&mut self, next: u64) {
        let later = self.spilled.split_off(&next);
        let lost = std::mem::replace(&mut self.spilled, later);
        self.forget(lost.into_values(), || format!("this {} can no longer be read", C::KIND));
    }

    /// What is lost in damage is neither delivered nor on disk. What is also in memory is still delivered.
    fn forget_damaged(&mut self, damaged: Damaged) {
        self.shared.counts.dropped.add(damaged.lost);
        self.shared.counts.spilled.subtract(damaged.lost);
        let (lost, kept) =
            std::mem::take(&mut self.spilled).into_iter().partition(|(chunk, _)| damaged.concerns(*chunk));
        self.spilled = kept;
        let lost: BTreeMap<_, _> = lost;
        // It is not known which records of a chunk are lost.
        self.forget(lost.into_values(), || format!("some {}s can no longer be read, perhaps this one, too", C::KIND));
        self.report_outbox(damaged.problem);
    }

    fn forget(&self, lost: impl Iterator<Item = Spilled>, problem: impl Fn() -> String) {
        for lost in lost {
            self.queue.release(lost.held);
            let failure = DeliveryError::Outbox { kind: C::KIND, problem: problem() };
            for receipt in lost.receipts.into_values() {
                receipt.send(Err(failure.clone()));
            }
        }
    }

    pub(super) fn loaded(&mut self, frames: Vec<Frame>, next: u64) {
        for frame in frames {
            let mut spilled = self.spilled.remove(&frame.number).unwrap_or_default();
            self.shared.counts.spilled.subtract(frame.records.len() as u64 + u64::from(frame.lost));
            if frame.lost > 0 {
                // It is not known which records are lost, so no receipt may report the result of another record.
                let problem = format!("{} of the {}s stored with this one can no longer be read", frame.lost, C::KIND);
                let failure = DeliveryError::Outbox { kind: C::KIND, problem };
                for receipt in std::mem::take(&mut spilled.receipts).into_values() {
                    receipt.send(Err(failure.clone()));
                }
            }
            let size =
                Held { records: frame.records.len(), bytes: frame.records.iter().map(|record| record.weight()).sum() };
            let item = |(place, record)| Item::new(record, frame.number, spilled.receipts.remove(&place));
            let items = frame.records.into_iter().enumerate().map(item).collect();
            // A chunk that was read before it was stored still holds its share of the queue.
            self.keep(frame.number, items, frame.since, InMemory { size, held: spilled.held });
        }
        self.forget_lost(next);
        self.send_at.get_or_insert_with(Instant::now);
        if next == self.next_chunk {
            self.backlog = None;
            self.shared.counts.spilled.set(0);
        } else if let Some(backlog) = &mut self.backlog {
            (backlog.next, backlog.loading) = (next, false);
        }
    }
}
