//! From `emit` to Paid: a bounded queue, an outbox on disk where one is wanted, and a thread of its own that sends what
//! has come together until it is delivered or refused for good.

mod builder;
mod chunk;
mod courier;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod lanes;
mod ledger;
mod metrics;
#[cfg(not(feature = "outbox"))]
mod no_outbox;
#[cfg(feature = "outbox")]
pub(crate) mod outbox;
mod queue;
mod receipt;
mod shared;
#[cfg(feature = "sigterm")]
mod sigterm;
mod sink;
mod stats;
#[cfg(test)]
mod tests;
mod worker;

use std::fmt;
use std::pin::pin;
use std::sync::{Arc, mpsc};
use std::task::Poll;
use std::time::Duration;

use tokio::sync::{oneshot, watch};
use tokio::time::Instant;

use crate::Client;
use crate::emit::{self, Emit, EmitError};
use crate::error::ConfigError;
use crate::signal::{PaidSignal, Signal};

pub use builder::EmitterBuilder;
#[cfg(feature = "nats")]
pub(crate) use chunk::Head;
#[cfg(feature = "nats")]
pub(crate) use courier::is_about_content;
pub use queue::Overflow;
use queue::{Content, Pushed, Queue, Queued};
pub use receipt::{Delivery, Receipt};
use shared::Shared;
#[cfg(all(feature = "sigterm", feature = "trace"))]
pub(crate) use sigterm::on_sigterm;
pub use sink::{Counts, SignalBatch, Sink, SinkFuture};
pub use stats::Stats;

/// Delivers signals to Paid from a thread of its own: emitting never waits for the network and needs no runtime. Cloning
/// is cheap; dropping the last handle waits up to 5 seconds for what is queued, and reports what is left.
///
/// Signals go out in batches, several at a time, and those of one customer in the order they came. What cannot be
/// delivered now (Paid cannot be reached, is overloaded, or refuses the key) is tried again until it is, with waits that
/// grow to a minute. Meanwhile the queue fills: with an [outbox](EmitterBuilder::outbox) signals go to disk, without
/// one, those beyond its limit are refused and reported, or as [`Overflow`] says. A batch that Paid refuses for its
/// content, or counts as partly failed, is halved until the bad signals stand alone: the good ones get through. Every
/// signal has an idempotency key from emission on, so that repeating one bills nothing twice.
///
/// ```no_run
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let client = paid::Client::from_env()?;
/// paid::install(paid::Emitter::new(client)?);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Emitter {
    inner: Arc<Inner>,
}

struct Inner {
    queue: Arc<Queue>,
    shared: Arc<Shared>,
    end: watch::Sender<Option<Instant>>,
    runtime: tokio::runtime::Handle,
    patience: Duration,
    has_outbox: bool,
    #[cfg(feature = "outbox")]
    kind: outbox::Kind,
    /// Hears when the thread is done.
    done: std::sync::Mutex<mpsc::Receiver<()>>,
    ended: watch::Receiver<bool>,
}

/// What a flush did not get done in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{left} signal(s) are not delivered after {after:?}; Paid cannot be reached, or needs longer")]
#[non_exhaustive]
pub struct FlushError {
    /// How many signals are still on their way, or in the outbox.
    pub left: u64,
    /// How long was waited.
    pub after: Duration,
}

impl Emitter {
    /// An emitter over this client, with defaults for the rest.
    ///
    /// # Errors
    ///
    /// When no thread can be started.
    pub fn new(client: Client) -> Result<Self, ConfigError> {
        Self::builder(client).build()
    }

    /// Everything that can be set.
    pub fn builder(client: Client) -> EmitterBuilder {
        EmitterBuilder::over(client)
    }

    /// Queues a signal, at once, with a receipt to await or drop. Customer and product that it does not say come from
    /// the current scope.
    ///
    /// It never waits for the network. With an outbox and a full queue it may wait for the disk, for a second at most.
    pub fn emit<S: PaidSignal>(&self, signal: S) -> Receipt {
        let (tell, receipt) = Receipt::new();
        match emit::complete(signal.to_signal()) {
            Ok(signal) => {
                emit::attributed(signal, false, |signal| self.push(Content::Signal(signal), Some(tell), None))
            }
            Err(failure) => {
                emit::log(&failure);
                self.count_refused(&failure);
                let _ = tell.send(Err(failure));
            }
        }
        receipt
    }

    /// Sends a signal and waits until it is delivered or refused for good. With [`Overflow::Wait`] it waits for room in
    /// the queue first.
    ///
    /// # Errors
    ///
    /// Why it was not delivered.
    pub async fn send<S: PaidSignal>(&self, signal: S) -> Result<Delivery, EmitError> {
        self.wait_for_room().await;
        let receipt = self.emit(signal);
        receipt.await
    }

    /// Queues a signal and waits until it is safe: in the outbox on disk, or delivered. With [`Overflow::Wait`] it waits
    /// for room in the queue first. The receipt says later what became of it.
    ///
    /// # Errors
    ///
    /// Why it is not safe: [`EmitError::NoOutbox`] without an outbox.
    pub async fn store<S: PaidSignal>(&self, signal: S) -> Result<Receipt, EmitError> {
        if !self.inner.has_outbox {
            return Err(EmitError::NoOutbox);
        }
        let signal = emit::complete(signal.to_signal()).inspect_err(|failure| {
            emit::log(failure);
            self.count_refused(failure);
        })?;
        self.wait_for_room().await;
        let (tell, receipt) = Receipt::new();
        let (told_stored, stored) = oneshot::channel();
        emit::attributed(signal, false, |signal| self.push(Content::Signal(signal), Some(tell), Some(told_stored)));
        match stored.await {
            Ok(()) => Ok(receipt),
            Err(_) => Err(receipt.await.err().unwrap_or(EmitError::ShutDown { name: "".into() })),
        }
    }

    /// Queues a signal that is JSON already, as it stands in an outbox or a stream, when there is room for it.
    #[cfg(any(feature = "outbox", feature = "nats"))]
    pub(crate) async fn emit_json(&self, text: bytes::Bytes) -> Receipt {
        self.inner.queue.room().await;
        self.push_json(text)
    }

    /// The same at once.
    #[cfg(any(feature = "outbox", feature = "nats", feature = "cost-emitter"))]
    pub(crate) fn push_json(&self, text: bytes::Bytes) -> Receipt {
        let (tell, receipt) = Receipt::new();
        match chunk::content(text) {
            Some(content) => drop(self.push(content, Some(tell), None)),
            None => {
                emit::log(&EmitError::NoSignal);
                self.count_refused(&EmitError::NoSignal);
                let _ = tell.send(Err(EmitError::NoSignal));
            }
        }
        receipt
    }

    /// Reports what cannot be queued.
    #[cfg(feature = "cost-emitter")]
    pub(crate) fn refuse(&self, failure: EmitError) -> Receipt {
        let (tell, receipt) = Receipt::new();
        emit::log(&failure);
        self.count_refused(&failure);
        let _ = tell.send(Err(failure));
        receipt
    }

    async fn wait_for_room(&self) {
        if self.inner.queue.overflow() == Overflow::Wait {
            self.inner.queue.room().await;
        }
    }

    /// Waits until everything that was emitted before is delivered or refused for good.
    ///
    /// # Errors
    ///
    /// When that takes longer than `timeout`: how many signals are left. They stay queued.
    pub async fn flush(&self, timeout: Duration) -> Result<(), FlushError> {
        let (tell, told) = oneshot::channel();
        let is_told = self.inner.queue.flush(tell);
        let flushed = async { is_told && told.await.is_ok() };
        if self.within(timeout, flushed).await == Some(true) || self.stats().queued() == 0 {
            return Ok(());
        }
        Err(FlushError { left: self.stats().queued(), after: timeout })
    }

    /// Takes no more signals, sends what is queued, and ends the emitter's thread. What is left after `timeout` is lost
    /// and reported, or stays in the outbox until it is opened again.
    ///
    /// # Errors
    ///
    /// When something is left: how much.
    pub async fn shutdown(&self, timeout: Duration) -> Result<(), FlushError> {
        let before = self.stats();
        self.inner.close(timeout);
        let mut ended = self.inner.ended.clone();
        // Ends by itself in time; a request may hang for a moment.
        self.within(timeout + Duration::from_secs(1), async move { ended.wait_for(|ended| *ended).await.is_ok() })
            .await;
        let stats = self.stats();
        let left = stats.queued() + (stats.dropped - before.dropped);
        if left == 0 { Ok(()) } else { Err(FlushError { left, after: timeout }) }
    }

    /// The outcome of a future, or `None` after some time on the thread's own clock: on any runtime and on none.
    async fn within<F: Future>(&self, timeout: Duration, future: F) -> Option<F::Output> {
        within(&self.inner.runtime, timeout, future).await
    }

    /// What it has done so far.
    pub fn stats(&self) -> Stats {
        self.inner.shared.counts.read()
    }

    fn push(
        &self,
        content: Content,
        receipt: Option<oneshot::Sender<receipt::Outcome>>,
        stored: Option<oneshot::Sender<()>>,
    ) -> bool {
        let shared = &self.inner.shared;
        // Counted first, so that what is left is never less than nothing.
        shared.counts.accepted.add(1);
        match self.inner.queue.push(Queued { content, receipt, stored }) {
            Pushed::Queued => true,
            Pushed::Instead(oldest) => {
                shared.counts.dropped.add(1);
                let failure = EmitError::Dropped { name: oldest.content.name().into() };
                shared.log_overflow(&failure);
                shared.report(&failure);
                oldest.answer(Err(failure));
                true
            }
            Pushed::Refused(queued, failure) => {
                shared.counts.accepted.subtract(1);
                shared.log_overflow(&failure);
                self.count_refused(&failure);
                queued.answer(Err(failure));
                false
            }
        }
    }

    fn count_refused(&self, failure: &EmitError) {
        self.inner.shared.counts.refused.add(1);
        self.inner.shared.report(failure);
    }
}

/// The outcome of a future, or `None` after some time on the clock of this runtime, wherever it is awaited.
pub(crate) async fn within<F: Future>(
    runtime: &tokio::runtime::Handle,
    timeout: Duration,
    future: F,
) -> Option<F::Output> {
    let (ring, rung) = oneshot::channel::<()>();
    runtime.spawn(async move {
        tokio::time::sleep(timeout).await;
        drop(ring);
    });
    let (mut future, mut rung) = (pin!(future), pin!(rung));
    std::future::poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(outcome) => Poll::Ready(Some(outcome)),
        Poll::Pending => rung.as_mut().poll(context).map(|_| None),
    })
    .await
}

impl Emit for Emitter {
    fn emit(&self, signal: Signal) {
        self.offer(signal);
    }

    fn offer(&self, signal: Signal) -> bool {
        self.push(Content::Signal(signal), None, None)
    }

    fn fail(&self, failure: EmitError) {
        self.count_refused(&failure);
    }
}

impl Inner {
    /// Ends the thread, within this time.
    fn close(&self, patience: Duration) {
        let end = Instant::now() + patience;
        self.end.send_if_modified(|before| {
            let is_sooner = before.is_none_or(|before| end < before);
            if is_sooner {
                *before = Some(end);
            }
            is_sooner
        });
        self.queue.close();
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.close(self.patience);
        let done = self.done.get_mut().unwrap_or_else(std::sync::PoisonError::into_inner);
        // The thread gives up by itself when its patience ends; a request may still hang for a moment then.
        let limit = self.patience + Duration::from_secs(1);
        if let Err(mpsc::RecvTimeoutError::Timeout) = done.recv_timeout(limit) {
            let left = self.shared.counts.read().queued();
            emit::log(&format_args!("the last emitter is gone, and {left} signal(s) are left after {limit:?}"));
        }
    }
}

impl fmt::Debug for Emitter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Emitter({:?})", self.stats())
    }
}
