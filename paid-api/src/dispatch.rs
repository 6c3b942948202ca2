//! What leaves: records in, records out. A bounded queue, an outbox on disk where one is wanted, and a thread of its own
//! that sends what has come together until it is delivered or refused for good. Knows no signal, no cost record and no
//! span: these are [cargoes](cargo::Cargo).

mod cargo;
mod chunk;
mod counters;
mod courier;
mod disk;
mod end;
mod event;
mod lanes;
mod ledger;
mod metrics;
mod queue;
mod receipt;
mod record;
mod settings;
mod shared;
mod sink;
mod start;
mod stats;
#[cfg(test)]
mod tests;
mod worker;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;

use tokio::sync::{oneshot, watch};
use tokio::time::Instant;

use crate::report::{DeliveryError, RecordKind, log};
use queue::{Content, FlushTell, Pushed, Queue, Queued};
use receipt::Outcome;
use shared::Shared;

pub(crate) use cargo::Cargo;
pub use disk::Fsync;
pub(crate) use disk::{Disk, DiskNews, DiskSettings, Frame, News, OpenedDisk, Rejected};
pub use receipt::{Delivery, Receipt};
pub(crate) use record::Page;
pub use record::Record;
pub use settings::Overflow;
pub(crate) use settings::{DispatchSettings, Partial, dispatch_setters};
pub use sink::{Batch, Sink, SinkFuture};
pub use stats::Stats;
pub(crate) use stats::now_ms;

/// A handle of the background that delivers one sort of cargo. The last one that is dropped ends it.
pub(crate) struct Dispatch<C: Cargo> {
    inner: Arc<DispatchInner<C>>,
}

impl<C: Cargo> Clone for Dispatch<C> {
    fn clone(&self) -> Self {
        Self { inner: Arc::clone(&self.inner) }
    }
}

struct DispatchInner<C: Cargo> {
    queue: Arc<Queue<C>>,
    shared: Arc<Shared>,
    end: watch::Sender<Option<Instant>>,
    runtime: tokio::runtime::Handle,
    patience: Duration,
    has_disk: bool,
    /// Hears when the thread is done; `None` once that was waited for.
    done: Mutex<Option<mpsc::Receiver<()>>>,
    ended: watch::Receiver<bool>,
}

/// A handle that does not keep the background alive.
pub(crate) struct WeakDispatch<C: Cargo>(std::sync::Weak<DispatchInner<C>>);

/// What a flush or shutdown did not get done in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} not delivered after {after:?}; the server cannot be reached, or needs longer", kind.counted(*left))]
#[non_exhaustive]
pub struct FlushError {
    /// What is left.
    pub kind: RecordKind,
    /// How many records are still on their way, in the outbox, or lost.
    pub left: u64,
    /// How long was waited.
    pub after: Duration,
}

impl<C: Cargo> Dispatch<C> {
    /// Takes a load in, at once; whether it is taken. What is not taken is counted and reported. With an outbox and a full
    /// queue it may wait for the disk, for a second at most.
    pub(crate) fn push(
        &self,
        load: C::Load,
        receipt: Option<oneshot::Sender<Outcome>>,
        stored: Option<oneshot::Sender<()>>,
    ) -> bool {
        self.push_content(Queued { content: Content::Load(load), receipt, stored })
    }

    /// Takes in what was written as a record before.
    pub(crate) fn push_record(&self, record: Record) -> Receipt {
        let (tell, receipt) = Receipt::new(record.kind());
        self.push_content(Queued { content: Content::Record(record), receipt: Some(tell), stored: None });
        receipt
    }

    fn push_content(&self, queued: Queued<C>) -> bool {
        let shared = &self.inner.shared;
        // Counted first, so that what is left is never less than nothing.
        shared.counts.accepted.add(1);
        match self.inner.queue.push(queued) {
            Pushed::Queued => true,
            Pushed::Instead(other) => {
                shared.counts.dropped.add(1);
                let failure = DeliveryError::Dropped { kind: other.content.kind(), name: other.content.name() };
                shared.reporter.report_throttled(&failure);
                other.answer(Err(failure));
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

    /// Takes notice of something that cannot be taken in: counts and reports it.
    pub(crate) fn refuse(&self, failure: DeliveryError) -> Receipt {
        self.inner.shared.refuse(&failure);
        Receipt::of_failure(failure)
    }

    /// The same for a failure that has been logged.
    pub(crate) fn refuse_logged(&self, failure: &DeliveryError) {
        self.inner.shared.counts.refused.add(1);
        self.inner.shared.reporter.tell_hooks(failure);
    }

    /// Waits until the queue has room, if callers are to wait for it.
    pub(crate) async fn wait_for_room(&self) {
        if self.inner.queue.overflow() == Overflow::Wait {
            self.room().await;
        }
    }

    /// Waits until the queue has room.
    pub(crate) async fn room(&self) {
        self.inner.queue.room().await;
    }

    pub(crate) fn has_disk(&self) -> bool {
        self.inner.has_disk
    }

    /// Waits until everything that was taken in before is delivered or refused for good.
    ///
    /// # Errors
    ///
    /// If that takes longer than `timeout`: how many records are left. They stay queued.
    pub(crate) async fn flush(&self, timeout: Duration) -> Result<(), FlushError> {
        let (tell, told) = oneshot::channel();
        let is_asked = self.inner.queue.flush(FlushTell::Task(tell));
        let flushed = async { is_asked && told.await.is_ok() };
        let is_flushed = self.within(timeout, flushed).await == Some(true);
        self.outcome(is_flushed, self.stats().queued(), timeout)
    }

    /// The same for a thread that may block.
    pub(crate) fn flush_blocking(&self, timeout: Duration) -> Result<(), FlushError> {
        let (tell, told) = mpsc::channel();
        let is_asked = self.inner.queue.flush(FlushTell::Thread(tell));
        let is_flushed = is_asked && told.recv_timeout(timeout).is_ok();
        self.outcome(is_flushed, self.stats().queued(), timeout)
    }

    /// Takes nothing more, sends what is queued, and ends the thread. What is left after `timeout` is lost and reported, or
    /// stays in the outbox.
    ///
    /// # Errors
    ///
    /// If something is left: how many records.
    pub(crate) async fn shutdown(&self, timeout: Duration) -> Result<(), FlushError> {
        let before = self.stats();
        self.inner.close(timeout);
        let mut ended = self.inner.ended.clone();
        let has_ended = async move { ended.wait_for(|ended| *ended).await.is_ok() };
        // Ends by itself in time; a request may hang for a moment.
        self.within(timeout.saturating_add(GRACE), has_ended).await;
        let stats = self.stats();
        self.outcome(false, stats.queued() + (stats.dropped - before.dropped), timeout)
    }

    fn outcome(&self, is_done: bool, left: u64, after: Duration) -> Result<(), FlushError> {
        if is_done || left == 0 { Ok(()) } else { Err(FlushError { kind: C::KIND, left, after }) }
    }

    /// The outcome of a future, or `None` after some time on the thread's own clock: on any runtime and on none.
    async fn within<F: Future>(&self, timeout: Duration, future: F) -> Option<F::Output> {
        end::within(&self.inner.runtime, timeout, future).await
    }

    /// What it has done so far.
    pub(crate) fn stats(&self) -> Stats {
        self.inner.shared.counts.read()
    }

    pub(crate) fn downgrade(&self) -> WeakDispatch<C> {
        WeakDispatch(Arc::downgrade(&self.inner))
    }

    /// Ends the thread within its patience, and waits for it.
    pub(crate) fn end(&self) {
        self.inner.end_within_patience();
    }
}

impl<C: Cargo> WeakDispatch<C> {
    pub(crate) fn upgrade(&self) -> Option<Dispatch<C>> {
        self.0.upgrade().map(|inner| Dispatch { inner })
    }
}

/// The thread gives up by itself when its time ends; a request may still hang for a moment then.
const GRACE: Duration = Duration::from_secs(1);

impl<C: Cargo> DispatchInner<C> {
    /// Ends the thread, within this time.
    fn close(&self, patience: Duration) {
        let end = end::after(patience);
        self.end.send_if_modified(|before| {
            let is_sooner = before.is_none_or(|before| end < before);
            if is_sooner {
                *before = Some(end);
            }
            is_sooner
        });
        self.queue.close();
    }

    fn end_within_patience(&self) {
        self.close(self.patience);
        let done = self.done.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(done) = done else { return };
        let limit = self.patience.saturating_add(GRACE);
        if let Err(mpsc::RecvTimeoutError::Timeout) = done.recv_timeout(limit) {
            let left = self.shared.counts.read().queued();
            log(&format_args!("the last handle is gone, and {} left after {limit:?}", C::KIND.counted(left)));
        }
    }
}

impl<C: Cargo> Drop for DispatchInner<C> {
    fn drop(&mut self) {
        self.end_within_patience();
    }
}

impl<C: Cargo> fmt::Debug for Dispatch<C> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Dispatch({:?})", self.stats())
    }
}
