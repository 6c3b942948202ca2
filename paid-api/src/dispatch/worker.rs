//! The thread behind the queue: takes loads, keeps them in the outbox, builds batches and sends them. It waits in one
//! place: for its events.

mod aside;
mod backlog;
mod ending;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::cargo::Cargo;
use super::chunk::Chunk;
use super::courier::{Courier, CourierPolicy, Tries};
use super::disk::{Disk, Rejected};
use super::end::EndTime;
use super::event::{DispatchEvent, Finished};
use super::host::ms;
use super::lanes::{Lanes, Taken};
use super::ledger::Ledger;
use super::queue::{FlushTell, Held, Queue, Queued, Wake};
use super::record::Item;
use super::settings::Limits;
use super::shared::DispatchShared;
use super::sink::Sink;
use super::tell::Tell;
use aside::{Aside, Probe};
use backlog::{Backlog, Spilled};

/// How batches are built.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    pub(super) batch: Limits,
    pub(super) linger: Duration,
    pub(super) in_flight: usize,
    /// How long a record may wait before it is taken from the queue: the linger time, or the outbox's.
    pub(super) take_in: Duration,
    /// How many records and bytes the thread may have in memory.
    pub(super) window: Limits,
}

/// A chunk in memory that waits for requests or is in them.
#[derive(Clone, Copy, Default)]
struct InMemory {
    size: Held,
    /// The share of the queue's limits that it holds.
    held: Held,
}

pub(super) struct Worker<C: Cargo> {
    pub(super) cargo: C,
    pub(super) sink: Arc<dyn Sink>,
    pub(super) shared: Arc<DispatchShared>,
    pub(super) pace: Pace,
    pub(super) policy: CourierPolicy,
    pub(super) queue: Arc<Queue<C>>,
    pub(super) end: EndTime,
    pub(super) events: mpsc::UnboundedReceiver<DispatchEvent>,
    pub(super) disk: Option<Box<dyn Disk>>,
    /// The loads just taken from the queue.
    incoming: Vec<Queued<C>>,
    lanes: Lanes,
    ledger: Ledger,
    chunks: BTreeMap<u64, InMemory>,
    /// The memory of what is on its way. What is set aside has its own.
    memory: Held,
    spilled: BTreeMap<u64, Spilled>,
    /// Who waits for which chunk to be on disk.
    storing: BTreeMap<u64, Vec<Tell<()>>>,
    backlog: Option<Backlog>,
    /// Who waits until everything before which chunk is done.
    flushes: Vec<(u64, FlushTell)>,
    next_chunk: u64,
    /// Requests in progress; of those, extra ones.
    requests: usize,
    extra: usize,
    aside: Aside,
    /// The record that is being tried behind a batch in doubt.
    probing: Option<Probe>,
    /// Whether it was looked for behind that batch, and not among those for which no request is free.
    probes_behind: bool,
    /// True if a batch fails, and nothing has got through since.
    has_doubt: bool,
    /// True if more than memory has room for was read from disk since then.
    has_looked_further: bool,
    /// What was not delivered when time ran out.
    left: Vec<Item>,
    /// How often refused records were handed to the disk that has not answered yet.
    burying: usize,
    letters_fail: bool,
    /// The tasks of requests; they end with the worker.
    couriers: JoinSet<()>,
    tell: mpsc::UnboundedSender<DispatchEvent>,
    /// When the queue is next taken from.
    take_at: Option<Instant>,
    /// When the records in memory are next sent.
    send_at: Option<Instant>,
    disk_fails: bool,
    /// True if the loads in the queue have waited long enough, and wait only for room.
    is_overdue: bool,
}

impl<C: Cargo> Worker<C> {
    pub(super) fn new(
        (cargo, sink): (C, Arc<dyn Sink>),
        shared: Arc<DispatchShared>,
        (pace, policy): (Pace, CourierPolicy),
        queue: Arc<Queue<C>>,
        end: EndTime,
        (tell, events): (mpsc::UnboundedSender<DispatchEvent>, mpsc::UnboundedReceiver<DispatchEvent>),
    ) -> Self {
        Self {
            cargo,
            sink,
            shared,
            pace,
            policy,
            queue,
            end,
            events,
            disk: None,
            incoming: Vec::new(),
            lanes: Lanes::new(),
            ledger: Ledger::default(),
            chunks: BTreeMap::new(),
            memory: Held::default(),
            spilled: BTreeMap::new(),
            storing: BTreeMap::new(),
            backlog: None,
            flushes: Vec::new(),
            next_chunk: 0,
            requests: 0,
            extra: 0,
            aside: Aside::new(),
            probing: None,
            probes_behind: false,
            has_doubt: false,
            has_looked_further: false,
            left: Vec::new(),
            burying: 0,
            letters_fail: false,
            couriers: JoinSet::new(),
            tell,
            take_at: None,
            send_at: None,
            disk_fails: false,
            is_overdue: false,
        }
    }

    /// Starts with the records that an earlier run left in the outbox.
    pub(super) fn with_disk(mut self, disk: Box<dyn Disk>, first: Option<u64>, next: u64, records: u64) -> Self {
        self.disk = Some(disk);
        self.next_chunk = next;
        self.backlog = first.map(|next| Backlog { next, loading: false });
        self.shared.counts.recovered.add(records);
        self.shared.counts.spilled.add(records);
        self
    }

    pub(super) async fn run(mut self) {
        loop {
            if self.is_over() {
                break;
            }
            self.take_in();
            self.read_back();
            self.send_off();
            self.try_those_aside();
            self.show_aside();
            self.answer_flushes();
            self.publish();
            self.shared.reporter.log_rest_if_due();
            self.wait().await;
        }
        self.wind_up().await;
    }

    /// Waits for an event or until something is due; then handles all events that have arrived.
    async fn wait(&mut self) {
        let due = [self.take_at, self.send_at, self.next_try(), self.ending()].into_iter().flatten().min();
        let event = match due {
            Some(due) => tokio::time::timeout_at(due, self.events.recv()).await.ok().flatten(),
            None => self.events.recv().await,
        };
        if let Some(event) = event {
            self.hear(event);
        }
        while let Ok(event) = self.events.try_recv() {
            self.hear(event);
        }
    }

    fn ending(&self) -> Option<Instant> {
        *self.end.borrow()
    }

    fn is_closing(&self) -> bool {
        self.ending().is_some()
    }

    /// Returns true if records must not wait for others.
    fn is_hurried(&self) -> bool {
        self.is_closing() || !self.flushes.is_empty()
    }

    fn hear(&mut self, event: DispatchEvent) {
        match event {
            DispatchEvent::Ready | DispatchEvent::Closed => {}
            DispatchEvent::Doubt { taken, customers, is_old } => self.probe(taken, &customers, is_old),
            DispatchEvent::Finished(finished) => self.finished(finished),
            DispatchEvent::Disk(news) => self.hear_of_disk(news),
        }
    }

    /// Takes the loads from the queue that are due and for which there is room; all of them if a caller waits for room.
    fn take_in(&mut self) {
        let is_pressed = self.disk.is_some() && self.queue.was_pressed();
        self.is_overdue |= is_pressed;
        self.take_what_is_due();
        if let Some(disk) = &self.disk
            && is_pressed
        {
            // Only now: the loads just taken must be written, too.
            disk.hurry();
        }
    }

    fn take_what_is_due(&mut self) {
        let now = Instant::now();
        // What memory has no room for goes to disk in a chunk of its own, and has waited as long.
        let mut was_due = false;
        loop {
            let wake = if self.take_at.is_some() { Wake::Batch } else { Wake::First };
            let waiting = self.queue.arm(wake);
            if waiting.orders == 0 {
                (self.take_at, self.is_overdue) = (None, false);
                self.queue.arm(Wake::First);
                return;
            }
            let take_at = *self.take_at.get_or_insert(now + self.pace.take_in);
            let is_due = was_due
                || now >= take_at
                || waiting.full_batch
                || waiting.flushes > 0
                || self.is_overdue
                || self.is_hurried();
            if !is_due {
                // A batch may have filled up in the meantime.
                if self.queue.arm(Wake::Batch).full_batch {
                    continue;
                }
                return;
            }
            if !self.has_room() {
                // Freed room wakes the thread, which then looks again.
                self.queue.arm(Wake::Flush);
                (self.take_at, self.is_overdue) = (None, true);
                return;
            }
            self.send_at.get_or_insert(take_at - self.pace.take_in + self.pace.linger);
            (self.take_at, was_due) = (None, was_due || now >= take_at);
            self.take();
        }
    }

    /// Returns true if more can be taken from the queue: into memory, or to a disk that works.
    fn has_room(&self) -> bool {
        let others_may_get_through = self.has_doubt || self.aside.holds_any();
        !self.is_memory_full()
            || (self.disk.is_some() && !self.disk_fails)
            // What waits behind a bad record must not take the room of others. The queue's limits hold all the same.
            || (self.disk.is_none() && others_may_get_through)
    }

    fn is_memory_full(&self) -> bool {
        let used = self.memory;
        used.records >= self.pace.window.records || used.bytes >= self.pace.window.bytes
    }

    /// Takes a chunk from the queue; returns true if there was anything to take.
    fn take(&mut self) -> bool {
        // The buffer is large, so it is reused.
        let mut records = std::mem::take(&mut self.incoming);
        let flush = self.queue.take(self.chunk_limits(), &mut records);
        let is_any = !records.is_empty() || flush.is_some();
        if !records.is_empty() {
            self.open_chunk(&mut records);
        }
        self.incoming = records;
        if let Some(tell) = flush {
            self.flushes.push((self.next_chunk, tell));
        }
        is_any
    }

    /// The limits of one chunk: a batch, and no more than memory has room for, so that the rest goes to disk.
    fn chunk_limits(&self) -> Limits {
        let (batch, window) = (self.pace.batch, self.pace.window);
        if self.is_memory_full() || self.spills() {
            return batch;
        }
        let used = self.memory;
        Limits {
            records: batch.records.min(window.records - used.records),
            bytes: batch.bytes.min(window.bytes - used.bytes),
        }
    }

    fn open_chunk(&mut self, records: &mut Vec<Queued<C>>) {
        let (number, since) = (self.next_chunk, ms(self.shared.host.now()));
        self.next_chunk += 1;
        let chunk = Chunk::write(&self.cargo, number, records);
        if let Some(disk) = &self.disk {
            let records = chunk.items.iter().map(|item| item.record.clone()).collect();
            disk.add(number, since, records, self.spills());
            if !chunk.stored.is_empty() {
                self.storing.insert(number, chunk.stored);
            }
        }
        if self.spills() {
            self.spill(number, chunk.items, chunk.held);
            return;
        }
        self.keep(number, chunk.items, since, InMemory { size: chunk.held, held: chunk.held });
    }

    fn keep(&mut self, number: u64, items: Vec<Item>, since: u64, chunk: InMemory) {
        if items.is_empty() {
            return self.settle(number, chunk.held);
        }
        self.ledger.add(number, items.len(), since);
        self.memory.records += chunk.size.records;
        self.memory.bytes += chunk.size.bytes;
        self.chunks.insert(number, chunk);
        for item in items {
            self.line_up(item);
        }
    }

    fn send_off(&mut self) {
        let now = Instant::now();
        if self.lanes.len() == 0 {
            self.send_at = None;
            return;
        }
        let is_due = self.send_at.is_none_or(|due| now >= due);
        let is_full = self.lanes.len() >= self.pace.batch.records || self.lanes.bytes() >= self.pace.batch.bytes;
        if !is_due && !is_full && !self.is_hurried() {
            return;
        }
        // Records that must wait for a free request are then sent at once.
        self.send_at = None;
        while self.requests - self.extra < self.pace.in_flight {
            let Some((items, taken)) = self.lanes.next_batch(self.pace.batch.records, self.pace.batch.bytes) else {
                return;
            };
            self.send_out(items, taken, Tries::UntilDecided);
        }
    }

    fn send_out(&mut self, items: Vec<Item>, taken: Taken, tries: Tries) {
        self.requests += 1;
        self.extra += usize::from(tries == Tries::Once);
        let was_aside = items.first().filter(|item| item.tries > 0);
        let was_aside = was_aside.map(|item| (item.record.lane(), item.record.weight()));
        let courier = Courier {
            sink: Arc::clone(&self.sink),
            shared: Arc::clone(&self.shared),
            policy: self.policy,
            tries,
            end: self.end.clone(),
            tell: self.tell.clone(),
            customers: Vec::new(),
            finished: Finished { taken, was_aside, is_extra: tries == Tries::Once, ..Finished::default() },
        };
        let tell = self.tell.clone();
        self.couriers.spawn(async move {
            let finished = courier.deliver(items).await;
            let _ = tell.send(DispatchEvent::Finished(finished));
        });
    }

    fn finished(&mut self, finished: Finished) {
        self.requests -= 1;
        while self.couriers.try_join_next().is_some() {}
        self.lanes.free(finished.taken);
        self.bury(finished.rejected);
        self.has_doubt &= finished.done.is_empty();
        self.has_looked_further &= self.has_doubt;
        for (chunk, records) in finished.done {
            // What was set aside has left the memory before.
            if finished.was_aside.is_none() {
                self.leave_memory(chunk, records);
            }
            self.is_done(chunk, records);
        }
        self.set_aside(finished.aside, finished.behind);
        self.left.extend(finished.left);
        if finished.is_extra {
            self.extra -= 1;
            self.extra_finished(finished.was_aside, finished.back);
        }
    }

    fn bury(&mut self, rejected: Vec<Rejected>) {
        if let Some(disk) = &self.disk
            && !rejected.is_empty()
        {
            self.burying += 1;
            disk.bury(rejected);
        }
    }

    /// Some records of a chunk need no room in memory any more: they are done, or set aside.
    fn leave_memory(&mut self, chunk: u64, records: u32) {
        let Some(known) = self.chunks.get_mut(&chunk) else { return };
        let size = known.size.take_part(records);
        self.memory.records -= size.records;
        self.memory.bytes -= size.bytes;
    }

    fn is_done(&mut self, chunk: u64, records: u32) {
        let Some(known) = self.chunks.get_mut(&chunk) else { return };
        let held = known.held.take_part(records);
        if self.ledger.done(chunk, records) {
            self.chunks.remove(&chunk);
            self.settle(chunk, held);
        } else {
            self.queue.release(held);
        }
    }

    /// Handles a chunk whose records are all done.
    fn settle(&mut self, chunk: u64, held: Held) {
        self.queue.release(held);
        // Nothing is said to be stored that never was: the receipt says what became of the record.
        self.storing.remove(&chunk);
        if let Some(disk) = &self.disk {
            disk.done(chunk);
        }
    }

    fn answer_flushes(&mut self) {
        // What was refused is done when it is among the dead letters.
        if self.burying > 0 && !self.disk_fails {
            return;
        }
        let on_disk = self.backlog.as_ref().map(|backlog| backlog.next);
        let first = [self.ledger.first(), on_disk].into_iter().flatten().min().unwrap_or(self.next_chunk);
        for (until, tell) in std::mem::take(&mut self.flushes) {
            if until <= first {
                tell.tell();
            } else {
                self.flushes.push((until, tell));
            }
        }
    }

    fn publish(&self) {
        let counts = &self.shared.counts;
        counts.in_flight.set(self.requests as u64);
        // Records that are only on disk are newer than those in memory.
        counts.oldest_since.set(self.ledger.oldest().unwrap_or(0));
        self.shared.publish();
    }

    /// Returns true if nothing is left to do, or time has run out.
    fn is_over(&mut self) -> bool {
        let Some(end) = self.ending() else { return false };
        let queued = self.queue.arm(Wake::First).orders;
        let is_done = queued == 0 && self.lanes.len() == 0 && self.requests == 0 && self.backlog.is_none();
        // If a courier gave up, the others would fail, too; and later records must not overtake.
        is_done || !self.left.is_empty() || Instant::now() >= end
    }
}
