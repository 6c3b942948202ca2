//! Delivery of records: a bounded queue, an optional outbox on disk, and a thread that sends batches until every record
//! is delivered or permanently refused. Knows no signal, no cost record and no span: these are [cargoes](cargo::Cargo).

mod answered;
mod cargo;
mod chunk;
mod closing;
mod counters;
mod courier;
mod delivered;
mod disk;
mod doubt;
mod end;
mod errand;
mod event;
mod folder;
mod has_outbox;
mod host;
mod lanes;
mod ledger;
mod measures;
mod metrics;
mod mode;
mod queue;
mod receipt;
mod record;
mod settings;
mod shared;
mod sink;
mod start;
mod stats;
pub(crate) mod tell;
#[cfg(test)]
mod tests;
mod told;
mod unanswered;
mod worker;

use std::fmt;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use crate::ending::{MOMENT, Part as _};
use crate::report::{DeliveryError, RecordKind};
use closing::Closing;
use queue::{Content, FlushTell, Pushed, Queue, Queued, Room};
use receipt::Outcome;
use shared::DispatchShared;

pub(crate) use cargo::Cargo;
pub use delivered::Delivered;
pub use disk::Fsync;
pub(crate) use disk::{
    Damaged, Disk, DiskNews, DiskSettings, Ended, Frame, News, OpenedDisk, Rejected, SetAside, TellGone,
};
pub(crate) use errand::{Answer, Errand};
pub use folder::{Folder, OpenFolder, Storage};
pub(crate) use has_outbox::HasOutbox;
pub use host::{Host, Work};
pub(crate) use host::{Machine, ms};
pub(crate) use mode::{Mode, say_that_it_is_off};
pub use receipt::{Delivery, Receipt};
pub use record::Record;
pub(crate) use record::RecordWriter;
pub use settings::Overflow;
pub(crate) use settings::{DispatchSettings, Partial, delivered_setter, dispatch_setters};
pub use sink::{Batch, Sink, SinkFuture};
pub use stats::Stats;
use tell::Tell;

/// A handle of the thread that delivers one kind of cargo. Dropping the last handle ends the thread.
pub(crate) struct Dispatch<C: Cargo> {
    inner: Arc<DispatchInner<C>>,
}

impl<C: Cargo> Clone for Dispatch<C> {
    fn clone(&self) -> Self {
        Self { inner: Arc::clone(&self.inner) }
    }
}

struct DispatchInner<C: Cargo> {
    sink: Arc<dyn Sink>,
    host: Arc<dyn Host>,
    queue: Arc<Queue<C>>,
    shared: Arc<DispatchShared>,
    has_disk: bool,
    mode: Mode,
    closing: Arc<Closing<C>>,
}

/// A flush or shutdown did not finish in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} not delivered after {after:?}; the server cannot be reached, or needs longer", kind.counted(*left))]
#[non_exhaustive]
pub struct FlushError {
    /// Whether signals, costs or spans are left.
    pub kind: RecordKind,
    /// How many records are not delivered: in memory, in the outbox, or lost.
    pub left: u64,
    /// The timeout that has passed.
    pub after: Duration,
}

impl<C: Cargo> Dispatch<C> {
    /// Queues a load at once and returns true if it was accepted. A load that is not accepted is counted and reported.
    /// With an outbox and a full queue it may wait for the disk, for a second at most.
    pub(crate) fn push(&self, load: C::Load, receipt: Option<Tell<Outcome>>, stored: Option<Tell<()>>) -> bool {
        self.push_into(None, load, receipt, stored)
    }

    /// Like [`push`](Self::push), into the room that the load has waited for, if it has.
    pub(crate) fn push_into(
        &self,
        room: Option<Room<'_, C>>,
        load: C::Load,
        receipt: Option<Tell<Outcome>>,
        stored: Option<Tell<()>>,
    ) -> bool {
        self.push_content(room, Queued { content: Content::Load(load), receipt, stored })
    }

    /// Queues a load that is already written as a record, into the room that it has waited for.
    pub(crate) fn push_record(&self, room: Option<Room<'_, C>>, record: Record) -> Receipt {
        let (tell, receipt) = Receipt::new(record.kind());
        self.push_content(room, Queued { content: Content::Record(record), receipt: Some(tell), stored: None });
        receipt
    }

    fn push_content(&self, room: Option<Room<'_, C>>, queued: Queued<C>) -> bool {
        if self.is_off() {
            queued.answer(self.skip());
            return true;
        }
        let (shared, queue) = (&self.inner.shared, &self.inner.queue);
        // Counted first, so that the number of pending records never falls below zero.
        shared.counts.accepted.add(1);
        let pushed = match room {
            Some(room) => queue.push_into(room, queued),
            None => queue.push(queued),
        };
        match pushed {
            Pushed::Queued => true,
            Pushed::Instead(others) => {
                shared.counts.dropped.add(others.len() as u64);
                for other in others {
                    let failure = DeliveryError::Dropped { kind: other.content.kind(), name: other.content.name() };
                    shared.reporter.report_throttled(&failure);
                    other.answer(Err(failure));
                }
                true
            }
            Pushed::Refused(queued, failure) => {
                shared.counts.accepted.subtract(1);
                shared.counts.refused.add(1);
                shared.reporter.report_throttled(&failure);
                queued.answer(Err(failure));
                false
            }
        }
    }

    /// Returns true if nothing is sent, on purpose.
    pub(crate) fn is_off(&self) -> bool {
        self.inner.mode == Mode::Off
    }

    /// Returns true if records reach the server.
    pub(crate) fn is_live(&self) -> bool {
        self.inner.mode == Mode::Live
    }

    /// Counts a load that is not sent because sending is turned off; it need not even be complete.
    pub(crate) fn skip(&self) -> Outcome {
        self.inner.shared.counts.accepted.add(1);
        self.inner.shared.counts.skipped.add(1);
        Ok(Delivery::NotSent)
    }

    /// The receipt of a load if sending is turned off.
    pub(crate) fn skipped(&self) -> Option<Receipt> {
        self.is_off().then(|| Receipt::of_outcome(C::KIND, self.skip()))
    }

    /// Counts and reports a load that cannot be accepted.
    pub(crate) fn refuse(&self, failure: DeliveryError) -> Receipt {
        self.inner.shared.refuse(&failure);
        Receipt::of_failure(failure)
    }

    /// Like [`refuse`](Self::refuse), for a failure that has already been logged.
    pub(crate) fn refuse_logged(&self, failure: &DeliveryError) {
        self.inner.shared.counts.refused.add(1);
        self.inner.shared.reporter.tell_hooks(failure);
    }

    /// Tells the error hooks of a failure that is logged and counted elsewhere.
    pub(crate) fn tell_hooks(&self, failure: &DeliveryError) {
        self.inner.shared.reporter.tell_hooks(failure);
    }

    /// Waits for room in the queue and keeps it free for this load, if the overflow setting is [`Overflow::Wait`].
    /// `None` if there is nothing to wait for: the load is then pushed at once, or refused.
    pub(crate) async fn room_for(&self, load: &C::Load) -> Option<Room<'_, C>> {
        if self.inner.queue.overflow() != Overflow::Wait {
            return None;
        }
        let weight = C::weight(load);
        self.inner.queue.room(weight).await
    }

    /// Waits for room in the queue and keeps it free for this record, whatever the overflow setting. `None` if nothing
    /// is accepted any more.
    pub(crate) async fn room_for_record(&self, record: &Record) -> Option<Room<'_, C>> {
        self.inner.queue.room(record.weight()).await
    }

    pub(crate) fn patience(&self) -> Duration {
        self.inner.closing.patience()
    }

    /// Sends records with the same sink, beside the queue.
    pub(crate) fn errand(&self) -> Errand {
        let (sink, host) = (Arc::clone(&self.inner.sink), Arc::clone(&self.inner.host));
        Errand { kind: C::KIND, sink, host, mode: self.inner.mode }
    }

    pub(crate) fn has_disk(&self) -> bool {
        self.inner.has_disk
    }

    /// Waits until everything that was accepted before is delivered or permanently refused.
    ///
    /// # Errors
    ///
    /// If that takes longer than `timeout`: with the number of records that are not delivered, which stay queued. If delivery has
    /// ended: with the number of those that it left.
    pub(crate) async fn flush(&self, timeout: Duration) -> Result<(), FlushError> {
        let before = self.stats();
        let (tell, told) = tell::channel();
        let is_asked = self.inner.queue.flush(FlushTell::Task(tell));
        let flushed = async { is_asked && told.await.is_ok() };
        let is_flushed = end::within(&*self.inner.shared.host, timeout, flushed).await == Some(true);
        self.outcome(is_flushed, self.left_since(&before), timeout)
    }

    /// Like [`flush`](Self::flush), for a thread that may block.
    pub(crate) fn flush_blocking(&self, timeout: Duration) -> Result<(), FlushError> {
        let before = self.stats();
        let (tell, told) = mpsc::channel();
        let is_asked = self.inner.queue.flush(FlushTell::Thread(tell));
        let is_flushed = is_asked && told.recv_timeout(timeout).is_ok();
        self.outcome(is_flushed, self.left_since(&before), timeout)
    }

    /// Accepts nothing more, sends what is queued, and ends the thread. Records that are not delivered after `timeout`
    /// stay in the outbox; without one they are lost and reported.
    ///
    /// # Errors
    ///
    /// If records are not delivered: with their number.
    pub(crate) async fn shutdown(&self, timeout: Duration) -> Result<(), FlushError> {
        let before = self.stats();
        self.inner.closing.close(timeout);
        // The thread ends by itself in time, but a request may take a moment longer.
        end::within(&*self.inner.shared.host, timeout.saturating_add(MOMENT), self.inner.closing.ended()).await;
        self.outcome(false, self.left_since(&before), timeout)
    }

    /// Like [`shutdown`](Self::shutdown), for a thread that may block.
    pub(crate) fn shutdown_blocking(&self, timeout: Duration) -> Result<(), FlushError> {
        let before = self.stats();
        self.inner.closing.close(timeout);
        self.inner.closing.wait_elsewhere();
        self.outcome(false, self.left_since(&before), timeout)
    }

    /// What is not done: pending, refused and not yet a dead letter, lost since then, or lost because delivery ended.
    fn left_since(&self, before: &Stats) -> u64 {
        let stats = self.stats();
        // Read later than what is rejected: nothing is missed in between.
        let unwritten = self.inner.shared.counts.unwritten.read();
        let lost = stats.dropped.saturating_sub(before.dropped);
        stats.queued() + unwritten + lost.max(self.inner.shared.lost_at_end.read())
    }

    fn outcome(&self, is_done: bool, left: u64, after: Duration) -> Result<(), FlushError> {
        // What the end has lost is done, too, but not delivered.
        let is_done = is_done && self.inner.shared.lost_at_end.read() == 0;
        if is_done || left == 0 { Ok(()) } else { Err(FlushError { kind: C::KIND, left, after }) }
    }

    /// The counters so far.
    pub(crate) fn stats(&self) -> Stats {
        self.inner.shared.counts.read()
    }

    /// Ends the thread within its patience, and waits for it.
    pub(crate) fn end(&self) {
        self.inner.closing.end_within_patience();
    }

    /// Sets how long the thread may take if a signal of the operating system ends the process.
    pub(crate) fn name_time_on_signal(&self, time: Duration) {
        self.inner.closing.name_time_on_signal(time);
    }
}

impl<C: Cargo> Drop for DispatchInner<C> {
    fn drop(&mut self) {
        self.closing.end_within_patience();
    }
}

impl<C: Cargo> fmt::Debug for Dispatch<C> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Dispatch({:?})", self.stats())
    }
}
