//! From `emit` to Paid: a bounded queue, and a thread of its own that sends what has come together, in order, until it
//! is delivered or refused for good. The queue is in memory; what is in it when the process is killed is lost.

mod receipt;
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

use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc as queue, oneshot, watch};

use crate::Client;
use crate::emit::{self, Emit, EmitError};
use crate::error::ConfigError;
use crate::signal::{PaidSignal, Signal};

pub use receipt::{Delivery, Receipt};
pub use sink::{Counts, Sink, SinkFuture};
pub use stats::Stats;
use worker::{Order, Queued, Settings, Shared, Worker};

/// Delivers signals to Paid from a thread of its own: emitting never blocks and needs no runtime. Cloning is cheap;
/// dropping the last handle waits up to 5 seconds for what is queued, and reports what is left.
///
/// Signals go out in batches, in the order they came. What cannot be delivered now (Paid cannot be reached, is
/// overloaded, or refuses the key) is tried again until it is, with waits that grow to a minute; meanwhile the queue
/// fills, and beyond its limit signals are refused and reported. A batch that Paid refuses for its content, or counts
/// as partly failed, is halved until the bad signals stand alone: the good ones get through. Every signal has an
/// idempotency key from emission on, so that repeating one bills nothing twice.
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
    /// `None` once it is being dropped.
    queue: Option<queue::Sender<Order>>,
    shared: Arc<Shared>,
    closing: watch::Sender<bool>,
    runtime: tokio::runtime::Handle,
    patience: Duration,
    /// Hears when the thread is done.
    done: std::sync::Mutex<mpsc::Receiver<()>>,
}

/// What a flush did not get done in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{left} signal(s) are still queued after {after:?}; Paid cannot be reached, or needs longer")]
#[non_exhaustive]
pub struct FlushError {
    /// How many signals are still on their way.
    pub left: u64,
    /// How long was waited.
    pub after: Duration,
}

/// Sets up an [`Emitter`].
#[must_use = "a builder does nothing until it is built"]
pub struct EmitterBuilder {
    sink: Arc<dyn Sink>,
    settings: Settings,
    hook: Option<Box<worker::Hook>>,
    limit: usize,
    patience: Duration,
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
    pub fn emit<S: PaidSignal>(&self, signal: S) -> Receipt {
        let (tell, receipt) = Receipt::new();
        match emit::complete(signal.to_signal()) {
            Ok(signal) => self.queue(signal, Some(tell)),
            Err(failure) => {
                emit::log(&failure);
                self.count_refused(&failure);
                let _ = tell.send(Err(failure));
            }
        }
        receipt
    }

    /// Sends a signal and waits until it is delivered or refused for good.
    ///
    /// # Errors
    ///
    /// Why it was not delivered.
    pub async fn send<S: PaidSignal>(&self, signal: S) -> Result<Delivery, EmitError> {
        let receipt = self.emit(signal);
        receipt.await
    }

    /// Waits until everything that was emitted before is delivered or refused for good.
    ///
    /// # Errors
    ///
    /// When that takes longer than `timeout`: how many signals are left. They stay queued.
    pub async fn flush(&self, timeout: Duration) -> Result<(), FlushError> {
        let (tell, told) = oneshot::channel();
        let (ring, rung) = oneshot::channel();
        // The thread's own clock, so that it works on any runtime and on none.
        self.inner.runtime.spawn(async move {
            tokio::time::sleep(timeout).await;
            let _ = ring.send(());
        });
        let flushed = async {
            if let Some(queue) = &self.inner.queue
                && queue.send(Order::Flush(tell)).await.is_ok()
            {
                let _ = told.await;
            }
        };
        let (mut flushed, mut rung) = (pin!(flushed), pin!(rung));
        let in_time = std::future::poll_fn(|context| {
            if flushed.as_mut().poll(context).is_ready() {
                return Poll::Ready(true);
            }
            rung.as_mut().poll(context).map(|_| false)
        })
        .await;
        if in_time { Ok(()) } else { Err(FlushError { left: self.stats().queued(), after: timeout }) }
    }

    /// What it has done so far.
    pub fn stats(&self) -> Stats {
        self.inner.shared.counts.read()
    }

    fn queue(&self, signal: Signal, receipt: Option<oneshot::Sender<receipt::Outcome>>) {
        let Some(queue) = &self.inner.queue else { return };
        let shared = &self.inner.shared;
        // Counted first, so that what is left is never less than nothing.
        shared.counts.accepted.add(1);
        let (failure, order) = match queue.try_send(Order::Send(Box::new(Queued { signal, receipt }))) {
            Ok(()) => return,
            Err(TrySendError::Full(order)) => {
                (EmitError::QueueFull { name: order.name(), limit: queue.max_capacity() }, order)
            }
            Err(TrySendError::Closed(order)) => (EmitError::ShutDown { name: order.name() }, order),
        };
        shared.counts.accepted.subtract(1);
        emit::log(&failure);
        self.count_refused(&failure);
        order.answer(Err(failure));
    }

    fn count_refused(&self, failure: &EmitError) {
        self.inner.shared.counts.refused.add(1);
        self.inner.shared.report(failure);
    }
}

impl Emit for Emitter {
    fn emit(&self, signal: Signal) {
        self.queue(signal, None);
    }

    fn fail(&self, failure: EmitError) {
        self.count_refused(&failure);
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.queue = None;
        self.closing.send_replace(true);
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

impl EmitterBuilder {
    /// An emitter that delivers to something else than Paid's API: a test, a queue of your own.
    pub fn over(sink: impl Sink + 'static) -> Self {
        let patience = Duration::from_secs(5);
        Self { sink: Arc::new(sink), settings: Settings::default(), hook: None, limit: 10_000, patience }
    }

    /// Called for every signal that is not billed, from the thread that notices it. It has been logged already.
    pub fn on_error(mut self, hook: impl Fn(&EmitError) + Send + Sync + 'static) -> Self {
        self.hook = Some(Box::new(hook));
        self
    }

    /// How many signals may wait; 10,000 unless set. One more is refused and reported.
    pub fn queue(mut self, limit: usize) -> Self {
        self.limit = limit.max(1);
        self
    }

    /// How many signals go into one request; 500 unless set.
    pub fn max_batch(mut self, signals: usize) -> Self {
        self.settings.max_batch = signals.max(1);
        self
    }

    /// How many bytes go into one request; 1 MiB unless set. A signal that is larger goes alone.
    pub fn max_bytes(mut self, bytes: usize) -> Self {
        self.settings.max_bytes = bytes.max(1);
        self
    }

    /// How long a signal waits for others to go with it; 100 ms unless set.
    pub fn linger(mut self, linger: Duration) -> Self {
        self.settings.linger = linger;
        self
    }

    /// The bounds of the first and of every wait before delivery is tried again; 500 ms and a minute unless set.
    pub fn retry_delays(mut self, base: Duration, max: Duration) -> Self {
        self.settings.base_delay = base;
        self.settings.max_delay = max;
        self
    }

    /// How long dropping the last handle waits for what is queued; 5 seconds unless set.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Starts the emitter's thread.
    ///
    /// # Errors
    ///
    /// When no thread can be started.
    pub fn build(self) -> Result<Emitter, ConfigError> {
        let refused = |error: std::io::Error| ConfigError::new(format!("cannot start the emitter's thread: {error}"));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(refused)?;
        let handle = runtime.handle().clone();
        let (sender, receiver) = queue::channel(self.limit);
        let (closing, closed) = watch::channel(false);
        let (tell, done) = mpsc::channel();
        let shared = Arc::new(Shared::new(self.hook));
        let worker = Worker::new(self.sink, Arc::clone(&shared), self.settings, closed, self.patience);
        std::thread::Builder::new()
            .name("paid-emitter".into())
            .spawn(move || {
                runtime.block_on(worker.run(receiver));
                let _ = tell.send(());
            })
            .map_err(refused)?;
        let inner =
            Inner { queue: Some(sender), shared, closing, runtime: handle, patience: self.patience, done: done.into() };
        Ok(Emitter { inner: Arc::new(inner) })
    }
}

impl fmt::Debug for EmitterBuilder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("EmitterBuilder").field("settings", &self.settings).finish_non_exhaustive()
    }
}
